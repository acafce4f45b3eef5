// SPDX-License-Identifier: Apache-2.0
// What an event of a Pod tells where the usual place of it is empty: entries are cut when they are long, and any part may be missing.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/core/audit/classify.js';
import type { AuditEvent } from '../../src/core/operation-results.js';
import { ANNOTATION, cut, denied, edited, GKE_HOOK, imageOf, LABEL, pod, type Entry } from '../support/log-entries.js';

const COMMIT = '0123456789abcdef';

function only(entry: Entry): AuditEvent {
  const [event, ...others] = classify(entry);
  if (!event || others.length > 0) throw new Error(`expected one event, got ${others.length + (event ? 1 : 0)}`);
  return event;
}
const typesOf = (entry: Entry): readonly string[] => classify(entry).map(({ type }) => type);
const CLUSTER = 'projects/shop-prod/locations/us-central1-a/clusters/prod';
const OWNER = { kind: 'ReplicaSet', name: 'web-7d4b9c', controller: true };

describe('an event of a Pod', () => {
  it('holds nothing that is not known', () => {
    const bare = edited(cut(denied(7)), {
      'protoPayload.authenticationInfo': undefined,
      'protoPayload.status.message': `admission webhook "${GKE_HOOK}" denied the request`,
    });
    expect(only(bare)).toStrictEqual({
      type: 'DENIED',
      time: '',
      platform: 'gke',
      resource: `${CLUSTER}/namespaces/shop/pods/web-7`,
      images: [],
      principal: 'unknown',
      message: expect.stringContaining('denied the request') as string,
      insertId: '',
    });
  });

  it.each<[string, Readonly<Record<string, unknown>>, Partial<AuditEvent>]>([
    ['its time, or when it was received', { receiveTimestamp: '2026-11-20T10:00:01Z' }, { time: '2026-11-20T10:00:01Z' }],
    ['its own time', { timestamp: '2026-11-20T10:00:00Z', receiveTimestamp: '2026-11-20T10:00:01Z' }, { time: '2026-11-20T10:00:00Z' }],
    ['its id', { insertId: 'i7' }, { insertId: 'i7' }],
    [
      'a principal without an address',
      { 'protoPayload.authenticationInfo': { principalSubject: 'principal://x' } },
      { principal: 'principal://x' },
    ],
    ['the commit of what was sent', { 'protoPayload.request.metadata.labels': { commit: COMMIT } }, { commit: COMMIT }],
    ['the commit of what it became', { 'protoPayload.response.metadata': { annotations: { 'git-sha': COMMIT } } }, { commit: COMMIT }],
    [
      'the workload of what it became',
      { 'protoPayload.request': undefined, 'protoPayload.response.metadata': { ownerReferences: [OWNER] } },
      { workload: 'ReplicaSet/web-7d4b9c' },
    ],
    [
      'the workload that controls it, among its owners',
      {
        'protoPayload.request.metadata.ownerReferences': [
          { kind: 'Node', name: 'n' },
          { ...OWNER, controller: 'true' },
          OWNER,
          { ...OWNER, name: 'x' },
        ],
      },
      { workload: 'ReplicaSet/web-7d4b9c' },
    ],
    [
      'the images of what it became',
      { 'protoPayload.request': undefined, 'protoPayload.response.spec': { containers: [{ image: 'became' }] } },
      { images: ['became'] },
    ],
    ['the images that were sent', { 'protoPayload.response.spec': { containers: [{ image: 'became' }] } }, { images: [imageOf(7)] }],
    [
      'the words of the answer',
      { 'protoPayload.status.message': 'admission web…' },
      { message: expect.stringContaining('denied by') as string },
    ],
    [
      'that a policy was violated, where no words are left',
      { 'protoPayload.response.message': undefined, 'protoPayload.status.message': undefined },
      { message: 'the policy was violated' },
    ],
    ['no success by a code of zero', { 'protoPayload.status.code': 0 }, { type: 'DENIED' }],
  ])('tells %s', (_, changes, expected) => expect(only(edited(denied(7), changes))).toMatchObject(expected));

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['as the log names it', { 'protoPayload.resourceName': 'core/v1/namespaces/other/pods/own' }, '/namespaces/other/pods/own'],
    [
      'by its own name',
      { 'protoPayload.resourceName': 'core/v1/namespaces/other/pods', 'protoPayload.request.metadata.name': 'sent' },
      '/namespaces/other/pods/sent',
    ],
    [
      'by the name that it got',
      {
        'protoPayload.resourceName': 'core/v1/namespaces/other/pods',
        'protoPayload.request.metadata.name': undefined,
        'protoPayload.response.metadata': { name: 'got' },
      },
      '/namespaces/other/pods/got',
    ],
    [
      'by the name in the refusal',
      {
        'protoPayload.resourceName': '',
        'protoPayload.request.metadata.name': undefined,
        'protoPayload.response.details': { name: 'refused' },
      },
      '/namespaces/shop/pods/refused',
    ],
    [
      'by the beginning of a name that is yet to be made',
      {
        'protoPayload.resourceName': 'x/core/v1/namespaces/no/pods/no',
        'protoPayload.request.metadata': { generateName: 'web-7d4b9c-' },
        'protoPayload.response.details': undefined,
      },
      '/pods/web-7d4b9c-*',
    ],
    [
      'without a name',
      { 'protoPayload.resourceName': '', 'protoPayload.request': undefined, 'protoPayload.response.details': undefined },
      '',
    ],
  ])('names its Pod %s', (_, changes, expected) => expect(only(edited(denied(7), changes)).resource).toBe(`${CLUSTER}${expected}`));

  it('names no cluster that is not known', () =>
    expect(only(edited(denied(7), { 'resource.labels': { project_id: 'p' } })).resource).toBe('projects/p/namespaces/shop/pods/web-7'));
});

