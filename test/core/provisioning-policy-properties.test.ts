// SPDX-License-Identifier: Apache-2.0
// What counts as weaker, against the evaluation itself, with generated policies. A failure prints the seed;
// BINAUTHZ_SEED repeats it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import type { ClusterRef } from '../../src/core/deployment/target.js';
import { digestOf } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import { pose, type Evidence } from '../../src/core/policy/evaluate.js';
import type { Policy } from '../../src/core/policy/policy.js';
import { comparePolicies } from '../../src/core/provisioning/policy-diff.js';
import {
  A,
  accounts,
  allow,
  B,
  clusters,
  deny,
  identities,
  logging,
  namespaces,
  OFF,
  ON,
  patterns,
  policy,
  require,
} from '../support/policies.js';

const DIGEST = digestOf(new TextEncoder().encode('app'));
const weakenings = (before: Policy, after: Policy): readonly string[] => comparePolicies(before, after).weakenings;

const CLUSTERS = ['l.c', 'l.d'];
const NAMES = ['gcr.io/p/app', 'gcr.io/p/team/app', 'gcr.io/q/app', 'gke.gcr.io/agent', 'nginx'];
const SYSTEM = ['gke.gcr.io/**'];
const FOUND: readonly Evidence['found'][] = ['verified', 'none', 'attestor-without-keys', 'no-answer'];

const rules = fc.oneof(
  fc.constantFrom(allow, deny, logging(deny), require(A), require(B), require(A, B), logging(require(A)), logging(require(A, B))),
);
const ruleMaps = fc.oneof(
  fc.constant({}),
  fc.dictionary(fc.constantFrom(...CLUSTERS), rules, { maxKeys: 2 }).map(clusters),
  fc.dictionary(fc.constantFrom('n', 'default'), rules, { maxKeys: 2 }).map(namespaces),
  fc.dictionary(fc.constantFrom('n:sa', 'default:default', 'm:sa'), rules, { maxKeys: 3 }).map(accounts),
  fc.dictionary(fc.constantFrom('d/ns/n/sa/sa'), rules, { maxKeys: 1 }).map(identities),
);
const exemptions = fc
  .uniqueArray(
    fc.constantFrom(
      'gcr.io/p/*',
      'gcr.io/p/**',
      'gcr.io/**',
      `gcr.io/p/app@${DIGEST}`,
      'gcr.io/p/app@*',
      'gcr.io/p/a*',
      'nginx',
      'gke.gcr.io/*',
    ),
    { maxLength: 3 },
  )
  .map((names) => patterns(...names));
const policies = fc
  .tuple(rules, ruleMaps, exemptions, fc.constantFrom({}, ON, OFF))
  .map(([rule, map, exempt, mode]) => policy(rule, { ...map, ...exempt, ...mode }));
const uses = fc.record({
  name: fc.constantFrom(...NAMES),
  tail: fc.constantFrom('', ':1', `@${DIGEST}`, `:1@${DIGEST}`),
  platform: fc.constantFrom('gke' as const, 'cloud-run' as const),
  cluster: fc.constantFrom(...CLUSTERS, 'l.other'),
  namespace: fc.constantFrom('n', 'default', 'm', 'other'),
  serviceAccount: fc.constantFrom('sa', 'default', 'other'),
  found: fc.tuple(fc.constantFrom(...FOUND), fc.constantFrom(...FOUND)),
});
type Use = typeof uses extends fc.Arbitrary<infer T> ? T : never;

function verdict(under: Policy, { name, tail, platform, cluster, namespace, serviceAccount, found }: Use): string {
  const [location = '', id = ''] = cluster.split('.');
  const ref = { key: cluster, location, name: id } as ClusterRef;
  const use: ImageUse = {
    image: name + tail,
    platform,
    ...(platform === 'cloud-run' ? { cloudRun: { uses: 'project-policy' as const } } : { namespace, serviceAccount }),
  };
  const context = {
    policy: under,
    system: { kind: 'read' as const, patterns: SYSTEM },
    ...(platform === 'gke' ? { cluster: { ref, state: 'enforcing' as const, because: '' } } : {}),
  };
  const question = pose(context, { use, place: placeOf(use, {}), resolved: { digest: DIGEST } });
  if (question.decided) return question.decided.verdict;
  const evidence = [A, B].map((attestor, index) => ({
    attestor: attestor as AttestorName,
    digest: DIGEST,
    found: found[index] ?? ('none' as const),
    what: '',
  }));
  return question.judge(evidence).verdict;
}

describe('against the evaluation', () => {
  const cases = Number(process.env['BINAUTHZ_CASES'] ?? 6_000);
  const seed = process.env['BINAUTHZ_SEED'] ?? process.env['BINAUTHZ_START'];
  const parameters = { numRuns: cases, ...(seed === undefined ? {} : { seed: Number(seed) }) };

  it('admits nothing that was denied, unless it is called a weakening', () => {
    let opened = 0;
    fc.assert(
      fc.property(policies, policies, fc.array(uses, { minLength: 1, maxLength: 12 }), (before, after, many) => {
        const isOpened = many.some((use) => verdict(before, use) === 'DENIED' && verdict(after, use).startsWith('ALLOWED'));
        if (!isOpened) return;
        opened += 1;
        expect(weakenings(before, after)).not.toEqual([]);
      }),
      parameters,
    );
    // A property that never had a case would hold for ever.
    expect(opened).toBeGreaterThan(cases / 12);
  });

  it('calls no policy weaker than itself', () => {
    fc.assert(
      fc.property(policies, (one) => {
        expect(comparePolicies(one, one)).toEqual({ changes: [], weakenings: [] });
      }),
      { ...parameters, numRuns: Math.ceil(cases / 12) },
    );
  });

  it('calls everything weaker than what denies all', () => {
    fc.assert(
      fc.property(policies, uses, (after, use) => {
        if (verdict(after, use).startsWith('ALLOWED')) expect(weakenings(policy(deny), after)).not.toEqual([]);
      }),
      parameters,
    );
  });
});
