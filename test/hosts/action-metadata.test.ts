// SPDX-License-Identifier: Apache-2.0
// The option table, action.yml and --help say the same.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { outputSentences } from '../../src/hosts/action/outputs.js';
import { commandHelp, overview } from '../../src/hosts/cli/help.js';
import { COMMANDS } from '../../src/hosts/commands.js';
import { nameOn, optionsOf, OPTIONS } from '../../src/hosts/options.js';
import { EXIT_CODES } from '../../src/core/error-codes.js';
import { parseCheckedAttest } from '../../src/hosts/commands/attest/parse.js';
import { parseAudit } from '../../src/hosts/commands/audit/parse.js';
import { parseCheck } from '../../src/hosts/commands/check/parse.js';
import { VERSION } from '../../src/hosts/version.js';
import { actionOptions, ATTESTOR, IMAGE, messagesOfAsync, VERSION_1 } from './world.js';

type Entries = Record<string, Record<string, string | boolean>>;

const root = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

/** The file is a subset of YAML that needs no parser: two spaces a level, every text a JSON string. */
function metadata(file: string) {
  const lines = root(file)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const section = (name: string): Entries => {
    const start = lines.indexOf(`${name}:`) + 1;
    const end = lines.findIndex((line, index) => index >= start && !line.startsWith(' '));
    const entries: Entries = {};
    let current: Record<string, string | boolean> = {};
    for (const line of lines.slice(start, end < 0 ? undefined : end)) {
      const [, indent = '', key = '', value = ''] = /^( +)([a-z0-9-]+):(?: (.+))?$/.exec(line) ?? [];
      if (indent === '  ' && value === '') current = entries[key] = {};
      else if (indent === '    ') current[key] = JSON.parse(value);
      else throw new Error(`not in the subset: ${line}`);
    }
    return entries;
  };
  const top = (name: string) =>
    JSON.parse(/: (.+)$/.exec(lines.find((line) => line.startsWith(`${name}:`)) ?? ': null')?.[1] ?? 'null') as string;
  return { lines, section, top };
}

const ACTIONS = [
  ['action.yml', 'attest', 'dist/action/index.js'],
  ['check/action.yml', 'check', '../dist/check/index.js'],
  ['audit/action.yml', 'audit', '../dist/audit/index.js'],
] as const;

describe.each(ACTIONS)('%s', (file, command, main) => {
  const { lines, section, top } = metadata(file);
  test('has the inputs of the table, in its order, with its sentences and defaults', () => {
    const expected = optionsOf(command, 'action').map((option) => [
      nameOn(option, 'action'),
      [option.help, option.actionHelp].filter(Boolean).join(' '),
      option.default,
    ]);
    expect(Object.entries(section('inputs')).map(([name, entry]) => [name, entry['description'], entry['default']])).toEqual(expected);
  });
  test('has the outputs of the code', () => {
    expect(Object.entries(section('outputs')).map(([name, entry]) => [name, entry['description']])).toEqual(
      Object.entries(outputSentences(command)),
    );
  });
  test('runs on Node 24 from dist, with what the Marketplace asks for', () => {
    expect(lines.slice(lines.indexOf('runs:'))).toEqual(['runs:', '  using: "node24"', `  main: "${main}"`]);
    expect(top('description').length).toBeLessThanOrEqual(125);
    expect(lines).toEqual(expect.arrayContaining(['  icon: "shield"', '  color: "blue"']));
  });
});

const WORLD = { cwd: process.cwd() };
const required = (inputs: Entries) =>
  Object.entries(inputs)
    .filter(([, entry]) => entry['required'] === true)
    .map(([name]) => name);
const defaultsOf = (inputs: Entries) =>
  Object.fromEntries(Object.entries(inputs).map(([name, entry]) => [name, String(entry['default'] ?? '')]));

describe('action.yml', () => {
  const inputs = metadata('action.yml').section('inputs');
  const good = { images: IMAGE, attestors: ATTESTOR, 'kms-key-versions': VERSION_1 };
  const parse = (given: Readonly<Record<string, string>>) => parseCheckedAttest(actionOptions(given), {}, WORLD);
  test('requires exactly the inputs without which every run is refused', async () => {
    expect(required(inputs)).toEqual(['images', 'attestors']);
    for (const name of required(inputs))
      expect(await messagesOfAsync(() => parse({ ...good, [name]: '' }))).toEqual([
        expect.stringContaining(`input ${name}: expected at least one`),
      ]);
    expect(await messagesOfAsync(() => parse(good))).toEqual([]);
  });
  test('its own defaults are what an absent input means', async () =>
    expect(await parse({ ...defaultsOf(inputs), ...good })).toEqual(await parse(good)));
});

