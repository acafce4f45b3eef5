// SPDX-License-Identifier: Apache-2.0
// Wanted and found → what is done: nothing where it is so already, never anything that takes from somebody.
import { describe, expect, it } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { BinauthzError } from '../../src/core/errors.js';
import type { AttestorName, KeyName, NoteName, ProjectId } from '../../src/core/names.js';
import type { KeyRingName } from '../../src/core/provisioning/desired.js';
import type { IamPolicy } from '../../src/core/provisioning/grants.js';
import {
  decideAttestor,
  decideGrants,
  decideKey,
  decideKeyRing,
  decideNote,
  decideServices,
  grantsFor,
  sharedKeyWarnings,
} from '../../src/core/provisioning/resources.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import { signingKey } from '../support/keys.js';
import { desired, scattered, SIGNER } from '../support/setup.js';

const PROJECT = 'shop' as ProjectId;
const NOTE = 'projects/shop/notes/built' as NoteName;
const KEY = 'projects/shop/locations/global/keyRings/ci/cryptoKeys/built' as KeyName;
const PGP = { kind: 'pgp', file: 'team.asc', armored: '', fingerprint: 'AB12CD' } as const;

const [oneKey, otherKey, thirdKey] = [0, 1, 2].map(() => signingKey('ECDSA_P256_SHA256'));
const entryOf = (version: number, key = oneKey): AttestorKey => ({
  kind: 'pkix',
  id: `//cloudkms.googleapis.com/v1/${KEY}/cryptoKeyVersions/${version}`,
  pem: key?.pem ?? '',
  algorithm: 'ECDSA_P256_SHA256',
});
const found = (...keys: readonly AttestorKey[]): Attestor => ({ name: desired().attestor, note: NOTE, keys });

function errorOf(run: () => unknown): BinauthzError {
  try {
    run();
  } catch (error) {
    if (error instanceof BinauthzError) return error;
  }
  throw new Error('expected a failure');
}

describe('what is there is left alone', () => {
  it.each([
    ['an API that is on', decideServices(PROJECT, ['a', 'b'], []), /^a, b: on$/],
    ['a note for attestations', decideNote(NOTE, { isAttestation: true }), /the note exists/],
    ['a key ring', decideKeyRing('projects/shop/locations/global/keyRings/ci' as KeyRingName, {}), /the key ring exists/],
    ['a key', decideKey(KEY, {}), /the key exists and can sign/],
  ])('%s', (_, decision, summary) => expect(decision).toStrictEqual({ action: 'none', summary: expect.stringMatching(summary) as string }));

  it('but a note of another kind cannot be used', () =>
    expect(errorOf(() => decideNote(NOTE, { isAttestation: false }))).toMatchObject({
      code: 'RESOURCE_MISMATCH',
      resource: NOTE,
      message: expect.stringContaining(`${NOTE}: expected a note for attestations`) as string,
      hint: expect.stringContaining('--note') as string,
    }));
});

describe('what is missing is made', () => {
  it.each([
    [
      'APIs that are off',
      decideServices(PROJECT, ['a', 'b', 'c'], ['b', 'c']),
      'update',
      /^switch on b, c$/,
      /enable b c --project=shop$/,
      ['b', 'c'],
    ],
    ['a note', decideNote(NOTE, undefined), 'create', /make the note/, /noteId=built/, { humanReadableName: 'built' }],
    [
      'a key ring',
      decideKeyRing('projects/shop/locations/global/keyRings/ci' as KeyRingName, undefined),
      'create',
      /never be deleted/,
      /keyrings create ci/,
      {},
    ],
    [
      'a key',
      decideKey(KEY, undefined),
      'create',
      /signs with EC_SIGN_P256_SHA256$/,
      /--default-algorithm=ec-sign-p256-sha256$/,
      { algorithm: 'EC_SIGN_P256_SHA256' },
    ],
  ])('%s', (_, decision, action, summary, gcloud, write) =>
    expect(decision).toStrictEqual({
      action,
      summary: expect.stringMatching(summary) as string,
      gcloud: expect.stringMatching(gcloud) as string,
      write,
    }),
  );
});

