// SPDX-License-Identifier: Apache-2.0
// The first thing that a stranger runs: dist alone, no node_modules, no network, each Node that it must run on.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIST } from '../support/cli.js';
import { nodes } from '../support/nodes.js';
import { run } from '../support/spawn.js';

describe.each(nodes)('demo on Node $version', ({ path }) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'binauthz-demo-'));
    await cp(DIST, join(folder, 'dist'), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('goes from nothing to denied to allowed, and a tampered copy stays denied', async () => {
    const { code, stdout, stderr } = await run(path, ['dist/cli/index.js', 'demo'], { cwd: folder });
    expect({ code, stderr: stderr.match(/error.*/g) }).toEqual({ code: 0, stderr: null });
    expect(stdout.match(/^ {3}(done|DENIED|ALLOWED|created|existing)/gm)?.map((word) => word.trim())).toEqual([
      ...Array.from({ length: 10 }, () => 'done'),
      'DENIED',
      'created',
      'DENIED',
      'created',
      'ALLOWED',
      'existing',
      'DENIED',
    ]);
  });

  it('tells the same to a script', async () => {
    const { code, stdout } = await run(path, ['dist/cli/index.js', 'demo', '--output', 'json'], { cwd: folder });
    const result = JSON.parse(stdout) as { schema: string; verdicts: { verdict: string; when: string }[] };
    expect([code, result.schema]).toEqual([0, 'binauthz.demo/v1']);
    expect(result.verdicts.map(({ verdict }) => verdict)).toEqual(['DENIED', 'DENIED', 'ALLOWED', 'DENIED']);
  });

  it('needs no home folder and no environment', async () => {
    const { code } = await run(path, ['dist/cli/index.js', 'demo', '--quiet'], {
      cwd: folder,
      env: { HOME: undefined, PATH: undefined, LANG: undefined },
    });
    expect(code).toBe(0);
  });
});

describe('the versions', () => {
  it('include the one that GitHub’s runner brings', (context) => {
    if (!nodes.some(({ version }) => version.startsWith('v24.')))
      context.skip('no Node 24 for this platform among the development dependencies');
    expect(nodes.map(({ version }) => version.split('.')[0])).toContain('v24');
  });
});
