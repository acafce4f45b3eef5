// SPDX-License-Identifier: Apache-2.0
// argv → raw options. It goes on after a mistake, so that all of them are reported together.
import type { BinauthzError } from '../../core/errors.js';
import { inputError, show } from '../issues.js';
import type { CommandRow } from '../command-row.js';
import { COMMANDS } from '../commands.js';
import { commonOptions, nameOn, optionsOf, type OptionRow } from '../options.js';
import { closest } from './closest.js';

/** The words of a command line, sorted. */
export interface Args {
  readonly command?: CommandRow;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
  /** Values by the option's name; for a secret the names of variables. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly issues: readonly BinauthzError[];
}

/** Reads the words behind `binauthz`. */
export function parseArgs(argv: readonly string[]): Args {
  return new Scan(argv).run();
}

/** Whether a text can be the name of an environment variable. */
export function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text);
}

class Scan {
  private readonly rest: string[];
  private readonly values = new Map<string, string[]>();
  private readonly issues: BinauthzError[] = [];
  private command: CommandRow | undefined;
  private isHelpTopic = false;
  private isBadCommand = false;
  /** Set where the words up to the next flag may be the rest of a secret that was expanded, unquoted, into the command line. */
  private isDoubtful = false;

  constructor(argv: readonly string[]) {
    this.rest = [...argv];
  }

  run(): Args {
    for (let word = this.rest.shift(); word !== undefined; word = this.rest.shift()) {
      if (word === '--') this.rest.splice(0).forEach((argument) => this.argument(argument));
      else if (word.startsWith('-') && word !== '-') this.option(word);
      else this.argument(word);
    }
    const wantsHelp = this.isHelpTopic || this.isOn('help');
    const wantsVersion = this.isOn('version');
    if (!this.command && !wantsHelp && !wantsVersion && !this.isBadCommand)
      this.issues.push(inputError(`expected a command (${names()}), got none`, { hint: 'binauthz --help' }));
    return { ...(this.command ? { command: this.command } : {}), wantsHelp, wantsVersion, values: this.values, issues: this.issues };
  }

  private argument(word: string): void {
    if (this.isDoubtful || this.isBadCommand) return;
    if (!this.command) return this.commandWord(word);
    if (this.isHelpTopic) return;
    if (this.command.takesImages) this.push('image', word);
    else this.issues.push(inputError(`binauthz ${this.command.name}: expected no arguments, got ${show(word)}`));
  }

  private commandWord(word: string): void {
    if (word === 'help') {
      this.isHelpTopic = true;
      return;
    }
    this.command = COMMANDS.find(({ name }) => name === word);
    if (this.command) return;
    this.isBadCommand = true;
    const near = closest(word, [...COMMANDS.map(({ name }) => name), 'help']);
    this.issues.push(
      inputError(`expected a command (${names()}), got ${show(word)}`, { hint: near ? `did you mean ${near}?` : 'binauthz --help' }),
    );
  }

  private option(word: string): void {
    this.isDoubtful = false;
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    const row = this.known().find(
      (option) => flag === `--${nameOn(option, 'cli')}` || (option.short !== undefined && flag === `-${option.short}`),
    );
    if (!row) this.unknown(flag, attached);
    else if (row.kind === 'flag') this.push(row.name, attached ?? 'true');
    else this.valued(row, flag, attached);
  }

  private valued(row: OptionRow, flag: string, attached: string | undefined): void {
    const value = attached ?? this.takeValue();
    if (value === undefined) {
      this.issues.push(inputError(`${flag}: expected a value (${row.value ?? 'VALUE'}), got none`, { resource: flag }));
      return;
    }
    if (row.kind === 'secret' && !isVariableName(value)) {
      this.isDoubtful = !/\s/.test(value);
      const hint = `give the variable’s name, not its value: ${flag} MY_VARIABLE, without a $`;
      const got = value === '' ? 'nothing' : `a text of ${value.length} characters (not shown: it may be the secret itself)`;
      this.issues.push(inputError(`${flag}: expected the name of an environment variable, got ${got}`, { resource: flag, hint }));
    }
    this.push(row.name, value);
  }

  private unknown(flag: string, attached: string | undefined): void {
    // A bad command has no options to compare with; complaining about each of its flags would only be noise.
    if (this.isBadCommand) return;
    const known = this.known();
    const near = closest(
      flag.replaceAll('_', '-'),
      known.map((option) => `--${nameOn(option, 'cli')}`),
    );
    const meant = known.find((option) => `--${nameOn(option, 'cli')}` === near);
    const takesValue = meant?.kind !== 'flag' && attached === undefined && !this.isCommandNext();
    const value = takesValue ? this.takeValue() : attached;
    // Taken for what it means, so that the option does not count as missing as well.
    if (meant !== undefined && meant.kind !== 'secret' && value !== undefined) this.push(meant.name, value);
    // `--pgp-private-key $KEY`, unquoted: the words that follow are the key.
    this.isDoubtful = takesValue && /^-----|key|pass|secret|token|pgp/i.test(flag);
    const what = this.command ? `unknown option of binauthz ${this.command.name}` : 'unknown option';
    this.issues.push(inputError(`${what}: ${flag.slice(0, 60)}`, { resource: flag.slice(0, 60), hint: this.hintFor(meant) }));
  }

  /** Before the command, the word behind an option that nobody knows is more likely the command. */
  private isCommandNext(): boolean {
    return !this.command && COMMANDS.some(({ name }) => name === this.rest[0]);
  }

  private hintFor(meant: OptionRow | undefined): string {
    if (!meant) return `binauthz ${this.command ? `${this.command.name} ` : ''}--help lists the options`;
    return `did you mean --${nameOn(meant, 'cli')}${meant.kind === 'secret' ? ', which takes the name of an environment variable' : ''}?`;
  }

  private known(): readonly OptionRow[] {
    return this.command ? optionsOf(this.command.name, 'cli') : commonOptions('cli');
  }

  /** The next word, unless it is a flag itself. */
  private takeValue(): string | undefined {
    const next = this.rest[0];
    return next === undefined || /^-[^\d]/.test(next) ? undefined : this.rest.shift();
  }

  private push(name: string, value: string): void {
    this.values.set(name, [...(this.values.get(name) ?? []), value]);
  }

  private isOn(name: string): boolean {
    return this.values.get(name)?.some((value) => value.toLowerCase() === 'true') ?? false;
  }
}

function names(): string {
  return COMMANDS.map(({ name }) => name).join(', ');
}
