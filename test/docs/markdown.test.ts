// SPDX-License-Identifier: Apache-2.0
// Every page of Markdown: its links lead somewhere, and its YAML is what it says that it is.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readMarkdown, type Block } from '../support/doc-blocks.js';
import { workflowOfSteps, workflowProblems } from '../support/language-service.js';
import { expandConfig, packOrb, ROOT, type Config, type Orb } from '../support/orb.js';

// Folders that are no part of the repository; the root's dist holds only what was built.
const FOREIGN = new Set(['node_modules', '.git', 'dist', 'build', 'coverage', 'reports', '.stryker-tmp']);

function pagesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (FOREIGN.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(path);
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
}

const paths = pagesIn(ROOT);
const pages = new Map(paths.map((path) => [path, readMarkdown(readFileSync(join(ROOT, path), 'utf8'))]));

let orb: Orb;
beforeAll(async () => {
  orb = await packOrb();
});

/** Why a link of a page leads nowhere; undefined where it leads somewhere, or out of the repository. */
function brokenBecause(path: string, target: string): string | undefined {
  if (/^(?:https:|mailto:)/.test(target)) return undefined;
  if (/^[a-z]+:/i.test(target) || target.startsWith('/')) return 'expected a relative link or https';
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), decodeURIComponent(file)));
  if (to.startsWith('..') || !existsSync(join(ROOT, to))) return `there is no ${to}`;
  if (anchor === undefined) return undefined;
  if (statSync(join(ROOT, to)).isDirectory() || !pages.has(to)) return `${to} has no headings`;
  return pages.get(to)?.anchors.has(anchor) ? undefined : `${to} has no heading for #${anchor}`;
}

/** What is wrong with a block of YAML, by what it is. */
async function problemsOf({ text }: Block): Promise<readonly string[]> {
  const errors = parseAllDocuments(text).flatMap((document) => document.errors.map(({ message }) => message));
  if (errors.length > 0) return errors;
  const value = parse(text.split(/^---$/m)[0] ?? '', { version: '1.1' }) as unknown;
  if (Array.isArray(value))
    return value.some((step) => 'uses' in Object(step)) ? workflowProblems(workflowOfSteps(text, earlier(text))) : [];
  const table = Object(value) as Readonly<Record<string, unknown>>;
  if ('binauthz' in Object(table['orbs'])) return expanding(value as Config);
  const jobs = Object.values(Object(table['jobs']) as Record<string, unknown>);
  if (jobs.some((job) => 'runs-on' in Object(job))) return workflowProblems('on' in table || 'true' in table ? text : `on: push\n${text}`);
  return [];
}

/** The steps that a page's excerpt speaks of and leaves out. */
function earlier(text: string): readonly string[] {
  const named = [...text.matchAll(/\bsteps\.([\w-]+)\./g)].map(([, id = '']) => id);
  return [...new Set(named)].filter((id) => !new RegExp(`\\bid: ${id}\\b`).test(text));
}

function expanding(config: Config): readonly string[] {
  try {
    return expandConfig(config, orb).length > 0 ? [] : ['it starts no job'];
  } catch (error) {
    return [String(error)];
  }
}

describe('the pages', () => {
  it('are found', () => expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/guides/attest.md', 'examples/README.md'])));

  it.each(paths)('%s links to what there is', (path) => {
    const broken = pages.get(path)?.links.map(({ target, line }) => ({ line, target, why: brokenBecause(path, target) })) ?? [];
    expect(broken.filter(({ why }) => why !== undefined)).toEqual([]);
  });

  it('name scripts of npm that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = paths.flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = '']) => ({ path, script })),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ script }) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  const blocks = [...pages].flatMap(([path, { blocks: all }]) =>
    all.filter(({ language }) => ['yaml', 'yml'].includes(language)).map((block) => [`${path}:${block.line}`, block] as const),
  );
  it.each(blocks)('%s is valid YAML of its kind', async (_where, block) => expect(await problemsOf(block)).toEqual([]));
});

describe('these tests', () => {
  it.each([
    ['no-such-page.md', 'there is no docs/no-such-page.md'],
    ['../README.md#no-such-heading', 'README.md has no heading for #no-such-heading'],
    ['#no-such-heading', 'docs/ARCHITECTURE.md has no heading for #no-such-heading'],
    ['../../outside.md', 'there is no ../outside.md'],
    ['http://example.com', 'expected a relative link or https'],
    ['/README.md', 'expected a relative link or https'],
  ])('would find the link %s', (target, why) => expect(brokenBecause('docs/ARCHITECTURE.md', target)).toBe(why));

  it.each([
    ['a: b: c\n', /mapping/],
    ['- uses: OWNER/binauthz@v1\n  with: { imagez: x }\n', /imagez/],
    ['      - uses: OWNER/binauthz/chekc@v1\n', /Unable to resolve action/],
    ['jobs:\n  a:\n    runs-on: x\n    stepz: []\n', /stepz/],
    [
      'orbs: { binauthz: OWNER/binauthz@1 }\nworkflows: { w: { jobs: [{ binauthz/attest: { imagez: x } }] } }\n',
      /unknown parameter imagez/,
    ],
  ])('would find what is wrong with %j', async (text, message) => {
    const block: Block = { language: 'yaml', text, line: 1, directions: new Map() };
    expect((await problemsOf(block)).join('\n')).toMatch(message);
  });

  it('read blocks, comments, headings and links as GitHub shows them', () => {
    const { blocks, anchors, links, directions } = readMarkdown(
      [
        '<!-- stage: shop -->',
        '',
        '# A `title`, with: punctuation',
        '## Same',
        '## Same',
        'See [one](a.md#b "title") and `[not](this.md)` and [two][ref].',
        '',
        '  <!-- exits: 3 -->',
        '  ```sh',
        '  run',
        '    deeper',
        '  ```',
        '````md',
        '```',
        '[no link](x.md)',
        '````',
        '[ref]: c.md',
      ].join('\n'),
    );
    expect([...anchors]).toEqual(['a-title-with-punctuation', 'same', 'same-1']);
    expect(links).toEqual([
      { target: 'a.md#b', line: 6 },
      { target: 'c.md', line: 17 },
    ]);
    expect(blocks.map(({ language, text, line, directions: own }) => [language, text, line, own.get('exits')])).toEqual([
      ['sh', 'run\n  deeper\n', 9, '3'],
      ['md', '```\n[no link](x.md)\n', 13, undefined],
    ]);
    expect(directions.get('stage')).toBe('shop');
    expect(() => readMarkdown('```sh\nfor ever')).toThrow('the block of line 1 has no end');
  });
});
