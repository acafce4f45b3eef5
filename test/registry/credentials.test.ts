// SPDX-License-Identifier: Apache-2.0
// What the Docker config means, and the protocol of credential programs.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { createCredentials } from '../../src/registry/credentials.js';
import type { Credential } from '../../src/registry/docker-config.js';
import { registryHost } from '../../src/registry/hosts.js';
import type { ProgramResult } from '../../src/ports/program.js';
import { expectNoSecret, failure } from './support.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const ok = (stdout: unknown): ProgramResult => ({
  exitCode: 0,
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
});

interface Setup {
  readonly config?: unknown;
  readonly helpers?: Readonly<Record<string, ProgramResult | BinauthzError>>;
  readonly google?: string | BinauthzError;
}

function credentialsOf({ config, helpers = {}, google }: Setup): {
  find(registry: string): Promise<unknown>;
  ran: string[];
  loads: () => number;
} {
  const ran: string[] = [];
  let loads = 0;
  const credentials = createCredentials({
    token: { token: () => (google instanceof BinauthzError ? Promise.reject(google) : Promise.resolve(google)) },
    program: {
      run: (command, args, stdin) => {
        ran.push(`${command} ${args.join(' ')} < ${stdin}`);
        const answer = helpers[command] ?? new BinauthzError('UNAVAILABLE', `cannot start ${command}`);
        return answer instanceof BinauthzError ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    loadDockerConfig: () => {
      loads++;
      return Promise.resolve(config);
    },
  });
  return { ran, loads: () => loads, find: async (registry) => shown((await credentials.of(registryHost(registry))).credential) };
}

function shown(credential: Credential): unknown {
  switch (credential.kind) {
    case 'none':
      return 'none';
    case 'password':
      return `${credential.username}:${credential.password.reveal()}`;
    case 'refresh-token':
      return `refresh ${credential.token.reveal()}`;
  }
}

describe('entries of the Docker config', () => {
  it.each<[string, string, unknown, string]>([
    ['no config', 'ghcr.io', undefined, 'none'],
    ['an empty config', 'ghcr.io', {}, 'none'],
    ['another registry’s entry', 'ghcr.io', { auths: { 'quay.io': { auth: base64('u:p') } } }, 'none'],
    ['auth', 'ghcr.io', { auths: { 'ghcr.io': { auth: base64('u:p') } } }, 'u:p'],
    ['auth with colons in the password', 'ghcr.io', { auths: { 'ghcr.io': { auth: base64('u:p:q') } } }, 'u:p:q'],
    ['auth padded with NUL', 'ghcr.io', { auths: { 'ghcr.io': { auth: base64('u:p\0\0') } } }, 'u:p'],
    ['username and password', 'ghcr.io', { auths: { 'ghcr.io': { username: 'u', password: 'p' } } }, 'u:p'],
    ['an identity token wins', 'ghcr.io', { auths: { 'ghcr.io': { auth: base64('u:p'), identitytoken: 't' } } }, 'refresh t'],
    ['auth of <token>', 'acr.azurecr.io', { auths: { 'acr.azurecr.io': { auth: base64('<token>:t') } } }, 'refresh t'],
    ['a key with a scheme', 'ghcr.io', { auths: { 'https://ghcr.io': { auth: base64('u:p') } } }, 'u:p'],
    ['a key with a scheme and /v1/', 'ghcr.io', { auths: { 'https://ghcr.io/v1/': { auth: base64('u:p') } } }, 'u:p'],
    ['a key with a slash', 'ghcr.io', { auths: { 'ghcr.io/': { auth: base64('u:p') } } }, 'u:p'],
    [
      'the exact key before a similar one',
      'ghcr.io',
      { auths: { 'https://ghcr.io': { auth: base64('old:p') }, 'ghcr.io': { auth: base64('new:p') } } },
      'new:p',
    ],
    ['a key for a path is not for the host', 'ghcr.io', { auths: { 'ghcr.io/team': { auth: base64('u:p') } } }, 'none'],
    ['a port is part of the name', 'r.example.com:5000', { auths: { 'r.example.com': { auth: base64('u:p') } } }, 'none'],
    ['Docker Hub’s old key', 'docker.io', { auths: { 'https://index.docker.io/v1/': { auth: base64('u:p') } } }, 'u:p'],
    ['Docker Hub’s short key', 'index.docker.io', { auths: { 'docker.io': { auth: base64('u:p') } } }, 'u:p'],
    ['an empty entry without a store', 'ghcr.io', { auths: { 'ghcr.io': {} } }, 'none'],
    ['a name from the object’s prototype', 'constructor:5000', { auths: {}, credHelpers: {} }, 'none'],
  ])('%s', async (_name, registry, config, expected) => {
    expect(await credentialsOf({ config }).find(registry)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['a config that is a list', []],
    ['an entry that is a text', { auths: { 'ghcr.io': 'secret-text' } }],
    ['auth without a colon', { auths: { 'ghcr.io': { auth: base64('secret-text') } } }],
    ['auth without a user', { auths: { 'ghcr.io': { auth: base64(':secret-text') } } }],
    ['a program outside of the naming scheme', { credHelpers: { 'ghcr.io': '../../bin/secret-text' } }],
    ['a program with a space', { credHelpers: { 'ghcr.io': 'gcloud --secret-text' } }],
    ['an empty program', { credHelpers: { 'ghcr.io': '' } }],
    ['a store that is no text', { credsStore: 5 }],
  ])('refuses %s, without quoting it', async (_name, config) => {
    const { find, ran } = credentialsOf({ config });
    const error = await failure('UNAUTHENTICATED', find('ghcr.io'));
    expect(error.message).toContain('ghcr.io');
    expect(error.hint).toContain('docker login ghcr.io');
    expectNoSecret(['secret-text'], error);
    expect(ran).toEqual([]);
  });
});

describe('credential programs', () => {
  const answer = ok({ ServerURL: 'ghcr.io', Username: 'u', Secret: 's' });

  it.each<[string, string, unknown, string]>([
    ['the registry’s own program', 'ghcr.io', { credHelpers: { 'ghcr.io': 'x' } }, 'docker-credential-x get < ghcr.io'],
    [
      'its own program before its entry',
      'ghcr.io',
      { credHelpers: { 'ghcr.io': 'x' }, auths: { 'ghcr.io': { auth: base64('a:b') } } },
      'docker-credential-x get < ghcr.io',
    ],
    ['the store of all', 'ghcr.io', { credsStore: 'x' }, 'docker-credential-x get < ghcr.io'],
    [
      'an empty entry, which points to the store',
      'ghcr.io',
      { credsStore: 'x', auths: { 'ghcr.io': {} } },
      'docker-credential-x get < ghcr.io',
    ],
    ['Docker Hub by the key that Docker uses', 'docker.io', { credsStore: 'x' }, 'docker-credential-x get < https://index.docker.io/v1/'],
  ])('asks %s', async (_name, registry, config, call) => {
    const { find, ran } = credentialsOf({ config, helpers: { 'docker-credential-x': answer } });
    expect(await find(registry)).toBe('u:s');
    expect(ran).toEqual([call]);
  });

  it('prefers an entry with a credential to the store', async () => {
    const { find, ran } = credentialsOf({ config: { credsStore: 'x', auths: { 'ghcr.io': { auth: base64('a:b') } } } });
    expect(await find('ghcr.io')).toBe('a:b');
    expect(ran).toEqual([]);
  });

  it('asks once per registry, also for calls side by side', async () => {
    const { find, ran, loads } = credentialsOf({ config: { credsStore: 'x' }, helpers: { 'docker-credential-x': answer } });
    await Promise.all([find('ghcr.io'), find('ghcr.io'), find('quay.io')]);
    await find('ghcr.io');
    expect(ran).toHaveLength(2);
    expect(loads()).toBe(2);
  });

  it.each<[string, ProgramResult, string]>([
    ['a refresh token', ok({ Username: '<token>', Secret: 't' }), 'refresh t'],
    ['nothing, in the words of the protocol', { exitCode: 1, stdout: 'credentials not found in native keychain\n', stderr: '' }, 'none'],
    ['nothing, on stderr', { exitCode: 1, stdout: '', stderr: 'credentials not found in native keychain' }, 'none'],
    ['an empty object', ok({}), 'none'],
    ['an empty secret', ok({ Username: '', Secret: '' }), 'none'],
  ])('understands %s', async (_name, result, expected) => {
    expect(await credentialsOf({ config: { credsStore: 'x' }, helpers: { 'docker-credential-x': result } }).find('ghcr.io')).toBe(expected);
  });

  it.each<[string, ProgramResult | BinauthzError, RegExp]>([
    ['fails', { exitCode: 3, stdout: 'token hunter2-secret', stderr: 'hunter2-secret' }, /exit code 3/],
    ['answers something else', ok('hunter2-secret'), /not the JSON object/],
    ['answers a list', ok(['hunter2-secret']), /not the JSON object/],
    ['cannot be started', new BinauthzError('UNAVAILABLE', 'not on PATH'), /: not on PATH/],
  ])('names the program that %s, without its output', async (_name, result, message) => {
    const error = await failure(
      'UNAUTHENTICATED',
      credentialsOf({ config: { credsStore: 'x' }, helpers: { 'docker-credential-x': result } }).find('ghcr.io'),
    );
    expect(error.message).toMatch(message);
    expect(error.message).toContain('docker-credential-x');
    expect(error.hint).toContain('echo ghcr.io | docker-credential-x get');
    expectNoSecret(['hunter2-secret'], error);
  });

  it('passes a cancellation on', async () => {
    const cancelled = new BinauthzError('CANCELLED', 'cancelled');
    await failure(
      'CANCELLED',
      credentialsOf({ config: { credsStore: 'x' }, helpers: { 'docker-credential-x': cancelled } }).find('ghcr.io'),
    );
  });
});

describe('Google’s registries', () => {
  const noToken = new BinauthzError('UNAUTHENTICATED', 'no Google credentials', { hint: 'run gcloud auth' });
  const config = { credHelpers: { 'us-docker.pkg.dev': 'gcloud' } };
  const helpers = { 'docker-credential-gcloud': ok({ Username: '_dcgcloud_token', Secret: 's' }) };

  it('take the Google token before the Docker config', async () => {
    const { find, ran } = credentialsOf({ config, helpers, google: 'ya29.token' });
    expect(await find('us-docker.pkg.dev')).toBe('oauth2accesstoken:ya29.token');
    expect(ran).toEqual([]);
  });

  it('take the Docker config where there is no Google token', async () => {
    expect(await credentialsOf({ config, helpers, google: noToken }).find('us-docker.pkg.dev')).toBe('_dcgcloud_token:s');
  });

  it('are called without credentials where calls are made without any (the emulator)', async () => {
    const { find, ran } = credentialsOf({ config, helpers });
    expect(await find('us-docker.pkg.dev')).toBe('none');
    expect(ran).toEqual([]);
  });

  it('pass on any other failure to get a token', async () => {
    await failure(
      'UNAVAILABLE',
      credentialsOf({ config, helpers, google: new BinauthzError('UNAVAILABLE', 'the metadata server is down') }).find('gcr.io'),
    );
  });

  it('alone take the Google token', async () => {
    expect(await credentialsOf({ google: 'ya29.token' }).find('gcr.io.example.com')).toBe('none');
  });
});
