// SPDX-License-Identifier: Apache-2.0
// The first version of the policy's evaluation; sources are the public documents on policy YAML and the proto.
import { describe, expect, it } from 'vitest';
import type { AttestorName } from '../../src/core/names.js';
import { exemptingPattern, matchesPattern } from '../../src/core/policy/allowlist.js';
import { evaluate, pose, type Evidence } from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Policy } from '../../src/core/policy/policy.js';
import { worst, type Verdict } from '../../src/core/policy/verdict.js';

const [A, B] = ['projects/p/attestors/a', 'projects/p/attestors/b'] as AttestorName[] as [AttestorName, AttestorName];
const rule = (evaluationMode: string, ...requireAttestationsBy: readonly string[]) => ({
  evaluationMode,
  enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
  ...(requireAttestationsBy.length > 0 ? { requireAttestationsBy } : {}),
});
const require = rule('REQUIRE_ATTESTATION', A, B);

function policy(document: Record<string, unknown>): Policy {
  const parsed = parsePolicy({ globalPolicyEvaluationMode: 'DISABLE', ...document });
  if (!parsed.policy) throw new Error(parsed.problems.join('; '));
  return parsed.policy;
}

describe('allowlist patterns', () => {
  it.each([
    ['gcr.io/my-project/nginx*', 'gcr.io/my-project/nginx:latest', true],
    ['gcr.io/my-project/nginx*', 'gcr.io/my-project/nginx-images/nginx', false],
    ['gcr.io/my-project/nginx**', 'gcr.io/my-project/nginx-1.14.2/image:latest', true],
    ['gcr.io/my-project/helloworld:v1.*', 'gcr.io/my-project/helloworld:v1.2', true],
    ['gcr.io/my-project**', 'gcr.io/my-project-exploit/nginx-exploit', true],
    ['gcr.io/p/app', 'gcr.io/p/app:latest', false],
    ['gcr.io/p/app', 'gcr.io/p/app', true],
    ['nginx', 'docker.io/library/nginx', false],
  ])('%s against %s: %s', (pattern, image, matches) => {
    expect(matchesPattern(pattern, image)).toBe(matches);
    expect(exemptingPattern(['other', pattern], image)).toBe(matches ? pattern : undefined);
  });
});

describe('a policy document', () => {
  it.each<[string, unknown]>([
    ['no object', []],
    ['no default rule', {}],
    ['an unspecified evaluation mode', { defaultAdmissionRule: { ...require, evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' } }],
    ['an unspecified enforcement mode', { defaultAdmissionRule: { ...require, enforcementMode: '' } }],
    ['attestors missing', { defaultAdmissionRule: rule('REQUIRE_ATTESTATION') }],
    ['attestors with another mode', { defaultAdmissionRule: rule('ALWAYS_DENY', A) }],
    ['a short attestor name', { defaultAdmissionRule: rule('REQUIRE_ATTESTATION', 'a') }],
    ['a wildcard in the middle', { defaultAdmissionRule: require, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/my-project/n*x' }] }],
    ['a broken cluster rule', { defaultAdmissionRule: require, clusterAdmissionRules: { 'us-east1-a.prod': {} } }],
  ])('with %s is refused', (_title, document) => {
    expect(parsePolicy(document).problems).not.toEqual([]);
    expect(parsePolicy(document).policy).toBeUndefined();
  });
});

describe('evaluation', () => {
  const image = `gcr.io/p/app@sha256:${'a'.repeat(64)}`;
  const verified = (attestor: AttestorName): Evidence => ({ attestor, found: 'verified', what: 'it verifies' });
  const none = (attestor: AttestorName): Evidence => ({ attestor, found: 'none', what: 'nothing' });
  const noAnswer = (attestor: AttestorName): Evidence => ({ attestor, found: 'no-answer', what: 'no permission' });

  function verdictOf(
    document: Record<string, unknown>,
    evidence: readonly Evidence[],
    options: { image?: string; isPinned?: boolean; cluster?: string } = {},
  ): Verdict {
    const live = policy(document);
    const question = pose(live, options.image ?? image, options.cluster);
    return 'decided' in question ? question.decided.verdict : evaluate(live, question.chosen, options.isPinned ?? true, evidence).verdict;
  }

  it.each<[string, Verdict, Record<string, unknown>, readonly Evidence[], Parameters<typeof verdictOf>[2]?]>([
    ['every attestor satisfied', 'ALLOWED', { defaultAdmissionRule: require }, [verified(A), verified(B)]],
    ['one of two missing', 'DENIED', { defaultAdmissionRule: require }, [verified(A), none(B)]],
    ['one of two without an answer', 'UNKNOWN', { defaultAdmissionRule: require }, [verified(A), noAnswer(B)]],
    ['one missing, one without an answer', 'DENIED', { defaultAdmissionRule: require }, [none(A), noAnswer(B)]],
    ['nobody asked', 'UNKNOWN', { defaultAdmissionRule: require }, []],
    ['a tag', 'DENIED', { defaultAdmissionRule: require }, [verified(A), verified(B)], { isPinned: false }],
    ['an exempt image', 'ALLOWED', { defaultAdmissionRule: require, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }] }, []],
    ['everything allowed', 'ALLOWED', { defaultAdmissionRule: rule('ALWAYS_ALLOW') }, []],
    ['everything denied', 'DENIED', { defaultAdmissionRule: rule('ALWAYS_DENY') }, []],
    [
      'a violation in dry run',
      'ALLOWED_DRY_RUN',
      { defaultAdmissionRule: { ...require, enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } },
      [none(A), none(B)],
    ],
    [
      'a violation that the system policy may exempt',
      'UNKNOWN',
      { defaultAdmissionRule: require, globalPolicyEvaluationMode: 'ENABLE' },
      [none(A), none(B)],
    ],
    [
      'a rule for this cluster',
      'ALLOWED',
      { defaultAdmissionRule: rule('ALWAYS_DENY'), clusterAdmissionRules: { 'us-east1-a.prod': rule('ALWAYS_ALLOW') } },
      [],
      { cluster: 'us-east1-a.prod' },
    ],
    [
      'a rule for another cluster',
      'DENIED',
      { defaultAdmissionRule: rule('ALWAYS_DENY'), clusterAdmissionRules: { 'us-east1-a.prod': rule('ALWAYS_ALLOW') } },
      [],
      { cluster: 'us-east1-a.dev' },
    ],
    [
      'cluster rules and no cluster',
      'UNKNOWN',
      { defaultAdmissionRule: rule('ALWAYS_ALLOW'), clusterAdmissionRules: { 'us-east1-a.prod': rule('ALWAYS_ALLOW') } },
      [],
    ],
    [
      'namespace rules',
      'UNKNOWN',
      { defaultAdmissionRule: rule('ALWAYS_ALLOW'), kubernetesNamespaceAdmissionRules: { prod: rule('ALWAYS_DENY') } },
      [],
    ],
  ])('%s: %s', (_title, verdict, document, evidence, options) => {
    expect(verdictOf(document, evidence, options)).toBe(verdict);
  });

  it('takes the worst of several, and nothing for UNKNOWN', () => {
    expect([worst([]), worst(['ALLOWED', 'DENIED', 'UNKNOWN']), worst(['ALLOWED', 'ALLOWED']), worst(['ALLOWED', 'UNKNOWN'])]).toEqual([
      'UNKNOWN',
      'DENIED',
      'ALLOWED',
      'UNKNOWN',
    ]);
  });
});
