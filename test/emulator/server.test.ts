// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { Agent, request } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(() => emulator.api('POST', '/_emulator/reset'));
afterAll(() => emulator.close());

/** Sends raw bytes and returns everything until the server closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(emulator.port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => void (received += chunk));
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}

describe('targets', () => {
  it.each([
    ['origin form', '/v1/projects/p/policy?alt=json', 'emulator'],
    ['absolute form', 'http://binaryauthorization.googleapis.com/v1/projects/p/policy?alt=json', 'binaryauthorization.googleapis.com'],
    ['a trailing slash', '/v1/projects/p/policy/', 'anything.example'],
    ['an unreserved octet escaped', '/v1/projects/%70/policy', 'x'],
  ])('answers %s', async (_name, target, host) => {
    const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('"name": "projects/p/policy"');
  });

  it('answers an unknown path with a 404 in Google form', async () => {
    const answer = await emulator.api('GET', '/v1/nothing/here');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect(answer.json).toEqual({ error: { code: 404, message: expect.any(String), status: 'NOT_FOUND' } });
  });

  it('answers HEAD as GET without a body', async () => {
    const answer = await emulator.api('HEAD', '/v1/projects/p/policy');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(10);
  });

  it('answers the registry root under /v2/', async () => {
    expect((await emulator.api('GET', '/v2/')).status).toBe(200);
  });

  it('refuses a malformed escape and a body that is not JSON', async () => {
    expect((await emulator.api('GET', '/v1/projects/%zz/policy')).json.error.status).toBe('INVALID_ARGUMENT');
    expect((await emulator.api('PUT', '/v1/projects/p/policy', '{')).json.error.status).toBe('INVALID_ARGUMENT');
  });

  it('refuses a body beyond the limit, and lives on', async () => {
    const answer = await emulator.api('PUT', '/v1/projects/p/policy', 'x'.repeat(64 * 1024 * 1024 + 1));
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain('exceeds the limit');
  });

  it('keeps a connection alive', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let turn = 0; turn < 3; turn += 1) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(`${emulator.url}/v1/projects/p/policy`, { agent }, (response) => {
          ports.add(sent.socket?.localPort);
          response.resume().on('end', () => resolve());
        });
        sent.on('error', reject).end();
      });
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

describe('admin', () => {
  it('reports health', async () => {
    expect((await emulator.api('GET', '/_emulator/health')).status).toBe(200);
  });

  it('logs requests without the admin calls, and forgets them on reset', async () => {
    await emulator.api('GET', '/v1/projects/p/policy?alt=json');
    await emulator.api('GET', '/v1/projects/p/attestors/none');
    await emulator.api('GET', '/_emulator/health');
    expect((await emulator.api('GET', '/_emulator/requests')).json).toEqual({
      requests: [
        { method: 'GET', path: '/v1/projects/p/policy', query: 'alt=json', status: 200 },
        { method: 'GET', path: '/v1/projects/p/attestors/none', query: '', status: 404 },
      ],
    });
    await emulator.api('POST', '/_emulator/reset');
    expect((await emulator.api('GET', '/_emulator/requests')).json).toEqual({ requests: [] });
  });

  it('forgets all state on reset', async () => {
    const note = { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } };
    await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', note);
    await emulator.api('POST', '/v1/projects/p:setIamPolicy', {
      policy: { bindings: [{ role: 'roles/viewer', members: ['user:u@example.com'] }] },
    });
    await emulator.api('PUT', '/_emulator/system-policy/global', { description: 'mine' });
    await emulator.api('POST', '/_emulator/reset');
    expect((await emulator.api('GET', '/v1/projects/p/attestors/a')).status).toBe(404);
    expect((await emulator.api('POST', '/v1/projects/p:getIamPolicy')).json).toEqual({ etag: 'ACAB' });
    expect((await emulator.api('GET', '/v1/locations/global/policy')).json.description).toContain('Made up');
  });

  it('sets a system policy of one location', async () => {
    const policy = {
      description: 'mine',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/x/*' }],
      clusterAdmissionRules: { 'us-east1.a_b': { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' } },
    };
    const answer = await emulator.api('PUT', '/_emulator/system-policy/europe-west1', policy);
    expect(answer.json).toEqual({ name: 'locations/europe-west1/policy', ...policy });
    for (const version of ['v1', 'v1beta1', 'v1alpha2']) {
      expect((await emulator.api('GET', `/${version}/locations/europe-west1/policy`)).json).toEqual(answer.json);
      expect((await emulator.api('GET', `/${version}/locations/global/policy`)).json.description).toContain('Made up');
    }
  });

  it('refuses a system policy that no API would accept', async () => {
    expect(
      (await emulator.api('PUT', '/_emulator/system-policy/global', { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/*/x' }] }))
        .status,
    ).toBe(400);
  });
});

