// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { isInShard } from '../../src/core/rotation/shard.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { attestorOf, digest, reference, type TestKey } from '../support/ports.js';
import { created, fresh, nameOf, old, plant, retiring, run, stranger, transient, world, type World } from '../support/rotate.js';

describe('rotate', () => {
  it('stages the key, attests what verifies, and retires the old key once nothing depends on it', async () => {
    const ports = world();
    for (const word of ['one', 'two', 'three']) await plant(ports, word, old);
    const { codes, images, changes, result } = await run(ports, retiring());
    expect([codes, changes, result.applied, result.dependents]).toEqual([[], ['update done', 'update done'], true, []]);
    expect(images).toEqual({ [nameOf('one')]: 'attested', [nameOf('two')]: 'attested', [nameOf('three')]: 'attested' });
    expect(ports.keys.writes).toEqual([`add ${fresh.entry.id}`, `remove ${old.entry.id}`]);
    expect(ports.memory.attestations.created.map(({ signatures }) => signatures.map(({ publicKeyId }) => publicKeyId))).toEqual(
      Array(3).fill([fresh.entry.id]),
    );
  });

  it('is over at the second run: nothing is attested twice, and the key that is gone is no error', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    await run(ports, retiring());
    const second = await run(ports, retiring());
    expect([second.codes, second.changes, second.images]).toEqual([[], ['none done', 'none done'], { [nameOf('one')]: 'existing' }]);
    expect(created(ports)).toEqual([nameOf('one')]);
    expect(ports.keys.writes).toHaveLength(2);
  });

  it('writes nothing without apply, and says what it would do', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const before = fresh.signatures;
    const { codes, changes, images, result } = await run(ports, { ...retiring(), apply: false });
    expect([codes, changes, result.applied, result.dependents]).toEqual([[], ['update planned', 'update planned'], false, []]);
    expect(images).toEqual({ [nameOf('one')]: 'planned' });
    expect([ports.keys.writes, created(ports), fresh.signatures - before, ports.memory.attestors.validations]).toEqual([[], [], 0, 0]);
    expect(result.changes.map(({ gcloud }) => gcloud)).toEqual([
      expect.stringMatching(/public-keys add --attestor=ci --project=p/),
      expect.stringMatching(/public-keys remove https:\/\/keys.example.com\/1 --attestor=ci --project=p/),
    ]);
  });

  it('asks Google about no more than 60 attestations, and about the first before any is posted', async () => {
    const ports = world();
    for (let index = 0; index < 80; index++) await plant(ports, `app${String(index)}`, old);
    const { codes } = await run(ports);
    expect([codes, ports.memory.attestors.validations, created(ports).length]).toEqual([[], 60, 80]);
    // Beside other shards it is a share of them, so that all together stay below the quota.
    const sharded = world();
    for (let index = 0; index < 80; index++) await plant(sharded, `app${String(index)}`, old);
    await run(sharded, { shard: { index: 1, total: 4 } });
    expect([sharded.memory.attestors.validations, created(sharded).length > 15]).toEqual([15, true]);
  });

  it('tells everything under the note that depends on another key, named or not', async () => {
    const ports = world();
    for (const word of ['one', 'two']) await plant(ports, word, old);
    const { codes, images, result } = await run(ports, { images: [reference(nameOf('one'))] });
    expect([codes, images]).toEqual([[], { [nameOf('one')]: 'attested' }]);
    expect(result.dependents).toEqual([{ image: nameOf('two'), keys: [old.entry.id] }]);
  });

  it('names the platform of what depends, where its index is attested as well', async () => {
    const children = [{ digest: digest('arm'), platform: 'linux/arm64' }];
    const ports = world([old], { [nameOf('app')]: { digest: digest('app'), children, isIndex: true } });
    await plant(ports, 'app', old);
    const image = pin(reference(`gcr.io/p/app@${digest('arm')}`), digest('arm'));
    const payload = encodePayload(payloadFor(image));
    const [signer] = old.signers;
    const signatures = [{ publicKeyId: old.entry.id, bytes: await signer.sign(payload, signer.publicKeys[0]) }];
    const { note } = ports.keys.attestor.now;
    ports.memory.attestations.plant({ note, resourceUri: `https://gcr.io/p/app@${digest('arm')}`, payload, signatures });
    await plant(ports, 'other', old);
    const { result } = await run(ports, { images: [reference(nameOf('other'))] });
    expect(result.dependents).toEqual([
      { image: nameOf('app'), keys: [old.entry.id] },
      { image: `gcr.io/p/app@${digest('arm')}`, platform: 'linux/arm64', keys: [old.entry.id] },
    ]);
  });
});

