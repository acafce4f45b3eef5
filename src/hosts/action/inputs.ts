// SPDX-License-Identifier: Apache-2.0
// Inputs → raw options. What an input holds is understood by hosts/parse.ts, the same for every host.
import { Secret } from '../../core/secret.js';
import type { RawOptions } from '../option-reader.js';
import { type Command } from '../command-row.js';
import { nameOn, optionsOf, type OptionRow } from '../options.js';

/** Where inputs come from: the toolkit's functions, by the input's name. */
export interface InputSource {
  /** Trimmed; empty where the input is not given. */
  text(name: string): string;
  /** As it is. */
  secret(name: string): string;
}

/** Reads the inputs of a command. An empty input, and one that equals its default, counts as not given. */
export function readInputs(command: Command, source: InputSource): RawOptions {
  const values = new Map<string, readonly string[]>();
  const secrets = new Map<string, readonly Secret[]>();
  for (const option of optionsOf(command, 'action')) {
    if (option.kind === 'secret') secrets.set(option.name, readSecret(option, source));
    else values.set(option.name, readValues(option, source));
  }
  return { command, host: 'action', values, secrets, issues: [] };
}

/** The environment variable in which the runner passes an input. */
export function variableOf(option: OptionRow): string {
  return `INPUT_${nameOn(option, 'action').toUpperCase()}`;
}

function readValues(option: OptionRow, source: InputSource): readonly string[] {
  const text = source.text(nameOn(option, 'action'));
  if (option.kind === 'list')
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  return text === '' || text === option.default ? [] : [text];
}

function readSecret(option: OptionRow, source: InputSource): readonly Secret[] {
  const name = nameOn(option, 'action');
  const text = source.secret(name).replace(/\r?\n$/, '');
  return text.trim() === '' ? [] : [new Secret(text, `input ${name}`)];
}
