// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyVersionName } from '../../src/core/names.js';
import { createKeyStates } from '../../src/google/key-states.js';
import { createPermissions } from '../../src/google/permissions.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { PROJECT, Stage, type StagedKey } from '../support/stage.js';
import { errorOf, googleOn } from './google.js';
import { startStub } from './stub-server.js';

const CI = 'ci@shop.iam.gserviceaccount.com';
let emulator: TestEmulator;
let stage: Stage;
let key: StagedKey;
let attestor: string;
beforeAll(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  ({ key, attestor } = await stage.kmsAttestor('ci'));
});
afterAll(() => emulator.close());

const missing = (resource: string, permissions: readonly string[], token = `as:${CI}`) =>
  createPermissions(googleOn(emulator.host, { token }).google).missing(resource, permissions);

describe('the permissions that an identity lacks', () => {
  it('are told for every kind of resource', async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      [`projects/${PROJECT}`, 'containeranalysis.occurrences.create', 'roles/containeranalysis.occurrences.editor'],
      [attestor, 'binaryauthorization.attestors.get', 'roles/binaryauthorization.attestorsViewer'],
      [`projects/${PROJECT}/notes/ci`, 'containeranalysis.notes.attachOccurrence', 'roles/containeranalysis.notes.attacher'],
      [`projects/${PROJECT}/policy`, 'binaryauthorization.policy.get', 'roles/binaryauthorization.policyViewer'],
      [key.key, 'cloudkms.cryptoKeyVersions.useToSign', 'roles/cloudkms.signer'],
    ];
    for (const [resource, permission, role] of cases) {
      expect(await missing(resource, [permission])).toEqual([permission]);
      await stage.call('POST', `/v1/${resource}:setIamPolicy`, { policy: { bindings: [{ role, members: [`serviceAccount:${CI}`] }] } });
      expect(await missing(resource, [permission, 'resourcemanager.projects.delete'])).toEqual(['resourcemanager.projects.delete']);
    }
  });

  it('are all of them where the resource does not exist, and none to an owner', async () => {
    const permission = 'binaryauthorization.attestors.get';
    expect(await missing(`projects/${PROJECT}/attestors/nobody`, [permission], 'owner')).toEqual([permission]);
    expect(await missing(attestor, [permission], 'owner')).toEqual([]);
  });

  it('are never taken from an answer that is none', async () => {
    const stub = await startStub();
    const permission = 'binaryauthorization.attestors.get';
    const ask = () => createPermissions(googleOn(stub.host).google).missing(attestor, [permission]);
    for (const body of ['{"permissions": "all"}', 'null', '7']) {
      stub.plan({ body });
      expect(await errorOf(ask())).toMatchObject({ code: 'RESPONSE_INVALID' });
    }
    stub.plan({ body: {} });
    expect(await ask()).toEqual([permission]);
    await stub.close();
  });
});

describe('the state of a key version', () => {
  it('is told as Cloud KMS names it, and a missing one is not found', async () => {
    const { state } = createKeyStates(googleOn(emulator.host).google);
    const version = key.version as KeyVersionName;
    expect(await state(version)).toBe('ENABLED');
    await stage.call('POST', `/v1/${version}:destroy`, {});
    expect(await state(version)).toBe('DESTROY_SCHEDULED');
    expect(await errorOf(state(version.replace(/1$/, '9') as KeyVersionName))).toMatchObject({ code: 'KEY_NOT_FOUND' });
  });
});
