// SPDX-License-Identifier: Apache-2.0
// The orb's scripts alone: the Bats files beside this one, and shellcheck.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/spawn.js';
import { found, titled } from '../support/tools.js';

const SCRIPTS = resolve(import.meta.dirname, '../../orb/scripts');
const scripts = readdirSync(SCRIPTS).map((name) => join(SCRIPTS, name));
const suites = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bats'));

describe.skipIf(!found('bats'))(titled('bats', 'bats'), () => {
  it.each(suites)('%s passes', async (suite) => {
    const { code, stdout, stderr } = await run('bats', ['--tap', join(import.meta.dirname, suite)]);
    expect(
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('ok '))
        .slice(1)
        .join('\n') + stderr,
    ).toBe('');
    expect(code).toBe(0);
  });
});

describe.skipIf(!found('shellcheck'))(titled('shellcheck', 'shellcheck'), () => {
  it('has nothing to say', async () => {
    const { code, stdout } = await run('shellcheck', ['--severity=style', ...scripts]);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });
});

describe.each(scripts)('%s', (path) => {
  const text = readFileSync(path, 'utf8');
  it('is strict from its first command on', () =>
    expect(text).toMatch(/^#!\/usr\/bin\/env bash\n# SPDX-License-Identifier: Apache-2.0\n(?:# .+\n)+set -euo pipefail\n/));
  it('evaluates nothing, and holds nothing that CircleCI would expand', () => {
    expect(text).not.toMatch(/\beval\b|\bsource\b|<</);
    expect(text).not.toMatch(/\bbash -c\b|\bsh -c\b|set -x/);
  });
  it('parses', async () => expect((await run('/bin/bash', ['-n', path])).stderr).toBe(''));
});
