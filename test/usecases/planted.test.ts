// SPDX-License-Identifier: Apache-2.0
// Occurrences that others put on the note: what attest and list make of them.
import { describe, expect, it } from 'vitest';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, PAYLOAD_TYPE } from '../../src/core/payload/payload.js';
import { attest } from '../../src/usecases/attest.js';
import { list } from '../../src/usecases/list.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';

const IMAGE = `gcr.io/p/app@${digest('app')}`;
const key = testKey('//key');
const attestor = attestorOf('ci', key);

async function plant(ports: Memory, { type = PAYLOAD_TYPE, bytes }: { type?: string; bytes?: Uint8Array }): Promise<string> {
  const payload = encodePayload({ dockerReference: 'gcr.io/p/app', digest: pin(reference(IMAGE), digest('app')).digest, type });
  const [signer] = key.signers;
  const signature = bytes ?? (await signer.sign(payload, signer.publicKeys[0]));
  return ports.attestations.plant({
    note: attestor.note,
    resourceUri: `https://${IMAGE}`,
    payload,
    signatures: [{ publicKeyId: key.entry.id, bytes: signature }],
  });
}

async function run(ports: Memory) {
  const { result, errors } = await attest(
    { images: [reference(IMAGE)], attestors: [attestor.name], multiPlatform: 'both', waitTimeoutMs: 60_000, dryRun: false },
    ports,
  );
  return { statuses: result.attestations.map(({ status }) => status), codes: errors.map(({ code }) => code), errors };
}

describe('an attestation that verifies with a doubt', () => {
  it('does not stand in for one without, and the next run finds that', async () => {
    const ports = memoryPorts([attestor], [key]);
    await plant(ports, { type: 'atomic container signature' });
    expect(await run(ports)).toMatchObject({ statuses: ['created'], codes: [] });
    expect(ports.said.some((line) => line.includes('atomic container signature'))).toBe(true);
    expect(await run(ports)).toMatchObject({ statuses: ['existing'], codes: [] });
    expect(ports.attestations.created).toHaveLength(1);
  });

  it('counts where the service takes no other beside it', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.refuseSecondOnResource = true;
    const doubtful = await plant(ports, { type: 'atomic container signature' });
    expect(await run(ports)).toMatchObject({ statuses: ['existing'], codes: [] });
    expect(ports.said.some((line) => line.includes(doubtful))).toBe(true);
  });
});

describe('a thousand broken occurrences', () => {
  const bytes = new Uint8Array(70);

  it('neither fill the log nor keep the image from being attested', async () => {
    const ports = memoryPorts([attestor], [key]);
    for (let planted = 0; planted < 1_000; planted++) await plant(ports, { bytes });
    expect((await run(ports)).statuses).toEqual(['created']);
    expect(ports.said.filter((line) => line.startsWith('warning')).length).toBeLessThan(10);
  });

  it('fill no error', async () => {
    const ports = memoryPorts([attestor], [key]);
    for (let planted = 0; planted < 1_000; planted++) await plant(ports, { bytes });
    ports.attestations.refuseSecondOnResource = true;
    const { codes, errors } = await run(ports);
    expect(codes).toEqual(['ATTESTATION_CONFLICT']);
    expect(errors[0]?.message.length).toBeLessThan(2_000);
  });

  it('are listed, none of them as verified', async () => {
    const ports = memoryPorts([attestor], [key]);
    for (let planted = 0; planted < 1_000; planted++) await plant(ports, { bytes });
    const { result, errors } = await list({ images: [reference(IMAGE)], attestors: [attestor.name] }, ports);
    expect(result.attestations.filter(({ verified }) => verified)).toEqual([]);
    expect(errors.map(({ code }) => code)).toEqual(['ATTESTATION_NOT_VERIFIABLE']);
  });
});

describe('a planted resource', () => {
  it('cannot print a row of its own', async () => {
    const ports = memoryPorts([attestor], [key]);
    const row = `\n  \u001b[32mverified  ${attestor.name}\u001b[0m`;
    const resourceUri = `https://gcr.io/p/x${row}@${digest('app')}`;
    ports.attestations.plant({
      note: attestor.note,
      resourceUri,
      payload: new Uint8Array(),
      signatures: [{ publicKeyId: row, bytes: new Uint8Array() }],
    });
    const { result, errors } = await list({ images: [reference(IMAGE)], attestors: [attestor.name] }, ports);
    const shown = [
      ...result.attestations.flatMap(({ image, publicKeyId, reason }) => [image, publicKeyId, reason?.message]),
      ...errors.map(({ message }) => message),
    ];
    expect(shown.join('')).not.toMatch(/\p{Cc}/u);
    expect(result.attestations.map(({ verified }) => verified)).toEqual([false]);
  });
});
