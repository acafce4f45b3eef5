// SPDX-License-Identifier: Apache-2.0
// Each thing that setup makes, where something is in its way: new keys, accounts of Google's, other people's policies, alerts.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Desired, DesiredPolicy } from '../../src/core/provisioning/desired.js';
import { AGENT, ENTRY, holders, MemoryGoogle, NEVER_SET } from '../support/memory-provisioning.js';
import { testKey } from '../support/ports.js';
import { desired, scattered, SIGNER } from '../support/setup.js';

const NOTE = 'projects/shop/notes/built';
const KEY = 'projects/shop/locations/global/keyRings/ci/cryptoKeys/built';
const ATTESTOR = 'projects/shop/attestors/built';
const BA = 'binaryauthorization.googleapis.com';
const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';

const failing = (code: ErrorCode, message = `cannot: ${code}`) => new BinauthzError(code, message);
const times = (count: number, error: Error): Error[] => Array<Error>(count).fill(error);
const waited = ({ clock }: MemoryGoogle): number => clock.pauses.reduce((sum, ms) => sum + ms, 0);
const count = ({ calls }: MemoryGoogle, name: string): number => calls.filter((call) => call === name).length;

describe('a key', () => {
  const versions = `read versions of ${KEY}`;

  it('that was just made is waited for until it can sign', async () => {
    const google = new MemoryGoogle();
    google.faults.set(versions, times(3, failing('KEY_UNUSABLE')));
    expect((await google.run(desired(), true)).codes).toEqual([]);
    expect([google.clock.pauses.length, google.attestors.get(ATTESTOR)?.keys]).toEqual([3, [ENTRY]]);
  });

  it('that was just made and never can is given up after a minute', async () => {
    const google = new MemoryGoogle();
    google.faults.set(versions, times(500, failing('KEY_UNUSABLE')));
    expect((await google.run(desired(), true)).codes).toEqual(['KEY_UNUSABLE']);
    expect([waited(google) >= 60_000, waited(google) <= 70_000, google.attestors.size]).toEqual([true, true, 0]);
  });

  it('that was just made and may not be read is not waited for', async () => {
    const google = new MemoryGoogle();
    google.faults.set(versions, times(500, failing('PERMISSION_DENIED')));
    expect((await google.run(desired(), true)).codes).toEqual(['PERMISSION_DENIED']);
    expect(google.clock.pauses).toEqual([]);
  });

  it('that is older is not waited for', async () => {
    const google = new MemoryGoogle();
    google.things.set(KEY, {});
    google.faults.set(versions, times(500, failing('KEY_UNUSABLE')));
    expect((await google.run(desired(), true)).codes).toEqual(['KEY_UNUSABLE']);
    expect([google.clock.pauses, google.writes]).toEqual([[], []]);
  });

  it('is made with an algorithm that attestors know', async () => {
    const google = new MemoryGoogle();
    await google.run(desired(), true);
    expect(google.things.get(KEY)).toEqual({ algorithm: 'EC_SIGN_P256_SHA256' });
  });
});

describe('an attestor', () => {
  const other = testKey('//other').entry;

  it('that is there is given one more key, and is not made anew', async () => {
    const google = new MemoryGoogle();
    google.attestors.set(ATTESTOR, { name: ATTESTOR as never, note: NOTE as never, keys: [other], serviceAgent: AGENT });
    expect((await google.run(desired(), true)).codes).toEqual([]);
    expect(google.writes).toContain(`add ${ENTRY.id} to ${ATTESTOR}`);
    expect(google.writes).not.toContain(`write ${ATTESTOR}`);
    expect(google.attestors.get(ATTESTOR)?.keys).toEqual([other, ENTRY]);
  });

  it('that does not say as whom it reads its note ends the run before anything is granted there', async () => {
    const google = new MemoryGoogle();
    google.agent = undefined;
    const { errors } = await google.run(desired(), true);
    expect(errors[0]).toMatchObject({
      code: 'RESPONSE_INVALID',
      resource: ATTESTOR,
      message: `cannot tell as whom ${ATTESTOR} reads its note: expected delegationServiceAccountEmail, got none`,
    });
    expect([google.iam.has(NOTE), google.policies.size]).toEqual([false, 0]);
  });

  it('that does not say so is planned with words of the shell', async () => {
    const google = new MemoryGoogle();
    google.attestors.set(ATTESTOR, { name: ATTESTOR as never, note: NOTE as never, keys: [ENTRY] });
    const { result, codes } = await google.run(desired(), false);
    const grant = result.changes.find(({ resource, details }) => resource === NOTE && details !== undefined);
    expect(codes).toEqual([]);
    expect(grant?.gcloud).toContain('gcloud container binauthz attestors describe built --project=shop');
    expect(grant?.gcloud).not.toContain(AGENT);
  });
});

