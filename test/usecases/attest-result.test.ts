// SPDX-License-Identifier: Apache-2.0
// What attest tells: of each image and attestation in the result, and on the way to whoever watches.
import { describe, expect, it } from 'vitest';
import { BinauthzError } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import type { ProjectId } from '../../src/core/names.js';
import type { ArtifactCatalog } from '../../src/ports/artifact-metadata.js';
import { attest } from '../../src/usecases/attest.js';
import { attestationBy, attestor, IMAGE, key, other, request, run } from '../support/attest.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';

const TAG = 'gcr.io/p/app:v1';
const HOUR = 3_600_000;
const tagged = (): Memory => memoryPorts([attestor], [key], { [TAG]: { digest: digest('app') } });
const warningsOf = ({ said }: Memory): readonly string[] =>
  said.filter((text) => text.startsWith('warning: ')).map((text) => text.slice(9));

describe('the result', () => {
  it('holds the images as they were found, and nothing that is not known', async () => {
    const { result } = await attest(request(), memoryPorts([attestor], [key]));
    expect(Object.keys(result)).toEqual(['schema', 'images', 'attestations']);
    expect(result.schema).toBe('binauthz.attest/v1');
    expect(result.images).toStrictEqual([
      { image: IMAGE, digest: digest('app'), mediaType: 'application/vnd.oci.image.manifest.v1+json', children: [] },
    ]);
    const children = [{ digest: digest('amd64'), platform: 'linux/amd64', isIndex: true as const }];
    const index = memoryPorts([attestor], [key], { [TAG]: { digest: digest('app'), isIndex: true, children } });
    expect((await run(index, { images: [reference(TAG)] })).result.images).toMatchObject([
      { tag: 'v1', children: [{ digest: digest('amd64'), platform: 'linux/amd64' }] },
    ]);
  });

  it('names the failures, at each attestation and in all', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.createFaults.push({ error: new BinauthzError('PERMISSION_DENIED', 'may not'), commits: false });
    const { result } = await run(ports);
    expect(result.errors).toMatchObject([{ code: 'PERMISSION_DENIED', message: 'may not' }]);
    expect(result.attestations).toMatchObject([
      { image: IMAGE, attestor: attestor.name, status: 'failed', error: { code: 'PERMISSION_DENIED' } },
    ]);
  });

  it('keeps the attestations that exist where others are refused', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await attestationBy(key));
    ports.attestors.answers.push({ result: 'not-verifiable', reason: 'no' });
    const { statuses, codes } = await run(ports, { images: [reference(IMAGE), reference(`gcr.io/p/b@${digest('b')}`)] });
    expect([statuses, codes]).toEqual([['existing', 'failed'], ['ATTESTATION_NOT_VERIFIABLE']]);
  });

  it('names an image once that was given twice, and attests it under its first name', async () => {
    const ports = tagged();
    const copy = `gcr.io/p/copy@${digest('app')}`;
    const { result } = await run(ports, { images: [reference(copy), reference(TAG)] });
    expect([result.images.length, result.attestations.map(({ image }) => image)]).toEqual([2, [copy]]);
  });

  it('of failed signatures posts nothing', async () => {
    const broken = testKey('//broken');
    const [signer] = broken.signers;
    const ports = memoryPorts([attestorOf('ci', broken)], [broken]);
    Object.assign(broken, { signers: [{ ...signer, sign: () => Promise.reject(new BinauthzError('KEY_UNUSABLE', 'no signature')) }] });
    const { codes, statuses } = await run(ports);
    expect([codes, statuses, ports.attestations.created]).toEqual([['KEY_UNUSABLE'], ['failed'], []]);
  });

  it('of a signature that does not verify names key and image, and posts nothing', async () => {
    const lying = testKey('//lying');
    const [signer] = lying.signers;
    Object.assign(lying, { signers: [{ ...signer, sign: () => Promise.resolve(new Uint8Array(64)) }] });
    const ports = memoryPorts([attestorOf('ci', lying)], [lying]);
    const { errors } = await run(ports);
    expect(errors).toMatchObject([
      {
        code: 'SIGNATURE_INVALID',
        resource: '//lying',
        message: expect.stringMatching(
          /^cannot attest gcr\.io\/p\/app@\S+: the signature of \/\/lying does not verify for projects\/p\/attestors\/ci/,
        ) as string,
        hint: expect.stringContaining('nothing was posted') as string,
      },
    ]);
    expect(ports.attestations.created).toEqual([]);
  });

  it('is stored in the attestor’s project, unless another is named', async () => {
    const projects: string[] = [];
    for (const project of [undefined, 'elsewhere' as ProjectId]) {
      const ports = memoryPorts([attestor], [key]);
      const create = ports.attestations.create.bind(ports.attestations);
      ports.attestations.create = (where, attestation) => (projects.push(where), create(where, attestation));
      await run(ports, project === undefined ? {} : { project });
    }
    expect(projects).toEqual(['p', 'elsewhere']);
  });
});

