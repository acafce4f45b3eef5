// SPDX-License-Identifier: Apache-2.0
// What a listing tells of each attestation, which notes and projects it reads, and what is wrong where none verifies.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import type { NoteName, ProjectId } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { list } from '../../src/usecases/list.js';
import type { ListRequest } from '../../src/usecases/requests.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from '../support/ports.js';

const key = testKey('//trusted');
const stranger = testKey('//stranger');
const attestor = attestorOf('ci', key);
const project = 'p' as ProjectId;
const IMAGE = `gcr.io/p/app@${digest('app')}`;

interface Planted {
  readonly signer?: TestKey;
  readonly note?: NoteName;
  readonly uri?: string;
  readonly type?: string;
}

async function plant(ports: Memory, { signer = key, note = attestor.note, uri = `https://${IMAGE}`, type }: Planted = {}): Promise<string> {
  const plain = payloadFor(pin(reference('gcr.io/p/app:v1'), digest('app')));
  const payload = encodePayload(type === undefined ? plain : { ...plain, type });
  const [first] = signer.signers;
  const bytes = await first.sign(payload, first.publicKeys[0]);
  return ports.attestations.plant({ note, resourceUri: uri, payload, signatures: [{ publicKeyId: signer.entry.id, bytes }] });
}
const run = (ports: Memory, request: Partial<ListRequest>) => list({ images: [], attestors: [], ...request }, ports);

describe('an attestation', () => {
  it('that verifies is told with its key and time', async () => {
    const ports = memoryPorts([attestor], []);
    const occurrence = await plant(ports);
    ports.attestations.stored[0] = { ...ports.attestations.stored[0]!, createTime: '2026-11-20T00:00:00Z' };
    const { result, errors } = await run(ports, { attestors: [attestor.name] });
    expect(errors).toEqual([]);
    expect(result).toStrictEqual({
      schema: 'binauthz.list/v1',
      attestations: [
        {
          image: IMAGE,
          digest: digest('app'),
          occurrence,
          attestor: attestor.name,
          publicKeyId: '//trusted',
          createTime: '2026-11-20T00:00:00Z',
          verified: true,
        },
      ],
    });
  });

  it('without a time has none, and its doubts where it has some', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, { type: 'of another kind' });
    const [told] = (await run(ports, { attestors: [attestor.name] })).result.attestations;
    expect(told).not.toHaveProperty('createTime');
    expect(told).toMatchObject({ verified: true, warnings: [expect.stringContaining('of another kind')] });
  });

  it('that nobody signed has no key', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports);
    ports.attestations.stored[0] = { ...ports.attestations.stored[0]!, signatures: [] };
    expect((await run(ports, { attestors: [attestor.name] })).result.attestations).toMatchObject([{ publicKeyId: '', verified: false }]);
  });

  it.each([
    ['http://gcr.io/p/app@x', /^gcr\.io\/p\/app@x$/],
    ['gcr.io/http://p', /^gcr\.io\/http:\/\/p$/],
    [`gcr.io/p/app${'x'.repeat(1000)}`, /^gcr\.io\/p\/appx+$/],
  ])('of %s names no digest, and says so', async (uri, image) => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, { uri });
    const [told] = (await run(ports, { attestors: [attestor.name] })).result.attestations;
    expect(told).toMatchObject({ digest: '', verified: false, reason: { code: 'OTHER_DIGEST' } });
    expect(told?.image).toMatch(image);
    expect(told?.reason?.message).toMatch(/^its resource (?:http:\/\/)?gcr\.io.* names no sha256 digest$/);
    expect(told?.reason?.message.length).toBeLessThan(350);
  });
});

