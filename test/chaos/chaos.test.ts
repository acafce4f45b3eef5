// SPDX-License-Identifier: Apache-2.0
// Some hundred schedules of `npm run chaos`, and the proof that the runner would notice: for each invariant a product
// that breaks it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './main.js';
import { Theatre, type Report } from './perform.js';
import { inProcess, type Command, type Product, type Ran } from './product.js';
import { drawRules, LISTING, POSTING, type Rule } from './rules.js';
import { Random } from './random.js';
import { scheduleOf, type Faults, type Interrupt, type Scenario, type Schedule } from './schedule.js';
import { FIXTURES } from './fixtures.js';
import type { ProductClock } from './virtual-time.js';

const IN_THE_SUITE = 150;

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
});
afterAll(() => theatre.close());

const QUIET: Faults = { rules: [], propagationDelayMs: 0, duplicates: 'identical', latencyMs: 0, skewMs: 0, hastyRerun: false };
const PLAIN: Scenario = {
  images: ['alpha'],
  signers: ['kms'],
  named: 'digest',
  multiPlatform: 'both',
  kmsFlag: '--kms-key-version',
  route: 'emulator',
  check: 'off',
  waitMs: 30_000,
  verbose: false,
  leftovers: [],
};

function play(scenario: Partial<Scenario>, faults: Partial<Faults>, product?: Product): Promise<Report> {
  const schedule: Schedule = { seed: 1, host: 'in-process', scenario: { ...PLAIN, ...scenario }, faults: { ...QUIET, ...faults } };
  return theatre.perform(schedule, product);
}

function ruleAt({ method, path }: Pick<Rule, 'method' | 'path'>, action: Partial<Rule> & Pick<Rule, 'do'>): Rule {
  return { id: 'r', method, path, after: 0, times: 1, ...action };
}

const broken = ({ violations }: Report): readonly string[] => [...new Set(violations.map(({ invariant }) => invariant))];

describe('schedules', () => {
  it('are made of their seed alone, and differ', () => {
    expect(scheduleOf(7)).toEqual(scheduleOf(7));
    expect(new Set(Array.from({ length: 100 }, (_, seed) => JSON.stringify({ ...scheduleOf(seed), seed: 0 }))).size).toBe(100);
  });

  it('know every fault of the emulator, and those that only the runner has', () => {
    const schedules = Array.from({ length: 3_000 }, (_, seed) => scheduleOf(seed));
    const rules = schedules.flatMap(({ faults }) => faults.rules);
    expect([...new Set(rules.map((rule) => rule.do))].sort()).toEqual(
      ['corrupt', 'delay', 'reset-after', 'reset-before', 'status', 'truncate'].sort(),
    );
    expect(new Set(rules.map(({ status }) => status))).toEqual(new Set([undefined, 200, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504]));
    expect(new Set(rules.map(({ field }) => field))).toContain('signatureCrc32c');
    const interrupts = schedules.flatMap(({ faults }) => faults.interrupt ?? []);
    const steps = interrupts.map(({ signal, request, when }) => `${signal} ${when} ${request}`);
    expect(steps).toEqual(expect.arrayContaining(['SIGTERM before 1', 'SIGTERM after 9']));
    expect(interrupts.some(({ signal }) => signal === 'SIGKILL')).toBe(true);
    expect(schedules.some(({ faults }) => faults.refuse !== undefined)).toBe(true);
    expect(schedules.some(({ faults }) => faults.duplicates === 'note-resource' && faults.skewMs < 0)).toBe(true);
    expect(schedules.some(({ scenario }) => scenario.leftovers.some(({ by }) => by === 'retired'))).toBe(true);
  });

  it(`hold ${IN_THE_SUITE} times`, async () => {
    const seeds = Array.from({ length: IN_THE_SUITE }, (_, index) => 1 + index);
    const statuses = new Set<number | undefined>();
    for (const schedule of seeds.map(scheduleOf).filter(({ host }) => host === 'in-process')) {
      const { violations, status } = await theatre.perform(schedule);
      expect(violations, `npm run chaos -- --seed ${schedule.seed} --schedules 1`).toEqual([]);
      statuses.add(status);
    }
    // Faults that never hurt would prove little.
    expect([...statuses]).toEqual(expect.arrayContaining([0, 7, 8, 9, 143]));
  }, 300_000);
});

