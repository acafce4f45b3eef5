// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PlannedChange, PlanResult } from '../../src/core/operation-results.js';
import { planText } from '../../src/reports/plan-text.js';

const style = {
  bad: (text: string) => `<bad>${text}`,
  doubtful: (text: string) => `<doubt>${text}`,
  good: (text: string) => `<good>${text}`,
  faint: String,
};

function change(overrides: Partial<PlannedChange> = {}): PlannedChange {
  return {
    resource: 'projects/p/notes/n',
    action: 'create',
    status: 'planned',
    summary: 'make the note',
    gcloud: 'curl\n  | jq',
    ...overrides,
  };
}

function text(changes: readonly PlannedChange[], more: Partial<PlanResult> = {}): readonly string[] {
  return planText({ schema: 'binauthz.plan/v1', applied: false, changes, ...more }, style)
    .split('\n')
    .slice(0, -1);
}

describe('planText', () => {
  it('shows what is to be done, why, and the command', () => {
    expect(
      text([change({ details: ['role to member'] }), change({ action: 'none', status: 'done', summary: 'there', gcloud: '' })]),
    ).toEqual([
      ' 1. create  planned  projects/p/notes/n',
      '      make the note',
      '      - role to member',
      '      curl',
      '        | jq',
      ' 2. none    done     projects/p/notes/n',
      '      there',
      '1 to do, nothing was changed; --apply carries it out',
    ]);
  });

  it('shows no command for what is done', () => {
    expect(text([change({ status: 'done' })], { applied: true })).toEqual([
      '<good> 1. create  done     projects/p/notes/n',
      '      make the note',
      '<good>done: 1 made or changed',
    ]);
  });

  it('says what failed and what was skipped', () => {
    const error = { code: 'PERMISSION_DENIED' as const, message: 'no', exitCode: 5 };
    expect(text([change({ status: 'failed', error, gcloud: 'x' }), change({ status: 'skipped', gcloud: 'y' })])).toEqual([
      '<bad> 1. create  failed   projects/p/notes/n',
      '      make the note',
      '      <bad>PERMISSION_DENIED: no',
      '      x',
      '<doubt> 2. create  skipped  projects/p/notes/n',
      '      make the note',
      '      y',
      '<bad>not finished: 0 done, 2 open',
    ]);
  });

  it('says where nothing is to be done, and that it is only the emulator', () => {
    expect(text([change({ action: 'none', status: 'done', gcloud: '' })], { applied: true, emulator: true }).at(-1)).toBe(
      '<good>nothing to do: everything is as wanted (on the emulator: nothing of this exists in Google Cloud)',
    );
  });

  it('lets no text break a line or steer a terminal', () => {
    const lines = text([change({ resource: 'a\nb\u001b[31m', summary: 'x\ny', gcloud: 'ok \u001b[2J' })]);
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('\u001b');
  });
});
