// SPDX-License-Identifier: Apache-2.0
// What the enforcers see of an image (facts 5.5 for GKE, 5.6 for Cloud Run).
import { describe, expect, it } from 'vitest';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import type { Resolution } from '../../src/core/policy/context.js';
import { bareName, subjectOf, writtenDigest, type Subject } from '../../src/core/policy/subject.js';

const [D, INDEX] = ['d', 'e'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];
const PLACE = { namespace: 'n', serviceAccount: 's', assumed: [] };

describe('an image as written', () => {
  it.each<[image: string, name: string, digest: Digest | undefined]>([
    ['nginx', 'nginx', undefined],
    ['nginx:1', 'nginx', undefined],
    [`nginx@${D}`, 'nginx', D],
    [`nginx:1@${D}`, 'nginx', D],
    [`localhost:5000/app:1@${D}`, 'localhost:5000/app', D],
    ['localhost:5000/app', 'localhost:5000/app', undefined],
    ['localhost:5000/app:1', 'localhost:5000/app', undefined],
    [`gcr.io/p/app@x@${D}`, 'gcr.io/p/app', undefined],
    [`gcr.io/p/app@${D}@x`, 'gcr.io/p/app', undefined],
    [`gcr.io/p/app@${D.toUpperCase()}`, 'gcr.io/p/app', undefined],
    [`gcr.io/p/a pp@${D}`, 'gcr.io/p/a pp', undefined],
    [`gcr.io/p/app@${D}\n`, 'gcr.io/p/app', undefined],
    [`@${D}`, '', undefined],
    [D, 'sha256', undefined],
    ['', '', undefined],
  ])('%j is named %j with the digest %s', (image, name, digest) => {
    expect([bareName(image), writtenDigest(image)]).toEqual([name, digest]);
  });
});

describe('the subject', () => {
  const name = 'gcr.io/p/app';
  const taken = (why: string): string => `${D} is what Cloud Run evaluates, and not an index: its manifest could not be read (${why})`;

  it.each<[string, 'gke' | 'cloud-run', string, Resolution | undefined, Omit<Subject, 'name'>]>([
    ['GKE: a tag', 'gke', `${name}:1`, undefined, { text: `${name}:1`, assumptions: [] }],
    ['GKE: a tag that resolves', 'gke', `${name}:1`, { digest: D }, { text: `${name}:1`, assumptions: [] }],
    ['GKE: a digest', 'gke', `${name}:1@${D}`, { digest: INDEX }, { text: `${name}:1@${D}`, digest: D, assumptions: [] }],
    ['Cloud Run: a tag', 'cloud-run', `${name}:1`, { digest: D }, { text: `${name}@${D}`, digest: D, assumptions: [] }],
    [
      'Cloud Run: an index',
      'cloud-run',
      `${name}@${INDEX}`,
      { digest: INDEX, child: D },
      { text: `${name}@${D}`, digest: D, index: INDEX, assumptions: [] },
    ],
    ['Cloud Run: its own child', 'cloud-run', name, { digest: D, child: D }, { text: `${name}@${D}`, digest: D, assumptions: [] }],
    [
      'Cloud Run: a tag that was not looked up',
      'cloud-run',
      `${name}:1`,
      undefined,
      { text: name, unresolved: 'it was not looked up', assumptions: [] },
    ],
    [
      'Cloud Run: a digest that could not be read',
      'cloud-run',
      `${name}@${D}`,
      { failed: 'no answer' },
      { text: `${name}@${D}`, digest: D, assumptions: [taken('no answer')] },
    ],
    [
      'Cloud Run: an index without linux/amd64',
      'cloud-run',
      `${name}@${D}`,
      { failed: 'none', isIndex: true },
      { text: name, unresolved: 'none', assumptions: [] },
    ],
  ])('%s', (_title, platform, image, resolved, subject) => {
    const placed = { use: { image, platform }, place: PLACE, ...(resolved ? { resolved } : {}) };
    expect(subjectOf(placed)).toStrictEqual({ name, ...subject });
  });
});
