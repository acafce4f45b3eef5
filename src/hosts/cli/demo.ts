// SPDX-License-Identifier: Apache-2.0
// The whole story offline: the emulator in this process, ordinary ports to its address, the ordinary use cases.
import { BinauthzError, BinauthzErrors } from '../../core/errors.js';
import type { ProjectId } from '../../core/names.js';
import type { Verdict } from '../../core/policy/verdict.js';
import type { AttestResult } from '../../core/results.js';
import { Secret } from '../../core/secret.js';
import type { Stage } from '../../emulator/seed.js';
import { check } from '../../usecases/check.js';
import { runAttest } from '../commands/attest/run.js';
import { connect } from '../compose.js';
import type { Env, RunContext } from '../context.js';
import { EMULATOR_VARIABLE } from '../environment.js';
import { parseAttest } from '../commands/attest/parse.js';
import type { Common } from '../request-readers.js';
import { formatDuration } from '../../core/duration.js';

/** `binauthz.demo/v1`: what the demo showed, for scripts. */
export interface DemoResult {
  readonly schema: 'binauthz.demo/v1';
  readonly verdicts: readonly { readonly image: string; readonly when: string; readonly verdict: Verdict }[];
  readonly attestations: AttestResult['attestations'];
  readonly emulator: true;
}

/** Tells the story, line by line; throws where it does not go as it must. */
export async function runDemo(context: RunContext, say: (line: string) => void): Promise<DemoResult> {
  const [{ startEmulator }, { setStage }] = await Promise.all([import('../../emulator/server.js'), import('../../emulator/seed.js')]);
  const emulator = await startEmulator({ port: 0, propagationDelayMs: 300 });
  try {
    const stage = await setStage(emulator.url);
    say(`An emulator of Google's APIs listens on ${emulator.url}. It holds the project ${stage.project}, whose policy`);
    say('admits an image only if two attestors vouch for it:');
    say(`  ${stage.kms.attestor}      (a Cloud KMS key)`);
    say(`  ${stage.pgp.attestor}   (a PGP key)`);
    return await new Story(stage, emulator, context, say).tell();
  } finally {
    await emulator.close();
  }
}

class Story {
  private readonly verdicts: DemoResult['verdicts'][number][] = [];
  private readonly attestations: AttestResult['attestations'][number][] = [];
  private readonly common: Common;
  private readonly env: Env;

  constructor(
    private readonly stage: Stage,
    private readonly emulator: { readonly host: string; readonly url: string },
    private readonly context: RunContext,
    private readonly say: (line: string) => void,
  ) {
    // Nothing of the caller's environment: whatever it points elsewhere, the demo stays on its own emulator.
    this.env = { [EMULATOR_VARIABLE]: emulator.host };
    this.common = { environment: { emulatorHost: emulator.host, endpointOverrides: {}, dockerConfigPath: '' } };
  }

  async tell(): Promise<DemoResult> {
    const { stage } = this;
    const app = await this.push('1.0.0', 'frontend 1.0.0');
    this.say(`\n1. CI pushes ${stage.repository}:1.0.0, digest ${short(app)}. Would GKE run it?`);
    await this.expect('DENIED', app, 'before it is attested');

    this.say('\n2. CI attests it with the Cloud KMS key. One of two is not enough:');
    await this.attest(app, stage.kms.attestor, [['kms-key-version', stage.kms.keyVersion]]);
    await this.expect('DENIED', app, 'with one of two attestations');

    this.say('\n3. QA approves it with a PGP key from a secret:');
    await this.attest(app, stage.pgp.attestor, []);
    await this.expect('ALLOWED', app, 'with both attestations');

    this.say('\n4. The same step runs again: nothing is signed or posted twice.');
    await this.attest(app, stage.kms.attestor, [['kms-key-version', stage.kms.keyVersion]]);

    const tampered = await this.push('1.0.0', 'frontend 1.0.0, with a back door');
    this.say(`\n5. Somebody pushes other content under the same tag, digest ${short(tampered)}. Would GKE run that?`);
    await this.expect('DENIED', tampered, 'a tampered copy');

    this.say('\nNothing above left this machine. Next: README.md, "Use it".');
    return { schema: 'binauthz.demo/v1', verdicts: this.verdicts, attestations: this.attestations, emulator: true };
  }

  private async push(tag: string, content: string): Promise<string> {
    const { pushImage } = await import('../../emulator/seed.js');
    const { digest } = await pushImage(this.emulator.url, this.stage, tag, content);
    return `${this.stage.repository}@${digest}`;
  }

  private async attest(image: string, attestor: string, keys: readonly (readonly [string, string])[]): Promise<void> {
    const { privateKey, passphrase } = this.stage.pgp;
    const pgp = {
      'pgp-private-key': [new Secret(privateKey, 'QA_PRIVATE_KEY')],
      'pgp-passphrase': [new Secret(passphrase, 'QA_PASSPHRASE')],
    };
    const flags =
      keys.length > 0
        ? keys.map(([name, value]) => ` --${name} ${value.replace(/^.*\/(cryptoKeys\/)/, '…/$1')}`)
        : [' --pgp-private-key-env QA_PRIVATE_KEY --pgp-passphrase-env QA_PASSPHRASE'];
    this.say(`   $ binauthz attest ${short(image)} --attestor ${attestor}${flags.join('')}`);
    const values = new Map([['image', [image]], ['attestor', [attestor]], ...keys.map(([name, value]) => [name, [value]] as const)]);
    const secrets = new Map(keys.length > 0 ? [] : Object.entries(pgp));
    const parsed = parseAttest({ command: 'attest', host: 'cli', values, secrets, issues: [] }, this.env);
    const { result, errors } = await runAttest(parsed, { ...this.context, env: this.env });
    const [first, ...others] = errors;
    if (first) throw new BinauthzErrors([first, ...others]);
    for (const { status, occurrence, visibleAfterMs } of result.attestations) {
      const seen = typeof visibleAfterMs === 'number' ? `, visible to the enforcer after ${formatDuration(visibleAfterMs)}` : '';
      this.say(`   ${status} ${occurrence ?? ''}${seen}`);
    }
    this.attestations.push(...result.attestations);
  }

  private async expect(expected: Verdict, image: string, when: string): Promise<void> {
    const ports = connect(this.common, this.context);
    const project = this.stage.project as ProjectId;
    const uses = [{ image, platform: 'gke' as const }] as const;
    const { result: checked } = await check({ project, uses, platformPolicies: [], workloads: [], waitTimeoutMs: 0 }, ports);
    this.say(`   ${checked.verdict}  ${short(image)}`);
    for (const { attestor, message } of checked.images.flatMap(({ reasons }) => reasons)) this.say(`     ${attestor ?? ''}: ${message}`);
    this.verdicts.push({ image, when, verdict: checked.verdict });
    if (checked.verdict === expected) return;
    throw new BinauthzError('INTERNAL', `the demo expected ${expected} for ${image} ${when}, got ${checked.verdict}`, { resource: image });
  }
}

function short(image: string): string {
  return image.replace(/^.*\//, '').replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1…');
}
