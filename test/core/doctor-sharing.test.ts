// SPDX-License-Identifier: Apache-2.0
// Attestors that trust one key are one check: who is named, and how the last of them gets a key of its own.
import { describe, expect, it, test } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import type { DoctorFacts } from '../../src/core/doctor/facts.js';
import type { AttestorName, NoteName } from '../../src/core/names.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import {
  ATTESTOR,
  attestor,
  codesOf,
  expectFindings,
  failed,
  FINGERPRINT,
  listed,
  NOTE,
  ok,
  policy,
  requiring,
  sound,
  VERSION,
} from '../support/doctor-facts.js';

const QA = 'projects/trust/attestors/qa' as AttestorName;
const DOCS = 'projects/trust/attestors/docs' as AttestorName;
const ID = `//cloudkms.googleapis.com/v1/${VERSION}`;
const pgp = (id: string): AttestorKey => ({ kind: 'pgp', id, armored: 'ARMORED' });
const named = (name: AttestorName, keys: readonly AttestorKey[]): Attestor => ({
  name,
  note: name.replace('attestors', 'notes') as NoteName,
  keys,
});

/** The attestor that was asked about with these keys, and others that only the policy names. */
function facts(own: readonly AttestorKey[], ...others: readonly Attestor[]): DoctorFacts {
  const facts = { name: ATTESTOR, note: NOTE, keys: own, serviceAgent: 'agent@trust.example' };
  return sound({
    attestors: [attestor({ attestor: ok(facts) })],
    others: others.map((other) => ({ name: other.name, attestor: ok(other) })),
    policy: policy({ defaultAdmissionRule: requiring(ATTESTOR, ...others.map(({ name }) => name)) }),
  });
}

const rotate = (attestor: string, to: string, retire: string): string =>
  `binauthz rotate --attestor ${attestor} ${to} --retire ${retire} --apply`;
const toPgp = '--to-pgp-private-key-env NEW_PGP_PRIVATE_KEY';
const own = (key: string, attestor: string, retire: string): string =>
  [
    `gcloud kms keys create ${key} --keyring=ring --location=europe-west1 --project=vault --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256`,
    rotate(attestor, `--to-kms-key-version ${VERSION.replace('/signing/cryptoKeyVersions/3', `/${key}/cryptoKeyVersions/1`)}`, retire),
  ].join('\n');

describe('a key that two attestors trust', () => {
  const shared = { code: 'KEYS_SHARED', says: ['trust the same key ni:///sha-256;', 'whoever holds it satisfies all of them'] } as const;

  const none: AttestorKey = { kind: 'pkix', id: 'none', pem: 'no key', algorithm: 'ECDSA_P256_SHA256' };
  it('is left to the first, and the last is rotated to one of its own', () =>
    expectFindings(
      facts([listed()], named(QA, [none, listed(1, 'its own'), listed()])),
      {
        ...{ code: 'ATTESTOR_KEY_UNUSABLE', resource: QA, says: [`${QA} lists the key none`] },
        fix: 'gcloud container binauthz attestors public-keys remove none --attestor=qa --project=trust',
      },
      {
        ...shared,
        resource: QA,
        says: [`${ATTESTOR} and ${QA} ${shared.says[0]}`, shared.says[1]],
        fix: own('signing-qa', QA, ID),
      },
    ));
  it('goes by the key itself, and each attestor lets go of its own id of it', () =>
    expectFindings(facts([listed()], named(QA, [listed(0, `ni:///sha-256;qa`)])), {
      ...{ ...shared, resource: QA },
      fix: rotate(QA, toPgp, `'ni:///sha-256;qa'`),
    }));
  it('may be the key of more than two, who are all named', () =>
    expectFindings(facts([listed()], named(QA, [listed()]), named(DOCS, [listed()])), {
      ...{ ...shared, resource: QA },
      says: [`${ATTESTOR} and ${DOCS} and ${QA} trust the same key`],
      fix: own('signing-qa', QA, ID),
    }));
  it('may be a PGP key, however its fingerprint is spelt', () =>
    expectFindings(facts([listed(), pgp(FINGERPRINT)], named(QA, [listed(1, 'x'), pgp(FINGERPRINT.toLowerCase())])), {
      ...{ code: 'KEYS_SHARED', resource: QA },
      says: [`trust the same key PGP ${FINGERPRINT}`],
      fix: rotate(QA, toPgp, FINGERPRINT.toLowerCase()),
    }));
  it('is a finding for each', () => {
    const version = VERSION.replace('signing/', 'second/');
    const second = listed(1, `//cloudkms.googleapis.com/v1/${version}`);
    expectFindings(
      facts([listed(), second], named(QA, [second, listed()])),
      { ...shared, resource: QA, fix: own('signing-qa', QA, ID) },
      { ...shared, resource: QA, fix: own('second-qa', QA, `//cloudkms.googleapis.com/v1/${version}`) },
    );
  });
});

describe('no key is shared', () => {
  test.each([
    ['where each has its own', facts([listed()], named(QA, [listed(1)]))],
    ['where an id is the same and the keys are not', facts([listed(0, 'a')], named(QA, [listed(1, 'a')]))],
    ['with an attestor that could not be read', sound({ others: [{ name: QA, attestor: failed('UNAVAILABLE') }] })],
  ])('%s', (_title, given) => expect(codesOf(given)).not.toContain('KEYS_SHARED'));
});
