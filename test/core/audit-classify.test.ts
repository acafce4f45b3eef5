// SPDX-License-Identifier: Apache-2.0
// Which log entries are events, and what they tell; a workload's author makes none and hides none.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/core/audit/classify.js';
import type { AuditEvent } from '../../src/core/operation-results.js';
import { EVENTS, NEAR_MISSES } from '../support/audit-cases.js';
import {
  ANNOTATION,
  blocked,
  cut,
  denied,
  FAILED_OPEN,
  GKE_HOOK,
  imageOf,
  LABEL,
  pod,
  revision,
  RUN_ANNOTATION,
  type Entry,
} from '../support/log-entries.js';

const at = (entry: Entry): Entry => ({ ...entry, timestamp: '2026-11-20T10:00:00.5Z', insertId: 'i1' });
const only = (entry: Entry): AuditEvent => {
  const [event, ...others] = classify(at(entry));
  if (!event || others.length > 0) throw new Error('expected one event');
  return event;
};

describe('an entry is an event', () => {
  it.each(EVENTS)('%s', (_, types, make) => expect(classify(at(make(7))).map(({ type }) => type)).toEqual(types));
});

describe('an entry is none', () => {
  it.each(NEAR_MISSES)('%s', (_, make) => expect(classify(at(make(7)))).toEqual([]));
  it.each([[{}], [{ protoPayload: null }], [{ resource: { type: 'k8s_cluster' }, logName: 'x', protoPayload: 'text' }]])('%j', (entry) =>
    expect(classify(entry)).toEqual([]),
  );
});

describe('an event tells', () => {
  it('who deployed what, where and when', () => {
    expect(only(denied(7))).toEqual({
      type: 'DENIED',
      time: '2026-11-20T10:00:00.5Z',
      platform: 'gke',
      resource: 'projects/shop-prod/locations/us-central1-a/clusters/prod/namespaces/shop/pods/web-7',
      images: [imageOf(7)],
      principal: 'dev@example.com',
      message: expect.stringContaining(`Image ${imageOf(7)} denied by Binary Authorization default admission rule`) as string,
      insertId: 'i1',
    });
    expect(only(revision(7, { annotations: { [RUN_ANNOTATION]: 'INC-7' } }))).toMatchObject({
      type: 'BREAK_GLASS',
      platform: 'cloud-run',
      resource: 'projects/shop-prod/locations/europe-west1/services/web/revisions/web-7',
      images: [imageOf(7)],
      principal: 'ops@example.com',
      justification: 'INC-7',
    });
  });

  it('the workload of a Pod whose name is yet to be made', () => {
    const event = only(denied(7, { workload: 'web-7d4b9c' }));
    expect([event.workload, event.resource]).toEqual(['ReplicaSet/web-7d4b9c', expect.stringMatching(/\/namespaces\/shop\/pods\/web-7$/)]);
  });

  it('why the image would have been denied, under break-glass and in a dry run', () => {
    for (const what of ['break-glass', 'dry-run']) {
      const labels = { [`${GKE_HOOK}/${what}`]: 'true', [`${GKE_HOOK}/overridden-verification-result`]: 'Image x denied by y: no\n' };
      expect(only(pod(7, { labels })).message).toBe('Image x denied by y: no');
    }
    expect(only(pod(7, { podLabels: { [LABEL]: 'true' } })).message).toContain('the log does not say');
  });

  it('the justification, where there is one', () => {
    const labels = { [`${GKE_HOOK}/break-glass`]: 'true' };
    expect(only(pod(7, { annotations: { [ANNOTATION]: 'INC-1234' }, labels })).justification).toBe('INC-1234');
    expect(only(pod(7, { annotations: { [ANNOTATION]: 'true' }, labels }))).not.toHaveProperty('justification');
  });

  it('every container’s image, each once', () => {
    const spec = { initContainers: [{ image: 'a' }], containers: [{ image: 'b' }, { image: 'a' }], ephemeralContainers: [{ image: 'c' }] };
    expect(only(denied(7, { pod: { spec } })).images).toEqual(['a', 'b', 'c']);
  });

  it('the images that the refusal names, where the Pod is not in the log', () => expect(only(cut(denied(7))).images).toEqual([imageOf(7)]));

  it('the commit that labels or annotations claim, and no other text', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    expect(only(denied(7, { annotations: { 'org.opencontainers.image.revision': commit } })).commit).toBe(commit);
    expect(only(blocked(7, { annotations: { 'commit-sha': commit } })).commit).toBe(commit);
    expect(only(denied(7, { podLabels: { commit: 'rm -rf', precommit: commit } }))).not.toHaveProperty('commit');
  });
});

describe('a workload’s author', () => {
  it('cannot hide a denial behind names of members that every object has', () => {
    expect(classify(at(denied(7, { podLabels: { __proto__: 'x', constructor: 'y', toString: 'z' } })))).toHaveLength(1);
    expect(classify(at(pod(7, { labels: { constructor: GKE_HOOK, toString: 'true' } })))).toEqual([]);
  });

  it('cannot turn a denial into something milder by what the Pod says', () => {
    const claims = {
      [LABEL]: 'true',
      [`${GKE_HOOK}/dry-run`]: 'true',
      [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK,
      'authorization.k8s.io/decision': 'forbid',
    };
    const entry = denied(7, { podLabels: claims, annotations: claims, pod: { status: { phase: 'Running' } } });
    expect(classify(at(entry)).map(({ type }) => type)).toEqual(['DENIED']);
  });

  it('cannot make an image out of what is none', () =>
    expect(only(denied(7, { pod: { spec: { containers: [{ image: 7 }, null, 'x', { image: '' }] } } })).images).toEqual([imageOf(7)]));

  it('costs no time with a text that is made for it', () => {
    const text = `pods "${'a'.repeat(200_000)}`;
    const start = performance.now();
    expect(classify(at(pod(7, { refusal: { reason: 'Forbidden', message: text } })))).toEqual([]);
    expect(
      classify(at(denied(7, { refusal: { reason: 'VIOLATES_POLICY', message: 'Image '.repeat(40_000) }, pod: { spec: {} } }))),
    ).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
