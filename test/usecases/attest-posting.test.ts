// SPDX-License-Identifier: Apache-2.0
// Between the signature and what the enforcer sees: Google's validation, one post each, and the wait.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import type { NoteName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { pin } from '../../src/core/image/reference.js';
import { attestationBy, attestor, IMAGE, key, other, run, unavailable } from '../support/attest.js';
import { attestorOf, digest, memoryPorts, reference, type Memory } from '../support/ports.js';

const warningsOf = ({ said }: Memory): readonly string[] =>
  said.filter((text) => text.startsWith('warning: ')).map((text) => text.slice(9));
const second = `gcr.io/p/b@${digest('b')}`;
const both = [reference(IMAGE), reference(second)] as const;

describe('Google’s validation', () => {
  it.each<[string, 'not-verifiable' | 'unspecified', string, RegExp, RegExp]>([
    [
      'refuses',
      'not-verifiable',
      'because',
      /^cannot post the attestation of gcr\.io\/p\/app@\S+ by projects\/p\/attestors\/ci: .* refuses it: because$/,
      /agent@example\.com holds roles\/containeranalysis\.notes\.occurrences\.viewer on projects\/p\/notes\/ci$/,
    ],
    ['refuses without a reason', 'not-verifiable', '', /refuses it: no reason given$/, /^nothing was posted; compare the attestor's key/],
    [
      'does not say',
      'unspecified',
      '',
      /^cannot post the attestation of \S+ by \S+: Google's validation gave no result, expected VERIFIED$/,
      /^nothing was posted; run again/,
    ],
    ['does not say, with a reason', 'unspecified', 'because', /gave no result \(because\), expected VERIFIED$/, /nothing was posted/],
  ])('that %s names image and attestor, and what to look at', async (_, result, reason, message, hint) => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestors.answers.push({ result, reason });
    const { errors } = await run(ports);
    expect(errors).toMatchObject([
      { resource: attestor.name, message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string },
    ]);
  });

  it('says nothing of an account that the attestor does not have', async () => {
    const bare = { name: attestor.name, note: attestor.note, keys: attestor.keys };
    const ports = memoryPorts([bare], [key]);
    ports.attestors.answers.push({ result: 'not-verifiable', reason: 'no' });
    expect((await run(ports)).errors[0]?.hint).toMatch(/with the one that signs$/);
  });

  it('that may not be asked is not asked again, and warned of once, with what to do', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestors.answers.push(new BinauthzError('PERMISSION_DENIED', 'cannot validate', { hint: 'grant it' }));
    const { result } = await run(ports, { images: both });
    expect(result.attestations.map(({ validated }) => validated)).toEqual(['local', 'local']);
    expect(ports.attestors.validations).toBe(1);
    expect(warningsOf(ports)).toEqual(['cannot validate; the local verification stands (to have Google asked as well: grant it)']);
    const bare = memoryPorts([attestor], [key]);
    bare.attestors.answers.push(new BinauthzError('PERMISSION_DENIED', 'cannot validate'));
    await run(bare);
    expect(warningsOf(bare)).toEqual(['cannot validate; the local verification stands']);
  });

  it('is asked about the first use of each attestor, and of nothing else where one is refused', async () => {
    const qa = attestorOf('qa', key);
    const ports = memoryPorts([attestor, qa], [key]);
    ports.attestors.answers.push({ result: 'verified' }, { result: 'not-verifiable', reason: 'no' });
    const { statuses } = await run(ports, { images: both, attestors: [attestor.name, qa.name] });
    expect([ports.attestors.validations, statuses, ports.attestations.created]).toEqual([2, ['failed'], []]);
  });
});

/** An attestation that verifies, of a type that nobody publishes. */
async function doubtful() {
  const payload = encodePayload({ ...payloadFor(pin(reference(IMAGE), digest('app'))), type: 'of another kind' });
  const [signer] = key.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  return { ...(await attestationBy(key)), payload, signatures: [{ publicKeyId: key.entry.id, bytes }] };
}

