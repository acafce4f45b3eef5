// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { Secret } from '../../src/core/secret.js';
import { endingOf } from '../../src/hosts/outcome.js';
import { scrubbedEnding, scrubbedReporter, scrubberOf } from '../../src/hosts/scrub.js';

const TOKEN = 'token/0123456789+abc';
const scrub = scrubberOf([new Secret(TOKEN, 'input access-token')]);

test('a token is taken out of a text, also where a URL encodes it', () => {
  expect(scrub(`no ${TOKEN}, ${encodeURIComponent(TOKEN)}, ${TOKEN}`)).toBe('no [access token], [access token], [access token]');
  expect(scrubberOf([])('anything')).toBe('anything');
});

test('it is taken out of everything that a run says', () => {
  const said: string[] = [];
  const say = (message: string): unknown => said.push(message);
  const reporter = scrubbedReporter({ step: say, info: say, warn: say, debug: say }, scrub);
  for (const level of ['step', 'info', 'warn', 'debug'] as const) reporter[level](`${level} ${TOKEN}`);
  expect(said).toEqual(['step', 'info', 'warn', 'debug'].map((level) => `${level} [access token]`));
});

test('it is taken out of everything that a run ends with, and the rest stays', () => {
  const refused = new BinauthzError('PERMISSION_DENIED', `refused ${TOKEN}`, { resource: 'r', hint: `not ${TOKEN}` });
  const other = new BinauthzError('NOT_FOUND', 'nothing', { resource: 'r' });
  const row = { image: 'i', attestor: 'a', note: 'n', publicKeyId: 'k', status: 'posted', visibleAfterMs: null } as const;
  const ending = endingOf(
    { schema: 'binauthz.attest/v1', images: [], attestations: [row], warnings: [`warned of ${TOKEN}`] },
    [refused, other],
    { onEmulator: true },
  );
  const clean = scrubbedEnding(ending, scrub);
  expect(JSON.stringify([clean, ...clean.errors.map(({ message, hint }) => [message, hint])])).not.toContain(TOKEN);
  expect(clean).toMatchObject({ exitCode: 5, result: { attestations: [row], emulator: true, warnings: ['warned of [access token]'] } });
  expect([clean.errors[0]?.code, clean.errors[0]?.resource, clean.errors[0]?.hint, clean.errors[1]]).toEqual([
    'PERMISSION_DENIED',
    'r',
    'not [access token]',
    other,
  ]);
});
