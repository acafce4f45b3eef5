// SPDX-License-Identifier: Apache-2.0
import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { corrupt } from '../../src/emulator/faults.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
beforeEach(() => emulator.api('POST', '/_emulator/reset'));
afterAll(() => emulator.close());

const POLICY = '/v1/projects/p/policy';
const plan = async (...rules: object[]) => expect((await emulator.api('POST', '/_emulator/faults', { rules })).status).toBe(200);
const status = async (path = POLICY, method = 'GET') => (await emulator.api(method, path)).status;
const attestor = (id: string) =>
  emulator.api('POST', `/v1/projects/p/attestors?attestorId=${id}`, { userOwnedGrafeasNote: { noteReference: 'projects/p/notes/n' } });
const logged = async () =>
  (await emulator.api('GET', '/_emulator/requests')).json.requests.map((entry: { status: number }) => entry.status);

describe('which rule acts', () => {
  it('once by default', async () => {
    await plan({ do: 'status', status: 503 });
    expect([await status(), await status()]).toEqual([503, 200]);
  });

  it('as often as times says, and always with -1', async () => {
    await plan({ do: 'status', status: 503, times: 2, path: '/policy$' }, { do: 'status', status: 429, times: -1, path: '/attestors$' });
    expect([await status(), await status(), await status()]).toEqual([503, 503, 200]);
    for (let turn = 0; turn < 4; turn += 1) expect(await status('/v1/projects/p/attestors')).toBe(429);
  });

  it('never with 0', async () => {
    await plan({ do: 'status', status: 503, times: 0 });
    expect(await status()).toBe(200);
  });

  it('after letting the first matches pass', async () => {
    await plan({ do: 'status', status: 503, after: 2, path: '/policy$' });
    expect([await status(), await status('/v1/projects/p/attestors'), await status(), await status(), await status()]).toEqual([
      200, 200, 200, 503, 200,
    ]);
  });

  it('the first unspent one', async () => {
    await plan({ do: 'status', status: 500 }, { do: 'status', status: 501 });
    expect([await status(), await status(), await status()]).toEqual([500, 501, 200]);
  });

  it('by method and by path without the query', async () => {
    await plan({ method: '^PUT$', do: 'status', status: 500 }, { path: '/policy$', do: 'status', status: 501 });
    expect(await status(`${POLICY}?alt=json`)).toBe(501);
    expect(await status(POLICY, 'PUT')).toBe(500);
  });

  it('also with a trailing slash', async () => {
    await plan({ path: '/policy$', do: 'status', status: 501 }, { path: '/policy/$', do: 'status', status: 502 });
    expect([await status(`${POLICY}/`), await status(`${POLICY}/`), await status(`${POLICY}/`)]).toEqual([501, 502, 200]);
  });

  it('never on admin calls', async () => {
    await plan({ do: 'status', status: 500, times: -1 });
    expect(await status('/_emulator/health')).toBe(200);
  });

  it('until another document replaces it, or a reset', async () => {
    await plan({ do: 'status', status: 500, times: -1 });
    await plan({ do: 'status', status: 501, times: -1 });
    expect(await status()).toBe(501);
    await emulator.api('POST', '/_emulator/reset');
    expect(await status()).toBe(200);
  });

  it('from the start', async () => {
    const own = await startTestEmulator({ faults: { rules: [{ do: 'status', status: 418 }] } });
    expect((await own.api('GET', POLICY)).status).toBe(418);
    await own.close();
  });
});

