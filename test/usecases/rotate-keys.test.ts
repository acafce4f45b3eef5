// SPDX-License-Identifier: Apache-2.0
// The key that is rotated to, as Google comes to know it; and the key to retire, as long as anything needs it.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { attestorOf, digest, reference } from '../support/ports.js';
import { created, fresh, nameOf, old, plant, retiring, run, stranger, world, type World } from '../support/rotate.js';

const failing = (code: ErrorCode, resource?: string) =>
  new BinauthzError(code, `cannot: ${code}`, resource === undefined ? {} : { resource });
const warningsOf = ({ memory }: World): readonly string[] =>
  memory.said.filter((text) => text.startsWith('warning: ')).map((text) => text.slice(9));
const occurrence = (number: number): string => `projects/p/occurrences/occurrence-${number}`;
const images = (...words: readonly string[]) => words.map((word) => reference(nameOf(word)));
const ATTESTOR = attestorOf('ci').name;

describe('a new key', () => {
  it('that Google does not know yet is asked about again, for half a minute', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const unknown = Array.from({ length: 50 }, () => ({ result: 'not-verifiable', reason: 'no such key' }) as const);
    ports.memory.attestors.answers.push(...unknown);
    const { codes } = await run(ports);
    expect(codes).toEqual(['ATTESTATION_NOT_VERIFIABLE']);
    const waited = ports.memory.clock.pauses.reduce((sum, ms) => sum + ms, 0);
    expect([waited > 20_000, waited <= 30_000]).toEqual([true, true]);
    expect(ports.memory.said.find((text) => text.includes('asking again'))).toMatch(
      /^Google does not verify attestations under https:\/\/keys\.example\.com\/2 yet; asking again in \d+ ms$/,
    );
  });

  it('that Google does not speak of is not asked about again', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestors.answers.push({ result: 'unspecified', reason: '' });
    expect([(await run(ports)).codes, ports.memory.clock.pauses]).toEqual([['UNDECIDED'], []]);
  });

  it.each<ErrorCode>(['PERMISSION_DENIED', 'UNAUTHENTICATED', 'NOTE_NOT_FOUND', 'PROJECT_NOT_FOUND'])(
    'with which the first cannot be stored for %s stores no other',
    async (code) => {
      const ports = world();
      for (const word of ['one', 'two']) await plant(ports, word, old);
      ports.memory.attestations.createFaults.push({ error: failing(code), commits: false });
      const { codes, result } = await run(ports);
      expect([codes, created(ports), result.images?.map(({ status }) => status)]).toEqual([[code], [], ['failed', 'planned']]);
    },
  );

  it('whose attestation somebody else stored meanwhile is existing', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestations.create = async () => {
      await plant(ports, 'one', fresh);
      throw failing('ATTESTATION_CONFLICT');
    };
    const { result } = await run(ports);
    expect(result.images).toEqual([{ image: nameOf('one'), status: 'existing', occurrence: occurrence(2) }]);
    expect(ports.memory.said).toContain(`found ${occurrence(2)} for ${nameOf('one')}`);
  });

  it('whose attestation is in the way of the old one’s says what to do, and what is in the way', async () => {
    const conflict = async (resource?: string) => {
      const ports = world();
      await plant(ports, 'one', old);
      if (resource === undefined) ports.memory.attestations.listOfNote = hiding(ports);
      ports.memory.attestations.create = () => Promise.reject(failing('ATTESTATION_CONFLICT'));
      return (await run(ports)).errors[0];
    };
    expect(await conflict(occurrence(1))).toMatchObject({
      code: 'ATTESTATION_CONFLICT',
      resource: occurrence(1),
      message: `cannot attest ${nameOf('one')} for ${ATTESTOR} under another key: Container Analysis says that the attestation exists already`,
      hint: expect.stringMatching(new RegExp(`note of its own.*binauthz attest ${nameOf('one')} --attestor ${ATTESTOR}`)) as string,
    });
    expect((await conflict())?.resource).toBe(nameOf('one'));
  });
});

