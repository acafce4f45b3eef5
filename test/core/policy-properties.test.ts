// SPDX-License-Identifier: Apache-2.0
// Generated policies, uses and evidence against an oracle of its own (test/support/policy-oracle.ts). A failure prints the
// seed; BINAUTHZ_SEED repeats it.
import { describe, expect, it } from 'vitest';
import type { BreakGlass, CloudRunSetting, ImageUse } from '../../src/core/deployment/image-use.js';
import { placeOf } from '../../src/core/deployment/place.js';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import { parseAttestorName, type AttestorName } from '../../src/core/names.js';
import {
  pose,
  type ClusterState,
  type Evaluation,
  type Evidence,
  type PlacedUse,
  type PolicyContext,
} from '../../src/core/policy/evaluate.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import { VERDICTS, worst, type Verdict } from '../../src/core/policy/verdict.js';
import { oracle, type OraclePolicy, type OracleRule, type Scenario } from '../support/policy-oracle.js';

const RUNS = Number(process.env['BINAUTHZ_CASES'] ?? 6000);
const START = Number(process.env['BINAUTHZ_SEED'] ?? process.env['BINAUTHZ_START'] ?? Date.now() % 1_000_000_000);
const ONE = process.env['BINAUTHZ_SEED'] !== undefined;

const [D1, D2] = ['1', '2'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest];
const ATTESTORS = ['a', 'b', 'c'].map((id) => parseAttestorName(`projects/proj/attestors/${id}`)) as AttestorName[];
const NAMES = ['nginx', 'docker.io/library/nginx', 'gcr.io/p/app', 'gcr.io/p/sub/app', 'gcr.io/p-exploit/app', 'localhost:5000/app'];
const TAILS = [
  '',
  ':1',
  ':latest',
  `@${D1}`,
  `@${D1}`,
  `@${D1}`,
  `@${D2}`,
  `:1@${D1}`,
  `@sha256:${'A'.repeat(64)}`,
  '@sha256:12',
  `@x@${D1}`,
];
const PATTERNS = [
  'nginx',
  'nginx:1',
  'docker.io/library/nginx*',
  'gcr.io/p/*',
  'gcr.io/p/**',
  'docker.io/library/**',
  'gcr.io/p**',
  'gcr.io/p/app',
  'gcr.io/p/app@*',
  'gcr.io/p/app:*',
  `gcr.io/p/app@${D1}`,
  `gcr.io/p/app@sha256:1*`,
  'localhost:5000/*',
];
const KEYS: Readonly<Record<string, readonly string[]>> = {
  clusterAdmissionRules: ['us-east1-a.prod', 'us-east1-a.dev', 'global.member', 'constructor.x'],
  kubernetesNamespaceAdmissionRules: ['default', 'team-1', 'constructor'],
  kubernetesServiceAccountAdmissionRules: ['default:default', 'team-1:robot', 'team-1:default'],
  istioServiceIdentityAdmissionRules: ['proj.svc.id.goog/ns/default/sa/default'],
};
const FOUND: readonly Evidence['found'][] = [
  'verified',
  'verified',
  'verified',
  'none',
  'none',
  'no-answer',
  'disagreement',
  'undecided',
  'attestor-missing',
  'attestor-without-keys',
];

/** A small seeded generator (mulberry32). */
class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)] as T;
  }

  some<T>(values: readonly T[], most: number): T[] {
    const count = Math.floor(this.next() * (most + 1));
    return [...new Set(Array.from({ length: count }, () => this.pick(values)))];
  }
}

interface Case {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly context: PolicyContext;
  readonly placed: PlacedUse;
  readonly evidence: readonly Evidence[];
}

function ruleOf(dice: Dice): OracleRule {
  const evaluationMode = dice.pick(['ALWAYS_ALLOW', 'ALWAYS_DENY', 'REQUIRE_ATTESTATION', 'REQUIRE_ATTESTATION', 'REQUIRE_ATTESTATION']);
  const enforcementMode = dice.chance(0.25) ? 'DRYRUN_AUDIT_LOG_ONLY' : 'ENFORCED_BLOCK_AND_AUDIT_LOG';
  if (evaluationMode !== 'REQUIRE_ATTESTATION') return { evaluationMode, enforcementMode };
  return { evaluationMode, enforcementMode, requireAttestationsBy: [dice.pick(ATTESTORS), ...dice.some(ATTESTORS, 2)] };
}

