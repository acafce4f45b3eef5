// SPDX-License-Identifier: Apache-2.0
// An emulator with an attestor, images and a scanner, and the command line against it, in this process and its own time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Ran } from '../hosts/world.js';
import { startTestEmulator, type TestEmulator } from './emulator.js';
import { fakePace } from './fake-pace.js';
import { imageIndex, pushImage, singleImage, type TestImage } from './images.js';
import { Scanner, vulnerabilityIn } from './scanner.js';
import { PROJECT, Stage } from './stage.js';

/** `2026-11-21T12:00:00Z`, the time at which every run starts. */
export const NOW = Date.parse('2026-11-21T12:00:00Z');
export const SCANNED = { analysisStatus: 'FINISHED_SUCCESS', continuousAnalysis: 'ACTIVE', lastScanTime: '2026-11-21T11:00:00Z' };

/** An image in the registry: its name with digest, and the URI under which the scanner speaks of it or of a platform. */
export interface StagedImage {
  readonly name: string;
  readonly digest: string;
  readonly uri: string;
  /** By platform; empty for a single image. */
  readonly platforms: Readonly<Record<string, string>>;
}

/** A run of the command line, with its standard output as JSON where it is some. */
export interface GateRun extends Ran {
  // Tests look into results of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

/** Everything that a test of the vulnerability gate needs. */
export class GateStage {
  readonly cwd = mkdtempSync(join(tmpdir(), 'binauthz-gate-'));
  readonly stage: Stage;
  readonly scanner: Scanner;
  private made = 0;

  private constructor(
    readonly emulator: TestEmulator,
    readonly attestor: string,
    readonly key: string,
  ) {
    this.stage = new Stage(emulator);
    this.scanner = new Scanner(emulator, PROJECT);
  }

  static async open(): Promise<GateStage> {
    const emulator = await startTestEmulator();
    const { attestor, key } = await new Stage(emulator).kmsAttestor('ci');
    return new GateStage(emulator, attestor, key.version);
  }

  async close(): Promise<void> {
    await this.emulator.close();
    rmSync(this.cwd, { recursive: true, force: true });
  }

  /** A new image that nobody has scanned yet. */
  image(): Promise<StagedImage> {
    return this.push(singleImage(`image ${this.made++}`), []);
  }

  index(platforms: readonly string[]): Promise<StagedImage> {
    return this.push(imageIndex(`index ${this.made++}`, platforms, { provenance: true }), platforms);
  }

  private async push(pushed: TestImage, platforms: readonly string[]): Promise<StagedImage> {
    const host = 'us-docker.pkg.dev';
    const repository = `${PROJECT}/shop/app`;
    const headers = { 'x-binauthz-registry': host };
    const digest = await pushImage(this.emulator.url, repository, `v${this.made}`, pushed, { headers });
    const name = `${host}/${repository}@${digest}`;
    const of = (child: TestImage | undefined): string => `https://${host}/${repository}@${child?.digest ?? ''}`;
    return {
      name,
      digest,
      uri: `https://${name}`,
      platforms: Object.fromEntries(platforms.map((platform, index) => [platform, of(pushed.children[index])])),
    };
  }

  /** A new image whose scan has succeeded and found these: package and severity, or the whole of it. */
  async scanned(...findings: readonly (readonly [id: string, severity: string, change?: object])[]): Promise<StagedImage> {
    const image = await this.image();
    await this.scanner.discover(image.uri, SCANNED);
    for (const [id, severity, change] of findings) await this.scanner.find(image.uri, id, vulnerabilityIn('openssl', severity, change));
    return image;
  }

  /** Writes a file that commands read; answers its name. */
  file(name: string, content: string | object): string {
    writeFileSync(join(this.cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
    return name;
  }

  /** A policy file with these members beside the schema. */
  policy(...lines: readonly string[]): string {
    return this.file('policy.yaml', ['schema: binauthz.vulnerability-policy/v1', ...lines, ''].join('\n'));
  }

  /** Runs `binauthz …`; each pause of the run lets the world move by one step, and takes no time. */
  async run(argv: readonly string[], steps: readonly (() => Promise<unknown>)[] = []): Promise<GateRun & { readonly paused: number }> {
    const pace = fakePace(NOW);
    const moves = [...steps];
    const sleep = async (ms: number): Promise<void> => {
      await pace.sleep(ms);
      await moves.shift()?.();
    };
    const clock = { now: pace.now, random: pace.random, sleep };
    const ran = await run(argv, { BINAUTHZ_EMULATOR_HOST: this.emulator.host }, { cwd: this.cwd, clock });
    if (moves.length > 0) throw new Error(`the run ended before ${moves.length} of the steps: ${ran.stderr}`);
    return { ...ran, json: parse(ran.stdout), paused: pace.now() - NOW };
  }

  /** Runs `binauthz vulnerabilities` with JSON output. */
  judge(image: StagedImage, argv: readonly string[] = [], steps: readonly (() => Promise<unknown>)[] = []): ReturnType<GateStage['run']> {
    return this.run(['vulnerabilities', image.name, '--output=json', ...argv], steps);
  }

  /** Runs `binauthz attest` with JSON output. */
  attest(image: StagedImage, argv: readonly string[] = [], steps: readonly (() => Promise<unknown>)[] = []): ReturnType<GateStage['run']> {
    const own = ['attest', image.name, '--attestor', this.attestor, '--kms-key-version', this.key, '--output=json'];
    return this.run([...own, ...argv], steps);
  }

  /** How often somebody asked for a signature, or wrote an attestation, so far. */
  async acts(): Promise<{ readonly signed: number; readonly posted: number }> {
    const requests = await this.stage.requests();
    const { json } = await this.emulator.api('GET', `/v1/projects/${PROJECT}/notes/ci/occurrences?pageSize=1000`);
    return {
      signed: requests.filter((request) => request.includes(':asymmetricSign')).length,
      posted: ((json as { occurrences?: unknown[] }).occurrences ?? []).length,
    };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