describe('what it does', () => {
  it('status: with headers and body as given, or a body in Google form', async () => {
    await plan({ do: 'status', status: 429, headers: { 'Retry-After': '1' }, body: { some_thing: 1 } }, { do: 'status', status: 503 });
    const first = await emulator.api('GET', POLICY);
    expect([first.headers.get('retry-after'), first.json]).toEqual(['1', { some_thing: 1 }]);
    expect((await emulator.api('GET', POLICY)).json.error).toMatchObject({ code: 503, status: 'UNAVAILABLE' });
  });

  it('status: changes nothing', async () => {
    await plan({ do: 'status', status: 503 });
    await attestor('a');
    expect(await status('/v1/projects/p/attestors/a')).toBe(404);
  });

  it('reset-before: cuts without handling', async () => {
    await plan({ method: 'POST', do: 'reset-before' });
    await expect(attestor('a')).rejects.toThrow();
    expect(await logged()).toEqual([0]);
    expect(await status('/v1/projects/p/attestors/a')).toBe(404);
  });

  it('reset-after: handles, then cuts', async () => {
    await plan({ method: 'POST', do: 'reset-after' });
    await expect(attestor('a')).rejects.toThrow();
    expect(await status('/v1/projects/p/attestors/a')).toBe(200);
  });

  it.each([0, 5])('truncate: announces everything and sends %d bytes', async (bytes) => {
    await plan({ do: 'truncate', bytes });
    const seen = await new Promise<{ announced: number; received: number; cut: boolean }>((resolve) => {
      get(`${emulator.url}${POLICY}`, (response) => {
        let received = 0;
        const announced = Number(response.headers['content-length']);
        response.on('data', (chunk: Buffer) => void (received += chunk.length));
        response.on('error', () => resolve({ announced, received, cut: true }));
        response.on('end', () => resolve({ announced, received, cut: false }));
      });
    });
    expect(seen).toEqual({ announced: (await emulator.api('GET', POLICY)).text.length, received: bytes, cut: true });
  });

  it('delay: waits, then handles', async () => {
    await plan({ do: 'delay', delayMs: 200 });
    const start = performance.now();
    expect(await status()).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(199);
  });

  it('corrupt: alters one member of the answer, not of the state', async () => {
    await plan({ do: 'corrupt', field: 'evaluationMode' });
    const altered = (await emulator.api('GET', POLICY)).json;
    const right = (await emulator.api('GET', POLICY)).json;
    expect(altered.defaultAdmissionRule.evaluationMode).not.toBe(right.defaultAdmissionRule.evaluationMode);
    expect(altered.defaultAdmissionRule.enforcementMode).toBe(right.defaultAdmissionRule.enforcementMode);
  });
});

