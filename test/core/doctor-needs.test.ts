// SPDX-License-Identifier: Apache-2.0
// Which permissions are tested where, with whose eyes (facts 8), and what each finding of one says.
import { describe, expect, it, test } from 'vitest';
import { needOf, needsOnAttestor, needsOnKey, needsOnProjects, type NeedsOn } from '../../src/core/doctor/needs.js';
import type { ProjectId } from '../../src/core/names.js';
import { ATTESTOR, KEY, NOTE, sound } from '../support/doctor-facts.js';

const { question } = sound();
const short = (needs: readonly NeedsOn[]) =>
  needs.map(({ resource, needs: all }) => [resource, ...all.map(({ permission }) => permission)]);
const onAttestor = [ATTESTOR, 'binaryauthorization.attestors.get', 'binaryauthorization.attestors.verifyImageAttested'];
const list = 'containeranalysis.notes.listOccurrences';

describe('what is needed', () => {
  it('on an attestor and its note', () => {
    expect(short(needsOnAttestor(ATTESTOR, NOTE, 'check'))).toEqual([onAttestor, [NOTE, list]]);
    expect(short(needsOnAttestor(ATTESTOR, NOTE, 'attest'))).toEqual([
      onAttestor,
      [NOTE, list, 'containeranalysis.notes.attachOccurrence'],
    ]);
  });
  it('on a key, whose versions are listed only where none is named', () => {
    const both = ['cloudkms.cryptoKeyVersions.viewPublicKey', 'cloudkms.cryptoKeyVersions.useToSign'];
    expect(short([needsOnKey(KEY, true), needsOnKey(KEY, false)])).toEqual([
      [KEY, ...both],
      [KEY, ...both, 'cloudkms.cryptoKeyVersions.list'],
    ]);
  });
  it('on projects, where attestations are stored, and on the policy, where it is read', () => {
    const stores = ['one', 'two'] as unknown as readonly ProjectId[];
    expect(short(needsOnProjects(question, stores))).toEqual([['projects/deploy/policy', 'binaryauthorization.policy.get']]);
    expect(short(needsOnProjects({ ...question, eyes: 'attest' }, stores))).toEqual([
      ['projects/one', 'containeranalysis.occurrences.create'],
      ['projects/two', 'containeranalysis.occurrences.create'],
    ]);
  });
});

describe('a permission', () => {
  test.each([
    ['binaryauthorization.attestors.get', 'binaryauthorization.attestorsViewer', 'read the attestor', undefined],
    [
      'binaryauthorization.attestors.verifyImageAttested',
      'binaryauthorization.attestorsVerifier',
      'have Google validate attestations',
      true,
    ],
    [list, 'containeranalysis.notes.occurrences.viewer', 'list the attestations of the note', undefined],
    ['containeranalysis.notes.attachOccurrence', 'containeranalysis.notes.attacher', 'attach attestations to the note', undefined],
    ['containeranalysis.occurrences.create', 'containeranalysis.occurrences.editor', 'store attestations in the project', undefined],
    ['binaryauthorization.policy.get', 'binaryauthorization.policyViewer', 'read the policy', undefined],
    ['container.clusters.get', 'container.clusterViewer', 'read whether the cluster enforces', true],
    ['run.services.get', 'run.viewer', 'read whether the service opted in', true],
    ['run.jobs.get', 'run.viewer', 'read whether the job opted in', true],
    ['cloudkms.cryptoKeyVersions.useToSign', 'cloudkms.signerVerifier', 'sign with the key', undefined],
    ['cloudkms.cryptoKeyVersions.viewPublicKey', 'cloudkms.signerVerifier', 'read the public key', undefined],
    ['cloudkms.cryptoKeyVersions.list', 'cloudkms.viewer', 'find the key’s newest enabled version', undefined],
  ])('%s is carried by %s', (permission, role, why, isAdvice) => {
    const need = needOf(permission);
    expect([need?.role, need?.isAdvice]).toEqual([`roles/${role}`, isAdvice]);
    expect(need?.why.startsWith(why)).toBe(true);
  });
  it('that nobody needs is none', () => expect(needOf('resourcemanager.projects.get')).toBeUndefined());
});
