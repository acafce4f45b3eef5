// SPDX-License-Identifier: Apache-2.0
// The scheduled audit as GitHub's runner runs it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { plantWeek } from '../support/log-entries.js';
import { makeRunFolder, removeRunFolders, runAction, type ActionEnded } from '../support/runner.js';
import { PROJECT, Stage } from '../support/stage.js';

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  await plantWeek(new Stage(emulator));
});
afterAll(async () => {
  await emulator.close();
  await removeRunFolders();
});

const audit = (inputs: Record<string, string> = {}): Promise<ActionEnded> =>
  runAction({ action: 'audit', emulator: emulator.host, inputs: { project: PROJECT, since: '7d', ...inputs } });

describe('audit/action.yml', () => {
  it('reports events, warns of what was admitted unchecked, and passes', async () => {
    const ended = await audit();
    expect([ended.code, ended.outputs['events'], ended.outputs['exit-code']]).toEqual([0, '4', '0']);
    const report = JSON.parse(await readFile(ended.outputs['report'] ?? '', 'utf8')) as { events: { type: string }[] };
    expect(report.events.map(({ type }) => type)).toEqual(['DRY_RUN', 'DENIED', 'FAIL_OPEN', 'BREAK_GLASS']);
    expect(ended.errors).toEqual([]);
    expect(ended.warnings.join('\n')).toMatch(
      /BREAK_GLASS: projects\/shop-prod\/\S+ by ops@example\.com[\s\S]*justification: INC-7[\s\S]*FAIL_OPEN: /,
    );
    expect(ended.summary).toContain('### binauthz audit: done');
    expect(ended.summary).toContain('| **BREAK_GLASS** | <code>projects/shop-prod/');
    expect(ended.stdout).toContain('1 BREAK_GLASS, 1 FAIL_OPEN, 1 DENIED, 1 DRY_RUN');
  });

  it('fails on what it is told to, with the reason in its one error', async () => {
    const folder = await makeRunFolder();
    const inputs = { project: PROJECT, since: '7d', 'fail-on': 'break-glass\nfail-open', reports: 'sarif=audit.sarif' };
    const ended = await runAction({ action: 'audit', emulator: emulator.host, inputs, folder });
    expect([ended.code, ended.outputs['exit-code'], ended.outputs['events']]).toEqual([1, '3', '4']);
    expect(ended.errors).toHaveLength(1);
    expect(ended.errors[0]).toMatch(
      /binauthz audit failed with exit code 3[\s\S]*error\[AUDIT_FOUND\]: the audit of projects\/shop-prod found BREAK_GLASS/,
    );
    expect(JSON.parse(await readFile(join(folder.workspace, 'audit.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
  });

  it('collects what is wrong with its inputs', async () => {
    const ended = await audit({ since: '500d', 'fail-on': 'breakglass', reports: 'junit=a.xml' });
    expect([ended.code, ended.outputs['exit-code'], ended.outputs['events']]).toEqual([1, '2', '']);
    const text = ended.errors.join('\n');
    for (const expected of [
      'input since: expected',
      'input fail-on: expected one of break-glass, denied, dry-run, fail-open',
      'input reports: expected FORMAT=PATH',
    ])
      expect(text).toContain(expected);
  });
});
