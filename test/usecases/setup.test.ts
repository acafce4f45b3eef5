// SPDX-License-Identifier: Apache-2.0
// setup over Google's adapters on an emulator, in virtual time: what it makes, what it leaves alone, and what it survives.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectId } from '../../src/core/names.js';
import type { PlanResult } from '../../src/core/operation-results.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { Desired, DesiredPolicy } from '../../src/core/provisioning/desired.js';
import { setup, type SetupPorts } from '../../src/usecases/setup.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { desired, scattered, setupPorts, SIGNER, stateOf, writesOn, type TestPorts } from '../support/setup.js';
import { pkixEntry, Stage } from '../support/stage.js';

let emulator: TestEmulator;
let stage: Stage;
let ports: TestPorts;
beforeEach(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator, 'shop');
  ports = setupPorts(emulator);
});
afterEach(() => emulator.close());

interface Done {
  readonly changes: PlanResult['changes'];
  readonly applied: boolean;
  readonly codes: readonly string[];
  readonly messages: readonly string[];
}

async function run(wanted: Desired, apply: boolean, over: SetupPorts = ports): Promise<Done> {
  const { result, errors } = await setup({ desired: wanted, apply }, over);
  return {
    changes: result.changes,
    applied: result.applied,
    codes: errors.map(({ code }) => code),
    messages: errors.map(({ message }) => message),
  };
}

const plan = (wanted: Desired, over?: SetupPorts): Promise<Done> => run(wanted, false, over);
const apply = (wanted: Desired, over?: SetupPorts): Promise<Done> => run(wanted, true, over);

function statuses({ changes }: Done): readonly string[] {
  return changes.map(({ action, status, resource }) => `${action} ${status} ${resource}`);
}

function file(document: Record<string, unknown>, project = 'shop'): DesiredPolicy {
  const parsed = parsePolicy(document, { from: 'file', project });
  if (!parsed.policy) throw new Error(parsed.problems.join());
  return { file: 'policy.yaml', document, policy: parsed.policy };
}

const DENY = { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
const POLICY = '/v1/projects/shop/policy';
const MONITORED = { monitoring: { channels: [] } };

describe('on an empty project', () => {
  it('plans everything and changes nothing', async () => {
    const planned = await plan(desired());
    expect(planned).toMatchObject({ applied: false, codes: [] });
    expect(statuses(planned)).toEqual([
      'none done projects/shop/services',
      'create planned projects/shop/notes/built',
      'create planned projects/shop/locations/global/keyRings/ci',
      'create planned projects/shop/locations/global/keyRings/ci/cryptoKeys/built',
      'create planned projects/shop/attestors/built',
      'update planned projects/shop/notes/built',
      'update planned projects/shop/locations/global/keyRings/ci/cryptoKeys/built',
      'update planned projects/shop/attestors/built',
      'update planned projects/shop',
      'update planned projects/shop/policy',
      'create planned projects/shop/policy',
    ]);
    expect(planned.changes.filter(({ action }) => action !== 'none').every(({ gcloud }) => /gcloud|curl/.test(gcloud))).toBe(true);
    expect(await writesOn(emulator)).toEqual([]);
  });

  it('makes everything, and then has nothing to write', async () => {
    const done = await apply(desired(MONITORED));
    expect(done).toMatchObject({ applied: true, codes: [] });
    expect(done.changes.map(({ status }) => status)).toEqual(done.changes.map(() => 'done'));
    expect(await stage.call('GET', POLICY)).toMatchObject({
      globalPolicyEvaluationMode: 'ENABLE',
      defaultAdmissionRule: { evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: ['projects/shop/attestors/built'] },
    });
    const written = await writesOn(emulator);
    const again = await apply(desired(MONITORED));
    expect(again).toMatchObject({ applied: true, codes: [] });
    expect(again.changes.map(({ action }) => action)).toEqual(again.changes.map(() => 'none'));
    expect(await writesOn(emulator)).toEqual(written);
    expect(emulator.lastErrors).toEqual([]);
  });

  it('takes a PGP key, and needs no Cloud KMS', async () => {
    const { generateKey } = await import('openpgp');
    const { publicKey } = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'CI' }], format: 'armored' });
    const { readPublicKey } = await import('../../src/signers/pgp.js');
    const fingerprint = (await readPublicKey(publicKey, new Date()))?.fingerprint ?? '';
    const wanted = desired({ key: { kind: 'pgp', file: 'built.asc', armored: publicKey, fingerprint } });
    expect(await apply(wanted)).toMatchObject({ applied: true, codes: [] });
    expect((await stage.call('GET', `/v1/${wanted.attestor}`)).userOwnedGrafeasNote.publicKeys).toMatchObject([{ id: fingerprint }]);
    expect((await apply(wanted)).changes.map(({ action }) => action)).not.toContain('update');
    expect((await stage.requests()).filter((request) => request.includes('keyRings'))).toEqual([]);
  });

  it('uses a project for each part, and lets the deployer’s account ask the attestor', async () => {
    const wanted = scattered();
    expect(await apply(wanted)).toMatchObject({ applied: true, codes: [] });
    const [attestor, note] = await Promise.all(
      [`/v1/${wanted.attestor}`, `/v1/${wanted.note}`].map((path) => stage.call('GET', `${path}:getIamPolicy`)),
    );
    const { projectNumber: deployer } = await stage.call('GET', '/v1/projects/deployer-prod');
    const { projectNumber: owner } = await stage.call('GET', '/v1/projects/attestor-prod');
    const agent = (number: string): string => `serviceAccount:service-${number}@gcp-sa-binaryauthorization.iam.gserviceaccount.com`;
    expect(attestor.bindings).toEqual([{ role: 'roles/binaryauthorization.attestorsVerifier', members: [SIGNER, agent(deployer)].sort() }]);
    expect(note.bindings).toContainEqual({
      role: 'roles/containeranalysis.notes.occurrences.viewer',
      members: [SIGNER, agent(owner)].sort(),
    });
    expect((await apply(wanted)).changes.every(({ action }) => action === 'none')).toBe(true);
  });
});

