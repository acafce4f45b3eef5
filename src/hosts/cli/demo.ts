// SPDX-License-Identifier: Apache-2.0
// The whole story offline: the emulator in this process, and the ordinary commands, word for word, at its address.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDuration } from '../../core/duration.js';
import { BinauthzError, BinauthzErrors } from '../../core/errors.js';
import type { Verdict } from '../../core/policy/verdict.js';
import type { AttestResult, CheckResult } from '../../core/results.js';
import type { PlanResult } from '../../core/operation-results.js';
import { EMULATOR_VARIABLE } from '../environment.js';
import type { AnyResult } from '../outcome.js';
import { runCommand, type Services } from '../run-command.js';
import { parseArgs } from './args.js';
import { rawOptionsOf } from './secrets.js';

const PROJECT = 'demo-project';
const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop/frontend`;
const BUILT = `projects/${PROJECT}/attestors/built-by-ci`;
const APPROVED = `projects/${PROJECT}/attestors/approved-by-qa`;
const KMS_KEY = `projects/${PROJECT}/locations/global/keyRings/ci/cryptoKeys/built-by-ci`;
const PUBLIC_KEY_FILE = 'qa.asc';
const PGP_FLAGS = ['--pgp-private-key-env', 'QA_PRIVATE_KEY', '--pgp-passphrase-env', 'QA_PASSPHRASE'];

/** `binauthz.demo/v1`: what the demo showed, for scripts. */
export interface DemoResult {
  readonly schema: 'binauthz.demo/v1';
  readonly verdicts: readonly { readonly image: string; readonly when: string; readonly verdict: Verdict }[];
  readonly attestations: AttestResult['attestations'];
  readonly emulator: true;
}

/** Tells the story, line by line; throws where it does not go as it must. */
export async function runDemo(services: Services, say: (line: string) => void): Promise<DemoResult> {
  const [{ startEmulator }, { createPgpKey, pushImage }] = await Promise.all([
    import('../../emulator/server.js'),
    import('../../emulator/seed.js'),
  ]);
  const [emulator, pgp, cwd] = await Promise.all([
    startEmulator({ port: 0, propagationDelayMs: 300 }),
    createPgpKey(),
    mkdtemp(join(tmpdir(), 'binauthz-demo-')).catch((cause: Error) => {
      const hint = 'set TMPDIR to a folder that can be written to';
      throw new BinauthzError('INVALID_INPUT', `the demo needs a folder for a file of its own: ${cause.message}`, {
        hint,
        resource: tmpdir(),
      });
    }),
  ]);
  try {
    await writeFile(join(cwd, PUBLIC_KEY_FILE), pgp.publicKey);
    say(`An emulator of Google's APIs listens on ${emulator.url}. It holds the empty project ${PROJECT}.`);
    say('The commands below ran as they stand there, but for long names, which are shown by their last part.');
    // Nothing of the caller's environment: whatever it points elsewhere, the demo stays on its own emulator.
    const env = { [EMULATOR_VARIABLE]: emulator.host, QA_PRIVATE_KEY: pgp.privateKey, QA_PASSPHRASE: pgp.passphrase };
    const push = (content: string): Promise<string> => pushImage(emulator.url, REPOSITORY, '1.0.0', content);
    return await new Story({ ...services, env, files: { cwd } }, say, push).tell();
  } finally {
    await Promise.all([emulator.close(), rm(cwd, { recursive: true, force: true })]);
  }
}

class Story {
  private readonly verdicts: DemoResult['verdicts'][number][] = [];
  private readonly attestations: AttestResult['attestations'][number][] = [];

  constructor(
    private readonly services: Services,
    private readonly say: (line: string) => void,
    private readonly push: (content: string) => Promise<string>,
  ) {}