describe('rotate signs nothing that was not attested', () => {
  it.each<[string, (ports: World) => Promise<void>, ErrorCode]>([
    ['without any attestation', () => Promise.resolve(), 'ATTESTATION_NOT_FOUND'],
    ['with one by a key that is not trusted', (ports) => plant(ports, 'app', stranger), 'ATTESTATION_NOT_VERIFIABLE'],
    ['with one by the trusted key under another id', (ports) => plant(ports, 'app', old, { id: 'old' }), 'ATTESTATION_NOT_VERIFIABLE'],
    [
      'with one under the id of the trusted key',
      (ports) => plant(ports, 'app', stranger, { id: old.entry.id }),
      'ATTESTATION_NOT_VERIFIABLE',
    ],
    [
      'with one of an unusual type',
      (ports) => plant(ports, 'app', old, { type: 'atomic container signature' }),
      'ATTESTATION_NOT_VERIFIABLE',
    ],
  ])('%s: a named image is an error', async (_, prepare, code) => {
    const ports = world();
    await plant(ports, 'other', old);
    await prepare(ports);
    const { codes, images } = await run(ports, { images: [reference(nameOf('app')), reference(nameOf('other'))] });
    expect([codes, images]).toEqual([[code], { [nameOf('app')]: 'unattested', [nameOf('other')]: 'attested' }]);
    expect(created(ports)).toEqual([nameOf('other')]);
  });

  it('of a manifest it says so, and goes on', async () => {
    const ports = world([old], { 'gcr.io/p/other:v1': { digest: digest('other') } });
    await plant(ports, 'other', old);
    const { codes, images } = await run(ports, { used: [nameOf('app'), 'nginx', 'nginx:1.27', 'gcr.io/p/other:v1', `x@${digest('x')}`] });
    expect(codes).toEqual([]);
    expect(images).toEqual({
      [nameOf('app')]: 'unattested',
      nginx: 'unattested',
      'nginx:1.27': 'unattested',
      [nameOf('other')]: 'attested',
      [`x@${digest('x')}`]: 'unattested',
    });
  });

  it('and ends with an error where no image of a manifest is attested', async () => {
    const ports = world();
    const { codes, changes } = await run(ports, { used: ['nginx', nameOf('app')] });
    expect([codes, changes, ports.keys.writes]).toEqual([['ATTESTATION_NOT_FOUND'], [], []]);
  });

  it('of an index it attests exactly the digests that were', async () => {
    const children = ['amd64', 'arm64'].map((word) => ({ digest: digest(word), platform: `linux/${word}` }));
    const ports = world([old], { 'gcr.io/p/app:v1': { digest: digest('app'), children, isIndex: true } });
    await plant(ports, 'arm64', old);
    const { codes, result } = await run(ports, { images: [reference('gcr.io/p/app:v1')] });
    expect(codes).toEqual([]);
    expect(result.images).toEqual([
      { image: `gcr.io/p/app@${digest('app')}`, status: 'unattested' },
      { image: `gcr.io/p/app@${digest('arm64')}`, platform: 'linux/arm64', status: 'attested', occurrence: expect.any(String) as string },
    ]);
    expect(created(ports)).toEqual([nameOf('arm64')]);
  });
});

describe('an occurrence with two signatures', () => {
  it.each<[string, TestKey, readonly string[]]>([
    ['counts for each key that signed it', fresh, []],
    ['counts for no key of which it has the id alone', stranger, ['KEY_STILL_NEEDED']],
  ])('%s', async (_, signer, refusal) => {
    const ports = world([old, fresh]);
    const payload = encodePayload(payloadFor(pin(reference(nameOf('app')), digest('app'))));
    const by = async ({ signers: [first] }: TestKey, publicKeyId: string) => ({
      publicKeyId,
      bytes: await first.sign(payload, first.publicKeys[0]),
    });
    const signatures = [await by(old, old.entry.id), await by(signer, fresh.entry.id)];
    const { note } = ports.keys.attestor.now;
    ports.memory.attestations.plant({ note, resourceUri: `https://${nameOf('app')}`, payload, signatures });
    await plant(ports, 'other', old);
    expect((await run(ports, { ...retiring(), used: [nameOf('other')] })).codes).toEqual(refusal);
    expect((await run(ports)).images[nameOf('app')]).toBe(refusal.length > 0 ? 'attested' : 'existing');
  });
});

