// SPDX-License-Identifier: Apache-2.0
// The policy that setup writes: the live one with the attestor, or that of a file; nothing lost, and nothing opened unasked.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Desired, PolicyDocument } from '../../src/core/provisioning/desired.js';
import { attestorsOf, decidePolicy, isUnchanged } from '../../src/core/provisioning/policy-change.js';
import { A, accounts, allow, B, clusters, deny, logging, namespaces, OFF, ON, patterns, policy, require } from '../support/policies.js';
import { desired } from '../support/setup.js';

const BUILT = desired().attestor;
const NAME = 'projects/shop/policy';
const live = (defaultAdmissionRule: object, more: object = {}): PolicyDocument => ({
  name: NAME,
  etag: '"1"',
  updateTime: '2026-01-01T00:00:00Z',
  defaultAdmissionRule,
  ...more,
});
const fromFile = (document: PolicyDocument, change: Partial<Desired> = {}): Desired => {
  const parsed = parsePolicy(document);
  if (!parsed.policy) throw new Error(parsed.problems.join());
  return desired({ policy: { file: 'policy.yaml', document, policy: parsed.policy }, ...change });
};
function written(wish: Desired, found: PolicyDocument): PolicyDocument {
  const decision = decidePolicy(wish, found);
  if (decision.action === 'none') throw new Error(decision.summary);
  expect(decision.write.found).toBe(found);
  expect(decision.gcloud).toContain(`policy import binauthz-policy.json --project=shop`);
  return decision.write.document;
}
function errorOf(run: () => unknown): BinauthzError {
  try {
    run();
  } catch (error) {
    if (error instanceof BinauthzError) return error;
  }
  throw new Error('expected a failure');
}

describe('without a file, the default rule', () => {
  it.each<[string, object, Partial<Desired>, object]>([
    ['of a policy that admits everything', allow, {}, require(BUILT)],
    ['that denies everything', deny, { allowWeakening: true }, require(BUILT)],
    ['with attestors of others', require(A, B), {}, require(A, B, BUILT)],
    ['for a roll-out', allow, { dryRunRollout: true }, logging(require(BUILT))],
    ['after a roll-out', logging(require(A, BUILT)), {}, require(A, BUILT)],
    ['with attestors that it does not ask', { ...allow, requireAttestationsBy: [] }, {}, require(BUILT)],
  ])('%s requires the attestor, and the rest stays', (_, rule, change, expected) => {
    const rest = { description: 'ours', ...patterns('gcr.io/p/*'), ...ON, ...clusters({ 'l.c': deny }) };
    const found = live(rule, rest);
    expect(written(desired(change), found)).toStrictEqual({ name: NAME, etag: '"1"', ...rest, defaultAdmissionRule: expected });
  });

  it('keeps what is not understood of it', () =>
    expect(written(desired(), live({ ...allow, newMember: 1 }))['defaultAdmissionRule']).toEqual({ ...require(BUILT), newMember: 1 }));

  it.each<[string, object, Partial<Desired>]>([
    ['that requires the attestor already', require(A, BUILT), {}],
    ['that requires it in a roll-out', logging(require(BUILT)), { dryRunRollout: true }],
  ])('%s is left alone', (_, rule, change) =>
    expect(decidePolicy(desired(change), live(rule, ON))).toMatchObject({
      action: 'none',
      summary: expect.stringMatching(/as wanted: require attestations by .*projects\/shop\/attestors\/built/) as string,
    }),
  );

  it('is told, with every change', () => {
    const decision = decidePolicy(desired(), live(allow, ON));
    expect(decision).toMatchObject({
      action: 'update',
      summary: `by default require attestations by ${BUILT}`,
      details: [`defaultAdmissionRule: admit every image → require attestations by ${BUILT}`],
      warnings: [],
    });
    expect(decision).not.toHaveProperty('refusal');
  });

  it('is made where no policy was ever set', () =>
    expect(decidePolicy(desired(), { name: NAME, defaultAdmissionRule: allow })).toMatchObject({
      action: 'create',
      write: { document: { name: NAME, defaultAdmissionRule: require(BUILT) } },
      warnings: [expect.stringContaining('globalPolicyEvaluationMode')],
    }));

  it('leaves rules of places alone, and names those that do not ask the attestor', () => {
    const rules = { 'l.a': require(A), 'l.b': require(A, BUILT), 'l.d': deny };
    for (const found of [live(allow, { ...ON, ...clusters(rules) }), live(require(BUILT), { ...ON, ...clusters(rules) })])
      expect(decidePolicy(desired(), found).warnings).toEqual([
        `clusterAdmissionRules[l.a] does not ask ${BUILT}, and stays so: require attestations by ${A}; to change it give --policy`,
      ]);
  });
});

