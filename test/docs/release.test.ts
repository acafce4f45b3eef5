// SPDX-License-Identifier: Apache-2.0
// release.yml, played as far as it goes without npm and GitHub: in a copy of this repository that has an owner.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');

interface Job {
  readonly steps: readonly { readonly name?: string; readonly run?: string }[];
}

let jobs: Record<string, Job>;
let copy: string;
let version: string;

beforeAll(async () => {
  jobs = (parse(await readFile(join(ROOT, '.github/workflows/release.yml'), 'utf8')) as { jobs: Record<string, Job> }).jobs;
  copy = await mkdtemp(join(tmpdir(), 'binauthz-release-'));
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, maxBuffer: 2 ** 24 });
  const wanted =
    /^(?:package\.json|package-lock\.json|README\.md|CHANGELOG\.md|LICENSE|NOTICE|scripts\/|docs\/|orb\/|dist\/|examples\/|\.circleci\/)/;
  for (const path of stdout.split('\0').filter((name) => wanted.test(name))) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await cp(join(ROOT, path), join(copy, path)).catch((error: NodeJS.ErrnoException) => {
      // A file may be deleted in the working tree and not yet in the index.
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const manifest = JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')) as { version: string; repository?: string };
  version = manifest.version;
  await writeFile(join(copy, 'package.json'), JSON.stringify({ ...manifest, repository: 'github:Example-Org/binauthz' }, null, 2));
  await run(process.execPath, ['scripts/owner.mjs'], { cwd: copy });
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Runs a step's own text as the runner would; a failure throws with what it said. */
async function play(job: string, name: string, env: Record<string, string> = {}): Promise<string> {
  const script = jobs[job]?.steps.find((step) => step.name === name)?.run;
  if (script === undefined) throw new Error(`${job} has no step "${name}" with a script`);
  const { stdout } = await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd: copy,
    env: { ...process.env, GITHUB_REF_NAME: `v${version}`, ...env },
  });
  return stdout;
}

describe('release.yml', () => {
  it('refuses a tag that is not the version', async () => {
    await expect(play('verify', 'The tag, the version and the owner agree', { GITHUB_REF_NAME: 'v99.0.0' })).rejects.toThrow();
    await play('verify', 'The tag, the version and the owner agree');
  });

  it('packs the package and the orb that names it, and what arrives is what was packed', async () => {
    await play('verify', 'Pack');
    const names = (await readdir(join(copy, 'release'))).sort();
    expect(names).toEqual(['SHA256SUMS', `binauthz-${version}.tgz`, 'orb.yml', 'sbom.spdx.json']);
    const sums = await readFile(join(copy, 'release/SHA256SUMS'), 'utf8');
    const [hash] = new RegExp(`^([0-9a-f]{64})  binauthz-${version.replaceAll('.', '\\.')}\\.tgz$`, 'm').exec(sums)?.slice(1) ?? [];
    const orb = await readFile(join(copy, 'release/orb.yml'), 'utf8');
    expect(orb).toContain(`https://registry.npmjs.org/binauthz/-/binauthz-${version}.tgz`);
    expect(orb).toContain(hash ?? 'the hash of the package');
    expect(JSON.parse(await readFile(join(copy, 'release/sbom.spdx.json'), 'utf8'))).toMatchObject({ spdxVersion: 'SPDX-2.3' });

    await play('publish', 'What was verified is what arrived');
    await writeFile(join(copy, 'release/orb.yml'), `${orb}# tampered with\n`);
    await expect(play('publish', 'What was verified is what arrived')).rejects.toThrow();
  });

  it('moves the major tag to the release, also where it exists', async () => {
    const remote = join(copy, 'remote.git');
    const git = (...args: string[]) => run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: copy });
    await git('init', '--quiet', '--bare', remote);
    await git('init', '--quiet');
    await git('remote', 'add', 'origin', remote);
    await git('commit', '--quiet', '--allow-empty', '--message', 'one');
    await git('tag', 'v0');
    await git('push', '--quiet', 'origin', 'v0');
    await git('commit', '--quiet', '--allow-empty', '--message', 'two');
    await git('tag', '--annotate', `v${version}`, '--message', 'release');
    const { stdout: head } = await git('rev-parse', 'HEAD');
    await play('publish', 'The major, which moves');
    const { stdout: moved } = await git('--git-dir', remote, 'rev-parse', `v${version.split('.')[0] ?? ''}`);
    expect(moved).toBe(head);
  });

  it('has notes, or no release', async () => {
    const notes = (asked: string) => run(process.execPath, ['scripts/release-notes.mjs', asked], { cwd: copy });
    await expect(notes('99.0.0')).rejects.toMatchObject({ stderr: expect.stringMatching(/expected a section "## 99\.0\.0"/) });
    await writeFile(join(copy, 'CHANGELOG.md'), '# Changes\n\n## 1.2.3 (2026-11-21)\n\n* It works.\n\n## 1.2.2\n\n* Old.\n');
    expect((await notes('1.2.3')).stdout).toBe('* It works.\n');
  });
});
