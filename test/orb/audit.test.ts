// SPDX-License-Identifier: Apache-2.0
// The orb's audit, run step by step as CircleCI would, with the shipped CLI against the emulator.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMachine, removeMachines, runJob } from '../support/circleci.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { plantWeek } from '../support/log-entries.js';
import { expandCommand, packOrb, type Orb } from '../support/orb.js';
import { PROJECT, Stage } from '../support/stage.js';

let emulator: TestEmulator;
let orb: Orb;
beforeAll(async () => {
  emulator = await startTestEmulator();
  await plantWeek(new Stage(emulator));
  orb = await packOrb();
});
afterAll(async () => {
  await emulator.close();
  await removeMachines();
});

describe('audit', () => {
  it.each<[string, boolean, string]>([
    ['passes whatever it finds', true, ''],
    ['fails on what it is told to', false, 'dry-run\nfail-open\n'],
  ])('%s, and stores its results', async (_, isGreen, fail_on) => {
    const machine = await makeMachine();
    const steps = expandCommand(orb, 'audit', { project: PROJECT, since: '7d', fail_on });
    const ended = await runJob(machine, steps, { BINAUTHZ_EMULATOR_HOST: emulator.host });
    expect(ended.isGreen, ended.log).toBe(isGreen);
    expect(ended.log).toContain('1 BREAK_GLASS, 1 FAIL_OPEN, 1 DENIED, 1 DRY_RUN in project shop-prod');
    if (!isGreen) expect(ended.log).toContain('error[AUDIT_FOUND]: the audit of projects/shop-prod found FAIL_OPEN');
    const stored = (name: string) => readFile(join(machine.artifacts, 'store_artifacts/binauthz', name), 'utf8');
    expect(JSON.parse(await stored('audit.json'))).toMatchObject({ schema: 'binauthz.audit/v1', complete: true });
    expect(JSON.parse(await stored('audit.sarif'))).toMatchObject({ version: '2.1.0' });
    expect(await stored('audit.md')).toContain('| **BREAK_GLASS** |');
  });
});
