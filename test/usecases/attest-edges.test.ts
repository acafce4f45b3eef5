// SPDX-License-Identifier: Apache-2.0
// attest where something is amiss: what is signed, posted and said then, and what is not.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import { pin } from '../../src/core/image/reference.js';
import type { NoteName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { AttestationSigner } from '../../src/usecases/steps/sign-attestations.js';
import { AttestationValidator } from '../../src/usecases/steps/validate-attestations.js';
import { ValidationAllowance } from '../../src/usecases/steps/validation-allowance.js';
import { attestationBy, attestor, IMAGE, key, other, run } from '../support/attest.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';

const warningsOf = ({ said }: Memory): readonly string[] =>
  said.filter((text) => text.startsWith('warning: ')).map((text) => text.slice(9));
const quota = (): BinauthzError => new BinauthzError('QUOTA_EXHAUSTED', 'too many', { transient: { kind: 'quota' } });
const OTHER = `gcr.io/p/b@${digest('b')}`;

describe('what cannot be prepared', () => {
  it('is neither looked up nor signed', async () => {
    const ports = memoryPorts([attestor], [key]);
    const before = key.signatures;
    const { result, codes } = await run(ports, { images: [reference(IMAGE), reference('gcr.io/p/gone:v1')] });
    expect([codes, result.attestations, ports.attestations.lists, key.signatures - before]).toEqual([['IMAGE_NOT_FOUND'], [], 0, 0]);
    expect(result.images.map(({ image }) => image)).toEqual([IMAGE]);
    expect(ports.said).toEqual(['Resolving 2 images and reading 1 attestor', expect.stringContaining('gone:v1 is a tag')]);
  });
});

describe('an image that the gate refuses', () => {
  const gate = {
    policy: { deny: { fixable: 'HIGH', unfixable: 'HIGH' }, unknownSeverity: 'deny', waivers: [] },
    scanTimeoutMs: 0,
  } as const;

  it('and whose attestations cannot be listed is not called attested', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.listFaults.push(new BinauthzError('PERMISSION_DENIED', 'may not'));
    const { statuses, codes } = await run(ports, { gate });
    expect([statuses, codes, ports.attestations.created]).toEqual([['failed'], ['SCAN_UNDECIDED', 'PERMISSION_DENIED'], []]);
    expect(warningsOf(ports).filter((text) => text.includes('attested it before'))).toEqual([]);
  });
});

describe('a doubtful attestation', () => {
  it('is not relied on for each of its doubts, and one without takes its place', async () => {
    const ports = memoryPorts([attestor], [key]);
    const payload = encodePayload({ ...payloadFor(pin(reference(IMAGE), digest('app'))), type: 'of another kind' });
    const [signer] = key.signers;
    const bytes = await signer.sign(payload, signer.publicKeys[0]);
    const doubtful = { ...(await attestationBy(key)), payload, signatures: [{ publicKeyId: key.entry.id, bytes }] };
    const occurrence = ports.attestations.plant(doubtful);
    const { verify } = ports.verifier;
    const odd: typeof verify = async (...args) => {
      const verification = await verify(...args);
      return args[1] === bytes && verification.verified ? { ...verification, warning: 'its key is odd' } : verification;
    };
    const { statuses } = await run(Object.assign(ports, { verifier: { verify: odd } }));
    expect([statuses, ports.attestations.created.length]).toEqual([['created'], 1]);
    expect(warningsOf(ports)).toEqual([
      expect.stringMatching(new RegExp(`^${occurrence} is not relied on: its key is odd; its payload type is "of another kind"`)),
    ]);
  });
});

