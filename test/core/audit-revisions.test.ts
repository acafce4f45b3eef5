// SPDX-License-Identifier: Apache-2.0
// What an event on Cloud Run tells where the usual place of it is empty, and which words of Google's make one.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/core/audit/classify.js';
import type { AuditEvent } from '../../src/core/operation-results.js';
import { blocked, edited, execution, imageOf, revision, RUN_ANNOTATION, type Entry } from '../support/log-entries.js';

const COMMIT = '0123456789abcdef';

function only(entry: Entry): AuditEvent {
  const [event, ...others] = classify(entry);
  if (!event || others.length > 0) throw new Error(`expected one event, got ${others.length + (event ? 1 : 0)}`);
  return event;
}
const typesOf = (entry: Entry): readonly string[] => classify(entry).map(({ type }) => type);

describe('an event on Cloud Run', () => {
  const RUN = 'projects/shop-prod/locations/europe-west1';

  it('holds nothing that is not known', () => {
    const bare = edited(blocked(7), {
      'protoPayload.status': undefined,
      'protoPayload.response': { status: { conditions: [{ reason: 'ContainerImageUnauthorized' }] } },
      'resource.labels': {},
    });
    expect(only(bare)).toStrictEqual({
      type: 'DENIED',
      time: '',
      platform: 'cloud-run',
      resource: '',
      images: [],
      principal: 'unknown',
      message: 'the container image is not authorized by policy',
      insertId: '',
    });
  });

  const spec = (...images: readonly string[]) => ({ containers: images.map((image) => ({ image })) });
  it.each<[string, Readonly<Record<string, unknown>>, Partial<AuditEvent>]>([
    ['its time', { timestamp: 't1', receiveTimestamp: 't2' }, { time: 't1' }],
    ['when it was received', { receiveTimestamp: 't2' }, { time: 't2' }],
    ['its id', { insertId: 'i7' }, { insertId: 'i7' }],
    [
      'the words of the condition',
      { 'protoPayload.status.message': 'other words' },
      { message: expect.stringContaining('not authorized') as string },
    ],
    [
      'the words of the status, where the condition has none',
      {
        'protoPayload.status.message': 'other words',
        'protoPayload.response.status.conditions': [{ reason: 'CONTAINER_IMAGE_UNAUTHORIZED', status: 'False' }],
      },
      { message: 'other words' },
    ],
    ['who called', { 'protoPayload.authenticationInfo': { principalEmail: 'me@x' } }, { principal: 'me@x' }],
    [
      'who changed it last',
      {
        'protoPayload.response.metadata.annotations': {
          'serving.knative.dev/lastModifier': 'last@x',
          'serving.knative.dev/creator': 'first@x',
        },
      },
      { principal: 'last@x' },
    ],
    ['its commit', { 'protoPayload.response.metadata.labels': { 'commit-sha': COMMIT } }, { commit: COMMIT }],
    [
      'the commit of its template',
      { 'protoPayload.response.spec.template': { metadata: { labels: { commit: COMMIT } } } },
      { commit: COMMIT },
    ],
    ['its images, each once', { 'protoPayload.response.spec': spec('a', 'b', 'a') }, { images: ['a', 'b'] }],
    ['the images of its template', { 'protoPayload.response.spec': { template: { spec: spec('a') } } }, { images: ['a'] }],
    [
      'the images of its template’s template',
      { 'protoPayload.response.spec': { template: { spec: { template: { spec: spec('a') } } } } },
      { images: ['a'] },
    ],
    ['the images in its words, where the rest was too long', { 'protoPayload.response.spec': undefined }, { images: [imageOf(7)] }],
    ['which revision', {}, { resource: `${RUN}/services/web/revisions/web-7` }],
    ['which service', { 'resource.labels.revision_name': '' }, { resource: `${RUN}/services/web` }],
  ])('tells %s', (_, changes, expected) => expect(only(edited(blocked(7), changes))).toMatchObject(expected));

  it.each([
    ['namespaces/shop-prod/executions/nightly-7', '/executions/nightly-7'],
    ['namespaces/shop-prod/executions/nightly-7/tasks/1', ''],
    ['v1/namespaces/shop-prod/executions/nightly-7', ''],
    ['namespaces/shop-prod/jobs/nightly', ''],
  ])('of the job %s tells which execution', (resourceName, expected) =>
    expect(only(edited(execution(7), { 'protoPayload.resourceName': resourceName })).resource).toBe(`${RUN}/jobs/nightly${expected}`),
  );
});

describe('a revision', () => {
  const condition = (message: string) => ({
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', message },
    ],
  });
  const job = { 'resource.labels': { job_name: 'nightly' } };

  it.each<[string, Entry, readonly string[]]>([
    ['that the policy admits at last', blocked(7, { conditions: [{ reason: 'ContainerImageUnauthorized', status: 'True' }] }), []],
    ['with break-glass in a condition', revision(7, condition('deployed with break-glass')), ['BREAK_GLASS']],
    ['with break-glass in capitals', revision(7, { message: 'BREAKGLASS was used' }), ['BREAK_GLASS']],
    ['with a dry run in a condition', revision(7, condition('would be denied (dry run)')), ['DRY_RUN']],
    ['with a dry run in capitals', revision(7, { message: 'Dry Run: would be denied' }), ['DRY_RUN']],
    ['with break-glass and a dry run', revision(7, { message: 'breakglass overrides the dry run' }), ['BREAK_GLASS']],
    ['of a job with a justification', edited(revision(7, { annotations: { [RUN_ANNOTATION]: 'INC-7' } }), job), ['BREAK_GLASS']],
    ['of nothing with a justification', edited(revision(7, { annotations: { [RUN_ANNOTATION]: 'INC-7' } }), { 'resource.labels': {} }), []],
    ['in another resource’s entry', edited(blocked(7), { 'resource.type': 'gce_instance' }), []],
  ])('%s', (_, entry, types) => expect(typesOf(entry)).toEqual(types));

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['the annotation of what it became', { 'protoPayload.response.metadata.annotations': { [RUN_ANNOTATION]: 'INC-7' } }],
    ['the annotation of what was sent', { 'protoPayload.request': { metadata: { annotations: { [RUN_ANNOTATION]: 'INC-7' } } } }],
    ['the v2 API', { 'protoPayload.request': { binaryAuthorization: { breakglassJustification: 'INC-7' } } }],
  ])('says why it went past the policy by %s', (_, changes) => {
    expect(only(edited(revision(7), changes))).toMatchObject({ justification: 'INC-7', message: 'deployed with break-glass' });
    const worded = edited(revision(7, { message: 'the revision is ready' }), changes);
    expect(only(worded)).toMatchObject({ justification: 'INC-7', message: 'the revision is ready' });
  });

  it('that went past the policy is told in the words that say so', () => {
    const event = only(revision(7, { message: 'ready', ...condition('deployed with breakglass: because') }));
    expect(event.message).toBe('deployed with breakglass: because');
    expect(event).not.toHaveProperty('justification');
  });
});