describe('rotate takes images', () => {
  it('from a repository, with the platforms of its indexes', async () => {
    const ports = world();
    await plant(ports, 'app', old);
    await plant(ports, 'elsewhere', old);
    ports.repository.push(
      { digest: digest('app'), name: nameOf('app'), children: [] },
      { digest: digest('new'), name: nameOf('new'), children: [] },
    );
    const { codes, images } = await run(ports, { repositories: [reference('us-docker.pkg.dev/p/r')] });
    expect([codes, images]).toEqual([[], { [nameOf('app')]: 'attested', [nameOf('new')]: 'unattested' }]);
  });

  it('from an empty repository never in silence', async () =>
    expect((await run(world(), { repositories: [reference('us-docker.pkg.dev/p/r')] })).codes).toEqual(['IMAGE_NOT_FOUND']));

  it('by a tag that the registry does not know: an error, and the others are attested', async () => {
    const ports = world();
    await plant(ports, 'app', old);
    const { codes, images } = await run(ports, { images: [reference('gcr.io/p/gone:v1')], used: [nameOf('app')] });
    expect([codes, images]).toEqual([['IMAGE_NOT_FOUND'], { [nameOf('app')]: 'attested', 'gcr.io/p/gone:v1': 'failed' }]);
  });

  it('by digest, also where the registry has lost them', async () => {
    const ports = world();
    await plant(ports, 'app', old);
    ports.memory.registry.resolve = () => Promise.reject(new BinauthzError('IMAGE_NOT_FOUND', 'gone'));
    expect((await run(ports, { images: [reference(nameOf('app'))] })).images).toEqual({ [nameOf('app')]: 'attested' });
    ports.memory.registry.resolve = () => Promise.reject(new BinauthzError('DIGEST_MISMATCH', 'other bytes'));
    const second = await run(ports, { images: [reference(nameOf('app'))] });
    expect([second.codes, second.images]).toEqual([['DIGEST_MISMATCH'], { [nameOf('app')]: 'failed' }]);
  });

  it('in shards, each digest in exactly one', async () => {
    const words = Array.from({ length: 40 }, (_, index) => `app${String(index)}`);
    const ports = world();
    for (const word of words) await plant(ports, word, old);
    for (const index of [1, 2, 3]) {
      const shard = { index, total: 3 };
      const { codes, images, result } = await run(ports, { shard });
      const mine = words.filter((word) => isInShard(digest(word), shard)).map(nameOf);
      expect([codes, Object.keys(images).sort(), result.dependents]).toEqual([[], mine.sort(), []]);
    }
    expect(created(ports).slice().sort()).toEqual(words.map(nameOf).sort());
    expect(ports.keys.writes).toEqual([`add ${fresh.entry.id}`]);
  });

  it('of which a shard has none, without an error', async () => {
    const ports = world();
    await plant(ports, 'app', old);
    const used = [nameOf('app')];
    const { codes, images } = await run(ports, {
      used,
      shard: { index: isInShard(digest('app'), { index: 1, total: 2 }) ? 2 : 1, total: 2 },
    });
    expect([codes, images]).toEqual([[], {}]);
  });
});