describe('what is there already', () => {
  it('keeps everybody’s bindings, conditional ones too, and those added at the same moment', async () => {
    await apply(desired({ signers: [] }));
    const note = 'projects/shop/notes/built';
    const condition = { title: 'until 2030', expression: 'request.time < timestamp("2030-01-01T00:00:00Z")' };
    const current = await stage.call('GET', `/v1/${note}:getIamPolicy?options.requestedPolicyVersion=3`);
    const kept = { role: 'roles/containeranalysis.notes.attacher', members: [SIGNER], condition };
    await stage.call('POST', `/v1/${note}:setIamPolicy`, { policy: { ...current, version: 3, bindings: [...current.bindings, kept] } });
    const { iam } = ports.provisioning;
    let interruptions = 2;
    const busy: SetupPorts = {
      ...ports,
      provisioning: {
        ...ports.provisioning,
        iam: {
          read: (resource) => iam.read(resource),
          write: async (resource, policy) => {
            if (interruptions-- > 0) await stage.grant(resource, `user:other${interruptions}@example.com`, 'roles/owner');
            await iam.write(resource, policy);
          },
        },
      },
    };
    expect(await apply(desired(), busy)).toMatchObject({ codes: [], applied: true });
    const { bindings } = await stage.call('GET', `/v1/${note}:getIamPolicy?options.requestedPolicyVersion=3`);
    // A conditional binding is no grant that can be counted on, so the signer gets a plain one beside it.
    expect(bindings).toContainEqual(kept);
    expect(bindings).toContainEqual({ role: 'roles/containeranalysis.notes.attacher', members: [SIGNER] });
    const all = await Promise.all(
      ['notes/built', 'attestors/built', 'policy'].map((path) => stage.call('GET', `/v1/projects/shop/${path}:getIamPolicy`)),
    );
    const owners = [...all, await stage.call('POST', '/v1/projects/shop:getIamPolicy', {})].flatMap((policy) =>
      policy.bindings
        .filter(({ role }: { role: string }) => role === 'roles/owner')
        .flatMap(({ members }: { members: string[] }) => members),
    );
    const onKey = await stage.call('GET', '/v1/projects/shop/locations/global/keyRings/ci/cryptoKeys/built:getIamPolicy');
    const inKey = onKey.bindings
      .filter(({ role }: { role: string }) => role === 'roles/owner')
      .flatMap(({ members }: { members: string[] }) => members);
    expect([...owners, ...inKey].sort()).toEqual(['user:other0@example.com', 'user:other1@example.com']);
  });

  it('adds a key to an attestor, and leaves the others', async () => {
    const { attestor } = await stage.kmsAttestor('built');
    const done = await apply(desired({ key: { kind: 'kms', key: 'projects/shop/locations/global/keyRings/other/cryptoKeys/k' as never } }));
    expect(done.codes).toEqual([]);
    const { publicKeys } = (await stage.call('GET', `/v1/${attestor}`)).userOwnedGrafeasNote;
    expect(publicKeys).toHaveLength(2);
    expect(ports.warnings).toEqual([
      `${attestor} also trusts ${publicKeys[0].id}, which is no key of projects/shop/locations/global/keyRings/other/cryptoKeys/k: whoever holds it can attest as well`,
    ]);
  });

  it('trusts the key also where somebody else makes the attestor at the same moment, with another key', async () => {
    const { key } = await stage.kmsAttestor('qa');
    const { attestors } = ports.provisioning;
    const raced: SetupPorts = {
      ...ports,
      provisioning: {
        ...ports.provisioning,
        attestors: {
          read: (name) => attestors.read(name),
          write: async (name, attestor) => {
            const publicKeys = [pkixEntry(key, 'EC_SIGN_P256_SHA256')];
            await stage.call('POST', '/v1/projects/shop/attestors?attestorId=built', {
              userOwnedGrafeasNote: { noteReference: 'projects/shop/notes/built', publicKeys },
            });
            await attestors.write(name, attestor);
          },
        },
      },
    };
    expect(await apply(desired({ signers: [] }), raced)).toMatchObject({ applied: true, codes: [] });
    const { publicKeys } = (await stage.call('GET', '/v1/projects/shop/attestors/built')).userOwnedGrafeasNote;
    expect(publicKeys).toHaveLength(2);
  });

  it('leaves an attestor alone that trusts an older version which can sign', async () => {
    const { attestor, key } = await stage.kmsAttestor('built');
    await stage.call('POST', `/v1/${key.key}/cryptoKeyVersions`, {});
    const done = await plan(desired());
    expect(ports.warnings).toEqual([]);
    expect(done.changes.find(({ resource, summary }) => resource === attestor && /trusts the key/.test(summary))?.action).toBe('none');
    await stage.call('PATCH', `/v1/${key.version}?updateMask=state`, { state: 'DISABLED' });
    const next = await plan(desired());
    expect(next.changes.find(({ resource }) => resource === attestor)).toMatchObject({
      action: 'update',
      summary: expect.stringContaining('cryptoKeyVersions/2'),
    });
  });

  it('warns of a key that other attestors trust', async () => {
    await stage.kmsAttestor('built');
    const { userOwnedGrafeasNote } = await stage.call('GET', '/v1/projects/shop/attestors/built');
    await stage.attestor('qa', userOwnedGrafeasNote.publicKeys);
    await plan(desired());
    expect(ports.warnings.join()).toMatch(/is trusted by projects\/shop\/attestors\/qa as well/);
  });

  it.each<[string, (over: Stage) => Promise<unknown>, string]>([
    [
      'a note of another kind',
      (on) => on.call('POST', '/v1/projects/shop/notes?noteId=built', { vulnerability: { severity: 'LOW' } }),
      'RESOURCE_MISMATCH',
    ],
    ['a key for another purpose', (on) => encryptionKey(on), 'KEY_UNUSABLE'],
    ['a key without an enabled version', (on) => disabledKey(on), 'KEY_UNUSABLE'],
    ['a key of an algorithm that no attestor can name', (on) => oddKey(on), 'KEY_ALGORITHM_UNSUPPORTED'],
  ])('refuses %s before it makes anything', async (_, prepare, code) => {
    await prepare(stage);
    const before = await writesOn(emulator);
    const done = await apply(desired());
    expect(done).toMatchObject({ applied: false, codes: [code] });
    expect(await writesOn(emulator)).toEqual(before);
    expect(done.changes.some(({ status }) => status === 'failed')).toBe(true);
  });

  it('refuses an attestor on another note', async () => {
    await stage.kmsAttestor('built');
    const done = await apply(desired({ note: 'projects/shop/notes/other' as never }));
    expect(done.codes).toEqual(['RESOURCE_MISMATCH']);
    expect(done.messages.join()).toContain('expected the note projects/shop/notes/other, got projects/shop/notes/built');
  });
});

