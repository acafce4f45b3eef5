// SPDX-License-Identifier: Apache-2.0
// What counts as weaker, and where; by table.
import { describe, expect, it, test } from 'vitest';
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

function weakenings(before: Policy, after: Policy): readonly string[] {
  return comparePolicies(before, after).weakenings;
}

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

  it('says which rules are new, and what becomes of the system policy', () => {
    const before = policy(allow, { ...identities({ 'd/ns/n/sa/s': deny }), ...ON });
    expect(comparePolicies(before, policy(allow, { ...clusters({ 'l.c': logging(deny) }), ...OFF })).changes).toEqual([
      'istioServiceIdentityAdmissionRules[d/ns/n/sa/s]: deny every image → no rule, so the default rule decides',
      'clusterAdmissionRules[l.c]: no rule → deny every image (logs only)',
      'Google’s system policy exempts nothing any more',
    ]);
  });

  it('takes attestors in another order for the same', () =>
    expect(comparePolicies(policy(require(A, B)), policy(require(B, A, B)))).toEqual({ changes: [], weakenings: [] }));

  it('says what only the enforcement mode of an open rule changes', () => {
    expect(comparePolicies(policy(allow), policy(logging(allow))).changes).toEqual([
      'defaultAdmissionRule: admit every image → admit every image',
    ]);
  });
});

describe('the places of a weakening', () => {
  const placesOf = (before: Policy, after: Policy): readonly string[] => [
    ...new Set(weakenings(before, after).map((one) => one.replace(/: ".*/, ''))),
  ];
  const namespace = (name: string): string => `kubernetesNamespaceAdmissionRules[${name}]`;
  const account = (name: string): string => `kubernetesServiceAccountAdmissionRules[${name}]`;
  const cluster = 'clusterAdmissionRules[l.c]';
  const byDefault = 'wherever the default rule decides';

  test.each<[string, Policy, Policy, readonly string[]]>([
    ['not where a rule of its own decides', policy(deny, clusters({ 'l.c': deny })), policy(allow, clusters({ 'l.c': deny })), [byDefault]],
    [
      'where a rule of a second kind makes the default rule count as well',
      policy(allow, clusters({ 'l.c': deny })),
      policy(allow, { ...clusters({ 'l.c': deny }), ...namespaces({ n: deny }) }),
      [`at ${cluster}`, `at ${cluster} and ${namespace('n')}`],
    ],
    [
      'where one of several rules is weaker, beside others that are not',
      policy(deny, { ...clusters({ 'l.c': deny }), ...namespaces({ n: require(A) }) }),
      policy(deny, { ...clusters({ 'l.c': deny }), ...namespaces({ n: allow }) }),
      [`at ${namespace('n')}`, `at ${cluster} and ${namespace('n')}`],
    ],
    [
      'where the default rule may decide, with rules of several kinds',
      policy(deny, { ...clusters({ 'l.c': allow }), ...namespaces({ n: allow }) }),
      policy(allow, { ...clusters({ 'l.c': allow }), ...namespaces({ n: allow }) }),
      [byDefault, `at ${namespace('n')}`, `at ${cluster}`, `at ${cluster} and ${namespace('n')}`],
    ],
    [
      'in an account’s own namespace',
      policy(allow, namespaces({ shop: deny })),
      policy(allow, accounts({ 'shop:sa': allow, 'other:sa': allow })),
      [`at ${namespace('shop')}`, `at ${namespace('shop')} and ${account('shop:sa')}`],
    ],
  ])('are %s', (_, before, after, places) => expect(placesOf(before, after)).toEqual(places));

  test.each<[string, Policy, Policy]>([
    ['a roll-out begun by default', policy(allow, clusters({ 'l.c': deny })), policy(logging(require(A)), clusters({ 'l.c': deny }))],
    ['a roll-out made stricter', policy(logging(require(A))), policy(logging(require(A, B)))],
    ['everything denied in a roll-out', policy(logging(require(A))), policy(logging(deny))],
    ['a name that stays', policy(require(A), patterns('nginx')), policy(deny, patterns('nginx'))],
  ])('are none: %s', (_, before, after) => expect(placesOf(before, after)).toEqual([]));
});