describe('on the way', () => {
  it('each step is told, and each attestation', async () => {
    const ports = memoryPorts([attestor], [key]);
    await run(ports);
    expect(ports.said).toEqual([
      'Resolving 1 image and reading 1 attestor',
      'Looking for existing attestations of 1 digest and attestor pair',
      'Asking Google whether 1 new attestation will verify',
      'Posting 1 attestation',
      `posted projects/p/occurrences/occurrence-1 for ${IMAGE}`,
    ]);
  });

  it('steps are counted, and those that have nothing to do are left out', async () => {
    const [first, second] = [attestorOf('first', testKey('//1')), attestorOf('second', testKey('//2'))];
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await attestationBy(key));
    await run(ports);
    expect(ports.said).toEqual([
      expect.stringContaining('Resolving'),
      expect.stringContaining('Looking'),
      `${IMAGE} is attested for ${attestor.name} already: projects/p/occurrences/occurrence-1`,
    ]);
    const none = memoryPorts([first, second], []);
    await run(none, { images: [reference(IMAGE), reference(`gcr.io/p/b@${digest('b')}`)], attestors: [first.name, second.name] });
    expect(none.said[0]).toBe('Resolving 2 images and reading 2 attestors');
  });

  it('an attestation of somebody else that is found after a conflict is called so', async () => {
    const ports = memoryPorts([attestor], [key]);
    ports.attestations.plant(await attestationBy(key), ports.clock.now() + 900);
    ports.attestations.refuseSecondOnResource = true;
    await run(ports);
    expect(ports.said.at(-1)).toBe(`found projects/p/occurrences/occurrence-1 for ${IMAGE}`);
  });

  it.each([
    [5, 0],
    [6, 1],
    [8, 3],
  ])('of %i occurrences that do not count, %i are not named', async (planted, left) => {
    const ports = memoryPorts([attestor], [key]);
    for (let index = 0; index < planted; index++) ports.attestations.plant(await attestationBy(other));
    await run(ports);
    const warnings = warningsOf(ports);
    expect(warnings.filter((text) => text.includes('does not count: '))).toHaveLength(5);
    expect(warnings.filter((text) => text.includes('more occurrences'))).toEqual(
      left === 0 ? [] : [`${left} more occurrences do not count; list them with binauthz list`],
    );
  });
});

describe('a tag', () => {
  it('is warned of, a digest is not', async () => {
    const ports = tagged();
    await run(ports, { images: [reference(TAG), reference(IMAGE)] });
    expect(warningsOf(ports)).toEqual([expect.stringMatching(/^gcr\.io\/p\/app:v1 is a tag: it is resolved once, now/)]);
  });

  interface Heard {
    readonly digest: Digest;
    readonly uploadTime?: string;
  }
  function heard(ports: Memory, answer: Heard | Error | undefined): { readonly asked: string[]; readonly ports: Memory } {
    const asked: string[] = [];
    const catalog: ArtifactCatalog = {
      ...ports.catalog,
      covers: ({ registry }) => registry === 'gcr.io',
      describe: (reference_) => (
        asked.push(reference_.original),
        answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      ),
    };
    return { asked, ports: Object.assign(ports, { catalog }) };
  }

  it('of Google’s registries alone has a second witness, and a digest needs none', async () => {
    const images = { [TAG]: { digest: digest('app') }, 'quay.io/p/app:v1': { digest: digest('quay') } };
    const { asked, ports } = heard(memoryPorts([attestor], [key], images), undefined);
    const given = [reference(TAG), reference('quay.io/p/app:v1'), reference(`gcr.io/p/b@${digest('b')}`)] as const;
    expect((await run(ports, { images: given as never })).codes).toEqual([]);
    expect(asked).toEqual([TAG]);
  });

  it('whose witness cannot speak is attested, which is said', async () => {
    const { ports } = heard(tagged(), new BinauthzError('PERMISSION_DENIED', 'may not read'));
    expect((await run(ports, { images: [reference(TAG)] })).codes).toEqual([]);
    expect(ports.said).toContain(`Artifact Registry was not heard about ${TAG}: may not read`);
  });

  it('that moved says between which digests, and what to give instead', async () => {
    const { ports } = heard(tagged(), { digest: digest('moved') });
    expect((await run(ports, { images: [reference(TAG)] })).errors).toMatchObject([
      {
        code: 'TAG_MOVED',
        resource: TAG,
        message: expect.stringContaining(`serves ${digest('app')}, Artifact Registry says ${digest('moved')}`) as string,
        hint: expect.stringContaining('gcr.io/p/app@sha256:…') as string,
      },
    ]);
  });

  it.each<[string, number | string | undefined, readonly RegExp[]]>([
    ['lately', 0, []],
    ['as long ago as a job may live', 6 * HOUR, []],
    ['longer ago', 6 * HOUR + 1, [/was uploaded 6 hours ago, longer than this run would explain/]],
    ['nobody knows when', undefined, []],
    ['at no time', 'once', []],
  ])('that was uploaded %s', async (_, age, warnings) => {
    const plain = tagged();
    const uploadTime = typeof age === 'number' ? new Date(plain.clock.now() - age).toISOString() : age;
    const { ports } = heard(plain, { digest: digest('app'), ...(uploadTime === undefined ? {} : { uploadTime }) });
    await run(ports, { images: [reference(TAG)] });
    expect(warningsOf(ports).filter((text) => !text.includes('is a tag'))).toEqual(
      warnings.map((text) => expect.stringMatching(text) as string),
    );
    expect(ports.said.filter((text) => text.startsWith(`${TAG} was uploaded at`))).toEqual(
      typeof age === 'number' ? [`${TAG} was uploaded at ${uploadTime ?? ''}`] : [],
    );
  });
});