const RING = '/v1/projects/shop/locations/global/keyRings';

async function makeKey(on: Stage, body: object): Promise<void> {
  await on.call('POST', `${RING}?keyRingId=ci`, {});
  await on.call('POST', `${RING}/ci/cryptoKeys?cryptoKeyId=built`, body);
}

async function encryptionKey(on: Stage): Promise<void> {
  await makeKey(on, { purpose: 'ENCRYPT_DECRYPT' });
}

async function oddKey(on: Stage): Promise<void> {
  await makeKey(on, { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_ED25519' } });
}

async function disabledKey(on: Stage): Promise<void> {
  const { version } = await on.kmsKey('built');
  await on.call('PATCH', `/v1/${version}?updateMask=state`, { state: 'DISABLED' });
}

describe('the policy', () => {
  it('keeps cluster rules, patterns and other attestors, and what a newer API may have put there', async () => {
    const { attestor } = await stage.kmsAttestor('qa');
    const others = {
      description: 'ours',
      globalPolicyEvaluationMode: 'DISABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/google-containers/*' }],
      clusterAdmissionRules: { 'us-east1-a.prod': DENY },
    };
    const rule = {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: [attestor],
    };
    await stage.call('PUT', POLICY, { ...others, defaultAdmissionRule: rule });
    expect((await apply(desired())).codes).toEqual([]);
    expect(await stage.call('GET', POLICY)).toMatchObject({
      ...others,
      defaultAdmissionRule: { ...rule, requireAttestationsBy: [attestor, 'projects/shop/attestors/built'] },
    });
  });

  it('keeps what is not understood of the default rule, and says which rules decide without the attestor', async () => {
    const clusterAdmissionRules = {
      'us-central1-a.open': ALLOW,
      'us-central1-a.shut': DENY,
      'us-central1-a.qa': { ...DENY, evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: ['projects/shop/attestors/qa'] },
    };
    const written: Record<string, unknown>[] = [];
    const newer: SetupPorts = {
      ...ports,
      provisioning: {
        ...ports.provisioning,
        policies: {
          read: () =>
            Promise.resolve(
              written.at(-1) ?? { defaultAdmissionRule: { ...ALLOW, newer: [1] }, clusterAdmissionRules, updateTime: 'u', etag: 'e' },
            ),
          write: (_, document) => Promise.resolve(void written.push({ ...document, updateTime: 'v', etag: 'f' })),
        },
      },
    };
    expect(await apply(desired(), newer)).toMatchObject({ codes: [], applied: true });
    expect(written[0]?.['defaultAdmissionRule']).toMatchObject({ newer: [1], evaluationMode: 'REQUIRE_ATTESTATION' });
    expect(ports.warnings).toEqual([
      'clusterAdmissionRules[us-central1-a.open] admits every image (ALWAYS_ALLOW)',
      'globalPolicyEvaluationMode is not set, which means DISABLE: images that Google’s own components run are not exempt',
      'clusterAdmissionRules[us-central1-a.qa] does not ask projects/shop/attestors/built, and stays so: require attestations by projects/shop/attestors/qa; to change it give --policy',
    ]);
    const dropped = file({ defaultAdmissionRule: DENY, clusterAdmissionRules });
    await stage.attestor('qa', []);
    expect((await plan(desired({ policy: dropped }), newer)).messages.join()).toContain(
      'defaultAdmissionRule.newer is not understood here, and would be gone',
    );
  });

  it('begins a roll-out that only logs, and a later run ends it', async () => {
    await apply(desired({ dryRunRollout: true }));
    expect((await stage.call('GET', POLICY)).defaultAdmissionRule.enforcementMode).toBe('DRYRUN_AUDIT_LOG_ONLY');
    expect((await apply(desired({ dryRunRollout: true }))).changes.every(({ action }) => action === 'none')).toBe(true);
    await apply(desired());
    expect((await stage.call('GET', POLICY)).defaultAdmissionRule.enforcementMode).toBe('ENFORCED_BLOCK_AND_AUDIT_LOG');
    const back = await apply(desired({ dryRunRollout: true }));
    expect(back.codes).toEqual(['POLICY_WEAKENED']);
  });

  it.each<[string, object]>([
    ['a deny that would become a requirement', DENY],
    [
      'a requirement of somebody else',
      { ...DENY, evaluationMode: 'REQUIRE_ATTESTATION', requireAttestationsBy: ['projects/shop/attestors/qa'] },
    ],
  ])('never weakens %s without being told to', async (_, rule) => {
    await stage.kmsAttestor('qa');
    await stage.call('PUT', POLICY, { defaultAdmissionRule: rule });
    const before = await writesOn(emulator);
    const policy = file({ defaultAdmissionRule: ALLOW });
    const refused = await apply(desired({ policy }));
    expect(refused).toMatchObject({ applied: false, codes: ['POLICY_WEAKENED'] });
    expect(refused.changes.find(({ action, resource }) => action === 'update' && resource === 'projects/shop/policy')).toBeDefined();
    expect(await writesOn(emulator)).toEqual(before);
    expect((await plan(desired({ policy }))).codes).toEqual(['POLICY_WEAKENED']);
    expect((await apply(desired({ policy, allowWeakening: true }))).codes).toEqual([]);
    expect((await stage.call('GET', POLICY)).defaultAdmissionRule).toEqual(ALLOW);
  });

  it('says what of a file does not name the attestor', async () => {
    await plan(desired({ policy: file({ defaultAdmissionRule: DENY }) }));
    expect(ports.warnings).toEqual([
      'the policy in policy.yaml does not require projects/shop/attestors/built: its attestations admit nothing there',
      'globalPolicyEvaluationMode is not set, which means DISABLE: images that Google’s own components run are not exempt',
    ]);
  });

  it('refuses a file that names an attestor which does not exist, before it makes anything', async () => {
    const rule = {
      ...DENY,
      evaluationMode: 'REQUIRE_ATTESTATION',
      requireAttestationsBy: ['projects/shop/attestors/built', 'projects/other/attestors/gone'],
    };
    const done = await apply(desired({ policy: file({ defaultAdmissionRule: rule }) }));
    expect(done.codes).toEqual(['ATTESTOR_NOT_FOUND']);
    expect(await writesOn(emulator)).toEqual([]);
  });

  it('takes a file in another order for the same policy', async () => {
    await apply(desired());
    const live = await stage.call('GET', POLICY);
    const { defaultAdmissionRule, globalPolicyEvaluationMode } = live;
    const same = file({ defaultAdmissionRule, clusterAdmissionRules: {}, globalPolicyEvaluationMode, admissionWhitelistPatterns: [] });
    expect((await plan(desired({ policy: same }))).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('refuses a file that was exported before somebody else’s change', async () => {
    await stage.call('PUT', POLICY, { defaultAdmissionRule: ALLOW });
    const exported = await stage.call('GET', POLICY);
    await stage.call('PUT', POLICY, { ...exported, description: 'changed' });
    const done = await apply(desired({ policy: file({ ...exported, defaultAdmissionRule: DENY }) }));
    expect(done.codes).toEqual(['CHANGED_MEANWHILE']);
    expect(await stage.call('GET', POLICY)).toMatchObject({ description: 'changed', defaultAdmissionRule: ALLOW });
  });

  it.each([
    ['that was set before', true],
    ['that was never set, and so has no etag', false],
  ])('is not overwritten where somebody edits one %s meanwhile', async (_, isSet) => {
    if (isSet) await stage.call('PUT', POLICY, { defaultAdmissionRule: ALLOW });
    const { notes } = ports.provisioning;
    const edited: SetupPorts = {
      ...ports,
      provisioning: {
        ...ports.provisioning,
        notes: {
          read: (name) => notes.read(name),
          // Between the plan and the policy’s turn.
          write: async (name, note) => {
            await stage.call('PUT', POLICY, { defaultAdmissionRule: DENY });
            await notes.write(name, note);
          },
        },
      },
    };
    const done = await apply(desired(), edited);
    expect(done).toMatchObject({ applied: false, codes: ['CHANGED_MEANWHILE'] });
    expect((await stage.call('GET', POLICY)).defaultAdmissionRule).toEqual(DENY);
    // The next run sees the other's policy, and refuses to weaken it.
    expect((await apply(desired())).codes).toEqual(['POLICY_WEAKENED']);
  });

  it('is not overwritten between its last look and its writing either', async () => {
    await stage.call('PUT', POLICY, { defaultAdmissionRule: ALLOW });
    const { policies } = ports.provisioning;
    const edited: SetupPorts = {
      ...ports,
      provisioning: {
        ...ports.provisioning,
        policies: {
          read: (project) => policies.read(project),
          write: async (project, document) => {
            await stage.call('PUT', POLICY, { defaultAdmissionRule: DENY });
            await policies.write(project, document);
          },
        },
      },
    };
    expect((await apply(desired(), edited)).codes).toEqual(['CHANGED_MEANWHILE']);
    expect((await stage.call('GET', POLICY)).defaultAdmissionRule).toEqual(DENY);
  });
});

describe('a run that ends half-way', () => {
  const WRITE = '^(POST|PUT|PATCH)$';
  const PATH = '^(?!.*:getIamPolicy).*$';

  async function expected(): Promise<unknown> {
    const other = await startTestEmulator();
    await apply(desired(MONITORED), setupPorts(other));
    const state = await stateOf(other, desired());
    await other.close();
    return state;
  }

  it.each(['reset-before', 'reset-after'])(
    'at any of its writes (%s) is finished by the next',
    async (how) => {
      const whole = await expected();
      const writes = 18;
      for (let after = 0; after < writes; after++) {
        await emulator.api('POST', '/_emulator/reset');
        const rules = [
          { id: 'last', method: WRITE, path: PATH, after, times: 1, do: how },
          { id: 'dead', method: WRITE, path: PATH, times: -1, do: 'reset-before', after },
        ];
        await emulator.api('POST', '/_emulator/faults', { rules });
        const cut = await apply(desired(MONITORED), setupPorts(emulator));
        // Of the very last write, only the answer is lost; whoever looks again sees that it is done.
        if (how === 'reset-before' || after < writes - 1)
          expect(cut).toMatchObject({ applied: false, codes: expect.arrayContaining(['UNAVAILABLE']) });
        await emulator.api('POST', '/_emulator/faults', { rules: [] });
        expect(await apply(desired(MONITORED), setupPorts(emulator))).toMatchObject({ codes: [], applied: true });
        expect(await stateOf(emulator, desired())).toEqual(whole);
      }
    },
    60_000,
  );

  it('skips what needs a thing that failed, and says why', async () => {
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: '/attestors$', times: -1, do: 'status', status: 403 }],
    });
    const done = await apply(desired());
    expect(done).toMatchObject({ applied: false, codes: ['PERMISSION_DENIED'] });
    const of = (suffix: string): readonly string[] =>
      done.changes.filter(({ resource }) => resource.endsWith(suffix)).map(({ action, status }) => `${action} ${status}`);
    expect(of('attestors/built')).toEqual(['create failed', 'update skipped']);
    expect(of('shop/policy')).toEqual(['update done', 'create skipped']);
    expect(of('notes/built')).toEqual(['create done', 'update skipped']);
    expect((await stage.call('GET', POLICY)).updateTime).toBeUndefined();
  });
});