function policyOf(dice: Dice): OraclePolicy {
  const kinds = Object.keys(KEYS);
  const maps = dice.chance(0.3) ? [] : [...new Set([dice.pick(kinds), ...(dice.chance(0.06) ? [dice.pick(kinds)] : [])])];
  const rules = maps.map((map) => [
    map,
    Object.fromEntries([dice.pick(KEYS[map] ?? []), ...dice.some(KEYS[map] ?? [], 2)].map((key) => [key, ruleOf(dice)])),
  ]);
  return {
    ...(dice.chance(0.8) ? { globalPolicyEvaluationMode: dice.pick(['ENABLE', 'DISABLE']) } : {}),
    ...(dice.chance(0.5) ? { admissionWhitelistPatterns: dice.some(PATTERNS, 2).map((namePattern) => ({ namePattern })) } : {}),
    ...(Object.fromEntries(rules) as Partial<OraclePolicy>),
    defaultAdmissionRule: ruleOf(dice),
    ...(dice.chance(0.9) ? { updateTime: '2026-01-01T00:00:00Z' } : {}),
  };
}

function glassOf(dice: Dice): BreakGlass | undefined {
  if (!dice.chance(0.15)) return undefined;
  return {
    by: dice.pick(['label', 'annotation', 'cloud-run'] as const),
    value: dice.pick(['true', 'false', 'urgent', '']),
    isEffective: dice.chance(0.7),
  };
}

function settingOf(dice: Dice): CloudRunSetting | undefined {
  return dice.pick([
    undefined,
    { uses: 'project-policy' },
    { uses: 'project-policy' },
    { uses: 'project-policy' },
    { uses: 'nothing' },
    { uses: 'platform-policy', policy: 'projects/p/platforms/cloudRun/x' },
  ] as const);
}

function clusterOf(dice: Dice): ClusterState | undefined {
  if (dice.chance(0.35)) return undefined;
  const [location, name] = dice
    .pick(['us-east1-a.prod', 'us-east1-a.dev', 'us-east1-a.prdo', 'global.member', 'global.other', 'us-east1.constructor'])
    .split('.') as [string, string];
  const state = dice.pick(['enforcing', 'enforcing', 'enforcing', 'assumed-enforcing', 'not-found', 'not-enforcing', 'unknown'] as const);
  return { ref: { key: `${location}.${name}`, location, name }, state, because: 'so it is' };
}

function caseOf(seed: number): Case {
  const dice = new Dice(seed);
  const document = policyOf(dice);
  const parsed = parsePolicy(document);
  if (!parsed.policy) throw new Error(`seed ${seed}: ${parsed.problems.join('; ')}`);
  const systemPatterns = dice.chance(0.7) ? dice.some(PATTERNS, 2) : undefined;
  const cluster = clusterOf(dice);
  const breakGlass = glassOf(dice);
  const platform = dice.chance(0.7) ? 'gke' : 'cloud-run';
  const cloudRun = platform === 'cloud-run' ? settingOf(dice) : undefined;
  const registry = dice.chance(0.7) ? { digest: D1, ...(dice.chance(0.5) ? { child: D2 } : {}) } : undefined;
  const use: ImageUse = {
    image: dice.pick(NAMES) + dice.pick(TAILS),
    platform,
    ...(dice.chance(0.5) ? { namespace: dice.pick(['default', 'team-1']), serviceAccount: dice.pick(['default', 'robot']) } : {}),
    ...(breakGlass ? { breakGlass } : {}),
    ...(cloudRun ? { cloudRun } : {}),
  };
  const place = placeOf(use);
  const evidence = dice
    .some(ATTESTORS, 6)
    .flatMap((attestor) =>
      [D1, D2].flatMap((digest) =>
        Array.from({ length: dice.pick([0, 1, 1, 1, 2]) }, () => ({ attestor, digest, found: dice.pick(FOUND), what: 'found it' })),
      ),
    );
  const scenario: Scenario = {
    policy: document,
    systemPatterns,
    ...(cluster ? { cluster: { location: cluster.ref.location, name: cluster.ref.name, state: cluster.state } } : {}),
    platform,
    image: use.image,
    namespace: place.namespace,
    serviceAccount: place.serviceAccount,
    ...(breakGlass ? { breakGlass } : {}),
    ...(cloudRun ? { cloudRun: cloudRun.uses } : {}),
    ...(registry ? { registry } : {}),
    evidence,
  };
  const context: PolicyContext = {
    policy: parsed.policy,
    system: systemPatterns ? { kind: 'read', patterns: systemPatterns } : { kind: 'unreadable', why: 'no answer' },
    ...(cluster ? { cluster } : {}),
  };
  return { seed, scenario, context, placed: { use, place, resolved: registry ?? { failed: 'no answer' } }, evidence };
}

function verdictOf({ context, placed }: Case, evidence: readonly Evidence[]): Evaluation {
  const question = pose(context, placed);
  return question.decided ?? question.judge(evidence);
}

const rank = (verdict: Verdict) => VERDICTS.indexOf(verdict);
const seeds = Array.from({ length: ONE ? 1 : RUNS }, (_, index) => START + index);

