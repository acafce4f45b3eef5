// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const HAS_GPG = spawnSync('gpg', ['--version']).status === 0;

/** A GnuPG home of its own, in a short path, because the agent's socket lies in it. */
export class Gpg {
  readonly home = mkdtempSync('/tmp/bzg-');
  #files = 0;

  constructor() {
    // Otherwise the agent first measures for a while how slow it can make guessing.
    writeFileSync(join(this.home, 'gpg-agent.conf'), 's2k-count 65536\n');
  }

  run(args: readonly string[], input?: string | Uint8Array): { readonly stdout: Buffer; readonly status: string; readonly stderr: string } {
    const statusFile = join(this.home, `status-${this.#files++}`);
    const done = spawnSync('gpg', ['--batch', '--no-tty', '--yes', '--status-file', statusFile, '--pinentry-mode', 'loopback', ...args], {
      env: { ...process.env, GNUPGHOME: this.home },
      ...(input === undefined ? {} : { input }),
    });
    return { stdout: done.stdout, stderr: done.stderr.toString(), status: readFileSync(statusFile, 'utf8') };
  }

  /** Makes a key and gives back its fingerprint. */
  generate(options: {
    readonly algorithm: string;
    readonly usage?: string;
    readonly passphrase?: string;
    readonly at?: string;
    readonly expire?: string;
  }): string {
    const { algorithm, usage = 'sign', passphrase = '', at, expire = 'never' } = options;
    const time = at === undefined ? [] : ['--faked-system-time', `${at}!`];
    const uid = `${algorithm} ${this.#files} <k${this.#files}@example.com>`;
    const { status, stderr } = this.run([...time, '--passphrase', passphrase, '--quick-gen-key', uid, algorithm, usage, expire]);
    const fingerprint = /KEY_CREATED [PB] ([0-9A-F]{40})/.exec(status)?.[1];
    if (fingerprint === undefined) throw new Error(`gpg made no key: ${stderr}`);
    return fingerprint;
  }

  addSubkey(
    fingerprint: string,
    algorithm: string,
    options: { readonly usage?: string; readonly passphrase?: string; readonly at?: string; readonly expire?: string } = {},
  ): void {
    const time = options.at === undefined ? [] : ['--faked-system-time', `${options.at}!`];
    const { status, stderr } = this.run([
      ...time,
      '--passphrase',
      options.passphrase ?? '',
      '--quick-add-key',
      fingerprint,
      algorithm,
      options.usage ?? 'sign',
      options.expire ?? 'never',
    ]);
    if (!/KEY_CREATED S/.test(status)) throw new Error(`gpg made no subkey: ${stderr}`);
  }

  revoke(fingerprint: string): void {
    const folder = join(this.home, 'openpgp-revocs.d');
    const file = readdirSync(folder).find((name) => name.startsWith(fingerprint)) ?? '';
    this.run(['--import'], readFileSync(join(folder, file), 'utf8').replace(/^:/m, ''));
  }

  exportSecret(fingerprint: string, passphrase = '', what = '--export-secret-keys'): string {
    return this.run(['--armor', '--passphrase', passphrase, what, fingerprint]).stdout.toString();
  }

  exportPublic(...fingerprints: readonly string[]): string {
    return this.run(['--armor', '--export', ...fingerprints]).stdout.toString();
  }

  import(armored: string): void {
    const { status, stderr } = this.run(['--import'], armored);
    if (!/IMPORT_OK/.test(status)) throw new Error(`gpg imported nothing: ${stderr}`);
  }

  sign(fingerprint: string, payload: Uint8Array, ...how: readonly string[]): Uint8Array {
    return new Uint8Array(this.run(['--passphrase', '', '--armor', '-u', fingerprint, ...how], payload).stdout);
  }

  /** What gpg thinks of an attached message: its status words, who made a valid signature and under which primary, and the data. */
  judge(message: Uint8Array): {
    readonly words: readonly string[];
    readonly signer: string | undefined;
    readonly primary: string | undefined;
    readonly data: Uint8Array;
  } {
    const file = join(this.home, `message-${this.#files++}`);
    writeFileSync(file, message);
    const { status, stdout } = this.run(['--decrypt', file]);
    const words = [...status.matchAll(/^\[GNUPG:\] (\S+)/gm)].map((line) => line[1] ?? '');
    const valid = /^\[GNUPG:\] VALIDSIG ([0-9A-F]{40}) .* ([0-9A-F]{40})$/m.exec(status);
    return { words, signer: valid?.[1], primary: valid?.[2], data: new Uint8Array(stdout) };
  }

  dispose(): void {
    spawnSync('gpgconf', ['--homedir', this.home, '--kill', 'gpg-agent']);
    rmSync(this.home, { recursive: true, force: true });
  }
}