describe('a lost answer', () => {
  /** Loses the next post, and lets somebody else's attestation take its place. */
  async function lost(
    prepare: (ports: Memory) => Promise<unknown>,
  ): Promise<{ ports: Memory; status: string | undefined; occurrence: string | undefined }> {
    const ports = memoryPorts([attestor], [key]);
    const create = ports.attestations.create.bind(ports.attestations);
    ports.attestations.create = async () => {
      ports.attestations.create = create;
      await prepare(ports);
      throw unavailable();
    };
    const { result } = await run(ports);
    return { ports, status: result.attestations[0]?.status, occurrence: result.attestations[0]?.occurrence };
  }

  it('is found again by its signature among others', async () => {
    const { status, occurrence } = await lost(async (ports) => {
      ports.attestations.plant(await attestationBy(key));
      const signed = await attestationBy(key);
      ports.attestations.plant({ ...signed, signatures: [...signed.signatures, ...signed.signatures] });
    });
    expect([status, occurrence]).toEqual(['existing', 'projects/p/occurrences/occurrence-1']);
  });

  it('is as good as one that counts', async () => {
    const { status, occurrence } = await lost(async (ports) => {
      ports.attestations.plant(await doubtful());
      ports.attestations.plant(await attestationBy(key));
    });
    expect([status, occurrence]).toEqual(['existing', 'projects/p/occurrences/occurrence-2']);
  });

  it('is posted again beside one in doubt', async () => {
    const { ports, status, occurrence } = await lost(async (memory) => memory.attestations.plant(await doubtful()));
    expect([status, occurrence]).toEqual(['created', 'projects/p/occurrences/occurrence-2']);
    expect(ports.attestations.created).toHaveLength(1);
  });

  it('is looked for with at least a fair time', async () => {
    const deadlines: number[] = [];
    await lost((ports) => {
      const list = ports.attestations.listOfNote.bind(ports.attestations);
      ports.attestations.listOfNote = (note: NoteName, of?: Digest, deadline?: number) => (
        deadlines.push((deadline ?? 0) - ports.clock.now()),
        list(note, of)
      );
      return Promise.resolve();
    });
    expect(deadlines[0]).toBeGreaterThan(60_000);
  });
});