describe('a change that Google refuses', () => {
  const refuse = (path: string, status: string, message: string): Promise<unknown> =>
    emulator.api('POST', '/_emulator/faults', {
      rules: [
        { id: 'x', method: '^(POST|PUT)$', path, times: -1, do: 'status', status: 400, body: { error: { code: 400, status, message } } },
      ],
    });

  it.each([
    ['the account', 'notes/built:setIamPolicy$', 'One or more users named in the policy do not belong to a permitted customer.'],
    [
      'a signer',
      'projects/shop:setIamPolicy$',
      'Constraint constraints/iam.allowedPolicyMemberDomains is violated by an organization policy.',
    ],
    ['one member more', 'attestors/built:setIamPolicy$', 'The number of members exceeds the maximum allowed size 1,500.'],
  ])('for %s is told at once as what it is', async (_, path, message) => {
    await refuse(path, 'FAILED_PRECONDITION', message);
    const done = await apply(desired());
    expect([done.codes, done.applied]).toEqual([['CHANGE_REFUSED'], false]);
    expect(done.messages.join()).toContain(message);
    const writes = await writesOn(emulator);
    expect(writes.filter((request) => new RegExp(path).test(request))).toHaveLength(1);
    expect(writes.some((request) => request.endsWith(':generateServiceIdentity'))).toBe(false);
  });

  // Exit 2 is bad input, by which nothing was changed, and shows no plan.
  it.each(['/notes$', '/keyRings$', '/cryptoKeys$', '/attestors$', '/policy$', '/metrics$', '/alertPolicies$'])(
    'at %s is no bad input, and the plan says what was done before',
    async (path) => {
      await refuse(path, 'FAILED_PRECONDITION', 'Precondition check failed.');
      const done = await apply(desired(MONITORED));
      expect([new Set(done.codes), done.applied]).toEqual([new Set(['CHANGE_REFUSED']), false]);
      expect(done.changes.some(({ status }) => status === 'done')).toBe(true);
    },
  );

  it('because there is no billing account says so, at once or at the end of the operation', async () => {
    await stage.call('POST', '/v1/projects/shop/services/cloudkms.googleapis.com:disable', {});
    await refuse(':batchEnable$', 'FAILED_PRECONDITION', 'Billing account for project 1 is not found.');
    expect((await apply(desired())).codes).toEqual(['CHANGE_REFUSED']);
    const body = { name: 'operations/x', done: true, error: { code: 9, message: 'Billing account for project 1 is not found.' } };
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: ':batchEnable$', times: -1, do: 'status', status: 200, body }],
    });
    expect((await apply(desired())).codes).toEqual(['CHANGE_REFUSED']);
  });
});

