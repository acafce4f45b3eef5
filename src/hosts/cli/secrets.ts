// SPDX-License-Identifier: Apache-2.0
// Secrets by variable name: read once, then taken out of the environment, so that no child process inherits them.
import type { BinauthzError } from '../../core/errors.js';
import { Secret } from '../../core/secret.js';
import type { Env } from '../context.js';
import { expectedButGot } from '../issues.js';
import { type Command } from '../command-row.js';
import { nameOn, optionsOf, type OptionRow } from '../options.js';
import type { RawOptions } from '../option-reader.js';
import { isVariableName, type Args } from './args.js';

/** The raw options of a command with their secrets, the environment without them, and the names that were taken out of it. */
export function rawOptionsOf(
  command: Command,
  args: Args,
  env: Env,
): { readonly raw: RawOptions; readonly env: Env; readonly taken: readonly string[] } {
  const { secrets, variables, issues } = readSecrets(command, args.values, env);
  return {
    raw: { command, host: 'cli', values: args.values, secrets, issues: [...args.issues, ...issues] },
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !variables.includes(name))),
    taken: variables,
  };
}

/** The secrets that the options name, the variables that held them, and what is wrong with either. */
export interface FoundSecrets {
  readonly secrets: ReadonlyMap<string, readonly Secret[]>;
  readonly variables: readonly string[];
  readonly issues: readonly BinauthzError[];
}

/** Reads the secrets of a command from the variables that its options name. */
export function readSecrets(command: Command, values: ReadonlyMap<string, readonly string[]>, env: Env): FoundSecrets {
  const secrets = new Map<string, readonly Secret[]>();
  const issues: BinauthzError[] = [];
  const options = optionsOf(command, 'cli').filter(({ kind }) => kind === 'secret');
  for (const option of options) {
    // What cannot be a name was an issue already when the words were read.
    const variables = [...new Set(values.get(option.name) ?? [])].filter(isVariableName);
    if (variables.length > 1 && !option.several)
      issues.push(expectedButGot(`--${nameOn(option, 'cli')}`, 'one variable', String(variables.length)));
    const read = variables.map((variable) => readSecret(option, variable, env));
    secrets.set(
      option.name,
      read.filter((found): found is Secret => found instanceof Secret),
    );
    issues.push(...read.filter((found): found is BinauthzError => !(found instanceof Secret)));
  }
  return { secrets, variables: secretVariables(options, values), issues };
}

function readSecret(option: OptionRow, variable: string, env: Env): Secret | BinauthzError {
  const value = env[variable]?.replace(/\r?\n$/, '') ?? '';
  if (value.trim() !== '') return new Secret(value, variable);
  const state = env[variable] === undefined ? 'is not set' : 'is empty';
  return expectedButGot(
    `--${nameOn(option, 'cli')}`,
    'the name of a variable that holds the secret',
    `${nameToShow(variable)}, which ${state}`,
    'on CI, check that the job may read the secret (contexts, protected branches, forks)',
  );
}

// A passphrase that was given in place of a variable's name looks like a name in lower case; it must not be printed.
function nameToShow(variable: string): string {
  return /^[A-Z_][A-Z0-9_]*$/.test(variable) ? variable : 'a name that is not shown because it may be the secret itself';
}

function secretVariables(options: readonly OptionRow[], values: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...new Set(options.flatMap(({ name }) => values.get(name) ?? []))].filter(isVariableName);
}
