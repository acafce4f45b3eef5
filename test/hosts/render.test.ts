// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { AttestResult, ListResult } from '../../src/core/results.js';
import { renderErrors } from '../../src/hosts/cli/lines.js';
import { renderResult } from '../../src/hosts/cli/render.js';
import { createReporter } from '../../src/hosts/cli/reporter.js';
import { styleFor } from '../../src/hosts/cli/terminal.js';

const PLAIN = styleFor(false, undefined);
const COLOURED = styleFor(true, undefined);
const digest = (character: string) => `sha256:${character.repeat(64)}`;
const image = (character: string) => `h.example/p/app@${digest(character)}`;
const attestation = { attestor: 'projects/p/attestors/a', note: 'projects/p/notes/n', publicKeyId: 'k' } as const;

const ATTEST: AttestResult = {
  schema: 'binauthz.attest/v1',
  images: [
    {
      image: image('a'),
      digest: digest('a'),
      tag: '1.2',
      mediaType: 'm',
      children: [
        { digest: digest('b'), platform: 'linux/amd64' },
        { digest: digest('c'), platform: 'linux/arm64' },
      ],
    },
  ],
  attestations: [
    { ...attestation, image: image('a'), status: 'created', occurrence: 'projects/p/occurrences/1', visibleAfterMs: 412 },
    {
      ...attestation,
      image: image('a'),
      attestor: 'projects/p/attestors/longer',
      status: 'posted',
      occurrence: 'projects/p/occurrences/2',
      visibleAfterMs: null,
    },
    { ...attestation, image: image('b'), status: 'existing', occurrence: 'projects/p/occurrences/3' },
    { ...attestation, image: image('c'), status: 'failed' },
    { ...attestation, image: image('d'), status: 'dry-run' },
  ],
};

describe('attest', () => {
  test('each image with its platforms, columns aligned', () => {
    expect(renderResult(ATTEST, PLAIN).split('\n')).toEqual([
      `${image('a')}  (tag 1.2)`,
      '  created  projects/p/attestors/a       projects/p/occurrences/1  visible after 412 ms',
      '  posted   projects/p/attestors/longer  projects/p/occurrences/2  not visible in time',
      `  linux/amd64  ${digest('b')}`,
      '    existing  projects/p/attestors/a  projects/p/occurrences/3',
      `  linux/arm64  ${digest('c')}`,
      '    failed  projects/p/attestors/a',
      image('d'),
      '  dry-run  projects/p/attestors/a',
      '',
    ]);
  });
  test('nothing came of it', () => expect(renderResult({ schema: 'binauthz.attest/v1', images: [], attestations: [] }, PLAIN)).toBe(''));
  test('an error result is told elsewhere', () => expect(renderResult({ schema: 'binauthz.error/v1', errors: [] }, PLAIN)).toBe(''));
});

describe('list', () => {
  const listed = {
    image: image('a'),
    digest: digest('a'),
    attestor: 'projects/p/attestors/a',
    occurrence: 'projects/p/occurrences/1',
    publicKeyId: 'k',
    createTime: '2026-01-01T00:00:00Z',
  };
  const result = (...attestations: ListResult['attestations']): ListResult => ({ schema: 'binauthz.list/v1', attestations });
  test('verified and not, with the reason', () => {
    expect(
      renderResult(
        result(
          { ...listed, verified: true, warnings: ['old'] },
          { ...listed, verified: false, reason: { code: 'BAD', message: 'it is bad' } },
        ),
        PLAIN,
      ).split('\n'),
    ).toEqual([
      image('a'),
      '  verified      projects/p/attestors/a  projects/p/occurrences/1  2026-01-01T00:00:00Z',
      '    warning: old',
      '  not verified  projects/p/attestors/a  projects/p/occurrences/1  2026-01-01T00:00:00Z',
      '    BAD: it is bad',
      '',
    ]);
  });
  test('none', () => expect(renderResult(result(), PLAIN)).toBe('no attestations\n'));
  test('none because it failed', () => expect(renderResult({ ...result(), errors: [] }, PLAIN)).toBe(''));
});

describe('terminals', () => {
  const hostile = new BinauthzError('NOT_FOUND', 'no \u001b[2Jimage\u0007 \u202egnp');
  test('colours only where they are wanted', () => {
    expect(renderErrors([hostile], COLOURED)).toContain('\u001b[31merror[NOT_FOUND]:\u001b[0m');
    expect(renderErrors([hostile], styleFor(true, '1'))).toMatch(/^error\[NOT_FOUND\]:/);
    expect(renderErrors([hostile], PLAIN)).toMatch(/^error\[NOT_FOUND\]:/);
  });
  test.each([
    ['plain', PLAIN],
    ['coloured', COLOURED],
  ])('what comes from outside steers nothing: %s', (_, style) => {
    const texts: string[] = [];
    const reporter = createReporter((text) => texts.push(text), 'verbose', style);
    reporter.warn(hostile.message);
    reporter.info(hostile.message);
    for (const text of [renderErrors([hostile], style), ...texts]) expect(text).not.toMatch(/\u001b\[2J|\u0007|\u202e/);
  });
});

describe('loudness', () => {
  test.each([
    ['silent', []],
    ['quiet', ['warning: w\n']],
    ['normal', ['s\n', '  i\n', 'warning: w\n']],
    ['verbose', ['s\n', '  i\n', 'warning: w\n', '  debug: d\n']],
  ] as const)('%s', (loudness, expected) => {
    const texts: string[] = [];
    const reporter = createReporter((text) => texts.push(text), loudness, PLAIN);
    reporter.step('s');
    reporter.info('i');
    reporter.warn('w');
    reporter.debug('d');
    expect(texts).toEqual(expected);
  });
});
