// SPDX-License-Identifier: Apache-2.0
// IAM policies are written as a whole: what is not known here must come back as it came.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withGrants } from '../../src/core/provisioning/grants.js';
import { createIamPolicies } from '../../src/google/iam.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const iam = () => createIamPolicies(googleOn(stub.host).google);
const GRANT = { role: 'roles/viewer', member: 'user:new@example.com' };
const POLICY = {
  version: 3,
  etag: 'BwX=',
  auditConfigs: [{ service: 'allServices', auditLogConfigs: [{ logType: 'DATA_READ', exemptedMembers: ['user:a@example.com'] }] }],
  newer: { of: ['the future'] },
  bindings: [
    { role: 'roles/viewer', members: ['deleted:serviceAccount:x@p.iam.gserviceaccount.com?uid=1'] },
    { role: 'roles/viewer', members: ['user:b@example.com'], condition: { title: 't', expression: 'true' }, bindingId: 'of the future' },
  ],
};

it.each([
  'projects/p',
  'projects/p/notes/n',
  'projects/p/attestors/a',
  'projects/p/policy',
  'projects/p/locations/l/keyRings/r/cryptoKeys/k',
])('the policy of %s keeps audit configurations, conditions, deleted members and what is new', async (resource) => {
  stub.plan({ body: POLICY });
  const found = await iam().read(resource);
  if (!found) throw new Error('no policy');
  await iam().write(resource, withGrants(found, [GRANT]));
  const [read, written] = stub.asked;
  expect(`${read?.url} ${read?.body}`).toContain('equestedPolicyVersion');
  const [first, ...others] = POLICY.bindings;
  const members = [...(first?.members ?? []), GRANT.member];
  expect(JSON.parse(written?.body ?? '')).toEqual({ policy: { ...POLICY, bindings: [{ role: GRANT.role, members }, ...others] } });
});

it('a policy without an etag is not written upon', async () => {
  stub.plan({ body: { bindings: [] } });
  expect((await errorOf(iam().read('projects/p'))).code).toBe('RESPONSE_INVALID');
});

it.each([
  ['Service account x@p does not exist.', 'PRINCIPAL_NOT_FOUND'],
  ['One or more users named in the policy do not belong to a permitted customer.', 'CHANGE_REFUSED'],
  ['The policy exceeds the maximum size.', 'CHANGE_REFUSED'],
])('a refusal (%s) is %s', async (message, code) => {
  stub.plan({ status: 400, body: googleError(400, 'FAILED_PRECONDITION', message) });
  const error = await errorOf(iam().write('projects/p', { bindings: [], etag: 'e', rest: {} }));
  expect(error).toMatchObject({ code, resource: 'projects/p', message: expect.stringContaining(message) as string });
  expect(error.hint).toMatch(/signer|group/);
});
