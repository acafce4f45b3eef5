// SPDX-License-Identifier: Apache-2.0
// What counts as weaker, by table; and against the evaluation itself, with generated policies. A failure prints the seed;
// BINAUTHZ_SEED repeats it.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import type { ClusterRef } from '../../src/core/deployment/target.js';
import { digestOf } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import { pose, type Evidence } from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Policy } from '../../src/core/policy/policy.js';
import { comparePolicies } from '../../src/core/provisioning/policy-diff.js';

const A = 'projects/p/attestors/a';
const B = 'projects/p/attestors/b';
const DIGEST = digestOf(new TextEncoder().encode('app'));

const allow = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const deny = { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const require = (...attestors: string[]): object => ({ ...deny, evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: attestors });
const logging = (rule: object): object => ({ ...rule, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' });
const patterns = (...names: string[]): object => ({ admissionWhitelistPatterns: names.map((namePattern) => ({ namePattern })) });

function policy(defaultAdmissionRule: object, more: object = {}): Policy {
  const parsed = parsePolicy({ defaultAdmissionRule, updateTime: '2026-01-01T00:00:00Z', ...more });
  if (!parsed.policy) throw new Error(parsed.problems.join());
  return parsed.policy;
}

function weakenings(before: Policy, after: Policy): readonly string[] {
  return comparePolicies(before, after).weakenings;
}

const ON = { globalPolicyEvaluationMode: 'ENABLE' };
const OFF = { globalPolicyEvaluationMode: 'DISABLE' };
const clusters = (rules: object): object => ({ clusterAdmissionRules: rules });
const namespaces = (rules: object): object => ({ kubernetesNamespaceAdmissionRules: rules });
const accounts = (rules: object): object => ({ kubernetesServiceAccountAdmissionRules: rules });
const identities = (rules: object): object => ({ istioServiceIdentityAdmissionRules: rules });

describe('weaker', () => {
  test.each<[string, Policy, Policy, RegExp]>([
    ['attestation no longer required', policy(require(A)), policy(allow), /default rule.*require.*becomes "admit every image"/],
    ['one attestor fewer', policy(require(A, B)), policy(require(A)), /require attestations by projects\/p\/attestors\/a and/],
    ['another attestor instead', policy(require(A)), policy(require(B)), /becomes "require attestations by projects\/p\/attestors\/b"/],
    ['denied before, attested now', policy(deny), policy(require(A)), /"deny every image" becomes/],
    ['enforced before, logging now', policy(require(A)), policy(logging(require(A))), /\(logs only\)/],
    ['enforced before, denying only in the log', policy(require(A)), policy(logging(deny)), /\(logs only\)/],
    ['a roll-out given up', policy(logging(require(A))), policy(allow), /\(logs only\)" becomes "admit every image"/],
    ['a new pattern', policy(require(A)), policy(require(A), patterns('gcr.io/p/*')), /the pattern gcr\.io\/p\/\* exempts/],
    ['a wider pattern', policy(deny, patterns('gcr.io/p/*')), policy(deny, patterns('gcr.io/p/**')), /gcr\.io\/p\/\*\*/],
    ['a shorter prefix', policy(deny, patterns('gcr.io/p/a/**')), policy(deny, patterns('gcr.io/p/**')), /gcr\.io\/p\/\*\*/],
    ['a wildcard for a name', policy(deny, patterns('gcr.io/p/a')), policy(deny, patterns('gcr.io/p/a*')), /gcr\.io\/p\/a\*/],
    ['a star across directories', policy(deny, patterns('gcr.io/*')), policy(deny, patterns('gcr.io/p/*')), /gcr\.io\/p\/\*/],
    ['the system policy', policy(require(A), OFF), policy(require(A), ON), /Google’s system policy/],
    ['the system policy, from unset', policy(require(A)), policy(require(A), ON), /Google’s system policy/],
    [
      'a cluster’s rule dropped, its fallback weaker',
      policy(allow, clusters({ 'l.c': deny })),
      policy(allow),
      /at clusterAdmissionRules\[l\.c\]/,
    ],
    ['a cluster’s rule added', policy(deny), policy(deny, clusters({ 'l.c': allow })), /at clusterAdmissionRules\[l\.c\]/],
    [
      'a default weakened although a cluster is strict',
      policy(deny, clusters({ 'l.c': deny })),
      policy(allow, clusters({ 'l.c': deny })),
      /default rule/,
    ],
    [
      'a pattern beside one strict rule',
      policy(allow, clusters({ 'l.c': deny })),
      policy(allow, { ...clusters({ 'l.c': deny }), ...patterns('x/y') }),
      /x\/y/,
    ],
    [
      'rules of another kind',
      policy(deny, clusters({ 'l.c': allow })),
      policy(deny, namespaces({ n: allow })),
      /at kubernetesNamespaceAdmissionRules\[n\]/,
    ],
    [
      'an account opened in a namespace that was shut',
      policy(allow, namespaces({ n: deny })),
      policy(allow, accounts({ 'n:sa': allow, 'm:sa': deny })),
      /kubernetesNamespaceAdmissionRules\[n\]/,
    ],
    [
      'a stricter rule of a second kind gone, which may have decided',
      policy(allow, { ...clusters({ 'l.c': deny }), ...namespaces({ n: require(A) }) }),
      policy(allow, namespaces({ n: require(A) })),
      /clusterAdmissionRules\[l\.c\]/,
    ],
    ['a mesh identity opened', policy(deny), policy(deny, identities({ 'd/ns/n/sa/s': allow })), /istioServiceIdentityAdmissionRules/],
  ])('%s', (_, before, after, said) => {
    expect(weakenings(before, after).join('\n')).toMatch(said);
  });
});

describe('not weaker', () => {
  test.each<[string, Policy, Policy]>([
    ['the same', policy(require(A)), policy(require(A))],
    ['one attestor more', policy(require(A)), policy(require(B, A))],
    ['attestation required at last', policy(allow), policy(require(A))],
    ['a roll-out begun', policy(allow), policy(logging(require(A)))],
    ['a roll-out finished', policy(logging(require(A))), policy(require(A))],
    ['everything denied', policy(require(A)), policy(deny)],
    ['patterns where everything is admitted', policy(allow), policy(allow, { ...patterns('gcr.io/**'), ...ON })],
    ['a pattern gone', policy(require(A), patterns('gcr.io/p/*')), policy(require(A))],
    ['a name inside a pattern', policy(deny, patterns('gcr.io/p/*')), policy(deny, patterns('gcr.io/p/a:1'))],
    ['a longer prefix', policy(deny, patterns('gcr.io/p/**')), policy(deny, patterns('gcr.io/p/a/**', 'gcr.io/p/x*'))],
    ['a star inside a star', policy(deny, patterns('gcr.io/p/a*')), policy(deny, patterns('gcr.io/p/app*'))],
    ['the system policy turned off', policy(require(A), ON), policy(require(A), OFF)],
    ['a cluster’s rule dropped for a stricter default', policy(require(A, B), clusters({ 'l.c': require(A) })), policy(require(A, B))],
    [
      'an account in a namespace that is stricter',
      policy(allow, namespaces({ n: require(A) })),
      policy(require(A), accounts({ 'n:sa': deny })),
    ],
    ['a namespace’s rule where no account of it differs', policy(deny, accounts({ 'm:sa': allow })), policy(deny, namespaces({ n: deny }))],
    [
      'the same, with rules of two kinds',
      policy(allow, { ...clusters({ 'l.c': deny }), ...namespaces({ n: require(A) }) }),
      policy(allow, { ...namespaces({ n: require(A) }), ...clusters({ 'l.c': deny }) }),
    ],
  ])('%s', (_, before, after) => {
    expect(weakenings(before, after)).toEqual([]);
  });

  it('says every change all the same', () => {
    const before = policy(allow, { ...clusters({ 'l.c': deny }), ...patterns('gcr.io/p/*') });
    const { changes } = comparePolicies(before, policy(require(A), { ...patterns('gcr.io/q/*'), ...ON }));
    expect(changes).toEqual([
      'defaultAdmissionRule: admit every image → require attestations by projects/p/attestors/a',
      'clusterAdmissionRules[l.c]: deny every image → no rule, so the default rule decides',
      'the pattern gcr.io/q/* exempts images from now on',
      'the pattern gcr.io/p/* exempts images no longer',
      'Google’s system policy exempts its images',
    ]);
  });

  it('says what only the enforcement mode of an open rule changes', () => {
    expect(comparePolicies(policy(allow), policy(logging(allow))).changes).toEqual([
      'defaultAdmissionRule: admit every image → admit every image',
    ]);
  });
});

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
  const seed = process.env['BINAUTHZ_SEED'];
  const parameters = { numRuns: 6_000, ...(seed === undefined ? {} : { seed: Number(seed) }) };

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
    expect(opened).toBeGreaterThan(500);
  });

  it('calls no policy weaker than itself', () => {
    fc.assert(
      fc.property(policies, (one) => {
        expect(comparePolicies(one, one)).toEqual({ changes: [], weakenings: [] });
      }),
      { ...parameters, numRuns: 500 },
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