describe('an attestor', () => {
  it('is made, trusting the newest version that can sign', () => {
    const decision = decideAttestor(desired(), [entryOf(3), entryOf(2, otherKey)], undefined);
    expect(decision).toMatchObject({ action: 'create', summary: `make the attestor on ${NOTE}, trusting ${KEY}/cryptoKeyVersions/3` });
    expect(decision.action !== 'none' && decision.gcloud.split('\n')).toEqual([
      expect.stringContaining('attestors create built'),
      expect.stringContaining(`--keyversion=3 --public-key-id-override=//cloudkms.googleapis.com/v1/${KEY}/cryptoKeyVersions/3`),
    ]);
    expect(decision.write?.()).toEqual({ kind: 'create', attestor: { note: NOTE, key: entryOf(3) } });
  });

  it('is planned before its key is there, and not written without it', () => {
    const decision = decideAttestor(desired(), [], undefined);
    expect(decision.summary).toContain(`trusting version 1 of ${KEY}`);
    expect(decision).toMatchObject({ gcloud: expect.stringContaining('--keyversion=1 ') as string });
    expect(errorOf(() => decision.write?.())).toMatchObject({ code: 'KEY_NOT_FOUND', resource: KEY });
    const pgp = decideAttestor(desired({ key: PGP }), [], undefined);
    expect(errorOf(() => pgp.write?.())).toMatchObject({ message: expect.stringContaining('team.asc') as string });
  });

  it('is made with a PGP key by its file and fingerprint', () => {
    const entry: AttestorKey = { kind: 'pgp', id: 'AB12CD', armored: '' };
    const decision = decideAttestor(desired({ key: PGP }), [entry], undefined);
    expect(decision.summary).toContain('trusting the PGP key AB12CD');
    expect(decision).toMatchObject({ gcloud: expect.stringMatching(/\n.* --pgp-public-key-file=team\.asc$/) as string });
  });

  it('that trusts any version which can sign is left alone: another one is a rotation', () => {
    const decision = decideAttestor(desired(), [entryOf(3), entryOf(2, otherKey)], found(entryOf(2, otherKey)));
    expect(decision).toEqual({ action: 'none', summary: 'the attestor exists and trusts the key', warnings: [] });
  });

  it('that does not trust the key is made to, as well', () => {
    const decision = decideAttestor(desired(), [entryOf(3)], found());
    expect(decision).toMatchObject({
      action: 'update',
      summary: `have the attestor trust ${KEY}/cryptoKeyVersions/3 as well`,
      gcloud: expect.stringMatching(/^gcloud container binauthz attestors public-keys add .*--keyversion=3/) as string,
      warnings: [],
    });
    expect(decision.write?.()).toEqual({ kind: 'key', key: entryOf(3) });
  });

  it.each([
    [[otherKey], `also trusts ${entryOf(7).id}, which is no key of ${KEY}: whoever holds it`],
    [[otherKey, thirdKey], `also trusts ${entryOf(7).id} and ${entryOf(8).id}, which are no keys of ${KEY}: whoever holds them`],
  ])('that trusts keys of somebody else is named (%#)', (others, warning) => {
    const listed = others.map((key, index) => entryOf(7 + index, key));
    for (const own of [[], [entryOf(3)]])
      expect(decideAttestor(desired(), [entryOf(3)], found(...own, ...listed)).warnings).toEqual([expect.stringContaining(warning)]);
    const [byFile] = decideAttestor(desired({ key: PGP }), [], found(...listed)).warnings ?? [];
    expect(byFile).toContain('of team.asc:');
  });

  it('that trusts a key is compared with entries that can be read alone', () => {
    const unreadable = { ...entryOf(3), algorithm: 'ML_DSA_65' } as AttestorKey;
    expect(decideAttestor(desired(), [unreadable], found(entryOf(7, otherKey)))).toMatchObject({
      action: 'update',
      warnings: [expect.any(String)],
    });
  });

  it('on another note is none of this setup', () => {
    const other: Attestor = { ...found(entryOf(3)), note: 'projects/shop/notes/other' as NoteName };
    expect(errorOf(() => decideAttestor(desired(), [entryOf(3)], other))).toMatchObject({
      code: 'RESOURCE_MISMATCH',
      resource: 'projects/shop/attestors/built',
      message: expect.stringContaining(`expected the note ${NOTE}, got projects/shop/notes/other`) as string,
      hint: expect.stringMatching(/--note projects\/shop\/notes\/other,.*in project shop\)/) as string,
    });
  });

  it('that shares its key with others makes no second approval', () => {
    const named = (name: string, ...keys: readonly AttestorKey[]): Attestor => ({
      ...found(...keys),
      name: `projects/shop/attestors/${name}` as AttestorName,
    });
    const all = [
      named('built', entryOf(1)),
      named('tested', entryOf(1)),
      named('scanned', entryOf(2, otherKey)),
      named('released', entryOf(5)),
    ];
    expect(sharedKeyWarnings(desired().attestor, [entryOf(1)], all)).toEqual([
      expect.stringMatching(
        /cryptoKeyVersions\/1 is trusted by projects\/shop\/attestors\/tested and projects\/shop\/attestors\/released as well/,
      ),
    ]);
    expect(sharedKeyWarnings(desired().attestor, [entryOf(9, thirdKey)], all)).toEqual([]);
    const unreadable: AttestorKey = { ...entryOf(1), algorithm: 'ML_DSA_65' } as AttestorKey;
    expect(sharedKeyWarnings(desired().attestor, [unreadable], [named('tested', unreadable)])).toEqual([]);
  });
});