describe('the policy of a file', () => {
  it('replaces the live one, under its etag and its project’s name', () => {
    const document = { name: 'projects/other/policy', updateTime: 'old', description: 'new', ...ON, defaultAdmissionRule: require(BUILT) };
    const decision = decidePolicy(fromFile(document), live(allow));
    expect(decision).toMatchObject({ action: 'update', summary: 'replace the policy with that of policy.yaml' });
    expect(written(fromFile(document), live(allow))).toStrictEqual({
      name: NAME,
      etag: '"1"',
      description: 'new',
      ...ON,
      defaultAdmissionRule: require(BUILT),
    });
    const unset = { defaultAdmissionRule: allow };
    expect(written(fromFile(document), unset)).not.toHaveProperty('etag');
  });

  it.each<[string, PolicyDocument]>([
    ['as it is', live(require(A, B), patterns('x/*', 'y/*'))],
    ['without what the API fills in', { defaultAdmissionRule: require(A, B), ...patterns('x/*', 'y/*') }],
    ['in another order', { ...patterns('y/*', 'x/*'), defaultAdmissionRule: { ...require(B, A, B) } }],
    [
      'with what is empty',
      {
        ...live(require(A, B), patterns('x/*', 'y/*')),
        description: '',
        globalPolicyEvaluationMode: 'GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED',
        ...clusters({}),
        istioServiceIdentityAdmissionRules: null,
      },
    ],
    ['as it was exported before a change that is the same', live(require(A, B), { etag: '"0"', ...patterns('x/*', 'y/*') })],
  ])('that is the live one %s changes nothing', (_, document) =>
    expect(decidePolicy(fromFile(document), live(require(A, B), patterns('x/*', 'y/*'))).action).toBe('none'),
  );

  it.each<[string, object]>([
    ['another description', { description: 'x' }],
    ['another mode', OFF],
    ['another pattern', patterns('x/*', 'z/*')],
    ['one pattern less', patterns('x/*')],
  ])('that differs by %s is written', (_, change) =>
    expect(
      decidePolicy(fromFile(live(require(A), { ...patterns('x/*', 'y/*'), ...change })), live(require(A), patterns('x/*', 'y/*'))).action,
    ).toBe('update'),
  );

  it('that was exported before somebody else’s change is refused', () => {
    const error = errorOf(() => decidePolicy(fromFile(live(require(A), { etag: '"0"' })), live(deny)));
    expect(error).toMatchObject({
      code: 'CHANGED_MEANWHILE',
      resource: NAME,
      message: expect.stringMatching(/policy\.yaml was exported before .*expected etag "0", got "1"/) as string,
      hint: expect.stringMatching(/policy export --project=shop\), or take the etag out/) as string,
    });
    const gone = { ...live(deny), etag: undefined };
    expect(errorOf(() => decidePolicy(fromFile(live(require(A), { etag: '"0"' })), gone)).message).toContain('got none');
  });

  it.each([
    ['its own etag', { etag: '"1"' }],
    ['an empty etag', { etag: '' }],
    ['none', {}],
  ])('with %s is written', (_, change) =>
    expect(written(fromFile({ defaultAdmissionRule: deny, ...change }), live(allow))).toMatchObject({ etag: '"1"' }),
  );

  it('that admits everything is warned of as a policy, not as one that was never set', () =>
    expect(decidePolicy(fromFile({ defaultAdmissionRule: allow, ...ON }, { allowWeakening: true }), live(deny)).warnings).toEqual([
      expect.stringContaining('defaultAdmissionRule admits every image'),
    ]));

  it('may leave rules of places to others: nobody is warned', () => {
    const document = { ...ON, ...clusters({ 'l.a': require(A) }), defaultAdmissionRule: require(BUILT) };
    expect(decidePolicy(fromFile(document), live(allow)).warnings).toEqual([]);
    expect(decidePolicy(fromFile({ ...document, ...patterns('gcr.io/p*') }), live(allow)).warnings).toHaveLength(1);
  });
});

