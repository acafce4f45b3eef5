// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import type { NoteName, ProjectId } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { list } from '../../src/usecases/list.js';
import type { ListRequest } from '../../src/usecases/requests.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from '../support/ports.js';

const key = testKey('//trusted');
const stranger = testKey('//stranger');
const attestor = attestorOf('ci', key);
const IMAGE = `gcr.io/p/app@${digest('app')}`;
const project = 'p' as ProjectId;

async function plant(ports: Memory, signer: TestKey, word = 'app', note: NoteName = attestor.note): Promise<string> {
  const image = pin(reference('gcr.io/p/app:v1'), digest(word));
  const payload = encodePayload(payloadFor(image));
  const [first] = signer.signers;
  return ports.attestations.plant({
    note,
    resourceUri: `https://gcr.io/p/app@${digest(word)}`,
    payload,
    signatures: [{ publicKeyId: signer.entry.id, bytes: await first.sign(payload, first.publicKeys[0]) }],
  });
}

async function run(ports: Memory, request: Partial<ListRequest>) {
  const { result, errors } = await list({ images: [], attestors: [], ...request }, ports);
  return { attestations: result.attestations, code: exitCodeOf(errors), errors: errors.map(({ code }) => code) };
}

describe('list', () => {
  it('of an image ends 0 with a verified attestation, and shows the others with their reason', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, stranger);
    await plant(ports, key);
    const { attestations, code } = await run(ports, { images: [reference(IMAGE)], attestors: [attestor.name] });
    expect(code).toBe(0);
    expect(attestations.map(({ verified, reason }) => [verified, reason?.code])).toEqual([
      [false, 'UNKNOWN_KEY_ID'],
      [true, undefined],
    ]);
  });

  it('of an image ends 7 where only unverified ones are found', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, stranger);
    expect((await run(ports, { images: [reference(IMAGE)], attestors: [attestor.name] })).code).toBe(7);
  });

  it('of an image ends 6 where none is found', async () => {
    expect((await run(memoryPorts([attestor], []), { images: [reference(IMAGE)], attestors: [attestor.name] })).errors).toEqual([
      'ATTESTATION_NOT_FOUND',
    ]);
  });

  it('needs a verified attestation of each attestor named, for each image', async () => {
    const second = attestorOf('qa', key);
    const ports = memoryPorts([attestor, second], []);
    await plant(ports, key);
    const both = { attestors: [attestor.name, second.name] };
    expect((await run(ports, { images: [reference(IMAGE)], ...both })).code).toBe(6);
    await plant(ports, key, 'app', second.note);
    expect((await run(ports, { images: [reference(IMAGE)], ...both })).code).toBe(0);
    expect((await run(ports, { images: [reference(IMAGE), reference(`gcr.io/p/app@${digest('b')}`)], ...both })).errors).toEqual([
      'ATTESTATION_NOT_FOUND',
      'ATTESTATION_NOT_FOUND',
    ]);
  });

  it('without an image ends 0, also with nothing to show', async () => {
    expect(await run(memoryPorts([attestor], []), { attestors: [attestor.name] })).toEqual({ attestations: [], code: 0, errors: [] });
  });

  it('of a project finds the attestor by its note, and says where there is none', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, key);
    await plant(ports, key, 'app', 'projects/elsewhere/notes/n' as NoteName);
    const { attestations, code } = await run(ports, { project });
    expect(code).toBe(0);
    expect(attestations.map(({ attestor: name, verified, reason }) => [name, verified, reason?.code])).toEqual([
      [attestor.name, true, undefined],
      ['', false, 'NO_ATTESTOR'],
    ]);
  });

  it('of a project tells to name the attestor where only the note of another project has one', async () => {
    const ports = memoryPorts([attestor], []);
    await plant(ports, key, 'app', 'projects/elsewhere/notes/n' as NoteName);
    const { errors } = await list({ images: [reference(IMAGE)], attestors: [], project }, ports);
    expect(errors.map(({ code, hint }) => [code, hint])).toEqual([
      ['ATTESTATION_NOT_VERIFIABLE', `name the attestor whose note it is: binauthz list ${IMAGE} --attestor NAME`],
    ]);
  });

  it('does not count absences where something could not be read', async () => {
    const ports = memoryPorts([attestor], []);
    expect((await run(ports, { images: [reference(IMAGE), reference('gcr.io/p/missing:v1')], attestors: [attestor.name] })).errors).toEqual(
      ['IMAGE_NOT_FOUND'],
    );
  });

  it('ends with all attestors that are not there', async () => {
    expect((await run(memoryPorts([], []), { attestors: [attestor.name, attestorOf('b').name] })).code).toBe(6);
  });
});