describe('what Google takes a while for', () => {
  it('has the account made that IAM does not know yet', async () => {
    const body = { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'Service account service-1@gcp-sa-x does not exist.' } };
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: 'notes/built:setIamPolicy$', times: 3, do: 'status', status: 400, body }],
    });
    expect(await apply(desired())).toMatchObject({ applied: true, codes: [] });
    const writes = await writesOn(emulator);
    expect(writes.filter((request) => request.endsWith(':generateServiceIdentity'))).toHaveLength(1);
    expect(writes.filter((request) => request.endsWith('notes/built:setIamPolicy'))).toHaveLength(4);
  });

  it.each(['cryptoKeys', 'notes'])('fails at once for a signer that does not exist, also on %s where an account may be new', async (on) => {
    const message = `Service account ${SIGNER.replace('serviceAccount:', '')} does not exist.`;
    const body = { error: { code: 400, status: 'INVALID_ARGUMENT', message } };
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: `${on}/built:setIamPolicy$`, times: -1, do: 'status', status: 400, body }],
    });
    const done = await apply(desired());
    expect(done.codes).toEqual(['PRINCIPAL_NOT_FOUND']);
    const writes = await writesOn(emulator);
    expect(writes.filter((request) => request.includes(`${on}/built:setIamPolicy`))).toHaveLength(1);
    expect(writes.some((request) => request.endsWith(':generateServiceIdentity'))).toBe(false);
  });

  it('switches APIs on first, and takes what they serve for missing until then', async () => {
    for (const service of ['binaryauthorization', 'containeranalysis', 'cloudkms'])
      await stage.call('POST', `/v1/projects/shop/services/${service}.googleapis.com:disable`, {});
    const planned = await plan(desired());
    expect(planned.codes).toEqual([]);
    expect(planned.changes[0]).toMatchObject({
      action: 'update',
      gcloud:
        'gcloud services enable binaryauthorization.googleapis.com containeranalysis.googleapis.com cloudkms.googleapis.com --project=shop',
    });
    expect(await apply(desired())).toMatchObject({ applied: true, codes: [] });
    expect((await apply(desired())).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('finds a metric, and then makes the alert that needs it', async () => {
    await emulator.api('POST', '/_emulator/faults', {
      rules: [{ id: 'x', method: '^POST$', path: '/alertPolicies$', times: 4, do: 'status', status: 404 }],
    });
    expect(await apply(desired(MONITORED))).toMatchObject({ applied: true, codes: [] });
    expect(ports.warnings).toEqual(
      ['blocked deployments', 'break-glass deployments', 'fail-open admissions'].map(
        (title) => `the alert policy “Binary Authorization: ${title}” reaches nobody: name whom it tells with --notification-channel`,
      ),
    );
    const { alertPolicies } = await stage.call('GET', '/v3/projects/shop/alertPolicies');
    expect(alertPolicies).toHaveLength(3);
  });
});

describe('notification channels', () => {
  it('must exist, and are added to alert policies that are there', async () => {
    const [first, second] = await Promise.all(
      ['a@example.com', 'b@example.com'].map(async (email_address) => {
        const { name } = await stage.call('POST', '/v3/projects/shop/notificationChannels', { type: 'email', labels: { email_address } });
        return name as string;
      }),
    );
    const wanted = (...channels: string[]): Desired => desired({ monitoring: { channels } });
    const missing = await apply(wanted('projects/shop/notificationChannels/1'));
    expect(new Set(missing.codes)).toEqual(new Set(['NOT_FOUND']));
    expect(await apply(wanted(first ?? ''))).toMatchObject({ applied: true, codes: [] });
    expect(await apply(wanted(second ?? ''))).toMatchObject({ applied: true, codes: [] });
    const { alertPolicies } = await stage.call('GET', '/v3/projects/shop/alertPolicies');
    for (const { notificationChannels } of alertPolicies) expect(notificationChannels).toEqual([first, second]);
    expect((await apply(wanted(first ?? '', second ?? ''))).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('leaves a metric alone that somebody changed', async () => {
    await apply(desired(MONITORED));
    const name = '/v2/projects/shop/metrics/binauthz-gke-blocked';
    await stage.call('PUT', name, { name: 'binauthz-gke-blocked', filter: 'resource.type="k8s_cluster"' });
    ports.warnings.length = 0;
    expect((await apply(desired(MONITORED))).changes.every(({ action }) => action === 'none')).toBe(true);
    expect((await stage.call('GET', name)).filter).toBe('resource.type="k8s_cluster"');
    expect(ports.warnings.join('\n')).toContain('projects/shop/metrics/binauthz-gke-blocked: the metric exists with another filter');
  });

  it('tells of an alert policy that somebody switched off, or made watch something else, and of no other', async () => {
    const { name: channel } = await stage.call('POST', '/v3/projects/shop/notificationChannels', {
      type: 'email',
      labels: { email_address: 'a@example.com' },
    });
    const monitored = desired({ monitoring: { channels: [channel] } });
    await apply(monitored);
    expect(ports.warnings).toEqual([]);
    const { alertPolicies } = await stage.call('GET', '/v3/projects/shop/alertPolicies');
    const found = (words: string) => alertPolicies.find(({ displayName }: { displayName: string }) => displayName.endsWith(words));
    const off = found('blocked deployments');
    await stage.call('PATCH', `/v3/${off.name}?updateMask=enabled`, { enabled: false });
    const other = found('fail-open admissions');
    const [condition] = other.conditions;
    const filter = condition.conditionThreshold.filter.replace('binauthz-gke-fail-open', 'binauthz-gke-blocked');
    const conditions = [{ ...condition, conditionThreshold: { ...condition.conditionThreshold, filter } }];
    await stage.call('PATCH', `/v3/${other.name}?updateMask=conditions`, { conditions });
    expect((await apply(desired(MONITORED))).changes.every(({ action }) => action === 'none')).toBe(true);
    expect(ports.warnings).toEqual([
      'the alert policy “Binary Authorization: blocked deployments” is switched off, and left so',
      'the alert policy “Binary Authorization: fail-open admissions” was made or changed by somebody else, and does not watch logging.googleapis.com/user/binauthz-gke-fail-open',
    ]);
  });
});

describe('without permission', () => {
  it('says which, and makes nothing', async () => {
    const done = await apply(desired({ project: 'shop' as ProjectId }), setupPorts(emulator, 'as:nobody@example.com'));
    expect(done.applied).toBe(false);
    expect(new Set(done.codes)).toEqual(new Set(['PERMISSION_DENIED']));
    expect(done.messages.join()).toContain('serviceusage.services.get');
    expect((await writesOn(emulator)).length).toBe(0);
  });

  it('never says to grant on what is not there', async () => {
    const iamOf = (name: string): Promise<unknown> => stage.grant('projects/shop', 'user:dev@example.com', name);
    await iamOf('roles/serviceusage.serviceUsageViewer');
    const blind = await setup({ desired: desired(), apply: false }, setupPorts(emulator, 'as:dev@example.com'));
    for (const role of ['notes.viewer', 'notes.editor']) await iamOf(`roles/containeranalysis.${role}`);
    await iamOf('roles/cloudkms.viewer');
    await iamOf('roles/binaryauthorization.attestorsViewer');
    const seeing = await setup({ desired: desired(), apply: false }, setupPorts(emulator, 'as:dev@example.com'));
    const hints = [...blind.errors, ...seeing.errors].map(({ hint = '' }) => hint);
    expect(hints.length).toBeGreaterThan(6);
    for (const hint of hints) expect(hint).toMatch(/gcloud projects add-iam-policy-binding shop .*--member=MEMBER/);
  });
});
