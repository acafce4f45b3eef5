// SPDX-License-Identifier: Apache-2.0
// Help, made from the option table.
import { EXIT_CODES } from '../../core/error-codes.js';
import type { CommandRow } from '../command-row.js';
import { COMMANDS } from '../commands.js';
import { commonOptions, nameOn, optionsOf, type OptionRow } from '../options.js';

const WIDTH = 100;

/** Help on everything. */
export function overview(): string {
  return page([
    'binauthz: get container images admitted by Google Cloud Binary Authorization, from any CI.',
    section('Usage', ['binauthz COMMAND [ARGUMENTS] [OPTIONS]', 'binauthz help COMMAND']),
    section('Commands', table(COMMANDS.map(({ name, summary }) => [name, summary]))),
    section('Options of every command', optionTable(commonOptions('cli'))),
    section('Environment', table(ENVIRONMENT)),
    section('Exit codes', exitCodes()),
  ]);
}

/** Help on one command. */
export function commandHelp(command: CommandRow): string {
  const options = optionsOf(command.name, 'cli');
  const common = commonOptions('cli');
  return page([
    wrap(`binauthz ${command.name}: ${command.summary}.`, WIDTH).join('\n'),
    section('Usage', wrap(`binauthz ${command.name} ${command.usage} [OPTIONS]`.replace('  ', ' '), WIDTH - 2, '    ')),
    command.details.flatMap((detail) => wrap(detail, WIDTH)).join('\n'),
    section('Options', optionTable(options.filter((option) => !common.includes(option)))),
    section('Options of every command', optionTable(common)),
    section('Exit codes', exitCodes()),
    section(command.examples.length === 1 ? 'Example' : 'Examples', command.examples),
  ]);
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['BINAUTHZ_EMULATOR_HOST', 'Sends every Google and registry call to the emulator at this loopback address, without credentials.'],
  ['CLOUDSDK_API_ENDPOINT_OVERRIDES_<API>', 'Another base URL for an API, as gcloud honours it.'],
  ['GOOGLE_APPLICATION_CREDENTIALS', 'The credentials file, as every Google tool honours it.'],
  ['GOOGLE_CLOUD_QUOTA_PROJECT', 'The project that calls are counted against.'],
  ['DOCKER_CONFIG', 'The folder of Docker’s config.json, for other registries than Google’s.'],
];

function optionTable(options: readonly OptionRow[]): readonly string[] {
  return table(options.map((option) => [flagOf(option), sentenceOf(option)]));
}

function flagOf(option: OptionRow): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const value = option.value === undefined ? '' : ` ${option.value}`;
  const repeated = option.kind === 'list' || option.several ? '...' : '';
  return `${short}--${nameOn(option, 'cli')}${value}${repeated}`;
}

function sentenceOf(option: OptionRow): string {
  const notes = [
    ...(option.positional ? ['The same as an IMAGE argument.'] : []),
    ...(option.kind === 'secret' ? ['Takes the name of the environment variable that holds it.'] : []),
    ...(option.choices && !isSaid(option) ? [`One of ${option.choices.join(', ')}.`] : []),
    ...(option.default === undefined || option.kind === 'flag' ? [] : [`Default: ${option.default}.`]),
  ];
  return [option.help, ...notes].join(' ');
}

function isSaid({ choices, help }: OptionRow): boolean {
  return choices?.every((choice) => new RegExp(`\\b${choice}\\b`).test(help)) ?? false;
}

function exitCodes(): readonly string[] {
  return table(EXIT_CODES.map(({ code, meaning }) => [code, meaning]));
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function page(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Terms at the left, what they mean wrapped at the right; below the term where that is too long. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const width = Math.min(32, Math.max(0, ...rows.map(([term = '']) => term.length)));
  const gap = ' '.repeat(width + 2);
  return rows.flatMap(([term = '', meaning = '']) => {
    const [first = '', ...rest] = wrap(meaning, WIDTH - width - 4);
    const continued = rest.map((line) => `${gap}${line}`);
    return term.length > width ? [term, `${gap}${first}`, ...continued] : [`${term.padEnd(width)}  ${first}`, ...continued];
  });
}

function wrap(words: string, width: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > width) lines.push(last === undefined ? word : `${indent}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