describe('grants', () => {
  const agents = { attestor: 'serviceAccount:attestor', deployer: 'serviceAccount:deployer' };
  const policy = (...bindings: IamPolicy['bindings']): IamPolicy => ({ bindings, etag: 'e', rest: {} });

  it('say what each is for, and whose account it is', () => {
    const grants = grantsFor(scattered(), agents);
    expect(grants.map(({ why }) => why)).toEqual([
      expect.stringMatching(/own account read the note’s attestations, and signers attach and list/),
      expect.stringMatching(/sign with the key, and list its versions/),
      expect.stringMatching(/read and verify with the attestor/),
      expect.stringMatching(/store attestations/),
      expect.stringMatching(/read the policy/),
    ]);
    expect(grants.map(({ agent }) => agent)).toEqual([
      { member: agents.attestor, project: 'attestor-prod' },
      undefined,
      { member: agents.deployer, project: 'deployer-prod' },
      undefined,
      undefined,
    ]);
  });

  it('are no more than there is a reason for', () => {
    const rolesOn = (change: Parameters<typeof desired>[0]) =>
      grantsFor(desired(change), agents).flatMap(({ resource, grants }) =>
        grants.map(({ role, member }) => `${member} ${role} ${resource}`),
      );
    expect(rolesOn({ signers: [] })).toEqual([`${agents.attestor} roles/containeranalysis.notes.occurrences.viewer ${NOTE}`]);
    const byPgp = rolesOn({ key: PGP });
    expect(byPgp).toHaveLength(6);
    expect(byPgp.join()).not.toContain('cloudkms');
    expect(grantsFor(desired({ key: PGP }), agents)).toHaveLength(4);
    expect(grantsFor(desired(), agents).find(({ resource }) => resource.includes('/attestors/'))).toStrictEqual({
      resource: 'projects/shop/attestors/built',
      why: expect.any(String) as string,
      grants: [{ role: 'roles/binaryauthorization.attestorsVerifier', member: SIGNER }],
    });
  });

  const [onNote] = grantsFor(desired(), agents);
  it('that are there are left alone', () => {
    const bindings = onNote?.grants.map(({ role, member }) => ({ role, members: [member] })) ?? [];
    expect(decideGrants(onNote!, policy(...bindings))).toStrictEqual({ action: 'none', summary: `${onNote?.why}: granted` });
  });

  it('that are missing are added, and Google’s account is made first where it is one of them', () => {
    const decision = decideGrants(onNote!, policy({ role: 'roles/containeranalysis.notes.attacher', members: [SIGNER] }));
    expect(decision).toMatchObject({
      action: 'update',
      summary: onNote?.why,
      details: [
        `roles/containeranalysis.notes.occurrences.viewer to ${agents.attestor}`,
        `roles/containeranalysis.notes.occurrences.viewer to ${SIGNER}`,
      ],
      gcloud: expect.stringMatching(/^gcloud beta services identity create .*--project=shop\ncurl /) as string,
      write: [agents.attestor, SIGNER].map((member) => ({ role: 'roles/containeranalysis.notes.occurrences.viewer', member })),
    });
    const withAgent = policy({ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [agents.attestor] });
    expect(decideGrants(onNote!, withAgent)).toMatchObject({ gcloud: expect.stringMatching(/^curl /) as string });
    const grants = [{ role: 'roles/r', member: 'user:a@b.c' }];
    expect(decideGrants({ resource: 'projects/p', why: 'w', grants }, undefined)).toMatchObject({
      gcloud: expect.stringMatching(/^gcloud projects add-iam-policy-binding/) as string,
    });
  });
});