describe('a conflict', () => {
  async function conflict(count: number): Promise<BinauthzError> {
    const ports = memoryPorts([attestor], [key]);
    for (let index = 0; index < count; index++) ports.attestations.plant(await attestationBy(other));
    ports.attestations.create = () => Promise.reject(new BinauthzError('ATTESTATION_CONFLICT', 'it exists'));
    const startedAt = ports.clock.now();
    const { errors } = await run(ports);
    expect(ports.clock.now() - startedAt).toBeGreaterThan(10_000);
    expect(ports.clock.now() - startedAt).toBeLessThan(13_000);
    return errors[0]!;
  }

  it.each<[number, RegExp]>([
    [1, /; in the way is projects\/p\/occurrences\/occurrence-1 \([^)]+\)$/],
    [3, /occurrence-1 \([^)]+\), projects\/p\/occurrences\/occurrence-2 \([^)]+\), projects\/p\/occurrences\/occurrence-3 \([^)]+\)$/],
    [5, /occurrence-3 \([^)]+\) or one of 2 more$/],
  ])('with one of %i names them, and how to delete the first', async (count, message) => {
    const error = await conflict(count);
    expect(error).toMatchObject({ code: 'ATTESTATION_CONFLICT', resource: 'projects/p/occurrences/occurrence-1' });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(
      /^cannot attest gcr\.io\/p\/app@\S+ for projects\/p\/attestors\/ci: Container Analysis says that the attestation exists/,
    );
    expect(error.hint).toMatch(
      /curl -X DELETE .*https:\/\/containeranalysis\.googleapis\.com\/v1\/projects\/p\/occurrences\/occurrence-1$/,
    );
  });

  it('with one that verifies with a doubt takes that, which was warned of', async () => {
    const ports = memoryPorts([attestor], [key]);
    const occurrence = ports.attestations.plant(await doubtful());
    ports.attestations.create = () => Promise.reject(new BinauthzError('ATTESTATION_CONFLICT', 'it exists'));
    const { errors, result } = await run(ports);
    expect([errors, result.attestations[0]]).toMatchObject([[], { status: 'existing', occurrence }]);
    expect(warningsOf(ports)[0]).toMatch(/^projects\/p\/occurrences\/occurrence-1 is not relied on: .*of another kind/);
  });

  it('is looked into within the time of its post', async () => {
    const ports = memoryPorts([attestor], [key]);
    const deadlines: number[] = [];
    const list = ports.attestations.listOfNote.bind(ports.attestations);
    ports.attestations.listOfNote = (note: NoteName, of?: Digest, deadline?: number) => {
      deadlines.push((deadline ?? Infinity) - ports.clock.now());
      return list(note, of);
    };
    ports.attestations.create = () => Promise.reject(new BinauthzError('ATTESTATION_CONFLICT', 'it exists'));
    await run(ports);
    // The first look is that before signing, which has all the time that reading has.
    expect(deadlines.length).toBeGreaterThan(5);
    expect(Math.max(...deadlines.slice(1))).toBeLessThanOrEqual(70_000);
    expect(Math.min(...deadlines)).toBeGreaterThan(50_000);
  });

  it('with nothing that is listed says how to list', async () => {
    const error = await conflict(0);
    expect(error.message).toMatch(/the occurrence in the way is not listed$/);
    expect([error.resource, error.hint]).toEqual([
      IMAGE,
      expect.stringMatching(new RegExp(`attestations list --attestor=${attestor.name} --artifact-url=gcr\\.io/p/app@sha256:\\w+$`)),
    ]);
  });

  it('with one that Google names and that does not verify is not waited for', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await attestationBy(other));
    const occurrence = ports.attestations.plant(await attestationBy(other));
    ports.attestations.create = () => Promise.reject(new BinauthzError('ATTESTATION_CONFLICT', 'occurrence ID "occurrence-2" exists'));
    const { errors } = await run(ports);
    expect([errors[0]?.resource, ports.clock.pauses]).toEqual([occurrence, []]);
    expect(errors[0]?.message).not.toContain('occurrence-1');
  });

  describe('with one that is not listed yet', () => {
    const inTheWay = (ports: Memory) => {
      ports.attestations.refuseSecondOnResource = true;
      return ports;
    };

    it('takes it where it verifies, and waits for it like for one of its own', async () => {
      const ports = inTheWay(memoryPorts([attestor], [key]));
      const occurrence = ports.attestations.plant(await attestationBy(key), ports.clock.now() + 30_000);
      const { errors, result } = await run(ports, { waitTimeoutMs: 60_000 });
      expect([errors, result.attestations[0]]).toMatchObject([[], { status: 'existing', occurrence }]);
      expect(result.attestations[0]?.visibleAfterMs).toBeGreaterThan(25_000);
    });

    it('names it where it does not, at once', async () => {
      const ports = inTheWay(memoryPorts([attestor], [key]));
      const occurrence = ports.attestations.plant(await attestationBy(other), ports.clock.now() + 30_000);
      const { errors } = await run(ports);
      expect([errors[0]?.code, errors[0]?.resource, ports.clock.pauses]).toEqual(['ATTESTATION_CONFLICT', occurrence, []]);
      expect(errors[0]?.hint).toContain(`curl -X DELETE`);
    });

    it.each<[string, (ports: Memory) => Promise<void>]>([
      ['may not be read', (ports) => ((ports.attestations.unreadable = true), Promise.resolve())],
      [
        'belongs to another note',
        async ({ attestations }) => {
          const [stored] = attestations.stored;
          attestations.read = () => Promise.resolve({ ...stored!, note: 'projects/p/notes/other' as NoteName });
          await Promise.resolve();
        },
      ],
      [
        'belongs to another image',
        async ({ attestations }) => {
          const [stored] = attestations.stored;
          attestations.read = () => Promise.resolve({ ...stored!, resourceUri: 'https://gcr.io/p/app' });
          await Promise.resolve();
        },
      ],
      [
        'verifies with a doubt that nobody was told of',
        async ({ attestations }) => {
          const stored = { ...attestations.stored[0]!, ...(await doubtful()) };
          attestations.read = () => Promise.resolve(stored);
        },
      ],
    ])('names it where it %s, and says that it is not listed', async (_, change) => {
      const ports = inTheWay(memoryPorts([attestor], [key]));
      const occurrence = ports.attestations.plant(await attestationBy(key), ports.clock.now() + 30_000);
      await change(ports);
      const { errors } = await run(ports);
      expect([errors[0]?.code, errors[0]?.resource]).toEqual(['ATTESTATION_CONFLICT', occurrence]);
      expect(errors[0]?.message).toMatch(/none that is listed verifies .*; in the way is \S+, which is not listed yet$/);
      expect(errors[0]?.hint).toMatch(/^run again later; /);
    });
  });
});

