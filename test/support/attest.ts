// SPDX-License-Identifier: Apache-2.0
// The attest use case over ports in memory.
import { BinauthzError } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { attest } from '../../src/usecases/attest.js';
import type { AttestRequest } from '../../src/usecases/requests.js';
import { attestorOf, digest, reference, testKey, type Memory, type TestKey } from './ports.js';

export const IMAGE = `gcr.io/p/app@${digest('app')}`;
export const key = testKey('//cloudkms.googleapis.com/v1/key');
export const other = testKey('//cloudkms.googleapis.com/v1/other');
export const attestor = attestorOf('ci', key);

/** What a service answers that is away for a while. */
export const unavailable = (): BinauthzError =>
  new BinauthzError('UNAVAILABLE', 'connection reset', { transient: { kind: 'unavailable' } });

/** Attests IMAGE for the attestor, unless it says otherwise. */
export function request(overrides: Partial<AttestRequest> = {}): AttestRequest {
  return {
    images: [reference(IMAGE)],
    attestors: [attestor.name],
    multiPlatform: 'both',
    waitTimeoutMs: 60_000,
    dryRun: false,
    ...overrides,
  };
}

/** An attestation for IMAGE by a key, as somebody else might have stored it. */
export async function attestationBy(signer: TestKey, id = signer.entry.id) {
  const image = pin(reference(IMAGE), digest('app'));
  const payload = encodePayload(payloadFor(image));
  const [first] = signer.signers;
  return {
    note: attestor.note,
    resourceUri: `https://${IMAGE}`,
    payload,
    signatures: [{ publicKeyId: id, bytes: await first.sign(payload, first.publicKeys[0]) }],
  };
}

/** The result of an attest, in short and in full. */
export async function run(ports: Memory, overrides: Partial<AttestRequest> = {}) {
  const { result, errors } = await attest(request(overrides), ports);
  return { result, codes: errors.map(({ code }) => code), statuses: result.attestations.map(({ status }) => status), errors };
}
