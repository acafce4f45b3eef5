// SPDX-License-Identifier: Apache-2.0
// What a careless or hostile client sends: refused in Google's words, never swallowed, and never a failure of the emulator.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator()));
afterAll(() => emulator.close());
afterEach(() => expect(emulator.lastErrors).toEqual([]));

const KEYS = '/v1/projects/p/locations/global/keyRings/r/cryptoKeys';
const REPOSITORIES = '/v1/projects/p/locations/us/repositories';
const NOTE = 'projects/p/notes/n';
const EC_KEY = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' } };
const RULE = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const ATTESTATION = { serializedPayload: 'e30=', signatures: [{ publicKeyId: 'k', signature: 'AAAA' }] };
const occurrence = (attestation: unknown, more: object = {}) => ({
  resourceUri: 'https://x/y@sha256:0',
  noteName: NOTE,
  attestation,
  ...more,
});

beforeEach(async () => {
  await emulator.api('POST', '/_emulator/reset');
  await emulator.api('POST', '/v1/projects/p/notes?noteId=n', { attestation: { hint: { humanReadableName: 'n' } } });
  await emulator.api('POST', '/v1/projects/p/attestors?attestorId=a', { userOwnedGrafeasNote: { noteReference: NOTE } });
  await emulator.api('POST', '/v1/projects/p/locations/global/keyRings?keyRingId=r', {});
  await emulator.api('POST', `${KEYS}?cryptoKeyId=k`, EC_KEY);
  await emulator.api('POST', `${REPOSITORIES}?repositoryId=docker`, { format: 'DOCKER' });
});

/** Every place that reads a JSON body. */
const BODIES: readonly (readonly [string, string])[] = [
  ['PUT', '/v1/projects/p/policy'],
  ['POST', '/v1/projects/p/policy:setIamPolicy'],
  ['POST', '/v1/projects/p/policy:testIamPermissions'],
  ['POST', '/v1/projects/p/attestors?attestorId=b'],
  ['PUT', '/v1/projects/p/attestors/a'],
  ['POST', '/v1/projects/p/attestors/a:validateAttestationOccurrence'],
  ['POST', '/v1/projects/p/notes?noteId=m'],
  ['PATCH', '/v1/projects/p/notes/n'],
  ['POST', '/v1/projects/p/occurrences'],
  ['POST', '/v1/projects/p/occurrences:batchCreate'],
  ['POST', `${KEYS}?cryptoKeyId=l`],
  ['PATCH', `${KEYS}/k?updateMask=labels`],
  ['PATCH', `${KEYS}/k/cryptoKeyVersions/1?updateMask=state`],
  ['POST', `${KEYS}/k/cryptoKeyVersions/1:asymmetricSign`],
  ['POST', `${REPOSITORIES}?repositoryId=other`],
  ['PATCH', `${REPOSITORIES}/docker`],
  ['POST', '/v1/projects/p/services:batchEnable'],
  ['POST', '/v2/entries:write'],
  ['POST', '/v2/entries:list'],
  ['POST', '/v2/projects/p/metrics'],
  ['PUT', '/v2/projects/p/metrics/m'],
  ['POST', '/v3/projects/p/alertPolicies'],
  ['POST', '/v3/projects/p/notificationChannels'],
];