describe('the shipped program', () => {
  const steps: readonly Interrupt[] = [
    ...[1, 2, 4, 6, 7, 8].map((request) => ({ signal: 'SIGKILL', request, when: 'after' }) as const),
    ...[7, 8].map((request) => ({ signal: 'SIGKILL', request, when: 'before' }) as const),
    ...[1, 7].map((request) => ({ signal: 'SIGTERM', request, when: 'before' }) as const),
  ];

  it.each(steps)('by $signal $when request $request leaves nothing that a re-run does not mend', async (interrupt) => {
    const schedule: Schedule = { seed: 1, host: 'dist', scenario: PLAIN, faults: { ...QUIET, interrupt } };
    const { violations, status } = await theatre.perform(schedule);
    expect([violations, status]).toEqual([[], interrupt.signal === 'SIGKILL' ? undefined : 143]);
  });
});

describe('the runner tells the truth about', () => {
  it('a healthy run, a slow store, and a store that is gone', async () => {
    expect(await play({}, {})).toEqual({ violations: [], status: 0 });
    expect(await play({}, { propagationDelayMs: 20_000 })).toEqual({ violations: [], status: 0 });
    expect(await play({}, { propagationDelayMs: 50_000 })).toEqual({ violations: [], status: 8 });
    const rule = ruleAt(POSTING, { do: 'status', status: 503, times: -1 });
    expect(await play({}, { rules: [rule] })).toEqual({ violations: [], status: 9 });
  });

  it('an attestation whose answer was lost, while the listing shows nothing yet', async () => {
    const lost = ruleAt(POSTING, { do: 'reset-after' });
    expect(await play({}, { rules: [lost], propagationDelayMs: 4_000, hastyRerun: true })).toEqual({ violations: [], status: 0 });
  });
});

// Seed 20269723: the look before a second post once had seventy seconds of its own.
it('a post and the looks in between end together, however long they are told to wait', async () => {
  const patience = { do: 'status', status: 429, headers: { 'retry-after': '65' } } as const;
  const rules = [ruleAt(POSTING, patience), ruleAt(LISTING, { ...patience, after: 1, times: -1 })];
  expect(await play({}, { rules })).toEqual({ violations: [], status: 9 });
});

