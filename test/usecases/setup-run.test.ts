// SPDX-License-Identifier: Apache-2.0
// A whole run of setup in memory: what it reads, says and writes, in which order; and what a failure on the way leaves.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { projectOf } from '../../src/core/names.js';
import type { Desired } from '../../src/core/provisioning/desired.js';
import { AGENT, ENTRY, holders, MemoryGoogle } from '../support/memory-provisioning.js';
import { desired, scattered, SIGNER } from '../support/setup.js';

const NOTE = 'projects/shop/notes/built';
const RING = 'projects/shop/locations/global/keyRings/ci';
const KEY = `${RING}/cryptoKeys/built`;
const ATTESTOR = 'projects/shop/attestors/built';
const POLICY = 'projects/shop/policy';
const BA = 'binaryauthorization.googleapis.com';
const CA = 'containeranalysis.googleapis.com';

const failing = (code: ErrorCode, disabledApi?: string) =>
  new BinauthzError(code, `cannot: ${code}`, disabledApi === undefined ? {} : { disabledApi });
const times = (count: number, error: Error): Error[] => Array<Error>(count).fill(error);
const waited = ({ clock }: MemoryGoogle): number => clock.pauses.reduce((sum, ms) => sum + ms, 0);
const statusesOf = ({ result }: Awaited<ReturnType<MemoryGoogle['run']>>): readonly string[] =>
  result.changes.map(({ resource, action, status }) => `${action} ${status} ${resource}`);

describe('a plan', () => {
  it('of an empty project writes nothing and says each thing once', async () => {
    const google = new MemoryGoogle();
    const { result, errors } = await google.run(desired(), false);
    expect(google.writes).toEqual([]);
    expect(google.said).toEqual(['Reading what is there']);
    expect([Object.keys(result), result.schema, result.applied, errors]).toEqual([
      ['schema', 'applied', 'changes'],
      'binauthz.plan/v1',
      false,
      [],
    ]);
    expect(result.changes.filter(({ status }) => status === 'planned').map(({ resource }) => resource)).toEqual([
      ...[NOTE, RING, KEY, ATTESTOR, NOTE, KEY, ATTESTOR, 'projects/shop', POLICY, POLICY],
    ]);
  });

  it('looks nowhere that an API is off, and takes what it serves for missing', async () => {
    const google = new MemoryGoogle();
    for (const service of [BA, CA]) google.off.add(`shop ${service}`);
    const { result, codes } = await google.run(desired(), false);
    expect(codes).toEqual([]);
    expect(google.calls.filter((call) => call.endsWith(NOTE) || call.endsWith(ATTESTOR) || call === 'read policy of shop')).toEqual([]);
    expect(result.changes).toContainEqual(expect.objectContaining({ resource: POLICY, action: 'create', status: 'planned' }));
    // Whatever Cloud KMS serves is looked at.
    expect(google.calls).toContain(`read ${KEY}`);
  });

  it('that fails says what, and in the result, and nothing is made', async () => {
    const google = new MemoryGoogle();
    google.faults.set(`read ${NOTE}`, [failing('PERMISSION_DENIED')]);
    const done = await google.run(desired(), true);
    expect([done.codes, done.result.applied, google.writes]).toEqual([['PERMISSION_DENIED'], false, []]);
    expect(done.result.errors).toMatchObject([{ code: 'PERMISSION_DENIED' }]);
    expect(statusesOf(done)).toContain(`none skipped ${ATTESTOR}`);
    expect(google.said).not.toContain('Making what is missing');
  });

  it('warns first of what was wished, then of what is there', async () => {
    const google = new MemoryGoogle();
    const everybody =
      'principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*' as Desired['signers'][number];
    google.others.push({ name: 'projects/shop/attestors/qa' as never, note: NOTE as never, keys: [ENTRY] });
    google.things.set(KEY, {});
    await google.run(desired({ signers: [everybody], monitoring: { channels: [] } }), true);
    const warnings = google.said.filter((text) => text.startsWith('warning: '));
    expect(warnings).toEqual([
      // Read beside the plan, and said as soon as it is known.
      expect.stringContaining('is trusted by projects/shop/attestors/qa as well'),
      expect.stringContaining('is every identity of the pool'),
      ...['blocked deployments', 'break-glass deployments', 'fail-open admissions'].map(
        (title) => expect.stringContaining(title) as string,
      ),
    ]);
  });
});