describe('life', () => {
  it('applies latency to every call but the admin ones', async () => {
    const slow = await startTestEmulator({ latencyMs: 150 });
    try {
      const timed = async (path: string) => {
        const start = performance.now();
        await slow.api('GET', path);
        return performance.now() - start;
      };
      expect(await timed('/v1/projects/p/policy')).toBeGreaterThanOrEqual(149);
      expect(await timed('/_emulator/health')).toBeLessThan(140);
    } finally {
      await slow.close();
    }
  });

  it('closes at once though connections idle or wait', async () => {
    const closing = await startTestEmulator();
    await closing.api('GET', '/v1/projects/p/policy');
    await closing.api('POST', '/_emulator/faults', { rules: [{ do: 'delay', delayMs: 60_000 }] });
    const waiting = closing.api('GET', '/v1/projects/p/policy').catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    await closing.close();
    expect(performance.now() - start).toBeLessThan(1000);
    expect(await waiting).toBe('cut');
  });

  it('takes a client that leaves in the middle of its body for no bug of its own', async () => {
    const socket = connect(emulator.port, '127.0.0.1');
    socket.write('PUT /v1/projects/p/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await expect.poll(async () => (await emulator.api('GET', '/_emulator/requests')).json.requests.length).toBe(1);
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(emulator.lastErrors).toEqual([]);
  });

  it('refuses a start with wrong faults', async () => {
    await expect(startTestEmulator({ faults: { rules: [{ do: 'explode' }] } })).rejects.toThrow('rules[0].do');
  });

  it('prints lines that a shell can read', async () => {
    const script = `${emulator.exportLines().join('\n')}\nenv | grep -E '^(BINAUTHZ|CLOUDSDK)_'; test -d "$CLOUDSDK_CONFIG" && echo made`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script], {
      env: { PATH: process.env['PATH'] ?? '', CLOUDSDK_CORE_PROJECT: 'mine' },
    });
    expect(stdout).toContain(`BINAUTHZ_EMULATOR_HOST=127.0.0.1:${emulator.port}\n`);
    expect(stdout).toContain(`CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS=http://127.0.0.1:${emulator.port}/\n`);
    expect(stdout).toContain(`CLOUDSDK_PROXY_ADDRESS=127.0.0.1\nCLOUDSDK_PROXY_PORT=${emulator.port}\n`);
    expect(stdout).toContain('CLOUDSDK_CORE_PROJECT=mine\n');
    expect(stdout).toContain('made');
  });
});

describe('exceptions from a proxy', () => {
  it.each([
    ['none', {}, '127.0.0.1,localhost'],
    ['NO_PROXY alone', { NO_PROXY: 'corp' }, '127.0.0.1,localhost,corp'],
    ['no_proxy alone', { no_proxy: 'corp' }, '127.0.0.1,localhost,corp'],
    ['both', { no_proxy: 'one', NO_PROXY: 'two' }, '127.0.0.1,localhost,one,two'],
  ])('the lines keep what was there (%s) and add the loopback', async (_name, env, expected) => {
    const script = `set -eu\n${emulator.exportLines().join('\n')}\nprintf '%s %s' "$no_proxy" "$NO_PROXY"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { env: { PATH: process.env['PATH'] ?? '', ...env } });
    expect(stdout).toBe(`${expected} ${expected}`);
  });
});

describe('the other small APIs', () => {
  it('gives a project a stable number, found by either name', async () => {
    const { projectNumber } = (await emulator.api('GET', '/v1/projects/demo-project')).json;
    expect(projectNumber).toMatch(/^\d{12}$/);
    expect((await emulator.api('GET', `/v3/projects/${projectNumber}`)).json).toMatchObject({
      name: `projects/${projectNumber}`,
      projectId: 'demo-project',
      state: 'ACTIVE',
    });
  });

  it('switches services off and on, each project by itself', async () => {
    const state = async (project: string) => (await emulator.api('GET', `/v1/projects/${project}/services/run.googleapis.com`)).json.state;
    expect(await state('p')).toBe('ENABLED');
    const operation = await emulator.api('POST', '/v1/projects/p/services/run.googleapis.com:disable', {});
    expect(operation.json).toMatchObject({ done: true, response: { service: { state: 'DISABLED' } } });
    expect([await state('p'), await state('q')]).toEqual(['DISABLED', 'ENABLED']);
    expect(
      (await emulator.api('GET', '/v1/projects/p/services?filter=state:DISABLED')).json.services.map(
        ({ config }: { config: { name: string } }) => config.name,
      ),
    ).toEqual(['run.googleapis.com']);
    const batch = await emulator.api('POST', '/v1/projects/p/services:batchEnable', { serviceIds: ['run.googleapis.com'] });
    expect(batch.json).toMatchObject({ done: true, response: { services: [{ state: 'ENABLED' }] } });
    expect(await state('p')).toBe('ENABLED');
  });

  it("names the service agent as the attestor's", async () => {
    const identity = await emulator.api('POST', '/v1beta1/projects/p/services/binaryauthorization.googleapis.com:generateServiceIdentity');
    const attestor = await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', {
      userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' },
    });
    expect(identity.json.response.email).toBe(attestor.json.userOwnedGrafeasNote.delegationServiceAccountEmail);
    expect(emulator.lastErrors).toEqual([]);
  });
});
