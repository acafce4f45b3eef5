// SPDX-License-Identifier: Apache-2.0
// A second opinion for the property tests, written from facts/binary-authorization.md section 5 and the interface
// contract alone. Another shape on purpose: patterns are regular expressions, and what is not known is enumerated as
// possible worlds. It imports nothing of the product.

export interface OracleRule {
  readonly evaluationMode: string;
  readonly enforcementMode: string;
  readonly requireAttestationsBy?: readonly string[];
}

/** A policy document as the API answers it. */
export interface OraclePolicy {
  readonly globalPolicyEvaluationMode?: string;
  readonly admissionWhitelistPatterns?: readonly { readonly namePattern: string }[];
  readonly clusterAdmissionRules?: Readonly<Record<string, OracleRule>>;
  readonly kubernetesNamespaceAdmissionRules?: Readonly<Record<string, OracleRule>>;
  readonly kubernetesServiceAccountAdmissionRules?: Readonly<Record<string, OracleRule>>;
  readonly istioServiceIdentityAdmissionRules?: Readonly<Record<string, OracleRule>>;
  readonly defaultAdmissionRule: OracleRule;
  readonly updateTime?: string;
}

export interface OracleFact {
  readonly attestor: string;
  readonly digest: string;
  readonly found: string;
}

export interface Scenario {
  readonly policy: OraclePolicy;
  /** undefined: the system policy could not be read. */
  readonly systemPatterns: readonly string[] | undefined;
  readonly cluster?: { readonly location: string; readonly name: string; readonly state: string };
  readonly platform: 'gke' | 'cloud-run';
  readonly image: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly breakGlass?: { readonly by: string; readonly value: string; readonly isEffective: boolean };
  readonly cloudRun?: string;
  /** What the registry says about the name; undefined where it could not be read. */
  readonly registry?: { readonly digest: string; readonly child?: string };
  readonly evidence: readonly OracleFact[];
}

type Rules = Readonly<Record<string, OracleRule>>;

const HEX = '0123456789abcdef';

/** The verdict that the facts demand. */
export function oracle(s: Scenario): string {
  // Step 0: is the policy asked (5.9, 5.6; contract: --cluster)?
  if (s.platform === 'gke' && s.cluster) {
    const { state, location, name } = s.cluster;
    if (state === 'not-enforcing') return 'NOT_ENFORCED';
    if (state === 'unknown') return 'UNKNOWN';
    const keys = Object.keys(s.policy.clusterAdmissionRules ?? {});
    if (state === 'not-found' && location !== 'global' && !keys.includes(`${location}.${name}`)) return 'UNKNOWN';
  }
  if (s.platform === 'cloud-run' && s.cloudRun === 'nothing') return 'NOT_ENFORCED';
  if (s.platform === 'cloud-run' && s.cloudRun === 'platform-policy') return 'UNKNOWN';
  // Step 2: break-glass (5.7, 5.6).
  if (s.breakGlass?.isEffective && breaks(s.platform, s.breakGlass.by, s.breakGlass.value)) return 'ALLOWED_BREAK_GLASS';

  // Step 3: the system policy, on GKE only (5.8).
  const texts = possibleTexts(s);
  const systemIsOn = s.platform === 'gke' && s.policy.globalPolicyEvaluationMode === 'ENABLE';
  if (systemIsOn && s.systemPatterns && texts.every((text) => isExempt(s.systemPatterns ?? [], text))) return 'ALLOWED';

  // 5.2: "A live policy with two is a state the docs exclude: answer UNKNOWN".
  const maps = [
    s.policy.clusterAdmissionRules,
    s.policy.kubernetesNamespaceAdmissionRules,
    s.policy.kubernetesServiceAccountAdmissionRules,
    s.policy.istioServiceIdentityAdmissionRules,
  ].map((map): Rules => map ?? {});
  if (maps.filter((map) => Object.entries(map).length > 0).length > 1) return 'UNKNOWN';

  // Step 4.
  const patterns = (s.policy.admissionWhitelistPatterns ?? []).map(({ namePattern }) => namePattern);
  const exempt = texts.filter((text) => isExempt(patterns, text)).length;
  if (exempt === texts.length) return 'ALLOWED';

  // Steps 5 to 8, in every world that is possible: each rule that may apply, each completion of what was not read.
  const verdicts = new Set(possibleRules(s, maps).flatMap((rule) => verdictsUnder(rule, s)));
  const [verdict, ...others] = verdicts;
  if (verdict === undefined || others.length > 0) return 'UNKNOWN';
  // An exemption that may exist takes a denial's certainty; an admission stands.
  const mayBeExempt = exempt > 0 || (systemIsOn && !s.systemPatterns);
  return verdict === 'DENIED' && mayBeExempt ? 'UNKNOWN' : verdict;
}