describe('an application', () => {
  it('makes each thing after those that it needs, and enforcement last', async () => {
    const google = new MemoryGoogle();
    const done = await google.run(desired(), true);
    expect([done.codes, done.result.applied, Object.keys(done.result)]).toEqual([[], true, ['schema', 'applied', 'changes']]);
    expect(done.result.changes.every(({ status }) => status === 'done')).toBe(true);
    expect(google.said).toEqual(['Reading what is there', 'Making what is missing']);
    const at = (call: string): number => google.writes.indexOf(`write ${call}`);
    expect(google.writes).toHaveLength(10);
    expect([at(RING) < at(KEY), at(KEY) < at(ATTESTOR), at(NOTE) < at(ATTESTOR), at(ATTESTOR) < at(`iam of ${NOTE}`)]).toEqual(
      Array(4).fill(true),
    );
    expect(at('policy of shop')).toBe(9);
  });

  it('gives Google’s account and the signers their roles', async () => {
    const google = new MemoryGoogle();
    await google.run(desired(), true);
    expect(holders(google, NOTE, 'containeranalysis.notes.occurrences.viewer').toSorted()).toEqual(
      [SIGNER, `serviceAccount:${AGENT}`].toSorted(),
    );
    expect(holders(google, ATTESTOR, 'binaryauthorization.attestorsVerifier')).toEqual([SIGNER]);
    expect(holders(google, KEY, 'cloudkms.signerVerifier')).toEqual([SIGNER]);
  });

  it('writes nothing where all is as it should be, and says so', async () => {
    const google = new MemoryGoogle();
    await google.run(desired(), true);
    const { length } = google.writes;
    google.said.length = 0;
    const again = await google.run(desired(), true);
    expect([again.result.applied, again.result.changes.every(({ action }) => action === 'none')]).toEqual([true, true]);
    expect([google.writes.length, google.said]).toEqual([length, ['Reading what is there']]);
    expect((await google.run(desired(), false)).result.applied).toBe(false);
  });

  it('switches APIs on before anything else', async () => {
    const google = new MemoryGoogle();
    for (const service of [BA, CA]) google.off.add(`shop ${service}`);
    expect(await google.run(desired(), true)).toMatchObject({ codes: [], result: { applied: true } });
    expect(google.writes[0]).toBe(`switch on ${BA} ${CA} in shop`);
    expect(google.policies.get('shop')).toMatchObject({
      globalPolicyEvaluationMode: 'ENABLE',
      defaultAdmissionRule: { evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: [ATTESTOR] },
    });
  });

  it.each<[string, readonly string[]]>([
    [NOTE, [ATTESTOR, NOTE, ATTESTOR, POLICY]],
    [RING, [KEY, ATTESTOR, NOTE, KEY, ATTESTOR, POLICY]],
    [KEY, [ATTESTOR, NOTE, KEY, ATTESTOR, POLICY]],
    [ATTESTOR, [NOTE, ATTESTOR, POLICY]],
    [`iam of ${KEY}`, [POLICY]],
  ])('that cannot write %s skips what needs it, and does the rest', async (resource, skipped) => {
    const google = new MemoryGoogle();
    google.faults.set(`write ${resource}`, times(9, failing('CHANGE_REFUSED')));
    const done = await google.run(desired(), true);
    expect([done.codes, done.result.applied]).toEqual([['CHANGE_REFUSED'], false]);
    const left = done.result.changes.filter(({ status }) => status === 'skipped').map((change) => change.resource);
    expect(left.toSorted()).toEqual([...skipped].toSorted());
    expect(done.result.errors).toMatchObject([{ code: 'CHANGE_REFUSED' }]);
    expect(google.policies.size).toBe(0);
    expect(google.writes).toContain('write iam of projects/shop');
  });

  it('of a PGP key needs nothing of Cloud KMS', async () => {
    const google = new MemoryGoogle();
    const key = { kind: 'pgp', file: 'k.asc', armored: 'ARMORED', fingerprint: 'F1' } as const;
    expect(await google.run(desired({ key }), true)).toMatchObject({ codes: [], result: { applied: true } });
    expect(google.calls.filter((call) => call.includes('keyRings') || call.includes('cloudkms'))).toEqual([]);
    expect(google.attestors.get(ATTESTOR)?.keys).toEqual([{ kind: 'pgp', id: 'F1', armored: 'ARMORED' }]);
  });
});

