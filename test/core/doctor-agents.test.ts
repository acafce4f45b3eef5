// SPDX-License-Identifier: Apache-2.0
// Which roles let Google's own accounts do what they must, and what is left open.
import { describe, expect, it, test } from 'vitest';
import { accessOf, NOTE_READERS, VERIFIERS, type Access } from '../../src/core/doctor/agents.js';
import type { ReadIamPolicy } from '../../src/core/doctor/facts.js';
import { failed, iam, ok } from '../support/doctor-facts.js';

const AGENT = 'serviceAccount:agent@trust.example';
const BASIC = 'roles/browser';

describe('the roles', () => {
  const readers = ['containeranalysis.notes.occurrences.viewer', 'containeranalysis.admin', 'binaryauthorization.serviceAgent'];
  const verifiers = ['attestorsVerifier', 'attestorsEditor', 'attestorsAdmin', 'serviceAgent'].map((role) => `binaryauthorization.${role}`);
  test.each([...readers, 'viewer', 'editor', 'owner'])('let a note be read: %s', (role) =>
    expect(accessOf(AGENT, NOTE_READERS, [iam('r', [`roles/${role}`, AGENT])])).toBe('granted'),
  );
  test.each([...verifiers, 'editor', 'owner'])('let an attestor be asked: %s', (role) =>
    expect(accessOf(AGENT, VERIFIERS, [iam('r', [`roles/${role}`, AGENT])])).toBe('granted'),
  );
  test.each([
    ['containeranalysis.notes.attacher', NOTE_READERS],
    ['binaryauthorization.attestorsVerifier', NOTE_READERS],
    ['binaryauthorization.attestorsViewer', VERIFIERS],
    ['viewer', VERIFIERS],
    ['', VERIFIERS],
    ['', NOTE_READERS],
  ])('say nothing of others: %s', (role, roles) => expect(accessOf(AGENT, roles, [iam('r', [`roles/${role}`, AGENT])])).toBe('missing'));
});

describe('a member', () => {
  const viewer = (...members: readonly string[]): ReadIamPolicy => iam('r', ['roles/viewer', ...members]);
  test.each<[string, Access, ReadIamPolicy]>([
    ['is found beside others', 'granted', viewer('user:a@b', AGENT, 'group:c@d')],
    ['is everybody who is signed in', 'granted', viewer('allAuthenticatedUsers')],
    ['may be in a group beside others', 'unknown', viewer('user:a@b', 'group:c@d')],
    ['may be in a set of principals', 'unknown', viewer('principalSet://iam.googleapis.com/pool')],
    ['is in nothing that only holds such a word', 'missing', viewer('user:group:c@d', 'principal://x/principalSet:')],
    ['is nobody', 'missing', viewer()],
    ['may have a role of one’s own through a group', 'unknown', iam('r', ['organizations/1/roles/own', 'group:c@d'])],
    ['has no other role through a group', 'missing', iam('r', [BASIC, 'group:c@d'])],
    ['has no role of one’s own that somebody else has', 'missing', iam('r', ['projects/p/roles/own', 'user:a@b'])],
  ])('%s', (_title, access, policy) => expect(accessOf(AGENT, NOTE_READERS, [policy])).toBe(access));

  it('has nothing by the policy of what does not exist', () =>
    expect(accessOf(AGENT, NOTE_READERS, [{ resource: 'r', policy: ok(undefined) }])).toBe('missing'));
  it('may have anything by a policy that could not be read', () => {
    expect(accessOf(AGENT, NOTE_READERS, [iam('a'), { resource: 'r', policy: failed('UNAVAILABLE') }])).toBe('unknown');
  });
  it('has what any binding grants for certain, whatever others leave open', () => {
    const condition = { expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' };
    const conditional = {
      resource: 'r',
      policy: ok({ etag: '', rest: {}, bindings: [{ role: 'roles/viewer', members: [AGENT], condition }] }),
    };
    expect(accessOf(AGENT, NOTE_READERS, [conditional])).toBe('unknown');
    expect(accessOf(AGENT, NOTE_READERS, [conditional, viewer(AGENT)])).toBe('granted');
  });
});
