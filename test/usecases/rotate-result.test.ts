// SPDX-License-Identifier: Apache-2.0
// What a rotation tells: of each change, image and dependent, and on the way.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import type { OccurrenceName, ProjectId } from '../../src/core/names.js';
import { rotate } from '../../src/usecases/rotate.js';
import { attestorOf, digest, reference, testKey } from '../support/ports.js';
import { fresh, nameOf, old, plant, retiring, run, world, type World } from '../support/rotate.js';

const failing = (code: ErrorCode, resource?: string) =>
  new BinauthzError(code, `cannot: ${code}`, resource === undefined ? {} : { resource });
const warningsOf = ({ memory }: World): readonly string[] =>
  memory.said.filter((text) => text.startsWith('warning: ')).map((text) => text.slice(9));
const occurrence = (number: number): string => `projects/p/occurrences/occurrence-${number}`;
const images = (...words: readonly string[]) => words.map((word) => reference(nameOf(word)));
const ATTESTOR = attestorOf('ci').name;

describe('the result', () => {
  it('is the plan as it was carried out', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const { result } = await run(ports, retiring());
    expect(result).toStrictEqual({
      schema: 'binauthz.plan/v1',
      applied: true,
      changes: [
        {
          resource: ATTESTOR,
          action: 'update',
          status: 'done',
          summary: `trust ${fresh.entry.id} beside what is trusted already`,
          gcloud: expect.stringContaining('public-keys add') as string,
        },
        {
          resource: ATTESTOR,
          action: 'update',
          status: 'done',
          summary: `trust ${old.entry.id} no longer`,
          gcloud: expect.stringContaining('public-keys remove') as string,
        },
      ],
      images: [{ image: nameOf('one'), status: 'attested', occurrence: occurrence(2) }],
      dependents: [],
    });
    expect(ports.memory.said).toEqual([
      `Reading ${ATTESTOR} and what is attested by it`,
      `Having ${ATTESTOR} trust ${fresh.entry.id}`,
      `Attesting 1 of 1 digests with ${fresh.entry.id}`,
      `posted ${occurrence(2)} for ${nameOf('one')}`,
      `Taking ${old.entry.id} off ${ATTESTOR}`,
    ]);
  });

  it('of a second run says that all is so already', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    await run(ports, retiring());
    ports.memory.said.length = 0;
    const { result } = await run(ports, retiring());
    expect(result.changes).toStrictEqual([
      { resource: ATTESTOR, action: 'none', status: 'done', summary: `${fresh.entry.id} is trusted already`, gcloud: '' },
      { resource: ATTESTOR, action: 'none', status: 'done', summary: `${old.entry.id} is not trusted any more`, gcloud: '' },
    ]);
    expect(ports.memory.said).toEqual([`Reading ${ATTESTOR} and what is attested by it`]);
  });

  it('that was not to be applied is not, and plans what would be', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    await plant(ports, 'two', fresh);
    const { result } = await run(ports, { apply: false });
    expect(result).toMatchObject({ applied: false, images: [{ image: nameOf('one'), status: 'planned' }], dependents: [] });
    expect(ports.memory.said).toHaveLength(1);
  });

  it('names what fails, at the change, at the image and in all', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.keys.fails = failing('PERMISSION_DENIED');
    const refused = await run(ports);
    expect(refused.result).toMatchObject({
      applied: false,
      changes: [{ status: 'failed', error: { code: 'PERMISSION_DENIED' } }],
      images: [{ status: 'planned' }],
      errors: [{ code: 'PERMISSION_DENIED' }],
    });
    const half = world();
    await plant(half, 'one', old);
    half.memory.attestations.createFaults.push({ error: failing('INVALID_INPUT'), commits: false });
    const { result } = await run(half);
    expect(result).toMatchObject({
      applied: false,
      images: [{ status: 'failed', error: { code: 'INVALID_INPUT' } }],
      dependents: [{ image: nameOf('one'), keys: [old.entry.id] }],
    });
  });

  it('holds an attestation that is stored and not seen, with the reason', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestations.propagationMs = 3_600_000;
    const { result, codes } = await run(ports, { waitTimeoutMs: 5_000 });
    expect(result.images).toMatchObject([{ status: 'posted', occurrence: occurrence(2), error: { code: 'NOT_VISIBLE' } }]);
    expect(codes).toEqual(['NOT_VISIBLE']);
    expect(ports.memory.clock.pauses.reduce((sum, ms) => sum + ms, 0)).toBe(5_000);
  });

  it('is stored where the attestor is, unless another project is named', async () => {
    const projects: string[] = [];
    for (const change of [{}, { project: 'elsewhere' as ProjectId }]) {
      const ports = world();
      await plant(ports, 'one', old);
      const create = ports.memory.attestations.create.bind(ports.memory.attestations);
      ports.memory.attestations.create = (project, attestation) => (projects.push(project), create(project, attestation));
      await run(ports, change);
    }
    expect(projects).toEqual(['p', 'elsewhere']);
  });

  it('of an attestor, and a key, that cannot be read has both errors, and one where one fails', async () => {
    const ports = world();
    ports.memory.attestors.attestor = () => Promise.reject(failing('ATTESTOR_NOT_FOUND'));
    const request = { attestor: ATTESTOR, images: [], used: [], repositories: [], waitTimeoutMs: 0, apply: true };
    const codesOf = async (over: World): Promise<readonly string[]> =>
      (await rotate(request, { ...over, attestors: over.memory.attestors })).errors.map(({ code }) => code);
    expect(await codesOf(ports)).toEqual(['ATTESTOR_NOT_FOUND']);
    expect(await codesOf({ ...world(), openNewKey: () => Promise.reject(failing('KEY_NOT_FOUND')) })).toEqual(['KEY_NOT_FOUND']);
  });
});