describe('a policy that would admit more', () => {
  const weaker = fromFile({ defaultAdmissionRule: allow });

  it('is planned, and refused unless that is meant', () => {
    const decision = decidePolicy(weaker, live(deny));
    expect(decision).toMatchObject({
      action: 'update',
      details: [
        'defaultAdmissionRule: deny every image → admit every image',
        expect.stringMatching(/^weaker: wherever the default rule decides: "deny every image" becomes "admit every image"$/),
      ],
      refusal: {
        code: 'POLICY_WEAKENED',
        resource: NAME,
        message: expect.stringMatching(/^refusing to change projects\/shop\/policy: .*becomes "admit every image"$/) as string,
        hint: expect.stringContaining('--allow-weakening') as string,
      },
    });
    expect(decidePolicy({ ...weaker, allowWeakening: true }, live(deny))).not.toHaveProperty('refusal');
  });

  it('says no more than ten times why, and how often else', () => {
    const opening = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `gcr.io/p${index}/*`);
      const decision = decidePolicy(fromFile({ defaultAdmissionRule: deny, ...patterns(...names) }), live(deny));
      return decision.action === 'none' ? '' : (decision.refusal?.message ?? '');
    };
    expect(opening(10).match(/the pattern gcr/g)).toHaveLength(10);
    expect(opening(10)).not.toContain('more');
    expect(opening(2)).toMatch(/exempts now; the pattern gcr/);
    expect(opening(12).match(/the pattern gcr/g)).toHaveLength(10);
    expect(opening(12)).toMatch(/; and 2 more$/);
  });

  const inCluster = clusters({ 'l.c': { ...deny, newMember: { b: [1, 2], a: 'x' } } });
  it.each<[string, object, object, RegExp]>([
    ['a member that is gone', { newMember: 1 }, {}, /^newMember is not understood here, and would be gone$/],
    ['a member that is another', { newMember: 1 }, { newMember: 2 }, /^newMember is not understood here, and would be changed$/],
    ['a member of a rule', inCluster, clusters({ 'l.c': deny }), /^clusterAdmissionRules\[l\.c\]\.newMember .*gone$/],
    ['a rule with such a member', inCluster, {}, /^clusterAdmissionRules\[l\.c\]\.newMember .*gone$/],
  ])('by %s is refused', (_, before, after, why) => {
    const decision = decidePolicy(fromFile({ defaultAdmissionRule: deny, ...after }), live(deny, before));
    expect(decision).toMatchObject({ refusal: { code: 'POLICY_WEAKENED' } });
    expect(
      decision.action === 'none' ? [] : decision.details?.filter((line) => line.startsWith('weaker: ')).map((line) => line.slice(8)),
    ).toEqual([expect.stringMatching(why)]);
  });

  it('by a member of the default rule is refused', () => {
    const decision = decidePolicy(fromFile({ defaultAdmissionRule: deny }), live({ ...deny, newMember: true }));
    expect(decision).toMatchObject({ refusal: { message: expect.stringContaining('defaultAdmissionRule.newMember') as string } });
  });

  it.each<[string, object, object]>([
    ['is new', {}, { newMember: 1 }],
    ['is empty', { newMember: '', other: {} }, {}],
    ['is the same in another order', inCluster, clusters({ 'l.c': { newMember: { a: 'x', b: [2, 1] }, ...deny } })],
  ])('is none where a member that nobody knows %s', (_, before, after) => {
    const wish = fromFile({ defaultAdmissionRule: deny, description: 'changed', ...after });
    expect(decidePolicy(wish, live(deny, before))).not.toHaveProperty('refusal');
  });
});

describe('a live policy', () => {
  it('that cannot be understood is not changed', () =>
    expect(errorOf(() => decidePolicy(desired(), live({ ...allow, evaluationMode: 'ASK_SOMEBODY' })))).toMatchObject({
      code: 'UNDECIDED',
      resource: NAME,
      message: expect.stringMatching(/cannot tell what a change of projects\/shop\/policy would do: .*evaluationMode/) as string,
      hint: expect.stringContaining('gcloud container binauthz policy export --project=shop') as string,
    }));

  it('says all that is not understood of it', () =>
    expect(errorOf(() => decidePolicy(desired(), live({ evaluationMode: 'x', enforcementMode: 'y' }))).message).toMatch(
      /evaluationMode.*; .*enforcementMode/,
    ));

  it.each<[string, object, boolean]>([
    ['the same', {}, true],
    ['the same in another order', { ...patterns('y', 'x') }, true],
    ['another state', { etag: '"2"' }, false],
    ['another time', { updateTime: '2026-02-02T00:00:00Z' }, false],
    ['another content', patterns('z'), false],
  ])('that is %s is unchanged: %s', (_, change, expected) => {
    const planned = live(deny, patterns('x', 'y'));
    expect(isUnchanged(planned, { ...planned, ...change })).toBe(expected);
  });

  it('names each attestor that it asks once, wherever that is', () => {
    const asked = policy(require(A), {
      ...clusters({ 'l.c': require(B, A) }),
      ...namespaces({ n: deny }),
      ...accounts({ 'n:s': require(BUILT) }),
    });
    expect(attestorsOf(asked)).toEqual([A, B, BUILT]);
  });
});
