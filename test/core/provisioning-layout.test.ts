// SPDX-License-Identifier: Apache-2.0
// Where what is wanted lies, who serves it, and what of it is rarely meant.
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/core/policy/parse.js';
import {
  NEW_KEY_ALGORITHM,
  ringOf,
  servedBy,
  servicesOf,
  type DesiredPolicy,
  type Principal,
} from '../../src/core/provisioning/desired.js';
import { missingGrants, withGrants, type IamPolicy } from '../../src/core/provisioning/grants.js';
import { notesOn } from '../../src/core/provisioning/notes-on-desired.js';
import { deny, require } from '../support/policies.js';
import { desired, scattered } from '../support/setup.js';

describe('a resource', () => {
  it.each([
    ['projects/shop-prod', 'cloudresourcemanager'],
    ['projects/shop-prod/notes/built', 'containeranalysis'],
    ['projects/shop-prod/locations/global/keyRings/ci/cryptoKeys/notes', 'cloudkms'],
    ['projects/shop-prod/attestors/policy', 'binaryauthorization'],
    ['projects/shop-prod/policy', 'binaryauthorization'],
    ['projects/shop-prod/metrics/m', 'logging'],
    ['projects/shop-prod/alertPolicies', 'monitoring'],
  ])('%s is served by %s in its own project', (resource, service) =>
    expect(servedBy(resource)).toEqual({ project: 'shop-prod', service: `${service}.googleapis.com` }),
  );

  it.each([
    'folders/1/projects/shop',
    'x/projects/shop/notes/n',
    'x/projects/shop/locations/l/k',
    'x/projects/shop/attestors/a',
    'x/projects/shop/metrics/m',
    'x/projects/shop/alertPolicies',
    'projects/shop/policy/x',
    'projects/shop/alertPolicies/7',
    'projects/',
  ])('%s is none that anybody serves', (resource) => expect(() => servedBy(resource)).toThrow(resource));

  it('of keys is the ring that a key lies in', () => {
    const key = scattered().key;
    expect(key.kind === 'kms' && ringOf(key.key)).toBe('projects/key-prod/locations/europe-west4/keyRings/ci');
    expect(NEW_KEY_ALGORITHM).toBe('EC_SIGN_P256_SHA256');
  });

  it('in a project of its own needs no more there', () =>
    expect(servicesOf(scattered({ signers: [] })).get('attestation-prod' as never)).toEqual(['containeranalysis.googleapis.com']));
});

describe('what is rarely meant', () => {
  const pool = (name: string): Principal => `principalSet://iam.googleapis.com/${name}` as Principal;
  const policyOf = (document: object): DesiredPolicy => ({
    file: 'policy.yaml',
    document: { ...document },
    policy: parsePolicy(document).policy!,
  });

  it.each<[string, boolean]>([
    ['projects/1/locations/global/workloadIdentityPools/ci/*', true],
    ['locations/global/workforcePools/staff/*', true],
    ['projects/1/locations/global/workloadIdentityPools/ci/attribute.repository/o/r', false],
    ['projects/1/locations/global/workloadIdentityPools/ci/group/*/x', false],
    ['projects/1/locations/global/workloadIdentityPools/ci/*/x', false],
    ['projects/1/locations/global/otherPools/ci/*', false],
  ])('in a signer of %s: %s', (name, isNamed) => expect(notesOn(desired({ signers: [pool(name)] }))).toHaveLength(isNamed ? 1 : 0));

  it('is no pool inside another principal', () => {
    const signer = `user:x${pool('projects/1/locations/global/workloadIdentityPools/ci/*')}` as Principal;
    expect(notesOn(desired({ signers: [signer] }))).toEqual([]);
  });

  it('is a policy that does not ask the attestor', () => {
    const { attestor } = desired();
    expect(notesOn(desired({ policy: policyOf({ defaultAdmissionRule: deny }) }))).toEqual([
      expect.stringContaining(`policy.yaml does not require ${attestor}`),
    ]);
    expect(notesOn(desired({ policy: policyOf({ defaultAdmissionRule: require(attestor) }) }))).toEqual([]);
  });
});

describe('an IAM policy', () => {
  const role = 'roles/x.y';
  const policy = (...bindings: IamPolicy['bindings']): IamPolicy => ({ bindings, etag: 'e', rest: {} });

  it('that is not there holds nothing', () => expect(missingGrants(undefined, [{ role, member: 'user:a@b.c' }])).toHaveLength(1));

  it.each([
    ['user:A@b.c', 'user:a@B.c', true],
    ['domain:B.c', 'domain:b.c', true],
    ['user:ıa@b.c', 'user:ia@b.c', false],
    ['principal://x/subject/user:A', 'principal://x/subject/user:a', false],
  ])('with %s holds %s: %s', (had, member, isHeld) =>
    expect(missingGrants(policy({ role, members: [had] }), [{ role, member }])).toHaveLength(isHeld ? 0 : 1),
  );

  it('gets a member into the role that is there, beside one under a condition', () => {
    const conditional = { role, members: ['user:c@b.c'], condition: { title: 't' } };
    const before = policy(conditional, { role: 'roles/other', members: ['user:a@b.c'] }, { role, members: ['user:a@b.c'] });
    expect(withGrants(before, [{ role, member: 'user:new@b.c' }]).bindings).toEqual([
      conditional,
      { role: 'roles/other', members: ['user:a@b.c'] },
      { role, members: ['user:a@b.c', 'user:new@b.c'] },
    ]);
    expect(withGrants(policy(conditional), [{ role, member: 'user:c@b.c' }]).bindings).toEqual([
      conditional,
      { role, members: ['user:c@b.c'] },
    ]);
  });
});
