// SPDX-License-Identifier: Apache-2.0
// Connections that break before there is an answer in HTTP.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AttestorName, KeyVersionName } from '../../src/core/names.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import type { Google } from '../../src/google/clients.js';
import { translate, type Call } from '../../src/google/errors.js';
import { createKeyService } from '../../src/google/kms.js';
import { readEnvironment } from '../../src/hosts/environment.js';
import { agentsOf } from '../../src/hosts/proxy.js';
import { startProxy, type TestProxy } from '../support/proxy.js';
import { errorOf, googleOn } from './google.js';

const VERSION = 'projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1' as KeyVersionName;
const ATTESTOR = 'projects/p/attestors/a' as AttestorName;
const calls: [string, (google: Google) => Promise<unknown>][] = [
  ['the client library', (google) => createKeyService(google).publicKey(VERSION)],
  ['REST', (google) => createAttestorService(google).attestor(ATTESTOR)],
];

let babbler: Server | undefined;
let proxy: TestProxy | undefined;
afterEach(async () => {
  await proxy?.close();
  await new Promise((resolve) => (babbler ? babbler.close(resolve) : resolve(undefined)));
  babbler = proxy = undefined;
});

/** The port of a server that says something which is neither TLS nor HTTP. */
async function babble(): Promise<number> {
  const answer = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n'));
  };
  const server = createServer(answer);
  babbler = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe.each(calls)('through %s', (_name, call) => {
  it('a tunnel that ends at something without TLS: no word of certificates', async () => {
    proxy = await startProxy({ to: await babble() });
    const { environment } = readEnvironment({ https_proxy: `http://127.0.0.1:${proxy.port}` });
    const error = await errorOf(call(googleOn(undefined, { token: 'ya29.token', agentFor: agentsOf(environment.proxy) }).google));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toMatch(/: the TLS connection failed \((?:EPROTO|ERR_SSL_\w+)\)$/);
    expect(error.hint).toContain('https_proxy');
    expect(`${error.message} ${error.hint}`).not.toMatch(/certificate|NODE_EXTRA_CA_CERTS/);
    expect([error.transient, proxy.asked.length]).toEqual([undefined, 1]);
  });

  it('an answer that is not HTTP is no bug of ours', async () => {
    const error = await errorOf(call(googleOn(`127.0.0.1:${await babble()}`).google));
    expect([error.code, error.message, error.hint]).toEqual([
      'RESPONSE_INVALID',
      expect.stringContaining('the answer cannot be read'),
      expect.stringContaining('something other than the Google API may have answered'),
    ]);
  });
});

describe('a failed handshake', () => {
  const call: Call = { what: 'cannot read the attestor', resource: ATTESTOR, needs: [], notFound: 'ATTESTOR_NOT_FOUND' };
  it.each([
    ['EPROTO', 'the TLS connection failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'the TLS connection failed'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'the TLS connection failed'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'the TLS connection failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'the server’s certificate was not accepted'],
    ['CERT_HAS_EXPIRED', 'the server’s certificate was not accepted'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the server’s certificate was not accepted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the server’s certificate was not accepted'],
  ])('%s: %s', (code, said) => {
    const thrown = new Error('request failed', { cause: Object.assign(new Error('no'), { code }) });
    expect(translate(thrown, call, false)).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(`${said} (${code})`) });
  });
});
