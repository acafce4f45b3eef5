// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import type { PlanResult, RotatedImage } from '../../src/core/operation-results.js';
import { planText } from '../../src/reports/plan-text.js';

const plain = { bad: String, doubtful: String, good: String, faint: String };
const CHANGE = { resource: 'projects/p/attestors/a', action: 'update', status: 'done', summary: 'trust k', gcloud: 'gcloud x' } as const;
const ERROR = { code: 'NOT_VISIBLE', message: 'not seen', exitCode: 8 } as const;

function lines(result: Partial<PlanResult>): readonly string[] {
  const text = planText({ schema: 'binauthz.plan/v1', applied: true, changes: [CHANGE], images: [], ...result }, plain);
  expect(text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

describe('the images of a rotation', () => {
  it('stand below the changes, what needs somebody last, with their counts', () => {
    const images: readonly RotatedImage[] = [
      { image: 'failed', status: 'failed', error: { ...ERROR, code: 'IMAGE_NOT_FOUND', message: 'gone' } },
      { image: 'one', status: 'attested', occurrence: 'projects/p/occurrences/1' },
      { image: 'two', status: 'posted', occurrence: 'projects/p/occurrences/2', error: ERROR },
      { image: 'three', platform: 'linux/arm64', status: 'existing', occurrence: 'projects/p/occurrences/3' },
      { image: 'four', status: 'unattested' },
    ];
    const dependents = [{ image: 'five', platform: 'linux/amd64', keys: ['old', 'third'] }];
    expect(lines({ images, dependents, errors: [ERROR] }).slice(2)).toEqual([
      'existing    three (linux/arm64)  projects/p/occurrences/3',
      'attested    one  projects/p/occurrences/1',
      'unattested  four',
      'posted      two  projects/p/occurrences/2',
      '  NOT_VISIBLE: not seen',
      'failed      failed',
      '  IMAGE_NOT_FOUND: gone',
      '1 still depend on other keys:',
      '  five (linux/amd64)  old, third',
      'not finished; images: 1 existing, 1 attested, 1 unattested, 1 posted, 1 failed',
    ]);
  });

  test.each<[string, Partial<PlanResult>, string]>([
    [
      'a plan',
      { applied: false, changes: [{ ...CHANGE, status: 'planned' }] },
      'nothing was changed, --apply carries it out; images: none',
    ],
    [
      'a plan of images alone',
      { applied: false, changes: [{ ...CHANGE, action: 'none' }], images: [{ image: 'one', status: 'planned' }] },
      'nothing was changed, --apply carries it out; images: 1 planned',
    ],
    ['a plan of nothing', { applied: false, changes: [{ ...CHANGE, action: 'none' }] }, 'nothing to do; images: none'],
    ['a run', {}, 'done; images: none'],
    ['a run on the emulator', { emulator: true }, 'done; images: none (on the emulator: nothing of this exists in Google Cloud)'],
  ])('end %s', (_, result, closing) => expect(lines(result).at(-1)).toBe(closing));

  it('tell of thousands that depend how many there are', () => {
    const dependents = Array.from({ length: 60 }, (_, index) => ({ image: `app${index}`, keys: ['old'] }));
    expect(lines({ dependents }).at(-2)).toBe('  and 10 more: --output json lists them');
  });

  it('keep foreign text on its line', () => {
    const [row] = lines({ images: [{ image: 'x\nattested  y\u001b[2J', status: 'unattested' }] }).slice(-2);
    expect(row).not.toMatch(/\u001b/);
    expect(row).toMatch(/^unattested {2}x.*y/);
  });
});