describe('the old key stays', () => {
  it('where an image depends on it alone, unless it is forced', async () => {
    const ports = world();
    for (const word of ['one', 'two']) await plant(ports, word, old);
    const only = { images: [reference(nameOf('one'))] };
    const refused = await run(ports, { ...only, ...retiring() });
    expect([refused.codes, refused.changes]).toEqual([['KEY_STILL_NEEDED'], ['update done', 'update skipped']]);
    expect([refused.errors[0]?.exitCode, refused.errors[0]?.message]).toEqual([3, expect.stringContaining(nameOf('two'))]);
    expect(ports.keys.writes).toEqual([`add ${fresh.entry.id}`]);
    const plan = await run(ports, { ...only, ...retiring(), apply: false });
    expect([plan.codes, plan.changes]).toEqual([['KEY_STILL_NEEDED'], ['none done', 'update skipped']]);
    const forced = await run(ports, { ...only, ...retiring(true) });
    expect([forced.codes, forced.changes]).toEqual([[], ['none done', 'update done']]);
    expect(forced.result.dependents).toEqual([{ image: nameOf('two'), keys: [old.entry.id] }]);
    expect(ports.memory.said.join('\n')).toContain(`warning: ${nameOf('two')} depend on ${old.entry.id} alone`);
  });

  it('where somebody attested with it while this run was at work', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const create = ports.memory.attestations.create.bind(ports.memory.attestations);
    ports.memory.attestations.create = async (project, attestation) => {
      await plant(ports, 'late', old);
      return create(project, attestation);
    };
    const { codes, images } = await run(ports, retiring());
    expect([codes, images]).toEqual([['KEY_STILL_NEEDED'], { [nameOf('one')]: 'attested' }]);
  });

  it('where an attestation in doubt is all that an image has beside it', async () => {
    const ports = world();
    await plant(ports, 'one', old, { type: 'atomic container signature' });
    expect((await run(ports, retiring())).codes).toEqual(['KEY_STILL_NEEDED']);
  });

  it('where what was attested with the new key is not visible in time', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestations.propagationMs = 3_600_000;
    const { codes, images } = await run(ports, retiring());
    expect([codes, images]).toEqual([['NOT_VISIBLE', 'KEY_STILL_NEEDED'], { [nameOf('one')]: 'posted' }]);
  });

  it('where it cannot be removed: the error says why', async () => {
    const ports = world([old, fresh]);
    ports.keys.fails = new BinauthzError('CHANGED_MEANWHILE', 'its keys changed meanwhile');
    const { codes, changes } = await run(ports, retiring());
    expect([codes, changes]).toEqual([['CHANGED_MEANWHILE'], ['none done', 'update failed']]);
  });

  it('and what names it without verifying is told', async () => {
    const ports = world();
    await plant(ports, 'app', stranger, { id: old.entry.id });
    expect((await run(ports, retiring())).codes).toEqual([]);
    expect(ports.memory.said.join('\n')).toContain(`warning: ${digest('app')}: an attestation names ${old.entry.id}, but does not verify`);
  });

  it('and that the same key is trusted under another id is told', async () => {
    const twin: AttestorKey = { ...old.entry, id: 'https://keys.example.com/twin' };
    const ports = world([old]);
    ports.keys.attestor.now = { ...ports.keys.attestor.now, keys: [old.entry, twin] };
    await plant(ports, 'app', old);
    expect((await run(ports, retiring())).codes).toEqual([]);
    expect(ports.memory.said.join('\n')).toContain(
      `trusts the very key of ${old.entry.id} as ${twin.id} as well: whoever holds it can attest until that is retired too`,
    );
  });

  test.each<[string, string, ErrorCode]>([
    ['a key that nobody knows', 'https://keys.example.com/none', 'KEY_NOT_FOUND'],
    ['the new key, which is not listed yet', fresh.entry.id, 'INVALID_INPUT'],
  ])('and %s ends the run before anything is changed', async (_, keyId, code) => {
    const ports = world();
    await plant(ports, 'one', old);
    const { codes } = await run(ports, { retire: { keyId, force: true } });
    expect([codes, ports.keys.writes, created(ports)]).toEqual([[code], [], []]);
  });

  it('and the new key, once it is listed, cannot be retired either', async () =>
    expect((await run(world([old, fresh]), { retire: { keyId: fresh.entry.id, force: true } })).codes).toEqual(['INVALID_INPUT']));
});

it('a new key that another attestor trusts is told, where it is added', async () => {
  const ports = world();
  const qa = attestorOf('qa', fresh);
  ports.memory.attestors.attestorsIn = () => Promise.resolve([ports.keys.attestor.now, qa]);
  const said = `the key ${fresh.entry.id} is trusted by ${qa.name} as well: who holds it satisfies all of them at once`;
  await run(ports, { apply: false });
  expect(ports.memory.said.join('\n')).toContain(said);
  ports.memory.attestors.attestorsIn = () => Promise.reject(new BinauthzError('PERMISSION_DENIED', 'may not list'));
  expect((await run(ports)).codes).toEqual([]);
});

it('a new key that is trusted under another id signs under that, and is added no second time', async () => {
  const ports = world();
  const listed: AttestorKey = { ...fresh.entry, id: 'https://keys.example.com/listed' };
  ports.keys.attestor.now = { ...ports.keys.attestor.now, keys: [old.entry, listed] };
  await plant(ports, 'app', old);
  expect((await run(ports, retiring())).codes).toEqual([]);
  expect(ports.keys.writes).toEqual([`remove ${old.entry.id}`]);
  expect(ports.memory.attestations.created.map(({ signatures }) => signatures[0]?.publicKeyId)).toEqual([listed.id]);
});

it('an image that was attested only under a key removed earlier gets no attestation', async () => {
  const ports = world([old]);
  await plant(ports, 'gone', stranger);
  await plant(ports, 'app', old);
  const { images, codes } = await run(ports, retiring());
  expect([codes, created(ports), Object.keys(images)]).toEqual([[], [nameOf('app')], [nameOf('app')]]);
});

