// SPDX-License-Identifier: Apache-2.0
// Given keys and attestors: whether they fit, as attest pairs them, and the command that makes them fit.
import { describe, expect, it, test } from 'vitest';
import type { DoctorFacts, KeyFacts } from '../../src/core/doctor/facts.js';
import type { AttestorName } from '../../src/core/names.js';
import { Secret } from '../../src/core/secret.js';
import type { AlgorithmName } from '../../src/core/signing/algorithm.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import {
  ATTESTOR,
  attesting,
  attestor,
  codesOf,
  expectFindings,
  failed,
  FINGERPRINT,
  KEY,
  kmsKey,
  listed,
  NOTE,
  ok,
  opened,
  publicKey,
  VERSION,
} from '../support/doctor-facts.js';

const source = { kind: 'kms-key', key: KEY } as const;
const ADD = 'gcloud container binauthz attestors public-keys add --attestor=ci --project=trust';
const ID = `//cloudkms.googleapis.com/v1/${VERSION}`;
const trust = (version: string): string =>
  `${ADD} --keyversion-project=vault --keyversion-location=europe-west1 --keyversion-keyring=ring --keyversion-key=signing --keyversion=${version} --public-key-id-override=//cloudkms.googleapis.com/v1/${KEY}/cryptoKeyVersions/${version}`;
const trustGiven = trust('3');

const trusting = (...keys: readonly AttestorKey[]) => [
  attestor({ attestor: ok({ name: ATTESTOR, note: NOTE, keys, serviceAgent: 'agent@trust.example' }) }),
];

