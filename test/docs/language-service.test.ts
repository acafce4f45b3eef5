// SPDX-License-Identifier: Apache-2.0
// GitHub's validator finds nothing wrong with what this repository gives to GitHub, or shows for it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actionProblems, workflowOfSteps, workflowProblems } from '../support/language-service.js';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const workflows = readdirSync(join(ROOT, '.github/workflows')).map((name) => `.github/workflows/${name}`);
const examples = readdirSync(join(ROOT, 'examples'))
  .map((folder) => `examples/${folder}/github.yml`)
  .filter((path) => existsSync(join(ROOT, path)));
const actions = ['action.yml', ...readdirSync(ROOT).map((folder) => `${folder}/action.yml`)].filter((path) => existsSync(join(ROOT, path)));

const OURS = 'jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: OWNER/binauthz/check@v1\n        with:\n';

describe('GitHub’s language service', () => {
  it.each([...workflows, ...examples])('accepts %s', async (path) => {
    expect(await workflowProblems(read(path))).toEqual([]);
  });

  it.each(actions)('accepts %s', async (path) => expect(await actionProblems(read(path))).toEqual([]));

  it('sees the examples', () => expect(examples).toContain('examples/staged-approvals/github.yml'));

  it('knows our actions', () => expect(actions).toEqual(expect.arrayContaining(['action.yml', 'audit/action.yml', 'check/action.yml'])));

  // Without these, a validator that says nothing would pass for one that finds nothing.
  it.each<[string, string, RegExp]>([
    [
      'an input that our action does not have',
      `on: push\n${OURS}          project: p\n          imagez: x\n`,
      /Invalid action input 'imagez'/,
    ],
    ['a required input that is missing', `on: push\n${OURS}          images: x\n`, /Missing required input `project`/],
    ['an unknown key', `on: push\n${OURS}          project: p\n    step: []\n`, /step/],
    ['a step that there is not', workflowOfSteps('- run: echo ${{ steps.none.outputs.x }}\n'), /Context access might be invalid: none/],
    ['an event that there is not', 'on: pusch\njobs: {}\n', /pusch/],
  ])('would find %s', async (_what, text, message) => {
    expect((await workflowProblems(text)).join('\n')).toMatch(message);
  });

  it.each<[string, (text: string) => string]>([
    ['another icon', (text) => text.replace('icon: "shield"', 'icon: "shieldd"')],
    ['an unknown key', (text) => `${text}\nrunz: {}\n`],
    ['a runtime that there is not', (text) => text.replace('node24', 'node99')],
  ])('would find %s in action.yml', async (_what, spoil) => {
    const spoilt = spoil(read('action.yml'));
    expect(spoilt).not.toBe(read('action.yml'));
    expect(await actionProblems(spoilt)).not.toEqual([]);
  });
});
