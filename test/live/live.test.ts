// SPDX-License-Identifier: Apache-2.0
// The live suite itself, on the emulator: it comes to its end, sees what is wrong, and leaves nothing behind.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { PROJECT, Stage } from '../support/stage.js';

const IMAGE = `us-docker.pkg.dev/${PROJECT}/apps/web:live`;
let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  await pushImage(emulator.url, `${PROJECT}/apps/web`, 'live', singleImage('live'));
});
afterAll(() => emulator.close());

function live(...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const env = { ...process.env, BINAUTHZ_EMULATOR_HOST: new URL(emulator.url).host };
  return new Promise((resolve) =>
    execFile(process.execPath, [join(import.meta.dirname, 'run.mjs'), ...args], { env }, (error, stdout) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout }),
    ),
  );
}

async function leftovers(): Promise<readonly unknown[]> {
  const stage = new Stage(emulator);
  const { attestors = [] } = await stage.call('GET', `/v1/projects/${PROJECT}/attestors`);
  const { notes = [] } = await stage.call('GET', `/v1/projects/${PROJECT}/notes`);
  return [...attestors, ...notes, ...(await stage.occurrences())] as unknown[];
}

describe('npm run test:live', () => {
  it('tries everything, asks everything, and leaves nothing', async () => {
    const { code, stdout } = await live('--project', PROJECT, '--image', IMAGE);
    expect(stdout).not.toContain('**failed**');
    expect(code).toBe(0);
    expect(stdout).toContain('| a plain payload, ECDSA in DER | VERIFIED | VERIFIED |');
    expect(stdout).toContain('| an identical occurrence, stored twice | 200, 409 | 200, 409 |');
    expect(stdout).toMatch(/\| ECDSA as r and s \| refused \| ATTESTATION_NOT_VERIFIABLE/);
    expect(await leftovers()).toEqual([]);
  });

  it('fails where a line fails, and leaves nothing all the same', async () => {
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: ':validateAttestationOccurrence$', times: -1, do: 'status', status: 500 }],
    });
    const { code, stdout } = await live('--project', PROJECT, '--image', IMAGE);
    await emulator.api('POST', '/_emulator/faults', { rules: [] });
    expect([code, stdout]).toEqual([1, expect.stringContaining('**failed**')]);
    expect(await leftovers()).toEqual([]);
  });

  it('asks for a project', async () => expect((await live()).code).toBe(2));
});