describe('corrupted values', () => {
  const bytes = Buffer.from('some signature bytes that are long enough').toString('base64');
  it.each([
    [
      'base64',
      bytes,
      (value: unknown) =>
        Buffer.from(String(value), 'base64').length === Buffer.from(bytes, 'base64').length && /^[A-Za-z0-9+/]+=*$/.test(String(value)),
    ],
    ['a decimal string', '492493660', (value: unknown) => /^\d+$/.test(String(value))],
    ['a boolean', true, (value: unknown) => value === false],
    ['a number', 7, (value: unknown) => typeof value === 'number'],
    ['a PEM', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', (value: unknown) => typeof value === 'string'],
    ['a resource name', 'projects/p/locations/l/keyRings/ring', (value: unknown) => String(value).startsWith('projects/')],
  ])('%s stays of its kind', (_kind, value, kept) => {
    const altered = (
      corrupt({ json: { deep: [{ field: value, other: value }] } }, 'field').json as { deep: { field: unknown; other: unknown }[] }
    ).deep[0];
    expect(altered?.field).not.toEqual(value);
    expect(kept(altered?.field)).toBe(true);
    expect(altered?.other).toEqual(value);
  });

  it('reaches into a manifest, which is JSON sent as bytes', () => {
    const altered = corrupt({ bytes: Buffer.from('{"config":{"digest":"sha256:ab12"},"size":1}') }, 'digest');
    expect(JSON.parse(Buffer.from(altered.bytes ?? []).toString())).toEqual({ config: { digest: 'sha256:ab10' }, size: 1 });
  });

  it('leaves other bytes and other members alone', () => {
    const reply = { bytes: Buffer.from('x') };
    expect(corrupt(reply, 'field')).toBe(reply);
    expect(corrupt({ json: { a: 1 } }, 'field').json).toEqual({ a: 1 });
  });
});

describe('settings in the same document', () => {
  it('returns to the start value where a document leaves it out', async () => {
    const own = await startTestEmulator({ propagationDelayMs: 60_000 });
    const post = async (path: string, body: unknown) => expect((await own.api('POST', path, body)).status).toBe(200);
    const visible = async () => ((await own.api('GET', '/v1/projects/p/notes/n/occurrences')).json.occurrences ?? []).length;
    const occurrence = (byte: string) => ({
      noteName: 'projects/p/notes/n',
      resourceUri: `https://gcr.io/p/x@sha256:${byte.repeat(64)}`,
      attestation: { serializedPayload: 'e30=', signatures: [{ publicKeyId: 'ni:///x', signature: 'AAAA' }] },
    });
    await post('/v1/projects/p/notes?noteId=n', { attestation: { hint: { humanReadableName: 'n' } } });
    await post('/v1/projects/p/occurrences', occurrence('a'));
    expect(await visible()).toBe(0);
    await post('/_emulator/faults', { propagationDelayMs: 0, duplicates: 'note-resource' });
    await post('/v1/projects/p/occurrences', occurrence('b'));
    expect(await visible()).toBeGreaterThanOrEqual(1);
    const again = {
      ...occurrence('b'),
      attestation: { serializedPayload: 'e30=', signatures: [{ publicKeyId: 'ni:///y', signature: 'AAAA' }] },
    };
    expect((await own.api('POST', '/v1/projects/p/occurrences', again)).status).toBe(409);
    await post('/_emulator/faults', {});
    await post('/v1/projects/p/occurrences', again);
    await own.close();
  });
});

describe('a wrong document', () => {
  it.each([
    [[], 'must be an object'],
    [{ rules: {} }, 'rules must be a list'],
    [{ rule: [] }, 'rule is unknown'],
    [{ rules: [1] }, 'rules[0] must be an object'],
    [{ rules: [{}] }, 'rules[0].do is missing'],
    [{ rules: [{ do: 'explode' }] }, 'rules[0].do must be one of'],
    [{ rules: [{ do: 'delay', delayMs: 1 }, { do: 'status' }] }, 'rules[1].status is missing'],
    [{ rules: [{ do: 'status', status: 99 }] }, 'rules[0].status'],
    [{ rules: [{ do: 'status', status: 600 }] }, 'rules[0].status'],
    [{ rules: [{ do: 'status', status: '503' }] }, 'rules[0].status must be a whole number'],
    [{ rules: [{ do: 'truncate' }] }, 'rules[0].bytes is missing'],
    [{ rules: [{ do: 'corrupt' }] }, 'rules[0].field is missing'],
    [{ rules: [{ do: 'delay' }] }, 'rules[0].delayMs is missing'],
    [{ rules: [{ do: 'reset-after', path: '(' }] }, 'rules[0].path is not a regular expression'],
    [{ rules: [{ do: 'reset-after', method: 1 }] }, 'rules[0].method must be a string'],
    [{ rules: [{ do: 'reset-after', times: -2 }] }, 'rules[0].times'],
    [{ rules: [{ do: 'reset-after', after: 1.5 }] }, 'rules[0].after'],
    [{ rules: [{ do: 'reset-after', delay: 1 }] }, 'rules[0].delay is unknown'],
    [{ rules: [{ do: 'status', status: 500, headers: { a: 1 } }] }, 'rules[0].headers'],
    [{ propagationDelayMs: -1 }, 'propagationDelayMs'],
    [{ duplicates: 'none' }, 'duplicates must be one of identical, note-resource'],
  ])('%j is refused: %s', async (document, message) => {
    await plan({ do: 'status', status: 501, times: -1 });
    const answer = await emulator.api('POST', '/_emulator/faults', document);
    expect([answer.status, answer.json.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(answer.json.error.message).toContain(message);
    expect(await status()).toBe(501);
  });

  it('names everything that is wrong at once', async () => {
    const { json } = await emulator.api('POST', '/_emulator/faults', { duplicates: 1, rules: [{ do: 'status', bytes: 'x' }] });
    for (const part of ['duplicates', 'rules[0].status', 'rules[0].bytes']) expect(json.error.message).toContain(part);
  });

  it('is refused when it is not JSON', async () => {
    expect((await emulator.api('POST', '/_emulator/faults', 'rules: []')).status).toBe(400);
  });
});
