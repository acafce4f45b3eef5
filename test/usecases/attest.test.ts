// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import { pin } from '../../src/core/image/reference.js';
import type { NoteName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import type { AttestRequest } from '../../src/usecases/requests.js';
import { IMAGE, attestationBy, attestor, key, other, run, unavailable } from '../support/attest.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';

describe('attest', () => {
  it('signs, validates, posts and sees the attestation', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 1_500;
    const { result, codes } = await run(ports);
    expect(codes).toEqual([]);
    expect(ports.attestors.validations).toBe(1);
    expect(result.attestations).toEqual([
      {
        image: IMAGE,
        attestor: attestor.name,
        note: attestor.note,
        publicKeyId: key.entry.id,
        status: 'created',
        occurrence: 'projects/p/occurrences/occurrence-1',
        validated: 'google',
        visibleAfterMs: expect.any(Number) as number,
      },
    ]);
    expect(result.attestations[0]?.visibleAfterMs).toBeGreaterThanOrEqual(1_500);
    expect(ports.attestations.created[0]?.resourceUri).toBe(`https://${IMAGE}`);
  });

  it('leaves alone what verifies under a key that the attestor trusts now', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await attestationBy(key));
    const { statuses, codes } = await run(ports);
    expect([statuses, codes]).toEqual([['existing'], []]);
    expect(ports.attestations.created).toEqual([]);
  });

  it.each([
    ['a key that the attestor does not trust any more', () => attestationBy(other)],
    ['a trusted key under another id', () => attestationBy(key, 'projects/p/key')],
    [
      'another digest',
      async () => ({ ...(await attestationBy(key)), payload: encodePayload(payloadFor(pin(reference(IMAGE), digest('other')))) }),
    ],
  ])('does not count an attestation by %s', async (_title, plant) => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await plant());
    expect((await run(ports)).statuses).toEqual(['created']);
    expect(ports.said.filter((line) => line.includes('does not count'))).toHaveLength(1);
  });

  it('signs and posts nothing in a dry run', async () => {
    const fresh = testKey('//fresh');
    const ports = memoryPorts([attestorOf('ci', fresh)], [fresh]);
    expect((await run(ports, { dryRun: true })).statuses).toEqual(['dry-run']);
    expect(fresh.signatures).toBe(0);
    expect(ports.attestations.created).toEqual([]);
  });

  it('attests the index and each runnable child, each once', async () => {
    const children = [
      { digest: digest('amd64'), platform: 'linux/amd64' },
      { digest: digest('arm64'), platform: 'linux/arm64' },
    ];
    const ports = memoryPorts([attestor], [key], { 'gcr.io/p/app:v1': { digest: digest('app'), isIndex: true, children } });
    const { result } = await run(ports, { images: [reference('gcr.io/p/app:v1'), reference(`gcr.io/p/app@${digest('amd64')}`)] });
    expect(result.attestations.map(({ image }) => image)).toEqual([
      IMAGE,
      `gcr.io/p/app@${digest('amd64')}`,
      `gcr.io/p/app@${digest('arm64')}`,
    ]);
  });

  it.each([
    ['index', ['app']],
    ['children', ['amd64']],
  ] as const)('attests only the %s when asked to', async (multiPlatform, words) => {
    const ports = memoryPorts([attestor], [key], {
      'gcr.io/p/app:v1': { digest: digest('app'), isIndex: true, children: [{ digest: digest('amd64'), platform: 'linux/amd64' }] },
    });
    const { result } = await run(ports, { images: [reference('gcr.io/p/app:v1')], multiPlatform });
    expect(result.attestations.map(({ image }) => image)).toEqual(words.map((word) => `gcr.io/p/app@${digest(word)}`));
  });

  it('signs once for attestors that share a key', async () => {
    const shared = testKey('//shared');
    const [first, second] = [attestorOf('first', shared), attestorOf('second', shared)];
    const ports = memoryPorts([first, second], [shared]);
    expect((await run(ports, { attestors: [first.name, second.name] })).statuses).toEqual(['created', 'created']);
    expect(shared.signatures).toBe(1);
  });
});

