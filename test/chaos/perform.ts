// SPDX-License-Identifier: Apache-2.0
// One schedule: the first run with its faults, perhaps a hasty one, and two without faults; judged after each.
import { formatDuration } from '../../src/core/duration.js';
import { targetsOf } from './fixtures.js';
import { openFront, type Front, type Treatment } from './front.js';
import { INVARIANTS, isPost, type Observation } from './invariants.js';
import { Judge } from './judge.js';
import { inProcess, shipped, type Command, type Product, type Ran, type Running } from './product.js';
import { Random } from './random.js';
import { armed, type Rule } from './rules.js';
import type { Faults, Interrupt, Schedule } from './schedule.js';
import { ChaosStage } from './stage.js';
import { VirtualTime } from './virtual-time.js';

/** A broken invariant. */
export interface Violation {
  readonly invariant: string;
  readonly run: Observation['run'];
  readonly what: string;
}

/** How a schedule went. */
export interface Report {
  readonly violations: readonly Violation[];
  /** The exit code of the first run; undefined where it was killed. */
  readonly status: number | undefined;
}

/** What one run is played with. */
interface Play {
  readonly faults: Faults | undefined;
  readonly product: Product;
}

type Played = Pick<Observation, 'ran' | 'signal' | 'startedAt' | 'endedAt' | 'passages' | 'requestLog' | 'emulatorErrors'>;

/** Real time after which a run is taken to hang. */
const PATIENCE_MS = 60_000;

/** The theatre: emulator, time, stage and judge, for as many schedules as one likes. */
export class Theatre {
  private constructor(
    readonly time: VirtualTime,
    readonly front: Front,
    readonly stage: ChaosStage,
    readonly judge: Judge,
  ) {}

  static async open(): Promise<Theatre> {
    const time = new VirtualTime();
    const front = await openFront(time);
    const stage = await ChaosStage.set(front);
    return new Theatre(time, front, stage, new Judge(stage));
  }

  async close(): Promise<void> {
    this.time.close();
    await this.front.emulator.close();
  }

  /** Plays a schedule. `product` stands for the first and any later run that is not of the shipped program. */
  async perform(schedule: Schedule, product: Product = inProcess): Promise<Report> {
    const { faults, scenario } = schedule;
    this.#set(undefined);
    await this.front.treat({});
    await this.stage.prepare(scenario);
    const seen: Observation[] = [];
    const observe = async (run: Observation['run'], play: Play): Promise<Observation> => {
      const earlier = seen.at(-1)?.stored ?? (await this.#look(schedule));
      const observation = await this.#observe(schedule, play, { run, earlier });
      seen.push(observation);
      return observation;
    };
    const first = await observe('first', { faults, product: schedule.host === 'dist' ? shipped : product });
    if (faults.hastyRerun) await observe('hasty', { faults: onlyDelayOf(faults), product });
    const second = await observe('second', { faults: undefined, product });
    // A second run that found nothing to do is what the third one would be.
    if (second.passages.some(isPost)) await observe('third', { faults: undefined, product });
    return { violations: seen.flatMap((observation) => this.#judge(observation)), status: first.ran.status ?? undefined };
  }

  #judge(observation: Observation): readonly Violation[] {
    return Object.entries(INVARIANTS).flatMap(([invariant, holds]) =>
      holds(observation, this.stage).map((what) => ({ invariant, run: observation.run, what })),
    );
  }

  async #observe(
    schedule: Schedule,
    { faults, product }: Play,
    { run, earlier }: Pick<Observation, 'run' | 'earlier'>,
  ): Promise<Observation> {
    this.#set(faults);
    const before = faults?.propagationDelayMs ? await this.#look(schedule) : earlier;
    const played = await this.#play(schedule, { faults, product });
    // The rules are out of the way and time stands still: what is listed now is what the run left behind.
    this.#set(faults);
    const atEnd = await this.#look(schedule);
    await Promise.all([this.time.settle(), this.front.settle()]);
    this.#set(undefined);
    const stored = faults === undefined ? atEnd : await this.#look(schedule);
    return { run, schedule, faults, earlier, before, ...played, atEnd, stored };
  }

  #look({ scenario }: Schedule): Promise<Observation['stored']> {
    return this.time.still(() => this.judge.look(targetsOf(scenario), scenario.signers));
  }

