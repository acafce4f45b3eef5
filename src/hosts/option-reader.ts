// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from '../core/duration.js';
import type { BinauthzError } from '../core/errors.js';
import type { Secret } from '../core/secret.js';
import { expectedButGot, show, spell } from './issues.js';
import { type Command } from './command-row.js';
import { optionsOf, type Host, type OptionRow } from './options.js';

/** What a host read, before any of it is understood. */
export interface RawOptions {
  readonly command: Command;
  readonly host: Host;
  /** Values as given, by the option's name; a flag is given as `true` or `false`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly secrets: ReadonlyMap<string, readonly Secret[]>;
  /** What was already wrong while reading, e.g. unknown flags. */
  readonly issues: readonly BinauthzError[];
}

/** Makes a value of a text, or says what is wrong with it. */
export type Parser<T> = (
  text: string,
) => { readonly value: T } | { readonly expected: string; readonly got?: string; readonly hint?: string };

/** Reads the raw options one by one and collects everything that is wrong with them. */
export class OptionReader {
  readonly issues: BinauthzError[];

  constructor(private readonly raw: RawOptions) {
    this.issues = [...raw.issues];
  }

  get command(): Command {
    return this.raw.command;
  }

  get host(): Host {
    return this.raw.host;
  }

  /** The next step for a mistake that says no better one. */
  get helpHint(): string {
    return this.raw.host === 'cli'
      ? `binauthz ${this.raw.command} --help`
      : 'correct the input in the workflow file; action.yml describes every input';
  }

  /** Every value of a list that parses, each once. */
  list<T>(name: string, parse: Parser<T>): readonly T[] {
    const texts = [...new Set(this.values(name))];
    return texts.flatMap((text) => this.parsed(name, text, parse) ?? []);
  }

  /** The value of an option, its default where it was not given, undefined where there is none or it does not parse. */
  one<T>(name: string, parse: Parser<T>): T | undefined {
    const texts = [...new Set(this.values(name))];
    const text = texts[0] ?? this.row(name).default;
    if (texts.length > 1) this.add(name, 'one value', texts.map(show).join(' and '));
    return text === undefined ? undefined : this.parsed(name, text, parse);
  }

  flag(name: string): boolean {
    return this.one(name, parseFlag) ?? false;
  }

  /** Milliseconds. */
  duration(name: string): number | undefined {
    return this.one(name, (text) => {
      const value = parseDuration(text);
      return value === undefined ? { expected: 'a duration such as 500ms, 30s, 5m or 24h' } : { value };
    });
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    return this.one(name, (text) => {
      const value = choices.find((choice) => choice === text);
      return value === undefined ? { expected: `one of ${choices.join(', ')}` } : { value };
    });
  }

  port(name: string): number | undefined {
    return this.one(name, (text) => {
      const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
      return value <= 65_535 ? { value } : { expected: 'a port number from 0 to 65535' };
    });
  }

  secrets(name: string): readonly Secret[] {
    return this.raw.secrets.get(name) ?? [];
  }

  /** Checks each option of the table by its kind alone, so that none escapes because a command never asks for it. */
  checkKinds(): void {
    for (const { name, kind, choices } of optionsOf(this.raw.command, this.raw.host)) {
      if (kind === 'flag') this.flag(name);
      if (kind === 'choice') this.choice(name, choices ?? []);
    }
  }

  /** An option's values as they were given. */
  values(name: string): readonly string[] {
    return this.raw.values.get(name) ?? [];
  }

  /** Whether an option was given a value of its own: the orb, which knows no absence, gives every default. */
  isOwn(name: string): boolean {
    return this.has(name) && (this.raw.values.get(name) ?? []).some((text) => text !== this.row(name).default);
  }

  /** Whether the option was given at all, right or wrong. */
  has(name: string): boolean {
    return this.count(name) > 0;
  }

  /** An option as this host spells it. */
  spell(name: string): string {
    return spell(this.row(name), this.raw.host);
  }

  /** Notes an issue with an option. */
  add(name: string, expected: string, got: string, hint?: string): void {
    this.issues.push(expectedButGot(this.spell(name), expected, got, hint));
  }

  private count(name: string): number {
    return (this.raw.values.get(name)?.length ?? 0) + (this.raw.secrets.get(name)?.length ?? 0);
  }

  private parsed<T>(name: string, text: string, parse: Parser<T>): T | undefined {
    const found = parse(text);
    if ('value' in found) return found.value;
    this.add(name, found.expected, found.got ?? show(text), found.hint ?? (text === '' ? EMPTY : undefined));
    return undefined;
  }

  private row(name: string): OptionRow {
    const row = optionsOf(this.raw.command, this.raw.host).find((option) => option.name === name);
    if (!row) throw new Error(`no option ${name} of ${this.raw.command}`);
    return row;
  }
}

const EMPTY = 'the variable or the step output that it comes from may be unset or empty';

// The spellings of YAML 1.2's core schema, which is what GitHub's own toolkit accepts.
function parseFlag(text: string): ReturnType<Parser<boolean>> {
  if (/^(?:true|True|TRUE)$/.test(text)) return { value: true };
  if (/^(?:false|False|FALSE)$/.test(text)) return { value: false };
  return { expected: 'true or false' };
}