describe('the wait until it is seen', () => {
  async function waited(propagationMs: number, waitTimeoutMs: number) {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = propagationMs;
    const { errors, result } = await run(ports, { waitTimeoutMs });
    return { pauses: ports.clock.pauses, said: ports.said.filter((text) => text.startsWith('waiting')), error: errors[0], result };
  }

  it('looks often at first and seldom later', async () => {
    const { pauses, result } = await waited(120_000, 600_000);
    expect(result.attestations[0]?.visibleAfterMs).toBeLessThan(123_000);
    expect(Math.max(...pauses.slice(0, 10))).toBeLessThanOrEqual(450);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3_000);
    expect(Math.max(...pauses)).toBeGreaterThan(1_000);
    expect(pauses.length).toBeLessThan(150);
  });

  it('says that it waits where that takes longer', async () => {
    expect((await waited(5_000, 600_000)).said).toEqual([]);
    const { said } = await waited(60_000, 600_000);
    expect(said[0]).toMatch(/^waiting for projects\/p\/occurrences\/occurrence-1 to become visible \([\d.]+ s\)$/);
  });

  it('that was in vain says how long it was, and that nothing is lost', async () => {
    const { error, pauses } = await waited(3_600_000, 20_000);
    expect(error).toMatchObject({
      code: 'NOT_VISIBLE',
      resource: 'projects/p/occurrences/occurrence-1',
      message: expect.stringMatching(/in the listing of projects\/p\/notes\/ci yet: .* waited 20(?:\.0)? s$/) as string,
      hint: expect.stringMatching(/it is stored, .*--wait-timeout/) as string,
    });
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(20_000);
  });

  it('is for the one that was posted, not for another that verifies', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 3_000;
    const create = ports.attestations.create.bind(ports.attestations);
    ports.attestations.create = async (...args) => {
      const occurrence = await create(...args);
      ports.attestations.plant(await attestationBy(key));
      return occurrence;
    };
    const { result } = await run(ports);
    expect(result.attestations).toMatchObject([{ status: 'created', occurrence: 'projects/p/occurrences/occurrence-1' }]);
    expect(result.attestations[0]?.visibleAfterMs).toBeGreaterThanOrEqual(3_000);
  });

  it('ends at once where the listing may not be read, or shows something else than was posted', async () => {
    const ports = memoryPorts([attestor], [key]);
    const create = ports.attestations.create.bind(ports.attestations);
    ports.attestations.create = (...args) => (
      ports.attestations.listFaults.push(new BinauthzError('PERMISSION_DENIED', 'may not')),
      create(...args)
    );
    expect([(await run(ports)).codes, ports.clock.pauses]).toEqual([['PERMISSION_DENIED'], []]);

    const swapped = memoryPorts([attestor], [key]);
    const store = swapped.attestations.create.bind(swapped.attestations);
    swapped.attestations.create = (project, attestation) =>
      store(project, { ...attestation, payload: new TextEncoder().encode('swapped') });
    expect((await run(swapped)).errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_VERIFIABLE',
        resource: 'projects/p/occurrences/occurrence-1',
        message: expect.stringMatching(
          /^cannot rely on projects\/p\/occurrences\/occurrence-1: what is stored for gcr\.io\/p\/app@\S+ does not verify: ./,
        ) as string,
        hint: expect.stringContaining('run again') as string,
      },
    ]);
  });
});
