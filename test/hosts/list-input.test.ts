// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseEmulator } from '../../src/hosts/commands/emulator/parse.js';
import { parseList } from '../../src/hosts/commands/list/parse.js';
import { parseNothing, throwIfWrong } from '../../src/hosts/request-readers.js';
import { ATTESTOR, cliOptions, IMAGE, messagesOf } from './world.js';

const list = (...argv: string[]) => parseList(cliOptions(['list', ...argv]), {});
const emulator = (...argv: string[]) => {
  const { reader, ...settings } = parseEmulator(cliOptions(['emulator', ...argv]));
  throwIfWrong(reader);
  return settings;
};

describe('list', () => {
  test('images of an attestor', () =>
    expect(list(IMAGE, '--attestor', ATTESTOR).request).toMatchObject({ images: [{ original: IMAGE }], attestors: [ATTESTOR] }));
  test('everything of a project', () => expect(list('--project', 'p1').request).toEqual({ images: [], attestors: [], project: 'p1' }));
  test.each<[string, string[], string]>([
    ['neither', [], '--attestor or --project: expected exactly one of them, got none'],
    ['both', ['--attestor', ATTESTOR, '--project', 'p'], '--attestor or --project: expected exactly one of them, got both'],
    [
      'neither tag nor digest',
      ['gcr.io/p/app', '--project', 'p'],
      'IMAGE: expected registry/repository:tag or registry/repository@sha256:… (it has neither a tag nor a digest, and "latest" is never assumed), got "gcr.io/p/app"',
    ],
    ['options of attest', ['--project', 'p', '--dry-run'], 'unknown option of binauthz list: --dry-run'],
  ])('%s', (_, argv, message) => expect(messagesOf(() => list(...argv))).toEqual([message]));
});

describe('emulator and demo', () => {
  test('defaults', () => expect(emulator()).toEqual({ port: 8899, latencyMs: 0, propagationDelayMs: 0 }));
  test('everything', () =>
    expect(emulator('--port', '0', '--latency', '50ms', '--propagation-delay', '2s', '--faults', 'f.json')).toEqual({
      port: 0,
      latencyMs: 50,
      propagationDelayMs: 2000,
      faults: 'f.json',
    }));
  test.each<[string[], string]>([
    [['--port', '65536'], '--port: expected a port number from 0 to 65535, got "65536"'],
    [['--port', '-1'], '--port: expected a port number from 0 to 65535, got "-1"'],
    [['--port', '--verbose'], '--port: expected a value (PORT), got none'],
    [['--latency', 'long'], '--latency: expected a duration such as 500ms, 30s, 5m or 24h, got "long"'],
    [['start'], 'binauthz emulator: expected no arguments, got "start"'],
    [['--faults='], '--faults: expected the name of a file, got nothing'],
  ])('%j', (argv, message) => expect(messagesOf(() => emulator(...argv))).toContain(message));
  test('demo takes nothing', () =>
    expect(messagesOf(() => parseNothing(cliOptions(['demo', 'now', '--fast'])))).toEqual([
      'binauthz demo: expected no arguments, got "now"',
      'unknown option of binauthz demo: --fast',
    ]));
});