describe('a post', () => {
  it('whose quota is used up to the end is looked for once more, with a fair time', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push(...Array.from({ length: 60 }, () => ({ error: quota(), commits: false })));
    const looks: number[] = [];
    const list = ports.attestations.listOfNote.bind(ports.attestations);
    ports.attestations.listOfNote = (note: NoteName, of?: Digest, deadline?: number) => (
      deadline === undefined ? undefined : looks.push(deadline - ports.clock.now()),
      list(note, of)
    );
    const startedAt = ports.clock.now();
    expect((await run(ports)).codes).toEqual(['QUOTA_EXHAUSTED']);
    expect(ports.clock.now() - startedAt).toBe(70_000);
    expect([Math.max(...looks) > 60_000, Math.min(...looks)]).toEqual([true, 3_000]);
  });

  it('whose answer was lost is known by our signature, also beside another one', async () => {
    const ports = memoryPorts([attestor], [key]);
    const beside = (await attestationBy(other)).signatures;
    const { create } = ports.attestations;
    ports.attestations.create = (_project, attestation) => {
      ports.attestations.create = create;
      ports.attestations.plant({ ...attestation, signatures: [...attestation.signatures, ...beside] });
      return Promise.reject(new BinauthzError('UNAVAILABLE', 'connection reset', { transient: { kind: 'unavailable' } }));
    };
    const { result } = await run(ports);
    expect([result.attestations, ports.attestations.stored.length]).toMatchObject([[{ status: 'created', validated: 'google' }], 1]);
    expect(ports.said).toContain(`posted projects/p/occurrences/occurrence-1 for ${IMAGE}`);
  });

  it('whose answer was lost is not taken for one of many by the same key', async () => {
    const ports = memoryPorts([attestor], [key]);
    const { create } = ports.attestations;
    ports.attestations.create = async () => {
      ports.attestations.create = create;
      for (let index = 0; index < 20; index++) ports.attestations.plant(await attestationBy(key));
      throw new BinauthzError('UNAVAILABLE', 'connection reset', { transient: { kind: 'unavailable' } });
    };
    expect((await run(ports)).statuses).toEqual(['existing']);
  });
});

describe('a wait for nothing', () => {
  it('does not look at all', async () => {
    const ports = memoryPorts([attestor], [key]);
    const { result } = await run(ports, { waitTimeoutMs: undefined });
    expect([result.attestations[0]?.visibleAfterMs, ports.attestations.lists, ports.clock.pauses]).toEqual([null, 1, []]);
  });
});

describe('a validator', () => {
  it('warns once of what may not be asked, however many ask at once', async () => {
    const [first, second] = [testKey('//1'), testKey('//2')];
    const both = attestorOf('ci', first, second);
    const ports = memoryPorts([both], []);
    ports.attestors.answers.push(...[1, 2].map(() => new BinauthzError('PERMISSION_DENIED', 'cannot validate')));
    const signer = new AttestationSigner(ports.verifier);
    const signed = await Promise.all(
      [first, second].map(({ signers: [one], entry }) => {
        const pair = { attestor: both, signer: one, publicKey: one.publicKeys[0], attestorKey: entry };
        return signer.sign({ image: pin(reference(IMAGE), digest('app')), pair });
      }),
    );
    const validator = new AttestationValidator(ports);
    const answers = await Promise.all(signed.map((assignment) => validator.validate(assignment)));
    expect([answers.map(({ validated }) => validated), ports.attestors.validations]).toEqual([['local', 'local'], 2]);
    expect(warningsOf(ports)).toEqual(['cannot validate; the local verification stands']);
  });

  it('that refuses one of two first uses keeps everything from being posted, and asks no further', async () => {
    const qa = attestorOf('qa', key);
    const ports = memoryPorts([attestor, qa], [key]);
    ports.attestors.answers.push({ result: 'not-verifiable', reason: 'no' });
    const { codes } = await run(ports, { images: [reference(IMAGE), reference(OTHER)], attestors: [attestor.name, qa.name] });
    expect([codes, ports.attestors.validations, ports.attestations.created]).toEqual([['ATTESTATION_NOT_VERIFIABLE'], 2, []]);
  });
});

describe('the allowance of validations', () => {
  it.each<[string, number[], number]>([
    ['a run of its own', [], 60],
    ['one of four runs at once', [4], 15],
  ])('of %s lasts for so many, and for the first use of each attestor and key', (_, runs, most) => {
    const allowance = new ValidationAllowance(...runs);
    const taken = Array.from({ length: 100 }, () => allowance.take('ci', '//1'));
    expect(taken.filter(Boolean)).toHaveLength(most);
    expect(
      [
        ['qa', '//1'],
        ['ci', '//2'],
        ['ci', '//2'],
      ].map(([attestor_, keyId]) => allowance.take(attestor_!, keyId!)),
    ).toEqual([true, true, false]);
  });
});