describe('a Pod', () => {
  const created = { 'protoPayload.response.metadata': { labels: { [LABEL]: 'true' } } };

  it.each<[string, Entry, readonly string[]]>([
    ['got its break-glass label on the way', edited(pod(7), created), ['BREAK_GLASS']],
    ['got it in an update', edited(pod(7, { method: 'update' }), created), ['BREAK_GLASS']],
    ['had it before a patch', edited(pod(7, { method: 'patch' }), created), []],
    ['was given it in a patch', pod(7, { method: 'patch', podLabels: { [LABEL]: 'true' } }), ['BREAK_GLASS']],
    ['has the older annotation alone', pod(7, { annotations: { [ANNOTATION]: 'true' } }), ['BREAK_GLASS']],
    ['was refused before any webhook was asked', pod(7, { isForbidden: true, podLabels: { [LABEL]: 'true' } }), []],
    ['is in an entry without labels', edited(pod(7, { podLabels: { [LABEL]: 'true' } }), { labels: undefined }), ['BREAK_GLASS']],
    ['is in an entry with null for labels', edited(pod(7), { labels: null }), []],
    ['was refused by a code alone', edited(cut(denied(7)), { 'protoPayload.response': {} }), ['DENIED']],
    ['was refused by an answer alone', edited(denied(7), { 'protoPayload.status': undefined }), ['DENIED']],
    [
      'was not refused by a code that is a text',
      edited(pod(7, { podLabels: { [LABEL]: 'true' } }), { 'protoPayload.status.code': '7' }),
      ['BREAK_GLASS'],
    ],
  ])('%s', (_, entry, types) => expect(typesOf(entry)).toEqual(types));

  it('that was admitted for another reason than the policy says which', () => {
    expect(only(pod(7, { labels: { [`${GKE_HOOK}/dry-run`]: 'true' } })).message).toBe('admitted by a dry-run rule');
    expect(only(pod(7, { labels: { [`${GKE_HOOK}/failed-open`]: 'true' } })).message).toMatch(/^admitted unchecked/);
  });

  it('that says why it went past the policy may say so on either side', () => {
    const broken = pod(7, { podLabels: { [LABEL]: 'true' } });
    const annotations = { [ANNOTATION]: 'INC-7' };
    expect(only(edited(broken, { 'protoPayload.response.metadata.annotations': annotations })).justification).toBe('INC-7');
    expect(only(edited(broken, { 'protoPayload.request.metadata.annotations': annotations })).justification).toBe('INC-7');
    expect(only(broken)).not.toHaveProperty('justification');
  });
});