/** Lists the note once as it is, and empty from then on. */
function hiding({ memory }: World): typeof memory.attestations.listOfNote {
  const stored = [...memory.attestations.stored];
  return () => Promise.resolve(stored.splice(0));
}

describe('the key to retire', () => {
  it('that nobody knows is compared with what the attestor trusts', async () => {
    const ports = world([old, stranger]);
    await plant(ports, 'one', old);
    const { errors } = await run(ports, { retire: { keyId: 'nobody', force: false } });
    expect(errors).toMatchObject([
      {
        code: 'KEY_NOT_FOUND',
        resource: ATTESTOR,
        message: expect.stringContaining(
          `cannot retire nobody: ${ATTESTOR} does not trust it, and no attestation names it; it trusts ${old.entry.id}, ${stranger.entry.id}`,
        ) as string,
        hint: expect.stringContaining('attestors describe') as string,
      },
    ]);
  });

  it('cannot be the new one', async () => {
    const ports = world([old, fresh]);
    const { errors } = await run(ports, { retire: { keyId: fresh.entry.id, force: true } });
    expect(errors).toMatchObject([
      {
        code: 'INVALID_INPUT',
        resource: fresh.entry.id,
        message: expect.stringContaining(`it is the key that ${ATTESTOR} is rotated to`) as string,
        hint: `the attestor trusts ${old.entry.id}, ${fresh.entry.id}`,
      },
    ]);
  });

  it.each([
    [3, /got 3: \S+one@\S+, \S+two@\S+, \S+three@\S+$/],
    [5, /got 5: \S+one@\S+, \S+two@\S+, \S+three@\S+ and 2 more$/],
  ])('that %i images need stays, and some of them are named', async (count, message) => {
    const ports = world();
    const words = ['one', 'two', 'three', 'four', 'five'].slice(0, count);
    for (const word of [...words, 'other']) await plant(ports, word, old);
    const { errors, result } = await run(ports, { ...retiring(), images: images('other') });
    expect(errors).toMatchObject([
      {
        code: 'KEY_STILL_NEEDED',
        resource: ATTESTOR,
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(/--force; where the key leaked/) as string,
      },
    ]);
    expect(result.changes[1]).toMatchObject({ status: 'skipped', error: { code: 'KEY_STILL_NEEDED' } });
    const forced = await run(ports, { ...retiring(true), images: images('other') });
    expect(forced.codes).toEqual([]);
    expect(warningsOf(ports)).toEqual([
      expect.stringMatching(/ depend on https:\/\/keys\.example\.com\/1 alone and will be denied without it$/),
    ]);
  });

  it('is retired without a word where there is nothing to say', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    await run(ports, retiring());
    expect(warningsOf(ports)).toEqual([]);
  });

  it('is warned of where attestations name it and do not verify, or it is trusted under other names', async () => {
    const ports = world();
    const now = ports.keys.attestor.now;
    ports.keys.attestor.now = { ...now, keys: [...now.keys, { ...old.entry, id: 'twin-1' }, { ...old.entry, id: 'twin-2' }] };
    await plant(ports, 'one', old);
    await plant(ports, 'one', stranger, { id: old.entry.id });
    await plant(ports, 'two', stranger, { id: old.entry.id });
    await plant(ports, 'three', stranger);
    await run(ports, retiring());
    expect(warningsOf(ports)).toEqual([
      expect.stringMatching(/trusts the very key of https:\/\/keys\.example\.com\/1 as twin-1 and twin-2 as well/),
      `${digest('two')}: an attestation names ${old.entry.id}, but does not verify here; where Google accepts it all the same, the image will be denied`,
    ]);
  });

  it('that cannot be taken off says why at the change', async () => {
    const ports = world([old, fresh]);
    await plant(ports, 'one', fresh);
    ports.keys.fails = failing('PERMISSION_DENIED');
    const { result } = await run(ports, retiring());
    expect(result.changes[1]).toMatchObject({ status: 'failed', error: { code: 'PERMISSION_DENIED' } });
  });
});