describe('the runner notices', () => {
  it('a success without an attestation', async () => {
    const liar: Product = () => ended({ status: 0, stdout: result('created'), stderr: '' });
    expect(broken(await play({}, {}, liar))).toContain('success is true');
  });

  it('a store that loses what it stored after the product saw it', async () => {
    const forgetful = after(async (ran) => {
      await theatre.stage.sweep();
      return ran;
    });
    expect(broken(await play({}, {}, forgetful))).toContain('success is true');
  });

  it('an attestation by a key that is not trusted', async () => {
    const byAnother = after(async () => {
      await theatre.stage.sweep();
      await theatre.stage.post({ signer: 'kms', digest: FIXTURES.alpha.digest, by: 'retired' }, 'emulator');
      return { status: 0, stdout: result('created'), stderr: '' };
    });
    expect(broken(await play({}, {}, byAnother))).toContain('success is true');
  });

  it('a product that posts again instead of looking first', async () => {
    const hasty = after(async (ran) => {
      await postAnew();
      return ran;
    });
    expect(broken(await play({}, {}, hasty))).toContain('nothing twice');
  });

  it('a product that attests what is attested already', async () => {
    const blind: Product = () => {
      const work = postAnew().then(() => ({ status: 0, stdout: result('created'), stderr: '' }));
      return { ended: work, send: () => undefined };
    };
    expect(broken(await play({}, {}, blind))).toContain('nothing twice');
  });

  it('a product that takes an attestation of its own for a conflict', async () => {
    const stubborn = after((ran) =>
      ran.stdout.includes('"existing"')
        ? { status: 7, stdout: failed('ATTESTATION_CONFLICT'), stderr: 'error[ATTESTATION_CONFLICT]' }
        : ran,
    );
    expect(broken(await play({}, {}, stubborn))).toEqual(['runs converge']);
  });

  it('a product that waits beyond its timeout', async () => {
    const patient = after(async (ran, { clock }) => {
      await clock.sleep(600_000);
      return ran;
    });
    expect(broken(await play({}, {}, patient))).toContain('deadlines hold');
  });

  it('a product that repeats a call for minutes', async () => {
    const dogged: Product = (command, clock) => {
      const url = `http://${theatre.front.host}/v1/${theatre.stage.attestors.kms.name}`;
      const work = fetch(url)
        .then(() => clock.sleep(120_000))
        .then(() => inProcess(command, clock).ended);
      return { ended: work, send: () => undefined };
    };
    expect(broken(await play({}, {}, dogged))).toContain('deadlines hold');
  });

  it.each([
    ['a token', { route: 'overrides' }, 'TOKEN'],
    ['a passphrase', { signers: ['pgp'] }, 'PGP_PASSPHRASE'],
    ['a PGP key', { signers: ['pgp'] }, 'PGP_KEY'],
    ['a PKIX key', { signers: ['pkix'] }, 'PKIX_KEY'],
  ] as const)('%s on standard error', async (_title, scenario, variable) => {
    const talkative = after((ran, { command }) => ({ ...ran, stderr: `${ran.stderr}debug: ${command.env[variable] ?? ''}\n` }));
    expect(broken(await play(scenario, {}, talkative))).toEqual(['secrets stay secret']);
  });

  it.each([
    ['an exit code that says a bug', (ran: Ran) => ({ ...ran, status: 1 })],
    ['a failure without a hint', (ran: Ran) => ({ ...ran, stdout: ran.stdout.replaceAll('"hint"', '"tip"') })],
    ['a failure without an error', (ran: Ran) => ({ ...ran, stdout: result('failed') })],
    ['a failure that standard error does not tell', (ran: Ran) => ({ ...ran, stderr: '' })],
    ['a run that was cut off', (ran: Ran) => ({ ...ran, status: null })],
  ])('%s', async (_title, spoil) => {
    const rule = ruleAt(LISTING, { do: 'status', status: 503, times: -1 });
    const spoiled = after((ran) => (ran.status === 0 ? ran : spoil(ran)));
    expect(broken(await play({}, { rules: [rule] }, spoiled))).toEqual(['endings are documented']);
  });
});

describe('npm run chaos', () => {
  it('prints the seed, the schedule and the command that repeats it, and fails', async () => {
    const lines: string[] = [];
    const liar: Product = () => ended({ status: 0, stdout: result('created'), stderr: '' });
    const status = await main(['--seed', '2', '--schedules', '2'], { say: (line) => void lines.push(line), product: liar });
    const text = lines.join('\n');
    expect(status).toBe(1);
    expect(text).toContain('VIOLATION with seed 3');
    expect(text).toContain(JSON.stringify(scheduleOf(3)));
    expect(text).toContain('npm run chaos -- --seed 3 --schedules 1');
  });
});

it('draws none to four rules', () => {
  const counts = Array.from({ length: 200 }, (_, seed) => drawRules(new Random(seed)).length);
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([0, 4]);
});

function ended(ran: Ran): ReturnType<Product> {
  return { ended: Promise.resolve(ran), send: () => undefined };
}

/** The real product, whose end is tampered with. */
function after(change: (ran: Ran, run: { readonly command: Command; readonly clock: ProductClock }) => Ran | Promise<Ran>): Product {
  return (command, clock) => {
    const running = inProcess(command, clock);
    return { ...running, ended: running.ended.then((ran) => change(ran, { command, clock })) };
  };
}

/** A new signature over the same payload, as a product would post that signs again for every try. */
function postAnew(): Promise<void> {
  return theatre.stage.postAnew({ signer: 'kms', digest: FIXTURES.alpha.digest, by: 'trusted' }, 'emulator');
}

function result(status: string): string {
  return JSON.stringify({ schema: 'binauthz.attest/v1', images: [], attestations: [{ status }] });
}

function failed(code: string): string {
  return JSON.stringify({ schema: 'binauthz.attest/v1', images: [], attestations: [], errors: [{ code, message: 'm', hint: 'h' }] });
}