function each(check: (made: Case) => string | undefined): void {
  for (const seed of seeds) {
    const made = caseOf(seed);
    const wrong = check(made);
    if (wrong !== undefined) expect.fail(`BINAUTHZ_SEED=${seed}: ${wrong}\n${JSON.stringify(made.scenario, null, 1)}`);
  }
}

describe('generated policies', () => {
  it('get the verdict of the oracle', () => {
    each((made) => {
      const [got, expected] = [verdictOf(made, made.evidence).verdict, oracle(made.scenario)];
      return got === expected ? undefined : `expected ${expected}, got ${got}`;
    });
  });

  it.skipIf(ONE)('reach every verdict, often', () => {
    const counts = new Map<Verdict, number>();
    each((made) => {
      const { verdict } = verdictOf(made, made.evidence);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      return undefined;
    });
    expect(VERDICTS.filter((verdict) => (counts.get(verdict) ?? 0) < RUNS / 100)).toEqual([]);
  });

  it('never allow without evidence where it is needed', () => {
    each((made) => {
      const question = pose(made.context, made.placed);
      if (question.decided) return undefined;
      const strangers = made.evidence.map((entry) => ({ ...entry, digest: parseDigest(`sha256:${'9'.repeat(64)}`) as Digest }));
      const verdicts = [question.judge([]).verdict, question.judge(strangers).verdict];
      return verdicts.every((verdict) => verdict === 'UNKNOWN') ? undefined : `nothing was known, and it says ${verdicts.join(', ')}`;
    });
  });

  it('give a reason with every verdict, a denial with DENIED only, and a rule where one was reached', () => {
    each((made) => {
      const { verdict, reasons, denial, rule } = verdictOf(made, made.evidence);
      if (reasons.length === 0) return 'no reason';
      if ((verdict === 'DENIED') !== (denial !== undefined)) return `${verdict} with the denial ${denial}`;
      return verdict.startsWith('ALLOWED') && verdict !== 'ALLOWED_BREAK_GLASS' && rule === '' ? 'no rule' : undefined;
    });
  });

  it('do not get better by a violation more', () => {
    each((made) => {
      const before = verdictOf(made, made.evidence).verdict;
      const rules = [
        made.scenario.policy.defaultAdmissionRule,
        ...Object.values(made.context.policy.rules).flatMap((map) => Object.values(map)),
      ];
      const isDryRunSomewhere = rules.some(({ enforcementMode }) => enforcementMode === 'DRYRUN_AUDIT_LOG_ONLY');
      for (const attestor of ATTESTORS) {
        const worse = made.evidence.map((entry) => (entry.attestor === attestor ? { ...entry, found: 'none' as const } : entry));
        const after = verdictOf(made, worse).verdict;
        // In dry run an open question may become a certain violation, which is admitted and logged: decided, never ALLOWED.
        if (before === 'UNKNOWN' && isDryRunSomewhere && after === 'ALLOWED_DRY_RUN') continue;
        if (rank(after) < rank(before)) return `${before} became ${after} without ${attestor}`;
      }
      return undefined;
    });
  });

  it('do not get worse by a pattern more, and never by an attestation more', () => {
    each((made) => {
      const before = verdictOf(made, made.evidence);
      const subject = made.placed.use.image;
      if (before.verdict === 'DENIED' && made.placed.use.platform === 'gke') {
        const policy = { ...made.context.policy, admissionWhitelistPatterns: [subject] };
        const { verdict } = pose({ ...made.context, policy }, made.placed).decided ?? { verdict: undefined };
        if (verdict !== 'ALLOWED') return `${verdict} although ${subject} is exempt`;
      }
      const all = [D1, D2].flatMap((digest) =>
        ATTESTORS.map((attestor) => ({ attestor, digest, found: 'verified' as const, what: 'it verifies' })),
      );
      const after = verdictOf(made, [...made.evidence, ...all]).verdict;
      const mayDiffer = before.reasons.some(({ code }) => code === 'CLUSTER_UNKNOWN') || after === 'UNKNOWN';
      return rank(after) > rank(before.verdict) && !mayDiffer ? `${before.verdict} became ${after} with every attestation` : undefined;
    });
  });

  it('make a Pod as bad as its worst image, in any order', () => {
    const dice = new Dice(START);
    for (let round = 0; round < 500; round += 1) {
      const verdicts = Array.from({ length: 1 + Math.floor(dice.next() * 5) }, () => dice.pick(VERDICTS));
      const [highest] = [...verdicts].sort((one, other) => rank(other) - rank(one));
      expect([worst(verdicts), worst([...verdicts].reverse())]).toEqual([highest, highest]);
    }
  });
});
