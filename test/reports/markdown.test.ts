// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { AttestationResult, AttestResult } from '../../src/core/results.js';
import { renderJson } from '../../src/reports/json.js';
import { plain } from '../../src/reports/markdown-text.js';
import { renderMarkdown } from '../../src/reports/markdown.js';

const IMAGE = `us-docker.pkg.dev/p/r/my_app@sha256:${'a'.repeat(64)}`;
const row: AttestationResult = {
  image: IMAGE,
  attestor: 'projects/p/attestors/a',
  note: 'n',
  publicKeyId: 'k',
  status: 'created',
  occurrence: 'projects/p/occurrences/1',
  visibleAfterMs: 412,
};
const result = (parts: Partial<AttestResult> = {}): AttestResult => ({
  schema: 'binauthz.attest/v1',
  images: [],
  attestations: [row],
  ...parts,
});
const render = (parts?: Partial<AttestResult>, options = {}) =>
  renderMarkdown(result(parts), { title: 'binauthz attest: done', ...options });

describe('a summary', () => {
  test('of success', () => {
    expect(render({}, { runUrl: 'https://github.com/o/r/actions/runs/7' })).toBe(
      `### binauthz attest: done\n\n| Image | Attestor | Status | Attestation |\n| --- | --- | --- | --- |\n| <code>${IMAGE}</code> | <code>projects/p/attestors/a</code> | created, visible after 412 ms | <code>projects/p/occurrences/1</code> |\n\n[The workflow run](https://github.com/o/r/actions/runs/7)\n`,
    );
  });
  test('of failure has the errors first, each with its next step', () => {
    const text = render({
      errors: [{ code: 'NOT_VISIBLE', message: 'not seen', hint: 'wait longer', exitCode: 8 }],
      attestations: [{ ...row, status: 'posted', visibleAfterMs: null }],
      warnings: ['careful'],
    });
    expect(text).toMatch(
      /#### Errors\n\n- \*\*NOT_VISIBLE\*\*: not seen\n {2}- Next step: wait longer\n\n\| Image[\s\S]*\*\*posted, not visible in time\*\*[\s\S]*#### Warnings\n\n- careful\n$/,
    );
  });
  test('says loudly that an emulator answered', () => expect(render({ emulator: true })).toContain('> [!WARNING]\n> **On the emulator:**'));
  test('of bad input', () =>
    expect(
      renderMarkdown({ schema: 'binauthz.error/v1', errors: [{ code: 'INVALID_INPUT', message: 'bad', exitCode: 2 }] }, { title: 't' }),
    ).toBe('### t\n\n#### Errors\n\n- **INVALID_INPUT**: bad\n'));
  test('of a listing', () => {
    const listed = {
      image: IMAGE,
      digest: 'd',
      attestor: 'a',
      occurrence: 'o',
      publicKeyId: 'k',
      verified: false,
      reason: { code: 'X', message: 'bad | worse' },
    };
    expect(renderMarkdown({ schema: 'binauthz.list/v1', attestations: [listed] }, { title: 't' })).toContain(
      '| **no**: bad &#124; worse | <code>o</code> |',
    );
  });
  test.each(['dry-run', 'existing', 'failed'] as const)('knows the status %s', (status) =>
    expect(render({ attestations: [{ image: IMAGE, attestor: 'a', note: 'n', publicKeyId: 'k', status }] })).toContain(
      status === 'dry-run' ? 'would be created' : status,
    ),
  );
});

describe('text from outside is shown and not obeyed', () => {
  const HOSTILE = [
    'a|b',
    '`x`',
    '``` js',
    '<script>alert(1)</script>',
    '<img src=x onerror=1>',
    '</code></td>',
    '[x](javascript:1)',
    '![x](http://e/x.png)',
    '**bold** __b__ *i* _i_ ~~s~~',
    '&lt;b&gt; &#60;',
    '\\| \\',
    '@everyone ',
    'see #12',
    'https://evil.example/',
    'www.evil.example',
    'me@evil.example',
    ':rocket:',
    '$\\frac$',
    '~~~',
    '{{ x }}',
    '<!-- x',
  ];
  test.each(HOSTILE)('%j', (text) => {
    const shown = plain(text);
    expect(shown.replace(/&#\d+;/g, '')).not.toMatch(/[|`<>[\]*~\\$#!&{}]|@(?!sha256:)|:\/\/|:rocket:|www\.|\b_|_\b/);
    // Whoever reads the page sees exactly the text.
    expect(shown.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))).toBe(text.trim());
  });
  test.each(['- item', '+ item', '1. item', '2) item', '=====', '---', '# title', '> quote'])('%j begins no block', (text) =>
    expect(plain(text)).toMatch(/^&#\d+;/),
  );
  test('lines and control characters become spaces', () =>
    expect(plain('a\n\n# b\r\nc\u0000d\u2028e\u001b[1m')).toBe('a &#35; b c d e &#91;1m'));
  test('writing direction cannot be turned', () => expect(plain('a\u202eb')).toBe('a\ufffdb'));
  test('a row stays one row of four cells, whatever the names', () => {
    const text = render({
      attestations: HOSTILE.map((hostile) => ({ ...row, image: `${hostile}\n| x | y |`, attestor: hostile, occurrence: hostile })),
    });
    const rows = text.split('\n').filter((line) => line.startsWith('| <code>'));
    expect(rows.map((line) => line.split('|').length)).toEqual(HOSTILE.map(() => 6));
    expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(HOSTILE.length + 2);
  });
  test('a link goes to the web or nowhere', () => expect(render({}, { runUrl: 'javascript:alert(1)' })).not.toContain('javascript'));
});

describe('size', () => {
  const bytes = (text: string) => Buffer.byteLength(text);
  test('stays below the limit and says what is left out', () => {
    const text = render({
      attestations: Array.from({ length: 5000 }, (_, index) => ({ ...row, occurrence: `projects/p/occurrences/${index}` })),
      errors: Array.from({ length: 5000 }, (_, index) => ({
        code: 'NOT_FOUND' as const,
        message: `thing ${index} ${'ä'.repeat(500)}`,
        exitCode: 6,
      })),
      warnings: Array.from({ length: 5000 }, (_, index) => `warning ${index}`),
    });
    expect(bytes(text)).toBeLessThan(256 * 1024);
    expect(text.match(/… and \d+ more in the report/g)).toHaveLength(3);
    const shown = text.match(/occurrences\/\d+/g)?.length ?? 0;
    expect(text).toContain(`\n\n… and ${5000 - shown} more in the report`);
  });
  test('holds for one endless text', () =>
    expect(bytes(render({ errors: [{ code: 'INTERNAL', message: '<'.repeat(10_000_000), exitCode: 1 }] }))).toBeLessThan(64 * 1024));
  test('holds for a smaller limit', () =>
    expect(bytes(render({ attestations: Array.from({ length: 100 }, () => row) }, { maxBytes: 4000 }))).toBeLessThan(4000));
});

test('a report is readable JSON with a newline at its end', () => expect(renderJson({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}\n'));
test('a report on a log holds no command to a runner', () => {
  const text = renderJson({ '##[group]a': '##[error]b' });
  expect(text).not.toContain('##[');
  expect(JSON.parse(text)).toEqual({ '##[group]a': '##[error]b' });
});