describe('keys and attestors', () => {
  const qa = 'projects/trust/attestors/qa' as AttestorName;
  const asked = (keys: readonly KeyFacts[], attestors: DoctorFacts['attestors']): DoctorFacts => attesting({ keys, attestors });
  const local = (which: number, ...algorithms: readonly AlgorithmName[]): KeyFacts => {
    const publicKeys = (algorithms.length > 0 ? algorithms : [undefined]).map((algorithm) => publicKey(which, algorithm));
    return { source: { kind: 'pkix', key: new Secret('s', 'LOCAL_KEY') }, opened: ok(opened('local key', publicKeys)) };
  };
  const remove = (id: string): string => `gcloud container binauthz attestors public-keys remove ${id} --attestor=ci --project=trust`;
  const declared = { code: 'KEY_DECLARED_WRONG', error: 'KEY_NOT_TRUSTED', resource: ATTESTOR } as const;
  const notTrusted = { code: 'KEY_NOT_TRUSTED', error: 'KEY_NOT_TRUSTED' } as const;

  it('do not fit where the attestor trusts others', () => {
    expectFindings(asked([kmsKey(), local(3)], trusting(listed(1, 'one'), listed(2, 'two'))), {
      ...{ ...notTrusted, resource: ATTESTOR },
      says: [`${ATTESTOR} trusts none of the given keys (${VERSION}, local key), only one, two: what they sign is not counted`],
      fix: trustGiven,
    });
  });
  it('do not fit where a key is left over', () =>
    expectFindings(asked([kmsKey(), kmsKey({ opened: ok(opened(`${KEY}/cryptoKeyVersions/4`, [publicKey(4)])) })], trusting(listed())), {
      ...{ ...notTrusted, resource: `${KEY}/cryptoKeyVersions/4` },
      says: [`none of the attestors trusts ${KEY}/cryptoKeyVersions/4: leave the key out, or have one trust it`],
      fix: trust('4'),
    }));
  it('fit one by one, each attestor for itself', () => {
    const second = attestor({ name: qa, attestor: ok({ name: qa, note: NOTE, keys: [listed(5, 'five')] }) });
    const facts = asked([kmsKey()], [...trusting(listed()), second]);
    expectFindings(
      { ...facts, policy: failed('UNAVAILABLE') },
      {
        ...{ ...notTrusted, resource: qa },
        says: [`${qa} trusts none of the given keys (${VERSION}), only five`],
        fix: trustGiven.replace('=ci', '=qa'),
      },
      {
        ...{ code: 'NOT_CHECKED', resource: 'the policy of deploy' },
        says: [],
        fix: `binauthz doctor --project deploy --attestor ${ATTESTOR}`,
      },
    );
    expect(codesOf({ ...asked([kmsKey(), local(5)], [...trusting(listed()), second]), policy: facts.policy })).toEqual([]);
  });
  test.each([
    ['the first of several keys', asked([kmsKey({ opened: failed('UNAVAILABLE') }), local(6)], trusting(listed()))],
    ['the last of several keys', asked([local(6), kmsKey({ opened: failed('UNAVAILABLE') })], trusting(listed()))],
  ])('may fit where %s could not be opened', (_title, facts) => expect(codesOf(facts)).toEqual(['NOT_CHECKED']));
  it('are no question where the attestor trusts no key at all, or cannot be read', () => {
    expect(codesOf(asked([kmsKey()], trusting()))).toEqual(['ATTESTOR_WITHOUT_KEYS']);
    expect(codesOf(asked([kmsKey()], [attestor({ attestor: failed('UNAVAILABLE') })]))).toEqual(['NOT_CHECKED']);
  });
  it('fit where one version of the key does', () => {
    const versions = opened(KEY, [publicKey(7), publicKey()]);
    expect(codesOf(asked([kmsKey({ source, opened: ok(versions) })], trusting(listed())))).toEqual([]);
  });

  it('do not fit where the same key is declared another', () => {
    expectFindings(asked([local(6), kmsKey()], trusting(listed(1, 'x'), listed(0, ID, 'RSA_PSS_2048_SHA256'))), {
      ...declared,
      says: [`${ATTESTOR} lists ${VERSION} as RSA_PSS_2048_SHA256, but it signs with ECDSA_P256_SHA256: no signature`],
      fix: [remove(ID), trustGiven].join('\n'),
    });
  });
  it('do not fit where one version of the key is declared another', () => {
    const versions = kmsKey({ source, opened: ok(opened(VERSION, [publicKey(8), publicKey()])) });
    const fix = [remove('x'), trustGiven].join('\n');
    const says = [`${ATTESTOR} lists ${VERSION} as RSA_PSS_2048_SHA256, but`];
    expectFindings(asked([versions], trusting(listed(0, 'x', 'RSA_PSS_2048_SHA256'))), { ...declared, says, fix });
  });
  it('do not fit where a local key of several algorithms is declared none of them', () => {
    const key = local(0, 'RSA_PSS_2048_SHA256', 'RSA_SIGN_PKCS1_2048_SHA256');
    const { pem } = listed() as { readonly pem: string };
    expectFindings(asked([key], trusting(listed(0, 'x'))), {
      ...declared,
      says: ['lists local key as ECDSA_P256_SHA256, but it signs with RSA_PSS_2048_SHA256 or RSA_SIGN_PKCS1_2048_SHA256: no'],
      fix: [
        remove('x'),
        `printf %s '${pem}' > local-key.pem`,
        `${ADD} --pkix-public-key-file=local-key.pem --pkix-public-key-algorithm=rsa-pss-2048-sha256`,
      ].join('\n'),
    });
  });
  it('fit by the fingerprint of a PGP key, which has no algorithm to declare', () => {
    const pgp = (fingerprint: string): KeyFacts => ({
      source: { kind: 'pgp', key: new Secret('s', 'PGP') },
      opened: ok(opened('PGP key', [{ kind: 'pgp', fingerprint }])),
    });
    const entry: AttestorKey = { kind: 'pgp', id: FINGERPRINT, armored: 'A' };
    expect(codesOf(asked([pgp(FINGERPRINT)], trusting(entry)))).toEqual([]);
    const other = FINGERPRINT.replace('0', 'F');
    expectFindings(asked([pgp(other)], trusting(entry)), {
      ...{ ...notTrusted, resource: ATTESTOR },
      says: [`trusts none of the given keys (PGP key), only ${FINGERPRINT}`],
      fix: [`gpg --armor --output ${other}.asc --export ${other}`, `${ADD} --pgp-public-key-file=${other}.asc`].join('\n'),
    });
  });
});

describe('the id of a Cloud KMS key', () => {
  it('is unusual where gcloud signs under another', () =>
    expectFindings(attesting({ attestors: trusting(listed(0, 'ni:///sha-256;a'), listed(0, 'b'), listed(1, 'c')) }), {
      ...{ code: 'KEY_ID_UNUSUAL', resource: ATTESTOR },
      says: [
        `${ATTESTOR} lists ${VERSION} under the id ni:///sha-256;a, b: attestations that gcloud makes carry ${ID}, and are not counted`,
      ],
      fix: trustGiven,
    }));
  it('is usual where it is one of several, and whatever a local key is called', () => {
    expect(codesOf(attesting({ attestors: trusting(listed(0, 'b'), listed()) }))).toEqual([]);
    const key: KeyFacts = { source: { kind: 'pkix', key: new Secret('s', 'K') }, opened: ok(opened('local key')) };
    expect(codesOf(attesting({ keys: [key], attestors: trusting(listed(0, 'b')) }))).toEqual([]);
  });
});
