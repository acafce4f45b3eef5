// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { DoctorFinding, DoctorResult } from '../../src/core/operation-results.js';
import { doctorText } from '../../src/reports/doctor-text.js';

const style = {
  bad: (text: string) => `<bad>${text}`,
  doubtful: (text: string) => `<doubt>${text}`,
  good: (text: string) => `<good>${text}`,
  faint: String,
};
const ERROR: DoctorFinding = {
  code: 'KEY_DISABLED',
  level: 'error',
  resource: 'k',
  message: 'it is off',
  fix: 'gcloud one\ngcloud  two',
  error: 'KEY_UNUSABLE',
};
const WARNING: DoctorFinding = { code: 'POLICY_DRY_RUN', level: 'warning', resource: 'p', message: 'it only logs', fix: 'gcloud three' };

function text(overrides: Partial<DoctorResult>): readonly string[] {
  const result: DoctorResult = {
    schema: 'binauthz.doctor/v1',
    ok: false,
    as: 'attest',
    examined: ['k', 'p'],
    findings: [],
    assumptions: [],
    ...overrides,
  };
  return doctorText(result, style).split('\n').slice(0, -1);
}

describe('doctorText', () => {
  it('shows what stops last, and every repair as it is to be pasted', () => {
    expect(text({ findings: [ERROR, WARNING], assumptions: ['all is on'] })).toEqual([
      '<doubt>warning  POLICY_DRY_RUN  p',
      '  it only logs',
      '  fix:',
      '    gcloud three',
      '<bad>error    KEY_DISABLED  k',
      '  it is off',
      '  ends with: KEY_UNUSABLE',
      '  fix:',
      '    gcloud one',
      '    gcloud  two',
      'assumptions:',
      '  - all is on',
      '<bad>1 error, 1 warning: 2 resources looked at with the eyes of attest',
    ]);
  });
  it('says that nothing is wrong only where something was looked at', () => {
    expect(text({ ok: true })).toEqual(['<good>nothing is wrong: 2 resources looked at with the eyes of attest']);
    expect(text({ findings: [WARNING] }).at(-1)).toBe('<doubt>no errors, 1 warning: 2 resources looked at with the eyes of attest');
    expect(text({ examined: [], errors: [] })).toEqual([]);
  });
  it('lets no foreign text steer a terminal', () => {
    const shown = text({ findings: [{ ...ERROR, resource: 'a\u001b[2Jb', fix: 'gcloud \u001b[31mx\u202e' }] }).join('\n');
    expect(shown).not.toMatch(/[\u001b\u202e]/);
  });
});