describe('attest posts nothing', () => {
  it.each<[string, string, (ports: Memory) => Partial<AttestRequest>]>([
    [
      'for a key that no attestor trusts',
      'KEY_NOT_TRUSTED',
      (ports) => (Object.assign(ports, { openKeys: () => Promise.resolve([other]) }), {}),
    ],
    [
      'beside a key that no attestor trusts',
      'KEY_NOT_TRUSTED',
      (ports) => (Object.assign(ports, { openKeys: () => Promise.resolve([key, other]) }), {}),
    ],
    ['for an image that is not there', 'IMAGE_NOT_FOUND', () => ({ images: [reference(IMAGE), reference('gcr.io/p/missing:v1')] })],
    ['for an attestor that is not there', 'ATTESTOR_NOT_FOUND', () => ({ attestors: [attestor.name, attestorOf('missing').name] })],
    [
      'when Google does not verify it',
      'ATTESTATION_NOT_VERIFIABLE',
      (ports) => (ports.attestors.answers.push({ result: 'not-verifiable', reason: 'because' }), {}),
    ],
    ['when Google does not say', 'UNDECIDED', (ports) => (ports.attestors.answers.push({ result: 'unspecified', reason: '' }), {})],
    [
      'when the note cannot be read',
      'NOTE_NOT_FOUND',
      (ports) => (ports.attestations.listFaults.push(new BinauthzError('NOTE_NOT_FOUND', 'no note')), {}),
    ],
    [
      'when the tag moved',
      'TAG_MOVED',
      (ports) => (
        Object.assign(ports, {
          catalog: { ...ports.catalog, covers: () => true, describe: () => Promise.resolve({ digest: digest('moved') }) },
        }),
        { images: [reference('gcr.io/p/app:v1')] }
      ),
    ],
  ])('%s', async (_title, code, prepare) => {
    const ports = memoryPorts([attestor], [key], { 'gcr.io/p/app:v1': { digest: digest('app') } });
    const { codes } = await run(ports, prepare(ports));
    expect(codes).toEqual([code]);
    expect(ports.attestations.created).toEqual([]);
  });

  it('for an attestor without keys, and says what to do', async () => {
    const keyless = attestorOf('keyless');
    const { errors } = await run(memoryPorts([keyless], [key]), { attestors: [keyless.name] });
    expect(errors[0]?.code).toBe('KEY_NOT_TRUSTED');
    expect(errors[0]?.message).toContain('trusts no key');
    expect(errors[0]?.hint).toContain('gcloud container binauthz attestors public-keys add');
  });

  it('but lets the local verdict stand where Google may not be asked', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestors.answers.push(new BinauthzError('PERMISSION_DENIED', 'cannot validate'));
    const { result } = await run(ports);
    expect(result.attestations[0]).toMatchObject({ status: 'created', validated: 'local' });
    expect(ports.said.some((line) => line.startsWith('warning: cannot validate; the local verification stands'))).toBe(true);
  });
});

describe('validation', () => {
  it('asks for the first use of each key, and for at most 60 attestations a run', async () => {
    const [a, b] = [testKey('//a'), testKey('//b')];
    const [first, second] = [attestorOf('first', a), attestorOf('second', b)];
    const ports = memoryPorts([first, second], [a, b]);
    const images = Array.from({ length: 40 }, (_, number) => reference(`gcr.io/p/app@${digest(`image ${number}`)}`));
    const [head, ...rest] = images;
    const { result } = await run(ports, { images: [head!, ...rest], attestors: [first.name, second.name] });
    expect(ports.attestors.validations).toBe(60);
    const by = (validated: string): number => result.attestations.filter((entry) => entry.validated === validated).length;
    expect([by('google'), by('local')]).toEqual([60, 20]);
  });

  it('stops asking once a key is refused', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestors.answers.push({ result: 'not-verifiable', reason: 'no' });
    await run(ports, { images: [reference(IMAGE), reference(`gcr.io/p/b@${digest('b')}`)] });
    expect(ports.attestors.validations).toBe(1);
  });
});

describe('posting', () => {
  it('repeats a lost request that stored nothing', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push({ error: unavailable(), commits: false });
    expect((await run(ports)).statuses).toEqual(['created']);
    expect(ports.attestations.stored).toHaveLength(1);
  });

  it('finds what a lost answer had stored instead of storing it again', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push({ error: unavailable(), commits: true });
    expect((await run(ports)).statuses).toEqual(['created']);
    expect(ports.attestations.stored).toHaveLength(1);
  });

  it('takes a conflict for existing only when an attestation verifies', async () => {
    const ports = memoryPorts([attestor], [key]);
    const occurrence = ports.attestations.plant(await attestationBy(key), ports.clock.now() + 900);
    ports.attestations.refuseSecondOnResource = true;
    const { result } = await run(ports);
    expect(result.attestations).toMatchObject([{ status: 'existing', occurrence }]);
  });

  it('ends 7 naming the occurrence in the way where none verifies', async () => {
    const ports = memoryPorts([attestor], [key]);
    const occurrence = ports.attestations.plant(await attestationBy(other));
    ports.attestations.refuseSecondOnResource = true;
    const { errors, statuses } = await run(ports);
    expect(statuses).toEqual(['failed']);
    expect(errors.map(({ code, exitCode, resource }) => [code, exitCode, resource])).toEqual([['ATTESTATION_CONFLICT', 7, occurrence]]);
    expect(errors[0]?.hint).toContain(occurrence);
  });

  it('reports exactly what exists when one of several fails', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push({ error: new BinauthzError('PERMISSION_DENIED', 'no'), commits: false });
    const { statuses, codes } = await run(ports, { images: [reference(IMAGE), reference(`gcr.io/p/b@${digest('b')}`)] });
    expect([statuses, codes]).toEqual([['failed', 'created'], ['PERMISSION_DENIED']]);
  });

  it('gives up on a service that stays unavailable', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push(...Array.from({ length: 50 }, () => ({ error: unavailable(), commits: false })));
    const startedAt = ports.clock.now();
    expect((await run(ports)).codes).toEqual(['UNAVAILABLE']);
    expect(ports.clock.now() - startedAt).toBeLessThanOrEqual(30_000);
  });
});