function breaks(platform: string, by: string, value: string): boolean {
  if (platform === 'cloud-run') return by === 'cloud-run' && value.length > 0;
  return (by === 'label' || by === 'annotation') && value === 'true';
}

function verdictsUnder(rule: OracleRule, s: Scenario): readonly string[] {
  const outcome = (isSatisfied: boolean) => {
    if (isSatisfied) return 'ALLOWED';
    return rule.enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY' ? 'ALLOWED_DRY_RUN' : 'DENIED';
  };
  if (rule.evaluationMode === 'ALWAYS_ALLOW') return [outcome(true)];
  if (rule.evaluationMode === 'ALWAYS_DENY') return [outcome(false)];
  const digest = judgedDigest(s);
  if (digest === 'none') return [outcome(false)];
  if (digest === 'any') return [outcome(true), outcome(false)];
  let worlds: boolean[] = [true];
  for (const attestor of rule.requireAttestationsBy ?? []) {
    const possible = possibleAnswers(s.evidence.filter((fact) => fact.attestor === attestor && fact.digest === digest));
    worlds = worlds.flatMap((soFar) => possible.map((answer) => soFar && answer));
  }
  return worlds.map(outcome);
}

// OR inside one attestor; a deleted attestor, a refused read and a contradiction leave both answers open.
function possibleAnswers(facts: readonly OracleFact[]): readonly boolean[] {
  if (facts.some(({ found }) => found === 'verified')) return [true];
  if (facts.length > 0 && facts.every(({ found }) => found === 'none' || found === 'attestor-without-keys')) return [false];
  return [true, false];
}

// 5.4; without a cluster, every rule of a cluster may be the one.
function possibleRules(s: Scenario, maps: readonly Rules[]): readonly OracleRule[] {
  const fallback = s.policy.defaultAdmissionRule;
  if (s.platform === 'cloud-run') return [fallback];
  const [clusters = {}, namespaces = {}, accounts = {}] = maps;
  const pick = (rules: Rules, key: string) => Object.entries(rules).find(([name]) => name === key)?.[1];
  if (Object.keys(clusters).length > 0 && !s.cluster) return [fallback, ...Object.values(clusters)];
  const key = s.cluster ? `${s.cluster.location}.${s.cluster.name}` : '';
  const specific = pick(clusters, key) ?? pick(namespaces, s.namespace) ?? pick(accounts, `${s.namespace}:${s.serviceAccount}`);
  return [specific ?? fallback];
}

// 5.5 and 5.6: GKE sees what is written; Cloud Run the linux/amd64 child of what the registry says.
function judgedDigest(s: Scenario): string {
  const parts = s.image.split('@');
  const written = parts.length === 2 && parts[0] !== '' && isDigest(parts[1] ?? '') ? parts[1] : undefined;
  if (s.platform === 'gke') return written ?? 'none';
  if (s.registry) return s.registry.child ?? s.registry.digest;
  return written ?? 'any';
}

// What patterns are held against. An unknown digest is tried with each first digits that a pattern could spell.
function possibleTexts(s: Scenario): readonly string[] {
  if (s.platform === 'gke') return [s.image];
  const untagged = s.image.split('@')[0] ?? '';
  const slash = untagged.lastIndexOf('/');
  const colon = untagged.indexOf(':', slash + 1);
  const name = colon < 0 ? untagged : untagged.slice(0, colon);
  const digest = judgedDigest(s);
  if (digest !== 'any') return [`${name}@${digest}`];
  return [...HEX].map((digit) => `${name}@sha256:${digit.repeat(64)}`);
}

function isDigest(text: string): boolean {
  return text.length === 71 && text.startsWith('sha256:') && [...text.slice(7)].every((digit) => HEX.includes(digit));
}

// 5.3: `**` crosses directories, `*` does not, everything else is literal.
function isExempt(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const stars = /\*+$/.exec(pattern)?.[0].length ?? 0;
    const literal = pattern.slice(0, pattern.length - stars).replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${literal}${['', '[^/]*', '[\\s\\S]*'][stars] ?? ''}$`).test(text);
  });
}
