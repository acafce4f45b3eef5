// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseArgs } from '../../src/hosts/cli/args.js';
import { closest, editDistance } from '../../src/hosts/cli/closest.js';

const values = (...argv: string[]) => Object.fromEntries(parseArgs(argv).values);
const issues = (...argv: string[]) => parseArgs(argv).issues.map(({ message, hint }) => [message, hint]);

describe('words', () => {
  test.each<[string, string[], object]>([
    ['a value behind its flag', ['attest', '--project', 'p'], { project: ['p'] }],
    ['a value attached', ['attest', '--project=p=q'], { project: ['p=q'] }],
    ['an empty value', ['attest', '--project='], { project: [''] }],
    ['a repeated option', ['attest', '--attestor', 'a', '--attestor=b'], { attestor: ['a', 'b'] }],
    ['arguments among options', ['attest', 'one', '--dry-run', 'two'], { image: ['one', 'two'], 'dry-run': ['true'] }],
    ['the image as an option', ['attest', '--image', 'one', 'two'], { image: ['one', 'two'] }],
    ['a flag with a value', ['attest', '--dry-run=false'], { 'dry-run': ['false'] }],
    ['the end of options', ['attest', '--', '--dry-run', '-x'], { image: ['--dry-run', '-x'] }],
    ['a negative value', ['attest', '--wait-timeout', '-5s'], { 'wait-timeout': ['-5s'] }],
    ['a short option', ['check', '-f', 'k8s', '-f', '-'], { manifest: ['k8s', '-'] }],
    ['options before the command', ['--output', 'json', 'attest', 'one'], { output: ['json'], image: ['one'] }],
  ])('%s', (_, argv, expected) => expect(values(...argv)).toEqual(expected));
});

describe('help and version', () => {
  test.each<[string[], string | undefined]>([
    [['--help'], undefined],
    [['-h'], undefined],
    [['help'], undefined],
    [['help', 'help'], undefined],
    [['help', 'attest'], 'attest'],
    [['attest', '--help'], 'attest'],
    [['attest', 'x', '-h'], 'attest'],
    [['--help', 'list'], 'list'],
  ])('%j', (argv, command) => {
    const args = parseArgs(argv);
    expect([args.wantsHelp, args.command?.name, args.issues]).toEqual([true, command, []]);
  });
  test('version', () => expect(parseArgs(['--version'])).toMatchObject({ wantsVersion: true, wantsHelp: false, issues: [] }));
});

const ALL = 'attest, check, list, vulnerabilities, setup, audit, rotate, doctor, emulator, demo';

describe('mistakes', () => {
  test.each<[string[], string, string | undefined]>([
    [[], `expected a command (${ALL}), got none`, 'binauthz --help'],
    [['atest', '--whatever', 'x'], `expected a command (${ALL}), got "atest"`, 'did you mean attest?'],
    [['frobnicate'], `expected a command (${ALL}), got "frobnicate"`, 'binauthz --help'],
    [['attest', '--attestr', 'a'], 'unknown option of binauthz attest: --attestr', 'did you mean --attestor?'],
    [['attest', '--attestors', 'a'], 'unknown option of binauthz attest: --attestors', 'did you mean --attestor?'],
    [['attest', '--attestor_project=p'], 'unknown option of binauthz attest: --attestor_project', 'did you mean --attestor-project?'],
    [['attest', '--dryrun'], 'unknown option of binauthz attest: --dryrun', 'did you mean --dry-run?'],
    [
      ['attest', '--pgp-private-key', 'x'],
      'unknown option of binauthz attest: --pgp-private-key',
      'did you mean --pgp-private-key-env, which takes the name of an environment variable?',
    ],
    [['-v', 'attest'], 'unknown option: -v', 'binauthz --help lists the options'],
    [
      ['attest', '--access-token-env='],
      '--access-token-env: expected the name of an environment variable, got nothing',
      'give the variable’s name, not its value: --access-token-env MY_VARIABLE, without a $',
    ],
    [['attest', '-q'], 'unknown option of binauthz attest: -q', 'binauthz attest --help lists the options'],
    [['attest', '--attestor'], '--attestor: expected a value (NAME), got none', undefined],
    [['attest', '--attestor', '--dry-run'], '--attestor: expected a value (NAME), got none', undefined],
  ])('%j', (argv, message, hint) => expect(issues(...argv)).toEqual([[message, hint]]));

  test('a flag that is mistyped leaves the image behind it alone', () =>
    expect(values('attest', '--dryrun', 'image')).toEqual({ image: ['image'] }));
  test('an option that is mistyped counts as given, so that it is not reported missing too', () =>
    expect(values('attest', '--attestr', 'a', 'image')).toEqual({ attestor: ['a'], image: ['image'] }));
});

describe('closest', () => {
  test.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abcd', 'abdc', 1],
    ['kitten', 'sitting', 3],
    ['ab', '', 2],
  ])('%s to %s is %d', (from, to, distance) => expect(editDistance(from, to)).toBe(distance));
  test('nothing is near', () => expect(closest('zzz', ['attest', 'list'])).toBeUndefined());
  test('a word cut short', () => expect(closest('--propagation', ['--project', '--propagation-delay'])).toBe('--propagation-delay'));
});