describe('a rotation that fails', () => {
  it('to add the key attests nothing', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.keys.fails = new BinauthzError('PERMISSION_DENIED', 'missing permission');
    const { codes, changes, images } = await run(ports);
    expect([codes, changes, images]).toEqual([['PERMISSION_DENIED'], ['update failed'], { [nameOf('one')]: 'planned' }]);
    expect(created(ports)).toEqual([]);
  });

  it('to open the key, and to read the attestor, says both', async () => {
    const ports = world();
    const attestors = { ...ports.attestors, attestor: () => Promise.reject(new BinauthzError('ATTESTOR_NOT_FOUND', 'none')) };
    const openNewKey = () => Promise.reject(new BinauthzError('KEY_NOT_FOUND', 'none'));
    const { codes } = await run({ ...ports, attestors, openNewKey });
    expect(codes).toEqual(['ATTESTOR_NOT_FOUND', 'KEY_NOT_FOUND']);
  });

  it('for a key that Google refuses leaves all images alone', async () => {
    const ports = world();
    for (const word of ['one', 'two']) await plant(ports, word, old);
    ports.memory.attestors.answers.push(
      ...Array.from({ length: 40 }, () => ({ result: 'not-verifiable' as const, reason: 'unknown key' })),
    );
    const { codes, images } = await run(ports);
    expect([codes, images]).toEqual([['ATTESTATION_NOT_VERIFIABLE'], { [nameOf('one')]: 'failed', [nameOf('two')]: 'planned' }]);
    expect(created(ports)).toEqual([]);
  });

  it('to be verified at first waits until Google knows the key', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestors.answers.push(
      { result: 'not-verifiable', reason: 'unknown key' },
      { result: 'not-verifiable', reason: 'unknown key' },
    );
    expect((await run(ports)).images).toEqual({ [nameOf('one')]: 'attested' });
    expect(ports.memory.attestors.validations).toBe(3);
  });

  it('to post one goes on with the others; lost answers post nothing twice', async () => {
    const ports = world();
    for (const word of ['one', 'two', 'three']) await plant(ports, word, old);
    ports.memory.attestations.createFaults.push(
      { error: new BinauthzError('RESPONSE_INVALID', 'no name'), commits: false },
      { error: transient(), commits: true },
    );
    const { codes, images } = await run(ports);
    expect(codes).toEqual(['RESPONSE_INVALID']);
    expect(Object.values(images).sort()).toEqual(['attested', 'attested', 'failed']);
    expect(new Set(created(ports)).size).toBe(2);
    const second = await run(ports);
    expect([second.codes, Object.values(second.images).sort()]).toEqual([[], ['attested', 'existing', 'existing']]);
  });

  it('to post the first for want of a permission leaves the others alone, and says it once', async () => {
    const ports = world();
    for (const word of ['one', 'two', 'three']) await plant(ports, word, old);
    ports.memory.attestations.createFaults.push({ error: new BinauthzError('PERMISSION_DENIED', 'missing permission'), commits: false });
    const { codes, images } = await run(ports);
    expect([codes, Object.values(images)]).toEqual([['PERMISSION_DENIED'], ['failed', 'planned', 'planned']]);
    expect(created(ports)).toEqual([]);
  });

  it('because only one attestation per image is stored says how to go on, and never to delete first', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    ports.memory.attestations.refuseSecondOnResource = true;
    const { codes, errors, images } = await run(ports);
    expect([codes, images]).toEqual([['ATTESTATION_CONFLICT'], { [nameOf('one')]: 'failed' }]);
    expect(errors[0]?.hint).toMatch(/^leave the old key on the attestor, and rotate to an attestor with a note of its own/);
  });

  it('to list the note at the end keeps what was done in the result', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    let isOver = false;
    const list = ports.memory.attestations.listOfNote.bind(ports.memory.attestations);
    ports.memory.attestations.listOfNote = (note, of?: Digest) => {
      if (of !== undefined) isOver = true;
      return isOver && of === undefined ? Promise.reject(new BinauthzError('UNAVAILABLE', 'down')) : list(note, of);
    };
    const { codes, images, changes } = await run(ports, retiring());
    expect([codes, images, changes]).toEqual([['UNAVAILABLE'], { [nameOf('one')]: 'attested' }, ['update done']]);
  });
});

it('an attestor that nothing is attested by is told, and still gets the key', async () => {
  const ports = world();
  const { codes, changes } = await run(ports);
  expect([codes, changes]).toEqual([[], ['update done']]);
  expect(ports.memory.said).toContain('warning: no image is attested by projects/p/attestors/ci');
});