describe('check/action.yml', () => {
  const inputs = metadata('check/action.yml').section('inputs');
  const good = { images: IMAGE, project: 'shop-prod' };
  const parse = (given: Readonly<Record<string, string>>) => parseCheck(actionOptions(given, 'check'), {}, WORLD);
  test('requires exactly the inputs without which every run is refused', async () => {
    expect(required(inputs)).toEqual(['project']);
    expect(await messagesOfAsync(() => parse({ images: IMAGE }))).toEqual([
      'input project: expected the project whose policy is enforced, got none',
    ]);
    expect(await messagesOfAsync(() => parse(good))).toEqual([]);
  });
  test('its own defaults are what an absent input means', async () =>
    expect(await parse({ ...defaultsOf(inputs), ...good })).toEqual(await parse(good)));
});

describe('audit/action.yml', () => {
  const inputs = metadata('audit/action.yml').section('inputs');
  const good = { project: 'shop-prod' };
  const parse = (given: Readonly<Record<string, string>>) => Promise.resolve().then(() => parseAudit(actionOptions(given, 'audit'), {}));
  test('requires exactly the inputs without which every run is refused', async () => {
    expect(required(inputs)).toEqual(['project']);
    expect(await messagesOfAsync(() => parse({}))).toEqual(['input project: expected the project whose logs are read, got none']);
    expect(await messagesOfAsync(() => parse(good))).toEqual([]);
  });
  test('its own defaults are what an absent input means', async () =>
    expect(await parse({ ...defaultsOf(inputs), ...good })).toEqual(await parse(good)));
});

describe('the table', () => {
  test.each(OPTIONS.map((option) => [option.name, option] as const))('%s is well-formed', (_, option) => {
    expect(option.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(option.help).toMatch(/^[A-Z].*\.$/);
    expect(option.kind === 'list').toBe(option.plural !== undefined);
    expect(option.kind === 'choice').toBe(option.choices !== undefined);
    expect(option.kind === 'flag').toBe(option.value === undefined && ['true', 'false'].includes(option.default ?? ''));
  });
  test.each(COMMANDS.flatMap(({ name }) => (['cli', 'action'] as const).map((host) => [name, host] as const)))(
    'no name twice in %s on %s',
    (command, host) => {
      const names = optionsOf(command, host).map((option) => nameOn(option, host));
      expect(new Set(names).size).toBe(names.length);
    },
  );
});

describe('--help', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s has each of its options with default and sentence, and no other',
    (_, command) => {
      const help = commandHelp(command);
      const flat = help.replace(/\s+/g, ' ');
      for (const option of optionsOf(command.name, 'cli')) {
        expect(help).toMatch(new RegExp(`^  (?:-\\w, )?--${nameOn(option, 'cli')}(?: |$)`, 'm'));
        expect(flat).toContain(option.help);
        if (option.default !== undefined && option.kind !== 'flag') expect(flat).toContain(`Default: ${option.default}.`);
      }
      const flags = [...help.matchAll(/^  (?:-\w, )?--([a-z-]+)/gm)].map(([, name]) => name);
      expect(new Set(flags)).toEqual(new Set(optionsOf(command.name, 'cli').map((option) => nameOn(option, 'cli'))));
      expect(help).toContain(`Usage:\n  binauthz ${command.name} `);
      for (const example of command.examples) expect(help).toContain(example);
    },
  );
  test('the overview names every command and exit code', () => {
    for (const { name, summary } of COMMANDS) expect(overview().replace(/\s+/g, ' ')).toContain(`${name} ${summary}`);
    for (const { code, meaning } of EXIT_CODES)
      expect(overview()).toMatch(new RegExp(`^  ${code} +${meaning.replace(/[()]/g, '\\$&')}$`, 'm'));
  });
  test('fits a terminal, but for the examples', () => {
    const wide = [overview(), ...COMMANDS.map(commandHelp)]
      .flatMap((help) => (help.split(/^Examples?:$/m)[0] ?? '').split('\n'))
      .filter((line) => line.length > 100);
    expect(wide).toEqual([]);
  });
});

test('the version is the one of package.json', () => expect(JSON.parse(root('package.json'))).toMatchObject({ version: VERSION }));
