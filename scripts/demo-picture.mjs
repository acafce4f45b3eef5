// SPDX-License-Identifier: Apache-2.0
// Draws what `binauthz demo` prints as docs/demo.svg, for the README. Ports, times and random names are the ones of the run
// that was drawn; `--check` fails where the words of a new run differ from the picture's.
//
//   node scripts/demo-picture.mjs [--check]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs', 'demo.svg');
const COLUMNS = 112;
const [WIDTH, LINE, MARGIN, SIZE] = [900, 17, 20, 13];

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const unescape = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** Long lines are cut, as a narrow window would. */
const cut = (line) => (line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line);

/** What is of one run only is the same in all. */
const normal = (line) =>
  line
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/[0-9a-f]{8}-[0-9a-f-]*…?/g, 'ID')
    .replace(/the PGP key [0-9A-F]+…?/, 'the PGP key ID')
    .replace(/after [\d.]+ m?s.*$/, 'after TIME')
    .replace(/(occurrences\/ID).*$/, '$1');

function colourOf(line) {
  if (/^\s*(DENIED)\b/.test(line)) return '#ff7b72';
  if (/^\s*(ALLOWED|created|existing|done)\b/.test(line)) return '#7ee787';
  if (/^\s*\$ /.test(line)) return '#79c0ff';
  return /^\d\. /.test(line) ? '#ffffff' : '#c9d1d9';
}

function picture(lines) {
  const height = MARGIN * 2 + LINE * lines.length;
  const texts = lines.map((line, index) => {
    const y = MARGIN + LINE * (index + 1) - 4;
    return `<text x="${MARGIN}" y="${y}" fill="${colourOf(line)}" xml:space="preserve">${escape(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="${SIZE}" role="img">`,
    '<title>What binauthz demo prints</title>',
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

const printed = execFileSync(process.execPath, [join(root, 'dist/cli/index.js'), 'demo'], { encoding: 'utf8', env: { NO_COLOR: '1' } });
const lines = [`$ node dist/cli/index.js demo`, '', ...printed.trimEnd().split('\n')].map(cut);
if (process.argv.includes('--check')) {
  const drawn = [...readFileSync(file, 'utf8').matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text]) => normal(unescape(text)));
  const expected = lines.map(normal);
  const at = expected.findIndex((line, index) => line !== drawn[index]);
  if (at >= 0 || drawn.length !== expected.length) {
    process.stderr.write(
      `docs/demo.svg is not what the demo prints: line ${at + 1} is\n${drawn[at] ?? '(none)'}\nexpected\n${expected[at] ?? '(none)'}\n`,
    );
    process.stderr.write('run node scripts/demo-picture.mjs and commit\n');
    process.exit(1);
  }
} else {
  writeFileSync(file, picture(lines));
}
