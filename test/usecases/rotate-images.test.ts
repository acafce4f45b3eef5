// SPDX-License-Identifier: Apache-2.0
// Images that a rotation was told of and cannot sign: why, and what to do instead.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { attestorOf, digest, reference } from '../support/ports.js';
import { fresh, nameOf, old, plant, run, stranger, type World, world } from '../support/rotate.js';

const failing = (code: ErrorCode, resource?: string) =>
  new BinauthzError(code, `cannot: ${code}`, resource === undefined ? {} : { resource });
const images = (...words: readonly string[]) => words.map((word) => reference(nameOf(word)));
const ATTESTOR = attestorOf('ci').name;
/** Stores an attestation of a word's image that names another image than its resource does. */
async function plantNamed(ports: World, word: string, name: string, uri = `https://${nameOf(word)}`): Promise<void> {
  const payload = encodePayload({ ...payloadFor(pin(reference(nameOf(word)), digest(word))), dockerReference: name });
  const [signer] = old.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  const note = ports.keys.attestor.now.note;
  ports.memory.attestations.plant({ note, resourceUri: uri, payload, signatures: [{ publicKeyId: old.entry.id, bytes }] });
}

describe('an image that cannot be rotated', () => {
  it('for lack of an attestation says how to attest it', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const { errors, result } = await run(ports, { images: images('one', 'two') });
    expect(errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_FOUND',
        resource: nameOf('two'),
        message: `cannot rotate ${nameOf('two')}: it has no attestation by ${ATTESTOR}`,
        hint: expect.stringContaining(`binauthz attest ${nameOf('two')} --attestor ${ATTESTOR}`) as string,
      },
    ]);
    expect(result.images).toMatchObject([{ status: 'attested' }, { image: nameOf('two'), status: 'unattested' }]);
    expect(result.images?.[1]).not.toHaveProperty('error');
  });

  it('because none verifies says so', async () => {
    const ports = world();
    await plant(ports, 'one', stranger);
    const { errors } = await run(ports, { images: images('one') });
    expect(errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_VERIFIABLE',
        resource: nameOf('one'),
        message: expect.stringContaining(`none of its attestations verifies beyond doubt under a key that ${ATTESTOR} trusts`) as string,
        hint: expect.stringContaining('binauthz attest') as string,
      },
    ]);
  });

  it('because its attestation is in doubt says which doubt, and fails nothing else', async () => {
    const ports = world();
    await plant(ports, 'one', old, { type: 'of another kind' });
    await plant(ports, 'two', old);
    const { result, codes } = await run(ports);
    expect([codes, result.images?.map(({ status }) => status)]).toEqual([[], ['unattested', 'attested']]);
    expect(result.images?.[0]?.error).toMatchObject({
      code: 'ATTESTATION_NOT_VERIFIABLE',
      resource: nameOf('one'),
      message: expect.stringMatching(/its attestation by projects\/p\/attestors\/ci is in doubt: .*of another kind/) as string,
      hint: expect.stringContaining('attest it under its full name') as string,
    });
  });

  it('because its attestation names no image fails, and the others are attested', async () => {
    const ports = world();
    await plantNamed(ports, 'one', 'no name', `no name@${digest('one')}`);
    await plant(ports, 'two', old);
    const { result, errors } = await run(ports);
    expect(result.images).toMatchObject([
      { image: digest('one'), status: 'failed', error: { code: 'ATTESTATION_NOT_VERIFIABLE' } },
      { status: 'attested' },
    ]);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/names no image, which a new one must$/) as string, resource: digest('one') },
    ]);
  });

  it('among images of a manifest of which none is attested is the wrong manifest', async () => {
    const { errors } = await run(world(), { used: [nameOf('one'), nameOf('two')] });
    expect(errors).toMatchObject([
      {
        code: 'ATTESTATION_NOT_FOUND',
        resource: ATTESTOR,
        message: `cannot rotate any image: none of the 2 given has an attestation that verifies by ${ATTESTOR}`,
        hint: expect.stringContaining(`binauthz list --attestor ${ATTESTOR}`) as string,
      },
    ]);
  });

  it.each<[string, string, string, readonly string[]]>([
    ['a tag that the registry does not know', 'gcr.io/p/gone:v1', 'failed', ['IMAGE_NOT_FOUND']],
    ['no tag and no digest', 'gcr.io/p/app', 'unattested', ['ATTESTATION_NOT_FOUND']],
    ['no name at all', 'Not A Name', 'unattested', ['ATTESTATION_NOT_FOUND']],
    ['a short name by its digest', `nginx_@${digest('one')}`, 'attested', []],
    ['a short name by another digest', `nginx_@${digest('two')}`, 'unattested', ['ATTESTATION_NOT_FOUND']],
  ])('in a manifest: %s', async (_, used, status, expected) => {
    const ports = world();
    await plant(ports, 'one', old);
    const { result, codes } = await run(ports, { used: [used] });
    expect([result.images?.map((one) => one.status), codes]).toEqual([[status], expected]);
    expect(result.images?.[0]?.image).toBe(used);
  });

  it('for a reason that is not the registry’s silence fails, also by its digest', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.registry.resolve = () => Promise.reject(failing('RESPONSE_INVALID'));
    expect(await run({ ...ports, registry: ports.memory.registry }, { images: images('one') })).toMatchObject({
      codes: ['RESPONSE_INVALID'],
      images: { [nameOf('one')]: 'failed' },
    });
    for (const code of ['PERMISSION_DENIED', 'UNAUTHENTICATED', 'UNAVAILABLE', 'QUOTA_EXHAUSTED', 'IMAGE_NOT_FOUND'] as const) {
      const silent = world();
      await plant(silent, 'one', old);
      silent.memory.registry.resolve = () => Promise.reject(failing(code));
      expect((await run({ ...silent, registry: silent.memory.registry }, { images: images('one') })).codes).toEqual([]);
    }
  });

  it('of an empty repository says how to look into it', async () =>
    expect((await run(world(), { repositories: [reference('us-docker.pkg.dev/p/r')] })).errors).toMatchObject([
      {
        code: 'IMAGE_NOT_FOUND',
        resource: 'us-docker.pkg.dev/p/r',
        message: expect.stringContaining('cannot find an image in us-docker.pkg.dev/p/r') as string,
        hint: 'compare it with what is there: gcloud artifacts docker images list us-docker.pkg.dev/p/r',
      },
    ]));
});

describe('images that are named', () => {
  it('are all that is rotated, however many are named in which way', async () => {
    const ports = world();
    for (const word of ['one', 'two', 'three', 'four']) await plant(ports, word, old);
    ports.repository.push({ name: nameOf('three'), digest: digest('three'), children: [] });
    expect(Object.keys((await run(ports, { images: images('one'), used: [nameOf('two')] })).images)).toEqual([
      nameOf('one'),
      nameOf('two'),
    ]);
    const repositories = [reference('us-docker.pkg.dev/p/r')];
    expect(Object.keys((await run(ports, { images: images('one'), repositories })).images)).toEqual([nameOf('one'), nameOf('three')]);
  });

  it('and are attested already are worth the new key, whatever else fails', async () => {
    const ports = world([old, fresh]);
    await plant(ports, 'one', fresh);
    const { codes, changes } = await run(ports, { images: [...images('one'), reference('gcr.io/p/gone:v1')] });
    expect([codes, changes]).toEqual([['IMAGE_NOT_FOUND'], ['none done']]);
  });
});