describe('bodies', () => {
  it.each(BODIES)('%s %s refuses what is not an object, and what nobody could mean', async (method, path) => {
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    for (const body of [
      '{',
      '[]',
      '[{}]',
      'null',
      '1',
      '"x"',
      deep,
      deep.replaceAll('{"a":', '[').replaceAll('}', ']'),
      `{"labels":${deep}}`,
    ]) {
      const answer = await emulator.api(method, path, body);
      expect([answer.status, answer.json.error.status], body.slice(0, 20)).toEqual([400, 'INVALID_ARGUMENT']);
    }
  });

  it.each(BODIES)('%s %s refuses a member that it does not know', async (method, path) => {
    for (const name of ['madeUp', '__proto__', 'constructor']) {
      const answer = await emulator.api(method, path, `{"${name}":{"policy":{}}}`);
      expect(answer.status, name).toBe(400);
      expect(answer.json.error.message, name).toContain(`Unknown name "${name}"`);
    }
  });

  it.each<[string, string, unknown, string]>([
    ['POST', '/v1/projects/p/occurrences', occurrence({ ...ATTESTATION, signature: [] }), 'signature'],
    [
      'POST',
      '/v1/projects/p/occurrences',
      occurrence({ ...ATTESTATION, signatures: [{ publicKeyId: 'k', signature: 'AAAA', keyId: 'k' }] }),
      'keyId',
    ],
    ['POST', '/v1/projects/p/notes?noteId=m', { attestation: { hint: { humanReadableName: 'm' }, hints: 1 } }, 'hints'],
    ['POST', '/v1/projects/p/notes?noteId=m', { attestation: { hint: { humanReadableName: 'm', name: 'm' } } }, 'name'],
    ['POST', `${KEYS}?cryptoKeyId=l`, { ...EC_KEY, versionTemplate: { ...EC_KEY.versionTemplate, level: 'HSM' } }, 'level'],
    ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: { binding: [] } }, 'binding'],
    ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: { bindings: [{ role: 'roles/viewer', member: 'user:a@b' }] } }, 'member'],
  ])('%s %s refuses unknown members within: %j', async (method, path, body, name) => {
    const answer = await emulator.api(method, path, body);
    expect([answer.status, answer.json.error.message]).toEqual([400, expect.stringContaining(`Unknown name "${name}"`)]);
  });

  it.each<[string, string, unknown]>([
    ['PUT', '/v1/projects/p/policy', { defaultAdmissionRule: { ...RULE, evaluationMode: ['ALWAYS_ALLOW'] } }],
    [
      'PUT',
      '/v1/projects/p/policy',
      { defaultAdmissionRule: { ...RULE, evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: [['projects/p/attestors/a']] } },
    ],
    ['PUT', '/v1/projects/p/policy', { defaultAdmissionRule: [RULE] }],
    ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: { bindings: [{ role: 'roles/viewer', members: [['user:a@b']] }] } }],
    ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: { version: [3] } }],
    ['POST', '/v1/projects/p/policy:setIamPolicy', { policy: { etag: 7 } }],
    ['POST', '/v1/projects/p/policy:testIamPermissions', { permissions: [['binaryauthorization.policy.get']] }],
    ['POST', '/v1/projects/p/services:batchEnable', { serviceIds: [['run.googleapis.com']] }],
    ['POST', '/v1/projects/p/occurrences', occurrence(ATTESTATION, { remediation: 5 })],
    ['POST', '/v1/projects/p/notes?noteId=m', { attestation: { hint: { humanReadableName: 'm' } }, shortDescription: ['x'] }],
    ['POST', `${KEYS}?cryptoKeyId=l`, { ...EC_KEY, labels: { a: 1 } }],
    ['POST', `${KEYS}?cryptoKeyId=l`, { ...EC_KEY, purpose: ['ASYMMETRIC_SIGN'] }],
    ['POST', `${REPOSITORIES}?repositoryId=other`, { format: 'DOCKER', description: 5 }],
    ['POST', `${REPOSITORIES}?repositoryId=other`, { format: 'DOCKER', labels: ['x'] }],
    ['POST', `${REPOSITORIES}?repositoryId=other`, { format: 'DOCKER', mode: 'REMOTE_REPOSITORY' }],
  ])('%s %s refuses a value of the wrong type: %j', async (method, path, body) => {
    const answer = await emulator.api(method, path, body);
    expect([answer.status, answer.json.error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it('accepts both base64 alphabets, padded or not, and refuses broken base64', async () => {
    const send = (signature: string) =>
      emulator.api(
        'POST',
        '/v1/projects/p/occurrences',
        occurrence({ serializedPayload: 'e30', signatures: [{ publicKeyId: 'k', signature }] }),
      );
    expect((await send('-_-_')).json.attestation.signatures).toEqual([{ publicKeyId: 'k', signature: '+/+/' }]);
    for (const same of ['+/+/', '-_+/']) expect((await send(same)).status, same).toBe(409);
    for (const broken of ['A', 'AAAAA', 'AA=', 'AAA==', 'AAAA=', 'AA A', 'AAA*']) expect((await send(broken)).status, broken).toBe(400);
  });

  it('takes a body in chunks, and one that waits for 100 Continue', async () => {
    const { port } = emulator;
    const exchange = (request: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(request));
        let received = '';
        socket.setEncoding('utf8').on('data', (chunk: string) => {
          received += chunk;
          if (received.endsWith('Continue\r\n\r\n')) socket.write('{}');
        });
        socket.on('close', () => resolve(received)).on('error', reject);
      });
    const head = 'POST /v1/projects/p/policy:testIamPermissions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    expect(await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200/);
    expect(await exchange(`${head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/,
    );
  });
});

/** Every list of Google's APIs that has pages. */
const LISTS = [
  '/v1/projects/p/attestors',
  '/v1/projects/p/notes',
  '/v1/projects/p/occurrences',
  '/v1/projects/p/notes/n/occurrences',
  '/v1/projects/p/locations',
  '/v1beta2/projects/p/locations',
  '/v1/projects/p/locations/global/keyRings',
  KEYS,
  `${KEYS}/k/cryptoKeyVersions`,
  REPOSITORIES,
  '/v1/projects/p/services',
];

describe('pages', () => {
  it.each(LISTS)('%s refuses page tokens that it never gave, and page sizes that are no size', async (path) => {
    for (const [parameter, value] of [
      ['pageToken', 'x'],
      ['pageToken', '!!'],
      ['pageToken', 'MTAw'],
      ['pageToken', '1'],
      ['page_token', 'x'],
      ['pageSize', '-1'],
      ['pageSize', 'x'],
      ['pageSize', '1.5'],
      ['pageSize', '0x10'],
      ['pageSize', '1e1'],
    ]) {
      const answer = await emulator.api('GET', `${path}?${String(parameter)}=${encodeURIComponent(String(value))}`);
      expect([answer.status, answer.json.error?.status], `${String(parameter)}=${String(value)}`).toEqual([400, 'INVALID_ARGUMENT']);
    }
  });

  it('continues with its own tokens, and takes an empty token and size as none', async () => {
    for (const id of ['b', 'c'])
      await emulator.api('POST', `/v1/projects/p/attestors?attestorId=${id}`, { userOwnedGrafeasNote: { noteReference: NOTE } });
    const first = (await emulator.api('GET', '/v1/projects/p/attestors?pageSize=2&pageToken=')).json;
    expect(first.attestors).toHaveLength(2);
    const rest = (await emulator.api('GET', `/v1/projects/p/attestors?page_size=2&page_token=${first.nextPageToken as string}`)).json;
    expect(rest.attestors.map(({ name }: { name: string }) => name)).toEqual(['projects/p/attestors/c']);
    expect(rest.nextPageToken).toBeUndefined();
    expect((await emulator.api('GET', '/v1/projects/p/attestors?pageSize=')).json.attestors).toHaveLength(3);
  });
});

describe('queries', () => {
  it('refuse an order that is none', async () => {
    expect((await emulator.api('GET', `${REPOSITORIES}?orderBy=name%20desc`)).status).toBe(200);
    for (const order of ['name down', 'name; drop'])
      expect((await emulator.api('GET', `${REPOSITORIES}?orderBy=${encodeURIComponent(order)}`)).status, order).toBe(400);
  });

  it('take snake_case names as well as camelCase', async () => {
    expect(
      (await emulator.api('POST', '/v1/projects/p/attestors?attestor_id=b', { user_owned_grafeas_note: { note_reference: NOTE } })).status,
    ).toBe(200);
    expect((await emulator.api('POST', '/v1/projects/p/locations/global/keyRings?key_ring_id=s', {})).status).toBe(200);
    expect((await emulator.api('PATCH', `${KEYS}/k/cryptoKeyVersions/1?update_mask=state`, { state: 'DISABLED' })).json.state).toBe(
      'DISABLED',
    );
  });
});

describe('locations', () => {
  const ids = async (path: string, token?: string) =>
    ((await emulator.api('GET', path, undefined, token)).json.locations ?? []).map(
      ({ locationId }: { locationId: string }) => locationId,
    ) as string[];

  it('are those of Cloud KMS and of Artifact Registry, on one path', async () => {
    expect(await ids('/v1/projects/p/locations')).toEqual(expect.arrayContaining(['global', 'us', 'asia', 'us-central1', 'africa-south1']));
    expect((await emulator.api('GET', '/v1/projects/p/locations/africa-south1')).json).toEqual({
      name: 'projects/p/locations/africa-south1',
      locationId: 'africa-south1',
    });
    expect((await emulator.api('GET', '/v1/projects/p/locations/atlantis')).status).toBe(404);
  });

  it('are for those who may see them', async () => {
    expect((await emulator.api('GET', '/v1/projects/p/locations', undefined, 'as:a@b.c')).json.error.status).toBe('PERMISSION_DENIED');
    for (const role of ['roles/artifactregistry.reader', 'roles/cloudkms.signer']) {
      await emulator.api('POST', '/v1/projects/p:setIamPolicy', { policy: { bindings: [{ role, members: ['user:a@b.c'] }] } });
      expect(await ids('/v1/projects/p/locations', 'as:a@b.c'), role).toContain('us');
    }
  });
});

describe('paths', () => {
  it.each([
    '/v1/projects/p%2Fq/policy',
    '/v1/projects/p/attestors/a%2Fb',
    '/v1/projects/p/notes/n%2fm',
    `${KEYS}/k%2FcryptoKeyVersions%2F1`,
    '/v1/projects/p%2Fq/locations/us/repositories/docker',
    '/v1/projects/p%2Fq/locations',
  ])('%s names nothing: a slash is no part of an id', async (path) => {
    expect((await emulator.api('GET', path)).status).toBe(404);
  });

  it('an escaped colon makes no custom verb', async () => {
    expect((await emulator.api('GET', '/v1/projects/p/attestors/a%3AgetIamPolicy')).status).toBe(404);
  });

  it.each(['example.com:proj', 'example.com%3Aproj'])('a domain-scoped project, %s, has everything that another has', async (project) => {
    for (const path of [
      'policy',
      'policy:getIamPolicy',
      'notes',
      'services',
      'services/run.googleapis.com',
      'locations',
      'locations/us/repositories',
      'locations/global/keyRings',
    ]) {
      expect((await emulator.api('GET', `/v1/projects/${project}/${path}`)).status, path).toBe(200);
    }
    const attestor = await emulator.api('POST', `/v1/projects/${project}/attestors?attestorId=a`, {
      userOwnedGrafeasNote: { noteReference: 'projects/example.com:proj/notes/n' },
    });
    expect(attestor.json.name).toBe('projects/example.com:proj/attestors/a');
    expect((await emulator.api('GET', `/v1/projects/${project}/attestors/a:getIamPolicy`)).json).toEqual({ etag: 'ACAB' });
  });

  it('refuses the id of a note that no path could reach', async () => {
    for (const id of ['a:b', 'a/b', 'a b', ''])
      expect((await emulator.api('POST', `/v1/projects/p/notes?noteId=${encodeURIComponent(id)}`, { attestation: {} })).status, id).toBe(
        400,
      );
  });
});

describe('IAM etags', () => {
  it('are bytes: gcloud sends them back in the URL-safe alphabet', async () => {
    const path = '/v1/projects/p/attestors/a:setIamPolicy';
    let etag = 'ACAB';
    let respelt = 0;
    for (let round = 0; respelt < 2 && round < 200; round += 1) {
      const sent = etag.replaceAll('+', '-').replaceAll('/', '_');
      if (sent !== etag) respelt += 1;
      const answer = await emulator.api('POST', path, {
        policy: { etag: sent, bindings: [{ role: 'roles/viewer', members: [`user:u${round}@b.c`] }] },
      });
      expect(answer.status, etag).toBe(200);
      expect((await emulator.api('POST', path, { policy: { etag: sent } })).json.error.status, 'a stale etag').toBe('ABORTED');
      etag = answer.json.etag as string;
    }
    expect(respelt).toBe(2);
  });
});

describe('races', () => {
  it('let one of many writers with the same etag through', async () => {
    const attestor = (await emulator.api('GET', '/v1/projects/p/attestors/a')).json;
    const policy = (await emulator.api('PUT', '/v1/projects/p/policy', { defaultAdmissionRule: RULE })).json;
    const pem = (await emulator.api('GET', `${KEYS}/k/cryptoKeyVersions/1/publicKey`)).json.pem as string;
    const key = (id: string) => ({ id, pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm: 'ECDSA_P256_SHA256' } });
    const writers = Array.from({ length: 8 }, (_value, index) => index);
    const race = async (write: (index: number) => ReturnType<TestEmulator['api']>) =>
      (await Promise.all(writers.map(write))).map(({ status }) => status).sort();
    const one = [200, ...Array.from({ length: 7 }, () => 409)];
    expect(
      await race((index) =>
        emulator.api('PUT', '/v1/projects/p/attestors/a', {
          ...attestor,
          userOwnedGrafeasNote: { noteReference: NOTE, publicKeys: [key(`urn:${index}`)] },
        }),
      ),
    ).toEqual(one);
    expect(await race((index) => emulator.api('PUT', '/v1/projects/p/policy', { ...policy, description: String(index) }))).toEqual(one);
    expect(
      await race((index) =>
        emulator.api('POST', '/v1/projects/p/policy:setIamPolicy', {
          policy: { etag: 'ACAB', bindings: [{ role: 'roles/viewer', members: [`user:u${index}@b.c`] }] },
        }),
      ),
    ).toEqual(one);
  });

  it('let one of many creators of the same thing through', async () => {
    const creations: readonly (readonly [string, unknown])[] = [
      ['/v1/projects/p/attestors?attestorId=new', { userOwnedGrafeasNote: { noteReference: NOTE } }],
      ['/v1/projects/p/notes?noteId=new', { attestation: {} }],
      [`${KEYS}?cryptoKeyId=new`, EC_KEY],
      ['/v1/projects/p/occurrences', occurrence(ATTESTATION)],
    ];
    for (const [path, body] of creations) {
      const statuses = (await Promise.all(Array.from({ length: 6 }, () => emulator.api('POST', path, body)))).map(({ status }) => status);
      expect(statuses.sort(), path).toEqual([200, 409, 409, 409, 409, 409]);
    }
    const versions = await Promise.all(Array.from({ length: 4 }, () => emulator.api('POST', `${KEYS}/k/cryptoKeyVersions`, {})));
    expect(versions.map(({ json }) => (json.name as string).split('/').at(-1)).sort()).toEqual(['2', '3', '4', '5']);
  });
});

describe('occurrences', () => {
  it('of one note on one image are one, or as many as differ', async () => {
    const send = async (change: object, resourceUri = 'https://x/y@sha256:0') =>
      (await emulator.api('POST', '/v1/projects/p/occurrences', occurrence({ ...ATTESTATION, ...change }, { resourceUri }))).status;
    const second = { signatures: [{ publicKeyId: 'other', signature: 'AAAA' }] };
    expect([await send({}), await send({}), await send(second), await send({}, 'x/y@sha256:0')]).toEqual([200, 409, 200, 200]);
    await emulator.api('POST', '/_emulator/faults', { duplicates: 'note-resource' });
    expect([await send({ serializedPayload: 'AAAA' }), await send({}, 'http://x/y@sha256:0'), await send({}, 'x/z')]).toEqual([
      409, 409, 200,
    ]);
    for (const { name } of (await emulator.api('GET', '/v1/projects/p/occurrences')).json.occurrences as { name: string }[])
      await emulator.api('DELETE', `/v1/${name}`);
    expect([await send(second), await send(second)]).toEqual([200, 409]);
  });

  it('have IAM methods of their own', async () => {
    const { name } = (await emulator.api('POST', '/v1/projects/p/occurrences', occurrence(ATTESTATION))).json;
    const set = await emulator.api('POST', `/v1/${name as string}:setIamPolicy`, {
      policy: { bindings: [{ role: 'roles/containeranalysis.occurrences.viewer', members: ['user:a@b.c'] }] },
    });
    expect(set.json.bindings).toHaveLength(1);
    expect((await emulator.api('GET', `/v1/${name as string}`, undefined, 'as:a@b.c')).status).toBe(200);
    expect(
      (
        await emulator.api(
          'POST',
          `/v1/${name as string}:testIamPermissions`,
          { permissions: ['containeranalysis.occurrences.get', 'containeranalysis.occurrences.delete'] },
          'as:a@b.c',
        )
      ).json,
    ).toEqual({ permissions: ['containeranalysis.occurrences.get'] });
    await emulator.api('DELETE', `/v1/${name as string}`);
    expect((await emulator.api('POST', `/v1/${name as string}:getIamPolicy`, {})).status).toBe(404);
  });

  it('stay quick to add and list by the thousand, for one image', { timeout: 20_000 }, async () => {
    const payload = Buffer.alloc(2_000, 'x').toString('base64');
    const many = (from: number) =>
      Array.from({ length: 1000 }, (_value, index) =>
        occurrence({ serializedPayload: payload, signatures: [{ publicKeyId: `k${from + index}`, signature: 'AAAA' }] }),
      );
    const start = performance.now();
    for (const from of [0, 1000, 2000])
      expect((await emulator.api('POST', '/v1/projects/p/occurrences:batchCreate', { occurrences: many(from) })).status).toBe(200);
    const page = await emulator.api('GET', `/v1/${NOTE}/occurrences?pageSize=1000`);
    expect(page.json.occurrences).toHaveLength(1000);
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});

describe('the registry', () => {
  const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const push = (method: string, path: string, body: Uint8Array, type = 'application/octet-stream') =>
    fetch(`${emulator.url}${path}`, { method, body: new Uint8Array(body), headers: { 'content-type': type } });

  it('takes a layer that is larger than any call of an API may be', async () => {
    const layer = Buffer.alloc(65 * 1024 * 1024, 7);
    const start = await push('POST', '/v2/p/r/app/blobs/uploads/', Buffer.alloc(0));
    const session = start.headers.get('location') ?? '';
    expect((await push('PATCH', session, layer)).status).toBe(202);
    expect((await push('PUT', `${session}?digest=${digestOf(layer)}`, Buffer.alloc(0))).status).toBe(201);
    expect((await emulator.api('HEAD', `/v2/p/r/app/blobs/${digestOf(layer)}`)).headers.get('content-length')).toBe(String(layer.length));
  });

  it('takes a layer in many chunks without copying it for each', { timeout: 20_000 }, async () => {
    const session = (await push('POST', '/v2/p/r/app/blobs/uploads/', Buffer.alloc(0))).headers.get('location') ?? '';
    const chunk = Buffer.alloc(64 * 1024, 9);
    const all = Buffer.concat(Array.from({ length: 400 }, () => chunk));
    for (let index = 0; index < 400; index += 1) {
      const response = await push('PATCH', session, chunk);
      expect(response.headers.get('range')).toBe(`0-${(index + 1) * chunk.length - 1}`);
    }
    expect((await push('PUT', `${session}?digest=${digestOf(all)}`, Buffer.alloc(0))).status).toBe(201);
    expect(Buffer.from(await (await fetch(`${emulator.url}/v2/p/r/app/blobs/${digestOf(all)}`)).arrayBuffer()).equals(all)).toBe(true);
  });

  it('refuses a manifest that nobody could show again', async () => {
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const index = 'application/vnd.oci.image.index.v1+json';
    const manifest = Buffer.from(
      `{"schemaVersion":2,"mediaType":"${index}","manifests":[],"annotations":${deep},"subject":{"digest":"sha256:${'0'.repeat(64)}"}}`,
    );
    const answer = await push('PUT', '/v2/p/r/app/manifests/v1', manifest, index);
    expect([answer.status, await answer.json()]).toEqual([400, { errors: [{ code: 'MANIFEST_INVALID', message: expect.any(String) }] }]);
  });

  it.each([
    '[]',
    'null',
    '1',
    '{',
    '{"schemaVersion":2,"layers":[],"config":[]}',
    '{"schemaVersion":2,"layers":[1],"config":{}}',
    '{"schemaVersion":"2","layers":[],"config":{}}',
    '{"schemaVersion":2,"mediaType":7,"layers":[],"config":{}}',
  ])('refuses the manifest %s', async (manifest) => {
    const answer = await push('PUT', '/v2/p/r/app/manifests/v1', Buffer.from(manifest), 'application/vnd.oci.image.manifest.v1+json');
    expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([400, ['errors']]);
  });
});