describe('the platforms of an index', () => {
  const children = [{ digest: digest('amd64'), platform: 'linux/amd64' }];

  it('are named in the result, also where the platform was asked for itself', async () => {
    const ports = world([old], { [nameOf('multi')]: { digest: digest('multi'), isIndex: true, children } });
    await plant(ports, 'multi', old);
    await plant(ports, 'amd64', old);
    const { result } = await run(ports, { images: [...images('multi'), reference(nameOf('amd64'))] });
    expect(result.images?.map(({ image, platform }) => [image.split('@')[1], platform])).toEqual([
      [digest('multi'), undefined],
      [digest('amd64'), 'linux/amd64'],
    ]);
    expect(result.images?.[0]).not.toHaveProperty('platform');
  });

  it('are not asked for where nothing depends on another key, nor of other repositories', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    await plant(ports, 'two', old);
    const asked: string[] = [];
    const resolve = ports.memory.registry.resolve.bind(ports.memory.registry);
    ports.memory.registry.resolve = (image) => (asked.push(image.original), resolve(image));
    const over = { ...ports, registry: ports.memory.registry };
    ports.memory.attestations.createFaults.push({ error: failing('INVALID_INPUT'), commits: false });
    const { result } = await run(over);
    expect(result.dependents).toMatchObject([{ image: nameOf('one') }]);
    expect(asked).toEqual([nameOf('one')]);
    await run(over);
    expect(asked).toHaveLength(1);
  });
});

describe('what is worth knowing', () => {
  it.each([
    [undefined, /^no image is attested by projects\/p\/attestors\/ci$/],
    [{ index: 1, total: 2 }, /^no image of this shard is attested by/],
  ])('is that there is nothing to attest (%#)', async (shard, warning) => {
    const ports = world();
    await run(ports, shard === undefined ? {} : { shard });
    expect(warningsOf(ports)).toEqual([expect.stringMatching(warning)]);
  });

  it('is not that other attestors could not be listed, unless the run was cancelled', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const listing = (code: ErrorCode) => ({
      ...ports,
      attestors: {
        ...ports.memory.attestors,
        attestor: ports.memory.attestors.attestor,
        validate: () => Promise.resolve({ result: 'verified' as const }),
        attestorsIn: () => Promise.reject(failing(code)),
      },
    });
    await expect(run(listing('CANCELLED'))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await run(listing('PERMISSION_DENIED'))).codes).toEqual([]);
    expect(warningsOf(ports)).toEqual([]);
  });

  it('is each doubt of an attestation', async () => {
    const ports = world([old, testKey('//unused')]);
    await plant(ports, 'one', old, { type: 'of another kind' });
    await plant(ports, 'one', old);
    const { result } = await run(ports, { apply: false });
    expect(result.images).toEqual([{ image: nameOf('one'), status: 'planned' }]);
    expect(occurrence(1) as OccurrenceName).toBe(ports.memory.attestations.stored[0]?.occurrence);
  });
});