  async #play(schedule: Schedule, { faults, product }: Play): Promise<Played> {
    const { time, front, stage } = this;
    const random = new Random(schedule.seed);
    const clock = time.clock(faults?.skewMs ?? 0, () => random.next());
    let signal: Interrupt['signal'] | undefined;
    let running: Running | undefined;
    const interrupt = (sent: Interrupt['signal']): void => {
      if (running === undefined) return;
      signal = sent;
      running.send(sent);
    };
    this.#set(faults, rulesOf(faults));
    const passages = await front.treat(treatmentOf(faults, interrupt));
    const startedAt = time.now();
    running = product(commandOf(schedule, stage), clock);
    const ran = await withPatience(running.ended);
    running = undefined;
    return {
      ...{ ran, signal, startedAt, endedAt: time.now() },
      passages: passages.map((passage) => ({ ...passage })),
      requestLog: front.requestLog(),
      emulatorErrors: [...front.emulator.lastErrors],
    };
  }

  /** How the emulator behaves: as these faults say, with these rules on single requests. */
  #set(faults: Faults | undefined, rules: readonly Rule[] = []): void {
    const { propagationDelayMs = 0, duplicates = 'identical' } = faults ?? {};
    this.front.setFaults({ propagationDelayMs, duplicates, rules: armed(rules, this.time.now()) });
  }
}

function rulesOf(faults: Faults | undefined): readonly Rule[] {
  const { rules = [], interrupt } = faults ?? {};
  return interrupt?.signal === 'SIGKILL' ? [cutOff(interrupt), ...rules] : rules;
}

// A killed process takes its connection with it; whether the request had arrived by then is what differs.
function cutOff({ request, when }: Interrupt): Rule {
  return { id: 'kill', method: '', path: '', after: request - 1, times: 1, do: when === 'before' ? 'reset-before' : 'reset-after' };
}

function onlyDelayOf(faults: Faults): Faults {
  const { propagationDelayMs } = faults;
  return { rules: [], propagationDelayMs, duplicates: 'identical', latencyMs: 0, skewMs: 0, hastyRerun: true };
}

function treatmentOf(faults: Faults | undefined, send: (signal: Interrupt['signal']) => void): Treatment {
  const { latencyMs = 0, refuse, interrupt } = faults ?? {};
  const step = (count: number): void => {
    if (interrupt?.request === count) send(interrupt.signal);
  };
  // A kill before the request's arrival is played as a connection that ends before it: see cutOff.
  const atArrival = interrupt?.when === 'before' && interrupt.signal === 'SIGTERM';
  return { latencyMs, refuse, ...(atArrival ? { arrives: step } : { ends: step }) };
}

/** The command line of a scenario. */
export function commandOf({ scenario }: Schedule, stage: ChaosStage): Command {
  const { canaries, kms, front, attestors } = stage;
  const isOverride = scenario.route === 'overrides';
  const uses = (signer: string): boolean => scenario.signers.some((one) => one === signer);
  const keys = [
    ...(uses('kms') ? [scenario.kmsFlag, scenario.kmsFlag === '--kms-key' ? kms.key : kms.version] : []),
    ...(uses('pgp') ? ['--pgp-private-key-env', 'PGP_KEY', '--pgp-passphrase-env', 'PGP_PASSPHRASE'] : []),
    ...(uses('pkix') ? ['--pkix-private-key-env', 'PKIX_KEY'] : []),
  ];
  const images = targetsOf({ images: scenario.images, multiPlatform: 'index' }).map(({ image, digest }) => {
    const repository = stage.repositoryOf(image, scenario.route);
    return scenario.named === 'tag' ? `${repository}:v1` : `${repository}@${digest}`;
  });
  return {
    argv: [
      ...['attest', ...images, ...scenario.signers.flatMap((signer) => ['--attestor', attestors[signer].name]), ...keys],
      ...['--multi-platform', scenario.multiPlatform, '--check', scenario.check, '--output', 'json'],
      ...(scenario.waitMs === null ? ['--no-wait'] : ['--wait-timeout', `${scenario.waitMs}ms`]),
      ...(isOverride ? ['--access-token-env', 'TOKEN'] : []),
      ...(scenario.verbose ? ['--verbose'] : []),
    ],
    env: {
      ...(uses('pgp') ? { PGP_KEY: canaries.pgp, PGP_PASSPHRASE: canaries.passphrase } : {}),
      ...(uses('pkix') ? { PKIX_KEY: canaries.pkix } : {}),
      ...(isOverride ? { TOKEN: canaries.token, ...overrides(`http://${front.host}/`) } : { BINAUTHZ_EMULATOR_HOST: front.host }),
      DOCKER_CONFIG: '/nonexistent',
    },
  };
}

function overrides(url: string): Record<string, string> {
  const apis = ['ARTIFACTREGISTRY', 'BINARYAUTHORIZATION', 'CLOUDKMS', 'CONTAINER', 'CONTAINERANALYSIS', 'RUN'];
  return Object.fromEntries(apis.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`, url]));
}

async function withPatience(ended: Promise<Ran>): Promise<Ran> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<Ran>((resolve) => {
    const stderr = `the run did not end within ${formatDuration(PATIENCE_MS)} of real time`;
    timer = setTimeout(() => resolve({ status: -1, stdout: '', stderr }), PATIENCE_MS);
  });
  return Promise.race([ended, hang]).finally(() => clearTimeout(timer));
}
