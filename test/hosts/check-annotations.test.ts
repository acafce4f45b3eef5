// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test, vi } from 'vitest';
import { checkAnnotations, emitCheckAnnotations } from '../../src/hosts/action/annotations.js';
import { allowed, checked, denied, HOSTILE, manyDenied, MISSING, planted, source } from '../support/check-results.js';

describe('annotations of a check', () => {
  test('one for all, then one on the line', () =>
    expect(checkAnnotations(checked([allowed(), denied()]))).toEqual([
      { level: 'error', message: 'binauthz check: DENIED: 1 DENIED, 1 ALLOWED of 2 images, under projects/p/policy' },
      {
        level: 'error',
        file: 'k8s/app.yaml',
        startLine: 23,
        message: `DENIED: ${denied().image} (Deployment/app container web)\nNO_TRUSTED_ATTESTATION: no attestation of projects/p/attestors/a verifies\n  hint: binauthz attest gcr.io/p/app\nrule: clusterAdmissionRules[us-central1-a.prod]`,
      },
    ]));
  test('there are none where all is well', () => expect(checkAnnotations(checked([allowed()]))).toEqual([]));
  test.each([
    ['UNKNOWN', 'error'],
    ['NOT_ENFORCED', 'warning'],
    ['ALLOWED_DRY_RUN', 'warning'],
    ['ALLOWED_BREAK_GLASS', 'warning'],
  ] as const)('%s is said as %s', (verdict, level) =>
    expect(checkAnnotations(checked([denied({ verdict })])).map((annotation) => annotation.level)).toEqual([level, level]),
  );
  test('nothing found is an error that says why', () =>
    expect(checkAnnotations(checked([], { errors: [{ code: 'PERMISSION_DENIED', message: 'may not', exitCode: 5 }] }))).toEqual([
      { level: 'error', message: 'binauthz check: UNKNOWN: no image, under projects/p/policy\nPERMISSION_DENIED: may not' },
    ]));
  test.each([
    ['-', undefined],
    ['../x.yaml', undefined],
    ['./a/../x.yaml', 'x.yaml'],
    ['/builds/r/x.yaml', '/builds/r/x.yaml'],
  ])('in %j are on %j', (file, told) => {
    const [, only] = checkAnnotations(checked([denied({ sources: [source({ file })] })]));
    expect([only?.file, only?.startLine]).toEqual([told, told === undefined ? undefined : 23]);
  });
  test('an image without source is told without a line', () => {
    const [, only] = checkAnnotations(checked([denied({ sources: [] })]));
    expect([only?.file, only?.message.split('\n')[0]]).toEqual([undefined, `DENIED: ${denied().image}`]);
  });
  test('are ten at most, errors before warnings, every image before any again', () => {
    const everywhere = denied({ image: 'many', sources: Array.from({ length: 50 }, (_, index) => source({ line: index + 1 })) });
    const all = checkAnnotations(
      checked([
        denied({ image: 'dry', verdict: 'ALLOWED_DRY_RUN' }),
        everywhere,
        denied({ image: 'other' }),
        denied({ image: 'u', verdict: 'UNKNOWN' }),
      ]),
    );
    expect(all).toHaveLength(9);
    expect(all[0]?.message).toContain('; the worst 8 follow, the summary and the report have all of them');
    expect(all.slice(1, 5).map(({ message }) => message.split(' ').slice(0, 2).join(' '))).toEqual([
      'DENIED: many',
      'DENIED: other',
      'UNKNOWN: u',
      'DENIED: many',
    ]);
    expect(checkAnnotations(checked([everywhere, denied({ verdict: 'NOT_ENFORCED' })])).every(({ level }) => level === 'error')).toBe(true);
    expect(checkAnnotations(manyDenied(10_000))).toHaveLength(9);
  });
  test('of eight places say nothing of more', () => expect(checkAnnotations(manyDenied(8))[0]?.message).not.toContain('follow'));
  test('are not longer than the runner keeps', () => {
    const reasons = Array.from({ length: 50 }, () => ({ ...MISSING, message: 'ä'.repeat(9_000), hint: 'x'.repeat(9_000) }));
    for (const { message } of checkAnnotations(checked([denied({ reasons })], { policy: 'p'.repeat(9_000) })))
      expect(message.length).toBeLessThanOrEqual(4_096);
  });
  test.each(HOSTILE)('hold planted text on its line: %j', (text) => {
    for (const { message } of checkAnnotations(planted(text))) {
      expect(message.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Cs}]/u);
      expect(message.split('\n').length).toBeLessThanOrEqual(4);
    }
  });
});

describe('said to the runner', () => {
  const said = (work: () => void): readonly string[] => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    work();
    write.mockRestore();
    return lines;
  };
  test('as commands with file and line', () =>
    expect(
      said(() =>
        emitCheckAnnotations([
          { level: 'error', message: 'a\nb' },
          { level: 'warning', message: 'c', file: 'x,y:z.yaml', startLine: 7 },
        ]),
      ),
    ).toEqual(['::error title=binauthz check::a%0Ab\n', '::warning title=binauthz check,file=x%2Cy%3Az.yaml,line=7::c\n']));
  test.each(HOSTILE)('one command each, whatever is planted: %j', (text) => {
    const annotations = checkAnnotations(planted(text));
    const lines = said(() => emitCheckAnnotations(annotations))
      .join('')
      .split('\n');
    expect(lines.filter((line) => line !== '')).toHaveLength(annotations.length);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^::(error|warning) title=binauthz check/);
  });
});