describe('a listing', () => {
  it('is of each attestor’s own note, by its own keys', async () => {
    const [ci, qa] = [attestor, attestorOf('qa', stranger)];
    const ports = memoryPorts([ci, qa], []);
    await plant(ports);
    await plant(ports, { note: qa.note, signer: stranger });
    const { result } = await run(ports, { attestors: [ci.name, qa.name] });
    expect(result.attestations.map(({ attestor: name, verified }) => [name, verified])).toEqual([
      [ci.name, true],
      [qa.name, true],
    ]);
  });

  it('judges by one attestor what hangs on a note of two', async () => {
    const twin = { ...attestorOf('twin', stranger), note: attestor.note };
    const ports = memoryPorts([attestor, twin], []);
    await plant(ports);
    const named = async (request: Partial<ListRequest>) =>
      (await run(ports, request)).result.attestations.map(({ attestor: name, verified }) => [name, verified]);
    expect(await named({ attestors: [attestor.name] })).toEqual([[attestor.name, true]]);
    expect(await named({ project })).toEqual([
      [attestor.name, true],
      [twin.name, false],
    ]);
  });

  it('of two attestors with one note tells each attestation once for each', async () => {
    const twin = { ...attestorOf('twin', stranger), note: attestor.note };
    const ports = memoryPorts([attestor, twin], []);
    await plant(ports);
    const { result } = await run(ports, { attestors: [attestor.name, twin.name] });
    expect(result.attestations.map(({ attestor: name, verified }) => [name, verified])).toEqual([
      [attestor.name, true],
      [twin.name, false],
    ]);
  });

  it('by an attestor that is not there reads no note, and neither does one of nothing ask for attestors', async () => {
    const ports = memoryPorts([attestor], []);
    const { errors } = await run(ports, { attestors: [attestor.name, attestorOf('gone').name] });
    expect([errors.map(({ code }) => code), ports.attestations.lists]).toEqual([['ATTESTOR_NOT_FOUND'], 0]);
    ports.attestors.attestorsIn = () => Promise.reject(new Error('asked for the attestors of no project'));
    expect((await run(ports, {})).errors).toEqual([]);
  });

  it('is of the images that are given, each once, and of nothing else', async () => {
    const ports = memoryPorts([attestor], [], { 'gcr.io/p/app:v1': { digest: digest('app') } });
    await plant(ports);
    await plant(ports, { uri: `https://gcr.io/p/other@${digest('other')}` });
    const { result, errors } = await run(ports, { images: [reference(IMAGE), reference('gcr.io/p/app:v1')], project });
    expect([result.attestations.map((one) => one.digest), errors]).toEqual([[digest('app')], []]);
  });

  it('of nothing reads nothing', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports);
    expect(await run(ports, {})).toEqual({ result: { schema: 'binauthz.list/v1', attestations: [] }, errors: [] });
    ports.registry.resolve = () => Promise.reject(new Error('asked the registry about a digest'));
    expect((await run(ports, { images: [reference(IMAGE)], project })).errors).toEqual([]);
  });

  it('that fails keeps what the others found, and says what failed', async () => {
    const qa = attestorOf('qa', key);
    const ports = memoryPorts([attestor, qa], []);
    await plant(ports, { note: qa.note });
    ports.attestations.listFaults.push(new BinauthzError('UNAVAILABLE', 'no answer'));
    const { result, errors } = await run(ports, { attestors: [attestor.name, qa.name], images: [reference(IMAGE)] });
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    expect(result).toMatchObject({
      attestations: [{ attestor: qa.name, verified: true }],
      errors: [{ code: 'UNAVAILABLE', message: 'no answer' }],
    });
  });

  it('fails where a signature could not be checked at all', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports);
    const failing = { ...ports, verifier: { ...ports.verifier, verify: () => Promise.reject(new BinauthzError('INTERNAL', 'broken')) } };
    expect((await list({ images: [], attestors: [attestor.name] }, failing)).errors.map(({ code }) => code)).toEqual(['INTERNAL']);
  });
});

describe('where none verifies', () => {
  it.each<[string, Partial<ListRequest>, RegExp]>([
    [
      'an attestor',
      { attestors: [attestor.name] },
      /cannot find an attestation of \S+@\S+ by projects\/p\/attestors\/ci: expected at least one/,
    ],
    ['a project', { project }, /cannot find an attestation of \S+@\S+ in project p: expected at least one/],
  ])('and none is there of %s, it is to be attested', async (_, request, message) => {
    const { errors } = await run(memoryPorts([attestor], []), { images: [reference(IMAGE)], ...request });
    expect(errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_FOUND',
        message: expect.stringMatching(message) as string,
        resource: IMAGE,
        hint: `attest it: binauthz attest ${IMAGE} …`,
      },
    ]);
  });

  it('the first one is named, with its reason and what to do', async () => {
    const ports = memoryPorts([attestor], []);
    const occurrence = await plant(ports, { signer: stranger });
    const { errors } = await run(ports, { images: [reference(IMAGE)], attestors: [attestor.name] });
    expect(errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_VERIFIABLE',
        resource: occurrence,
        message: expect.stringMatching(new RegExp(`by ${attestor.name}: ${occurrence}: .*//stranger`)) as string,
        hint: `attest it again with a key that the attestor trusts: binauthz attest ${IMAGE} …`,
      },
    ]);
  });

  it('because no attestor of the project uses its note, that is said', async () => {
    const ports = memoryPorts([attestor], []);
    const note = 'projects/elsewhere/notes/n' as NoteName;
    await plant(ports, { note });
    const { result, errors } = await run(ports, { images: [reference(IMAGE)], project });
    expect(result.attestations[0]?.reason).toEqual({
      code: 'NO_ATTESTOR',
      message: expect.stringMatching(new RegExp(`uses the note ${note}; name the attestor with --attestor`)) as string,
    });
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('in project p') as string,
      hint: `name the attestor whose note it is: binauthz list ${IMAGE} --attestor NAME`,
    });
  });
});
