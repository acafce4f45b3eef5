// SPDX-License-Identifier: Apache-2.0
// Every shell block of every guide runs, in order, on a fresh emulator with the stage that the guide names in a comment:
// <!-- stage: shop -->, perhaps <!-- needs: gcloud -->; or it has a test of its own: <!-- test: test/docs/… -->.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMarkdown, type Block } from '../support/doc-blocks.js';
import { GuideStage } from '../support/doc-stages.js';
import { found } from '../support/tools.js';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/guides');
const guides = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, ...readMarkdown(readFileSync(join(FOLDER, name), 'utf8')) }));

const isPlayed = ({ language, directions }: Block): boolean => language === 'sh' || directions.has('file');
const firstLine = ({ text }: Block): string => text.split('\n')[0] ?? '';

describe('the guides', () => {
  it('are found', () => expect(guides.length).toBeGreaterThan(4));

  it('are all listed in the index', () => {
    const { links } = readMarkdown(readFileSync(join(ROOT, 'docs/README.md'), 'utf8'));
    const listed = new Set(links.map(({ target }) => target.split('#')[0]));
    expect(guides.filter(({ name }) => !listed.has(`guides/${name}`)).map(({ name }) => name)).toEqual([]);
  });

  it.each(guides)('$name names its shell blocks sh, and what plays them', ({ name, blocks, directions }) => {
    const others = blocks.filter(({ language }) => ['', 'bash', 'shell', 'console', 'zsh'].includes(language));
    expect(others.map(({ line, language }) => `line ${line}: ${language}`)).toEqual([]);
    const own = directions.get('test');
    // A guide whose stage is too special for this one has a test of its own.
    if (own !== undefined) expect(readFileSync(join(ROOT, own), 'utf8')).toContain(`docs/guides/${name}`);
    else if (blocks.some(isPlayed)) expect(directions.get('stage'), 'expected <!-- stage: NAME --> or <!-- test: FILE -->').toBeDefined();
  });
});

const played = guides.filter(({ blocks, directions }) => blocks.some(isPlayed) && !directions.has('test'));

describe.each(played)('docs/guides/$name', ({ blocks, directions }) => {
  const missing = (directions.get('needs') ?? '').split(/\s+/).filter((program) => program !== '' && !found(program));
  let stage: GuideStage;
  let isBroken = false;
  beforeAll(async () => {
    stage = await GuideStage.open(directions.get('stage') ?? '');
  });
  afterAll(() => stage.close());

  it.for(blocks.filter(isPlayed).map((block) => [block.line, firstLine(block), block] as const))(
    'line %i: %s',
    async ([, , block], context) => {
      if (missing.length > 0) context.skip(`${missing.join(', ')} not on the PATH`);
      expect(isBroken, 'a block before it failed').toBe(false);
      isBroken = true;
      const { code, stdout, stderr } = await stage.play(block);
      expect(code, stdout + stderr).toBe(Number(block.directions.get('exits') ?? 0));
      isBroken = false;
    },
  );
});