describe('grants', () => {
  const unknown = (whom: string) => failing('PRINCIPAL_NOT_FOUND', `Service account ${whom} does not exist.`);

  it('to Google’s account that is not there yet have it made in the attestor’s project', async () => {
    const google = new MemoryGoogle();
    const wanted = scattered();
    google.faults.set(`write iam of ${wanted.note}`, [unknown(AGENT)]);
    expect((await google.run(wanted, true)).codes).toEqual([]);
    expect(google.writes.filter((call) => call.startsWith('make'))).toEqual([`make the agent of ${BA} for attestor-prod`]);
    expect(holders(google, wanted.note, 'containeranalysis.notes.occurrences.viewer')).toContain(`serviceAccount:${AGENT}`);
  });

  it('to the deployer’s have it made in the deployer’s', async () => {
    const google = new MemoryGoogle();
    const wanted = scattered();
    google.faults.set(`write iam of ${wanted.attestor}`, [unknown('service-42@gcp-sa-binaryauthorization.iam.gserviceaccount.com')]);
    expect((await google.run(wanted, true)).codes).toEqual([]);
    expect(google.writes.filter((call) => call.startsWith('make'))).toEqual([`make the agent of ${BA} for deployer-prod`]);
  });

  it('to a signer who does not exist make no account', async () => {
    for (const resource of [KEY, NOTE, ATTESTOR]) {
      const google = new MemoryGoogle();
      google.faults.set(`write iam of ${resource}`, times(9, unknown(SIGNER.replace('serviceAccount:', ''))));
      expect((await google.run(desired(), true)).codes).toEqual(['PRINCIPAL_NOT_FOUND']);
      expect(google.writes.filter((call) => call.startsWith('make'))).toEqual([]);
    }
  });

  it('on a key, a project and the policy wait for no attestor', async () => {
    const google = new MemoryGoogle();
    google.faults.set(`write ${ATTESTOR}`, times(9, failing('CHANGE_REFUSED')));
    await google.run(desired(), true);
    const granted = [KEY, 'projects/shop', 'projects/shop/policy'];
    expect([...google.iam.keys()].toSorted()).toEqual(granted.toSorted());
  });
});

describe('the policy', () => {
  const rule = (...attestors: string[]) => ({
    ...{ evaluationMode: 'REQUIRE_ATTESTATION', enforcementMode: BLOCK, requireAttestationsBy: attestors },
  });
  function file(...attestors: string[]): DesiredPolicy {
    const document = { defaultAdmissionRule: rule(...attestors) };
    const parsed = parsePolicy(document, { from: 'file', project: 'shop' });
    if (!parsed.policy) throw new Error(parsed.problems.join());
    return { file: 'policy.yaml', document, policy: parsed.policy };
  }
  const theirs = { ...NEVER_SET, defaultAdmissionRule: rule('projects/shop/attestors/qa'), updateTime: 'x', etag: 'x' };

  async function interrupted(first: (google: MemoryGoogle) => void) {
    const google = new MemoryGoogle();
    first(google);
    // Everybody's grants are over before the policy is looked at for the last time.
    google.before.set('write iam of projects/shop', () => google.policies.set('shop', theirs));
    return { google, done: await google.run(desired(), true) };
  }

  it.each<[string, (google: MemoryGoogle) => void]>([
    ['that was planned upon another', (google) => google.policies.set('shop', { ...theirs, etag: 'y', updateTime: 'y' })],
    ['that was never set', () => undefined],
    ['that could not be read, because its API was off', (google) => google.off.add(`shop ${BA}`)],
  ])('%s is not written over somebody else’s', async (_, first) => {
    const { google, done } = await interrupted(first);
    expect(done.errors).toMatchObject([
      {
        code: 'CHANGED_MEANWHILE',
        resource: 'projects/shop/policy',
        message: 'cannot replace projects/shop/policy: it was changed by somebody else since the plan was made',
        hint: expect.stringContaining('nothing was overwritten: run again') as string,
      },
    ]);
    expect([done.result.applied, google.policies.get('shop'), count(google, 'write policy of shop')]).toEqual([false, theirs, 0]);
  });

  it('is written where nobody changed it, guarded by what the plan saw', async () => {
    const google = new MemoryGoogle();
    google.policies.set('shop', theirs);
    expect((await google.run(desired(), true)).codes).toEqual([]);
    expect(google.policies.get('shop')).toMatchObject({ defaultAdmissionRule: rule('projects/shop/attestors/qa', ATTESTOR) });
    expect(count(google, 'write policy of shop')).toBe(1);
  });

  it('of a file may name attestors that are there, and its own that is not yet', async () => {
    const qa = 'projects/shop/attestors/qa';
    const google = new MemoryGoogle();
    google.attestors.set(qa, { name: qa as never, note: NOTE as never, keys: [ENTRY] });
    expect((await google.run(desired({ policy: file(ATTESTOR, qa) }), true)).codes).toEqual([]);
    expect(google.policies.get('shop')).toMatchObject({ defaultAdmissionRule: rule(ATTESTOR, qa) });
  });

  it('of a file that names another which is not there makes nothing', async () => {
    const google = new MemoryGoogle();
    const done = await google.run(desired({ policy: file(ATTESTOR, 'projects/shop/attestors/gone') }), true);
    expect([done.codes, google.writes, done.result.applied]).toEqual([['ATTESTOR_NOT_FOUND'], [], false]);
  });

  it('that was never set blocks from now on, and exempts Google’s own images', async () => {
    const google = new MemoryGoogle();
    google.off.add(`shop ${BA}`);
    const { result } = await google.run(desired(), false);
    const change = result.changes.find(({ resource, action }) => resource === 'projects/shop/policy' && action === 'create');
    expect(change).toMatchObject({ status: 'planned', summary: expect.stringContaining('require attestations') as string });
    expect(change?.details?.join('\n')).toMatch(/admit every image/);
    expect(google.said.filter((text) => text.startsWith('warning'))).toEqual([]);
  });
});