describe('an API that was just switched on', () => {
  const late = failing('UNAVAILABLE', CA);

  it('is waited for, longer where something is made', async () => {
    const google = new MemoryGoogle();
    google.faults.set(`read ${NOTE}`, times(3, late));
    expect(await google.run(desired(), true)).toMatchObject({ codes: [], result: { applied: true } });
    expect(google.clock.pauses).toHaveLength(3);
  });

  it.each([
    ['for a minute while planning', `read ${NOTE}`, 60_000],
    ['for three while applying', `write ${NOTE}`, 180_000],
  ])('is waited for %s', async (_, call, patienceMs) => {
    const google = new MemoryGoogle();
    google.faults.set(call, times(500, late));
    expect((await google.run(desired(), true)).codes).toEqual(['UNAVAILABLE']);
    expect([waited(google) >= patienceMs, waited(google) <= patienceMs + 10_000]).toEqual([true, true]);
  });

  it('is none where the failure says nothing of one, or it is the one that switches APIs on', async () => {
    for (const error of [failing('UNAVAILABLE'), failing('PERMISSION_DENIED', 'serviceusage.googleapis.com')]) {
      const google = new MemoryGoogle();
      google.faults.set(`read ${NOTE}`, times(500, error));
      expect((await google.run(desired(), true)).codes).toEqual([error.code]);
      expect(google.clock.pauses).toEqual([]);
    }
  });
});

describe('parts in projects of their own', () => {
  it('are asked for in each, and Google’s account of the deployer’s may ask the attestor', async () => {
    const google = new MemoryGoogle();
    const wanted = scattered();
    const done = await google.run(wanted, true);
    expect([done.codes, done.result.applied]).toEqual([[], true]);
    const projects = done.result.changes.filter(({ resource }) => resource.endsWith('/services')).map(({ resource }) => resource);
    const owners = ['deployer-prod', 'attestor-prod', 'note-prod', 'attestation-prod', 'key-prod'];
    expect(projects.toSorted()).toEqual(owners.map((owner) => `projects/${owner}/services`).toSorted());
    const deployer = 'serviceAccount:service-42@gcp-sa-binaryauthorization.iam.gserviceaccount.com';
    expect(holders(google, wanted.attestor, 'binaryauthorization.attestorsVerifier').toSorted()).toEqual([SIGNER, deployer].toSorted());
    expect(google.calls.filter((call) => call.startsWith('read number'))).toContain('read number of deployer-prod');
  });

  it('need no number in one project', async () => {
    const google = new MemoryGoogle();
    await google.run(desired(), true);
    expect(google.calls.filter((call) => call.startsWith('read number'))).toEqual([]);
  });

  it('wait for the APIs of their own project alone', async () => {
    const google = new MemoryGoogle();
    const wanted = scattered();
    const owner = projectOf(wanted.note);
    google.faults.set(`read services of ${owner}: ${CA}`, [failing('PERMISSION_DENIED')]);
    const done = await google.run(wanted, false);
    expect(done.codes).toEqual(['PERMISSION_DENIED']);
    const skipped = done.result.changes.filter(({ status }) => status === 'skipped').map(({ resource }) => resource);
    expect([...new Set(skipped)].toSorted()).toEqual([wanted.note, wanted.attestor, `projects/${wanted.project}/policy`].toSorted());
  });

  it('are planned with the shell’s words for accounts that nobody can know yet', async () => {
    const google = new MemoryGoogle();
    google.off.add('deployer-prod cloudresourcemanager.googleapis.com');
    const { result } = await google.run(scattered(), false);
    const commands = result.changes.map(({ gcloud }) => gcloud).join('\n');
    expect(commands).toContain('gcloud projects describe deployer-prod');
    const known = await new MemoryGoogle().run(scattered(), false);
    expect(known.result.changes.map(({ gcloud }) => gcloud).join('\n')).toContain('service-42@');
  });
});
