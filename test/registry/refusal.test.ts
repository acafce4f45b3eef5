// SPDX-License-Identifier: Apache-2.0
// What a registry said is quoted; what it was sent is not, in whatever form it comes back.
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import type { Credential } from '../../src/registry/docker-config.js';
import { registryMessage } from '../../src/registry/refusal.js';

const PASSWORD = 's3cr3t/with+odd characters';
const user: Credential = { kind: 'password', username: 'me', password: new Secret(PASSWORD, 'test') };
const token: Credential = { kind: 'refresh-token', token: new Secret(PASSWORD, 'test') };

function said(message: string, sent?: Credential): string {
  const body = new TextEncoder().encode(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
  return registryMessage({ status: 403, headers: {}, body, isElsewhere: false }, sent);
}

describe('a refusal', () => {
  it.each<[string, string, Credential, string]>([
    ['the password', `you are me:${PASSWORD}, no`, user, ' (DENIED: you are me:[redacted], no)'],
    ['it in a URL', `?p=${encodeURIComponent(PASSWORD)}`, user, ' (DENIED: ?p=[redacted])'],
    ['the pair as it was sent', Buffer.from(`me:${PASSWORD}`).toString('base64'), user, ' (DENIED: [redacted])'],
    ['a refresh token', `got ${PASSWORD}`, token, ' (DENIED: got [redacted])'],
    ['it at the end of what is quoted', `${'x'.repeat(185)}${PASSWORD}`, user, ` (DENIED: ${'x'.repeat(185)}[redact)`],
  ])('that repeats %s does not show it', (_, message, sent, expected) => {
    const shown = said(message, sent);
    expect(shown).toBe(expected);
    expect(shown).not.toContain('s3cr3t');
  });

  it('is quoted as it is where nothing was sent', () => {
    expect(said('no')).toBe(' (DENIED: no)');
    expect(said('no', { kind: 'none' })).toBe(' (DENIED: no)');
    expect(said('no', { kind: 'password', username: '', password: new Secret('', 'test') })).toBe(' (DENIED: no)');
  });
});