describe('visibility', () => {
  it('ends NOT_VISIBLE at the deadline, and says that it is posted', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 3_600_000;
    const { result, codes } = await run(ports, { waitTimeoutMs: 5_000 });
    expect(codes).toEqual(['NOT_VISIBLE']);
    expect(result.attestations).toMatchObject([{ status: 'posted', visibleAfterMs: null, error: { exitCode: 8 } }]);
  });

  it('looks once with a wait timeout of nothing, and that look may take its time', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 3_600_000;
    const deadlines: number[] = [];
    const list = ports.attestations.listOfNote.bind(ports.attestations);
    ports.attestations.listOfNote = (note: NoteName, of?: Digest, deadline?: number) => (
      deadline === undefined ? undefined : deadlines.push(deadline - ports.clock.now()),
      list(note, of)
    );
    expect((await run(ports, { waitTimeoutMs: 0 })).codes).toEqual(['NOT_VISIBLE']);
    expect(deadlines).toEqual([expect.toSatisfy((ms: number) => ms >= 1_000)]);
  });

  it.each([1_999, 4_999])('still sees what becomes visible after %i of 5000 ms', async (propagationMs) => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = propagationMs;
    expect((await run(ports, { waitTimeoutMs: 5_000 })).statuses).toEqual(['created']);
  });

  it('ends UNAVAILABLE where the listing stays unavailable', async () => {
    const ports = memoryPorts([attestor], [key]);
    const list = ports.attestations.listOfNote.bind(ports.attestations);
    ports.attestations.listOfNote = (note, of) => (ports.attestations.stored.length > 0 ? Promise.reject(unavailable()) : list(note, of));
    expect((await run(ports, { waitTimeoutMs: 5_000 })).codes).toEqual(['UNAVAILABLE']);
  });

  it('survives a hiccup of the listing', async () => {
    const ports = memoryPorts([attestor], [key]);
    const create = ports.attestations.create.bind(ports.attestations);
    ports.attestations.create = (...args) => (ports.attestations.listFaults.push(unavailable()), create(...args));
    expect((await run(ports)).statuses).toEqual(['created']);
  });

  it('is not awaited with --no-wait', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 3_600_000;
    const { result, codes } = await run(ports, { waitTimeoutMs: undefined });
    expect(codes).toEqual([]);
    expect(result.attestations).toMatchObject([{ status: 'created', visibleAfterMs: null }]);
  });

  it('refuses what is stored otherwise than it was posted', async () => {
    const ports = memoryPorts([attestor], [key]);
    const create = ports.attestations.create.bind(ports.attestations);
    ports.attestations.create = (project, attestation) =>
      create(project, { ...attestation, payload: encodePayload(payloadFor(pin(reference(IMAGE), digest('swapped')))) });
    expect((await run(ports)).codes).toEqual(['ATTESTATION_NOT_VERIFIABLE']);
  });

  it('counts the wait once for the run, from the first post', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.propagationMs = 3_600_000;
    const startedAt = ports.clock.now();
    const images = [reference(IMAGE), reference(`gcr.io/p/b@${digest('b')}`)] as const;
    expect((await run(ports, { images, waitTimeoutMs: 5_000 })).codes).toEqual(['NOT_VISIBLE', 'NOT_VISIBLE']);
    expect(ports.clock.now() - startedAt).toBeLessThanOrEqual(5_000);
  });
});

describe('tags', () => {
  it('are resolved with a warning, and Artifact Registry is heard as a second witness', async () => {
    const ports = memoryPorts([attestor], [key], { 'gcr.io/p/app:v1': { digest: digest('app') } });
    const uploadTime = new Date(ports.clock.now() - 9 * 3_600_000).toISOString();
    Object.assign(ports, {
      catalog: { ...ports.catalog, covers: () => true, describe: () => Promise.resolve({ digest: digest('app'), uploadTime }) },
    });
    const { result } = await run(ports, { images: [reference('gcr.io/p/app:v1')] });
    expect(result.images).toMatchObject([{ image: IMAGE, tag: 'v1', uploadTime }]);
    expect(ports.said.some((line) => /^warning: .*9 hours ago/.test(line))).toBe(true);
  });
});
