// SPDX-License-Identifier: Apache-2.0
// What doctor reads of a key and of the place that images are deployed to; it asks why only where something failed.
import { describe, expect, it } from 'vitest';
import { parseCloudRunRef, parseClusterRef, type TargetRef } from '../../src/core/deployment/target.js';
import type { ErrorCode } from '../../src/core/errors.js';
import { Secret } from '../../src/core/secret.js';
import type { KeySource } from '../../src/core/signing/given-key.js';
import { examineKey } from '../../src/usecases/steps/examine-key.js';
import { examineTarget } from '../../src/usecases/steps/examine-target.js';
import { KEY, ok, PROJECT, VERSION } from '../support/doctor-facts.js';
import { failing, key, world, writesIn } from '../support/examine.js';

const RING = 'projects/vault/locations/europe-west1/keyRings/ring';
const SIGN = 'cloudkms.cryptoKeyVersions.viewPublicKey cloudkms.cryptoKeyVersions.useToSign';
const LIST = `${SIGN} cloudkms.cryptoKeyVersions.list`;
const refused = (code: ErrorCode) => ({ ok: false, error: { code } });
const version: KeySource = { kind: 'kms-key-version', version: VERSION };
const newest: KeySource = { kind: 'kms-key', key: KEY };
const secret = { key: new Secret('x', 'file:key.pem') };

describe('a Cloud KMS key that opens', () => {
  it.each<[string, KeySource, string]>([
    ['by its version', version, SIGN],
    ['without a version, which takes a listing', newest, LIST],
  ])('%s is tested, and nothing more is asked or signed', async (_, source, permissions) => {
    const made = world();
    const { signatures } = key;
    expect(await examineKey(source, made.ports)).toEqual({
      source,
      opened: ok(key),
      kms: { key: KEY, tested: { resource: KEY, missing: ok([]) } },
    });
    expect(made.calls).toEqual([`open ${source.kind === 'kms-key' ? KEY : VERSION}`, `missing ${KEY}: ${permissions}`]);
    expect([key.signatures, writesIn(made)]).toEqual([signatures, []]);
  });

  it('tells what this run lacks all the same', async () => {
    const made = world({ [`missing ${KEY}: ${SIGN}`]: ['cloudkms.cryptoKeyVersions.useToSign'] });
    expect(await examineKey(version, made.ports)).toMatchObject({
      kms: { tested: { missing: ok(['cloudkms.cryptoKeyVersions.useToSign']) } },
    });
  });
});

describe('a Cloud KMS key that does not open', () => {
  it('is looked at more closely, with its version’s state where one was named', async () => {
    const made = world({ [`open ${VERSION}`]: failing('KEY_UNUSABLE'), [`state ${VERSION}`]: 'DISABLED' });
    expect(await examineKey(version, made.ports)).toMatchObject({
      opened: refused('KEY_UNUSABLE'),
      kms: {
        ...{ key: KEY, tested: { resource: KEY, missing: ok([]) } },
        ...{ exists: ok(true), ringExists: ok(true), state: ok('DISABLED') },
      },
    });
    expect(made.calls.toSorted()).toEqual(
      [`key ${KEY}`, `missing ${KEY}: ${SIGN}`, `open ${VERSION}`, `ring ${RING}`, `state ${VERSION}`].toSorted(),
    );
  });

  it('has no state without a version', async () => {
    const made = world({ [`open ${KEY}`]: failing('KEY_UNUSABLE') });
    const { kms } = await examineKey(newest, made.ports);
    expect(kms).toMatchObject({ exists: ok(true), ringExists: ok(true), tested: { missing: ok([]) } });
    expect(kms).not.toHaveProperty('state');
    expect([made.asked('state'), made.asked('missing')]).toEqual([[], [`${KEY}: ${LIST}`]]);
  });

  it.each<[string, Record<string, unknown>, object]>([
    ['a version that is missing', {}, { exists: ok(true), ringExists: ok(true) }],
    ['a key that is missing', { [`key ${KEY}`]: undefined }, { exists: ok(false), ringExists: ok(true) }],
    ['a ring that is missing', { [`key ${KEY}`]: undefined, [`ring ${RING}`]: undefined }, { exists: ok(false), ringExists: ok(false) }],
  ])('tells %s, and asks for no permission on what is not there', async (_, answers, expected) => {
    const made = world({ [`open ${VERSION}`]: failing('KEY_NOT_FOUND'), [`state ${VERSION}`]: failing('KEY_NOT_FOUND'), ...answers });
    const { kms } = await examineKey(version, made.ports);
    expect(kms).toMatchObject({ ...expected, state: refused('KEY_NOT_FOUND'), tested: { resource: KEY, missing: ok([]) } });
    expect(made.asked('missing')).toEqual([]);
  });

  it('keeps what could not be read', async () => {
    const denied = failing('PERMISSION_DENIED');
    const calls = [`open ${VERSION}`, `state ${VERSION}`, `key ${KEY}`, `ring ${RING}`, `missing ${KEY}: ${SIGN}`];
    const made = world(Object.fromEntries(calls.map((call) => [call, denied])));
    const fact = refused('PERMISSION_DENIED');
    expect(await examineKey(version, made.ports)).toMatchObject({
      opened: fact,
      kms: { exists: fact, ringExists: fact, state: fact, tested: { missing: fact } },
    });
  });
});