describe('monitoring', () => {
  const monitored = (...channels: string[]): Desired => desired({ monitoring: { channels } });
  const BLOCKED = 'Binary Authorization: blocked deployments';

  it('is none where none is asked for', async () => {
    const google = new MemoryGoogle();
    const { result } = await google.run(desired(), true);
    expect(result.changes.filter(({ resource }) => /metrics|alertPolicies/.test(resource))).toEqual([]);
    expect(google.calls.filter((call) => /metrics|alert/.test(call))).toEqual([]);
  });

  it('makes every metric before the first alert, and each once', async () => {
    const google = new MemoryGoogle();
    expect((await google.run(monitored('c1', 'c2'), true)).codes).toEqual([]);
    const writes = google.writes.filter((call) => /metrics|alert/.test(call));
    expect(writes.map((call) => (call.includes('/metrics/') ? 'metric' : 'alert')).join(' ')).toMatch(/^(?:metric )+alert alert alert$/);
    expect(new Set(writes).size).toBe(writes.length);
    expect(google.calls).toContain('read channel c2');
    expect((await google.run(monitored('c1', 'c2'), true)).result.changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('is looked at only where its APIs are on', async () => {
    const google = new MemoryGoogle();
    for (const service of ['logging', 'monitoring']) google.off.add(`shop ${service}.googleapis.com`);
    expect((await google.run(monitored('c1'), false)).codes).toEqual([]);
    expect(google.calls.filter((call) => /metrics|alert|channel/.test(call))).toEqual([]);
  });

  it('refuses a channel that is not there before anything is made', async () => {
    const google = new MemoryGoogle();
    google.faults.set('read channel c2', times(9, failing('NOT_FOUND')));
    const done = await google.run(monitored('c1', 'c2'), true);
    expect([[...new Set(done.codes)], google.writes, google.clock.pauses]).toEqual([['NOT_FOUND'], [], []]);
  });

  it('waits until a new metric is known, for ten minutes', async () => {
    const google = new MemoryGoogle();
    google.faults.set(`write alert ${BLOCKED}`, times(5, failing('NOT_FOUND')));
    expect((await google.run(monitored('c1'), true)).codes).toEqual([]);
    expect([google.clock.pauses.length, count(google, `write alert ${BLOCKED}`)]).toEqual([5, 6]);
    const never = new MemoryGoogle();
    never.faults.set(`write alert ${BLOCKED}`, times(500, failing('NOT_FOUND')));
    expect((await never.run(monitored('c1'), true)).codes).toEqual(['NOT_FOUND']);
    expect([waited(never) >= 600_000, waited(never) <= 610_000]).toEqual([true, true]);
  });

  it('does not wait for what is refused otherwise', async () => {
    const google = new MemoryGoogle();
    google.faults.set(`write alert ${BLOCKED}`, times(500, failing('CHANGE_REFUSED')));
    expect((await google.run(monitored('c1'), true)).codes).toEqual(['CHANGE_REFUSED']);
    expect(google.clock.pauses).toEqual([]);
  });

  it('makes no second alert where the listing lags behind', async () => {
    const google = new MemoryGoogle();
    google.before.set(`read alert ${BLOCKED}`, () => google.things.delete(`shop ${BLOCKED}`));
    expect((await google.run(monitored('c1'), true)).codes).toEqual([]);
    expect(count(google, `write alert ${BLOCKED}`)).toBe(1);
  });

  it('makes no alert without its metrics', async () => {
    const google = new MemoryGoogle();
    google.faults.set('write projects/shop/metrics/binauthz-gke-blocked', times(9, failing('CHANGE_REFUSED')));
    const done = await google.run(monitored('c1'), true);
    expect([done.codes, google.writes.filter((call) => call.startsWith('write alert'))]).toEqual([['CHANGE_REFUSED'], []]);
  });
});
