// SPDX-License-Identifier: Apache-2.0
// What happens in one schedule, as plain JSON made of a seed: a scenario, and the faults that befall its first run.
import { FIXTURES, targetsOf, type FixtureName } from './fixtures.js';
import { drawRules, type Rule } from './rules.js';
import { Random } from './random.js';

/** The ways to sign; the stage has an attestor of the same name for each. */
export const SIGNERS = ['kms', 'pgp', 'pkix'] as const;
export type SignerName = (typeof SIGNERS)[number];

/** Something that is on a note before the first run: an attestation by the trusted key, or by one that was retired. */
export interface Leftover {
  readonly signer: SignerName;
  readonly digest: string;
  readonly by: 'trusted' | 'retired';
}

/** What the user asks for. */
export interface Scenario {
  readonly images: readonly FixtureName[];
  readonly named: 'tag' | 'digest';
  readonly multiPlatform: 'both' | 'index' | 'children';
  readonly signers: readonly SignerName[];
  readonly kmsFlag: '--kms-key-version' | '--kms-key';
  /** How Google is reached: the emulator's variable, or endpoint overrides with a token. */
  readonly route: 'emulator' | 'overrides';
  readonly check: 'off' | 'enforce';
  /** The wait timeout in milliseconds; null is --no-wait. */
  readonly waitMs: number | null;
  readonly verbose: boolean;
  readonly leftovers: readonly Leftover[];
}

/** A signal at a step: when the request of this number arrives, or when its answer has been sent. */
export interface Interrupt {
  readonly signal: 'SIGTERM' | 'SIGKILL';
  readonly request: number;
  readonly when: 'before' | 'after';
}

/** What goes wrong in the first run. */
export interface Faults {
  readonly rules: readonly Rule[];
  readonly propagationDelayMs: number;
  readonly duplicates: 'identical' | 'note-resource';
  readonly latencyMs: number;
  /** How far the product's clock is ahead of Google's. */
  readonly skewMs: number;
  /** From this request on, connections are refused for so long. */
  readonly refuse?: { readonly request: number; readonly forMs: number };
  readonly interrupt?: Interrupt;
  /** A run between the first and the healthy one that begins at once, while what was posted may still be invisible. */
  readonly hastyRerun: boolean;
}

export interface Schedule {
  readonly seed: number;
  /** In this process over virtual time, or the shipped program over real time. */
  readonly host: 'in-process' | 'dist';
  readonly scenario: Scenario;
  readonly faults: Faults;
}

/** One in so many schedules drives the shipped program, which costs a hundred times as much. */
const DIST_SHARE = 1 / 200;
const MINUTE = 60_000;

/** The schedule of a seed. */
export function scheduleOf(seed: number): Schedule {
  const random = new Random(seed);
  const scenario = drawScenario(random);
  return random.chance(DIST_SHARE)
    ? { seed, host: 'dist', scenario, faults: drawForDist(random) }
    : { seed, host: 'in-process', scenario, faults: drawFaults(random) };
}

function drawScenario(random: Random): Scenario {
  const images = random.some(Object.keys(FIXTURES) as FixtureName[], random.pick([1, 1, 1, 2, 3]));
  const signers = random.some(SIGNERS, random.pick([1, 1, 2]));
  const check = random.chance(0.25) ? 'enforce' : 'off';
  // The check judges the index by the digest that a manifest would name, so its children alone are not enough.
  const multiPlatform = random.pick(check === 'enforce' ? (['both', 'index'] as const) : (['both', 'index', 'children'] as const));
  return {
    images,
    signers,
    multiPlatform,
    check,
    named: random.pick(['tag', 'digest']),
    kmsFlag: random.pick(['--kms-key-version', '--kms-key']),
    route: random.pick(['emulator', 'overrides']),
    waitMs: random.pick([null, 500, 5_000, 30_000, 5 * MINUTE, 5 * MINUTE]),
    verbose: random.chance(0.3),
    leftovers: random.chance(0.5) ? [] : drawLeftovers(random, { images, signers, multiPlatform }),
  };
}

function drawLeftovers(random: Random, scenario: Pick<Scenario, 'images' | 'signers' | 'multiPlatform'>): readonly Leftover[] {
  return targetsOf(scenario).flatMap(({ digest }) =>
    scenario.signers.flatMap((signer) => {
      const by = random.pick(['trusted', 'trusted', 'retired', 'nobody'] as const);
      return by === 'nobody' ? [] : [{ signer, digest, by }];
    }),
  );
}

function drawFaults(random: Random): Faults {
  return {
    rules: drawRules(random),
    propagationDelayMs: random.chance(0.35) ? random.pick([200, 1_500, 8_000, 40_000, 4 * MINUTE, 20 * MINUTE]) : 0,
    duplicates: random.chance(0.1) ? 'note-resource' : 'identical',
    latencyMs: random.chance(0.2) ? random.pick([5, 50, 500]) : 0,
    skewMs: random.chance(0.2) ? random.pick([-1, 1]) * random.pick([1_000, 4 * MINUTE, 10 * MINUTE, 120 * MINUTE, 1440 * MINUTE]) : 0,
    ...(random.chance(0.08) ? { refuse: { request: random.whole(0, 12), forMs: random.pick([300, 5_000, 20_000, 100_000]) } } : {}),
    ...(random.chance(0.12) ? { interrupt: drawInterrupt(random, 'SIGTERM') } : {}),
    hastyRerun: random.chance(0.15),
  };
}

// Real time: nothing that would be waited for long.
function drawForDist(random: Random): Faults {
  const interrupt = drawInterrupt(random, random.pick(['SIGKILL', 'SIGKILL', 'SIGTERM']));
  return { rules: [], propagationDelayMs: 0, duplicates: 'identical', latencyMs: 0, skewMs: 0, interrupt, hastyRerun: false };
}

function drawInterrupt(random: Random, signal: Interrupt['signal']): Interrupt {
  return { signal, request: random.whole(1, 14), when: random.pick(['before', 'after']) };
}