  async tell(): Promise<DemoResult> {
    this.say('\n1. The platform team sets up two attestors, both of which the project’s policy then asks for:');
    await this.setUp(BUILT, ['--kms-key', KMS_KEY]);
    await this.setUp(APPROVED, ['--pgp-public-key-file', PUBLIC_KEY_FILE]);

    const app = await this.pushed('frontend 1.0.0');
    this.say(`\n2. CI pushes ${REPOSITORY}:1.0.0. Would GKE run it?`);
    await this.expect('DENIED', app, 'before it is attested');

    this.say('\n3. CI attests it with the Cloud KMS key. One of two is not enough:');
    await this.attest(app, BUILT, ['--kms-key', KMS_KEY]);
    await this.expect('DENIED', app, 'with one of two attestations');

    this.say('\n4. QA approves it with a PGP key from a secret:');
    await this.attest(app, APPROVED, PGP_FLAGS);
    await this.expect('ALLOWED', app, 'with both attestations');

    this.say('\n5. The same step runs again: nothing is posted twice.');
    await this.attest(app, BUILT, ['--kms-key', KMS_KEY]);

    const tampered = await this.pushed('frontend 1.0.0, with a back door');
    this.say('\n6. Somebody pushes other content under the same tag. Would GKE run that?');
    await this.expect('DENIED', tampered, 'a tampered copy');

    this.say('\nNothing above left this machine. Next: README.md, “Use it”.');
    return { schema: 'binauthz.demo/v1', verdicts: this.verdicts, attestations: this.attestations, emulator: true };
  }

  private async pushed(content: string): Promise<string> {
    return `${REPOSITORY}@${await this.push(content)}`;
  }

  private async setUp(attestor: string, key: readonly string[]): Promise<void> {
    const note = attestor.replace('/attestors/', '/notes/');
    const { changes } = await this.run<PlanResult>(
      ...['setup', '--project', PROJECT, '--attestor', attestor, '--note', note],
      ...[...key, '--apply'],
    );
    for (const { summary, status } of changes.filter(({ action }) => action !== 'none')) this.say(`   ${status}  ${summary}`);
  }

  private async attest(image: string, attestor: string, key: readonly string[]): Promise<void> {
    const { attestations } = await this.run<AttestResult>('attest', image, '--attestor', attestor, ...key);
    for (const { status, occurrence, visibleAfterMs } of attestations) {
      const seen = typeof visibleAfterMs === 'number' ? `, visible to the enforcer after ${formatDuration(visibleAfterMs)}` : '';
      this.say(`   ${status} ${occurrence ?? ''}${seen}`);
    }
    this.attestations.push(...attestations);
  }

  private async expect(expected: Verdict, image: string, when: string): Promise<void> {
    const { verdict, images } = await this.run<CheckResult>('check', image, '--project', PROJECT);
    this.say(`   ${verdict}  ${short(image)}`);
    for (const { attestor, message } of images.flatMap(({ reasons }) => reasons)) this.say(`     ${short(attestor ?? '')}: ${message}`);
    this.verdicts.push({ image, when, verdict });
    if (verdict === expected) return;
    throw new BinauthzError('INTERNAL', `the demo expected ${expected} for ${image} ${when}, got ${verdict}`, { resource: image });
  }

  /** Says a command and carries it out; its result, unless something failed. */
  private async run<Result extends AnyResult>(...words: readonly string[]): Promise<Result> {
    this.say(`   $ binauthz ${words.map(short).join(' ')}`);
    const args = parseArgs(words);
    if (args.command?.name === undefined || args.command.name === 'demo' || args.command.name === 'emulator')
      throw new BinauthzError('INTERNAL', `the demo has no command ${words[0] ?? ''}`, {});
    const { raw, env } = rawOptionsOf(args.command.name, args, this.services.env);
    const { result, errors } = await runCommand(args.command.name, raw, { ...this.services, env });
    const [first, ...others] = errors;
    if (first) throw new BinauthzErrors([first, ...others]);
    return result as Result;
  }
}

/** A name without the folders that it is in, a digest by its first digits. */
function short(name: string): string {
  return name.replace(/^\S*\//, '').replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1…');
}
