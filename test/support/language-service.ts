// SPDX-License-Identifier: Apache-2.0
// GitHub's own language service on workflows and action metadata. It knows our actions by their action.yml in this repository.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ActionsMetadataProvider } from '@actions/languageservice';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';

const ROOT = resolve(import.meta.dirname, '../..');

interface Metadata {
  readonly name: string;
  readonly description: string;
  readonly inputs?: Readonly<Record<string, { readonly description: string; readonly required?: boolean; readonly default?: string }>>;
  readonly outputs?: Readonly<Record<string, { readonly description: string }>>;
}

const OURS: ActionsMetadataProvider = {
  fetchActionMetadata: ({ owner, name, path = '' }) => {
    const isOurs = name === 'binauthz' || owner === '.';
    const file = join(ROOT, path, 'action.yml');
    return Promise.resolve(isOurs && existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Metadata) : undefined);
  },
};

/** What GitHub's validator says about a workflow, as `LINE: message`. Of the actions of others it is not asked what they take. */
export async function workflowProblems(text: string): Promise<readonly string[]> {
  const found = await problems(`.github/workflows/${next++}.yml`, text);
  return found.filter((problem) => !/: Unable to resolve action `(?![\w-]+\/binauthz\b)/.test(problem));
}

/** The same for an action.yml. */
export function actionProblems(text: string): Promise<readonly string[]> {
  return problems(`${next++}/action.yml`, text);
}

// The service remembers files by their names.
let next = 0;

/** The parts of the two packages that are used. */
interface Service {
  readonly validate: (typeof import('@actions/languageservice'))['validate'];
  readonly TextDocument: (typeof import('vscode-languageserver-textdocument'))['TextDocument'];
}

let service: Promise<Service> | undefined;

// It imports JSON in a way that Node refuses and a bundler takes.
async function bundled(): Promise<Service> {
  const entry = join(ROOT, 'language-service.js');
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry
            ? `export { validate } from '@actions/languageservice'; export { TextDocument } from 'vscode-languageserver-textdocument';`
            : undefined,
      },
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), 'binauthz-language-service-'));
  const file = join(folder, 'service.mjs');
  try {
    await bundle.write({ file, format: 'esm', codeSplitting: false });
    return (await import(pathToFileURL(file).href)) as Service;
  } finally {
    await bundle.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function problems(path: string, text: string): Promise<readonly string[]> {
  const { validate, TextDocument } = await (service ??= bundled());
  const found = await validate(TextDocument.create(`file:///${path}`, 'yaml', 1, text), { actionsMetadataProvider: OURS });
  return found.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
}

/** Steps alone, as a page shows them, in the least workflow around them, after steps with the ids `before`. */
export function workflowOfSteps(steps: string, before: readonly string[] = []): string {
  const lines = steps.trimEnd().split('\n');
  const indent = lines.reduce((least, line) => (line.trim() === '' ? least : Math.min(least, line.search(/\S/))), Infinity);
  const body = lines.map((line) => (line.trim() === '' ? '' : `      ${line.slice(indent)}`));
  return [
    'on: push',
    'jobs:',
    '  job:',
    '    runs-on: ubuntu-latest',
    '    steps:',
    ...before.map((id) => `      - { id: ${id}, run: build }`),
    ...body,
    '',
  ].join('\n');
}