describe('a key of a file or a variable', () => {
  it.each<KeySource>([
    { kind: 'pgp', ...secret },
    { kind: 'pkix', ...secret },
  ])('of kind $kind is only opened', async (source) => {
    const made = world();
    expect(await examineKey(source, made.ports)).toEqual({ source, opened: ok(key) });
    const failed = world({ 'open file:key.pem': failing('KEY_ALGORITHM_UNSUPPORTED') });
    expect(await examineKey(source, failed.ports)).toMatchObject({ source, opened: refused('KEY_ALGORITHM_UNSUPPORTED') });
    for (const { calls } of [made, failed]) expect(calls).toEqual(['open file:key.pem']);
  });

  it('that is no key ends the run, as it does for attest', async () => {
    const made = world({ 'open file:key.pem': failing('SECRET_UNUSABLE') });
    await expect(examineKey({ kind: 'pgp', ...secret }, made.ports)).rejects.toMatchObject({ code: 'SECRET_UNUSABLE' });
  });
});

const place = <Ref>(parsed: Ref | undefined): Ref => {
  if (parsed === undefined) throw new Error('no place');
  return parsed;
};
const cluster: TargetRef = { kind: 'cluster', ...place(parseClusterRef('us-central1-a.prod')) };
const service = place(parseCloudRunRef('service', 'europe-west1.shop'));
const job = place(parseCloudRunRef('job', 'europe-west1.nightly'));

describe('the place that images are deployed to', () => {
  it.each<[TargetRef, string, unknown, object]>([
    [cluster, 'cluster', { evaluationMode: 'DISABLED', enabled: true }, { enforcement: { isEnforced: false } }],
    [cluster, 'cluster', { evaluationMode: '', enabled: true }, { enforcement: { isEnforced: true } }],
    [
      service,
      'service',
      { setting: { uses: 'nothing' } },
      { enforcement: { isEnforced: false }, cloudRun: { setting: { uses: 'nothing' } } },
    ],
    [
      job,
      'job',
      { setting: { uses: 'project-policy' }, breakGlass: 'why' },
      { enforcement: { isEnforced: true }, cloudRun: { breakGlass: 'why' } },
    ],
  ])('$kind $name is read, and needs no permission any more', async (ref, kind, answer, value) => {
    const made = world({ [`${kind} ${PROJECT} ${ref.key}`]: answer });
    const facts = await examineTarget(PROJECT, ref, made.ports);
    expect(facts).toMatchObject({ ref, state: { ok: true, value } });
    expect(facts).not.toHaveProperty('tested');
    expect(made.calls).toEqual([`${kind} ${PROJECT} ${ref.key}`]);
  });

  it('has no Cloud Run setting as a cluster', async () => {
    const { state } = await examineTarget(PROJECT, cluster, world().ports);
    expect(state).toEqual({ ok: true, value: { enforcement: { isEnforced: true, because: expect.any(String) as string } } });
  });

  it.each<[TargetRef, string]>([
    [cluster, 'container.clusters.get'],
    [service, 'run.services.get'],
    [job, 'run.jobs.get'],
  ])('$kind that may not be read is asked for the permission', async (ref, permission) => {
    const made = world({
      [`${ref.kind} ${PROJECT} ${ref.key}`]: failing('PERMISSION_DENIED'),
      [`missing projects/${PROJECT}: ${permission}`]: [permission],
    });
    expect(await examineTarget(PROJECT, ref, made.ports)).toMatchObject({
      ref,
      state: refused('PERMISSION_DENIED'),
      tested: { resource: `projects/${PROJECT}`, missing: ok([permission]) },
    });
  });

  it.each<ErrorCode>(['NOT_FOUND', 'UNAVAILABLE'])('that fails with %s is no question of permissions', async (code) => {
    const made = world({ [`cluster ${PROJECT} ${cluster.key}`]: failing(code) });
    const facts = await examineTarget(PROJECT, cluster, made.ports);
    expect(facts).toMatchObject({ state: refused(code) });
    expect(facts).not.toHaveProperty('tested');
    expect(made.asked('missing')).toEqual([]);
  });
});
