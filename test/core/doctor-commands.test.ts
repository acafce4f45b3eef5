// SPDX-License-Identifier: Apache-2.0
// The commands that attest anew, that make keys trusted, and that give roles, word by word.
import { describe, expect, it, test } from 'vitest';
import { attestAgain, grant, makeKey, onVersion, replaceVersion, repositoryOf, trust, trustSome } from '../../src/core/doctor/commands.js';
import type { KeyFacts } from '../../src/core/doctor/facts.js';
import type { AttestorName, ProjectId } from '../../src/core/names.js';
import { Secret } from '../../src/core/secret.js';
import type { KeySource } from '../../src/core/signing/given-key.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import {
  APP,
  ATTESTOR,
  DIGEST,
  failed,
  FINGERPRINT,
  KEY,
  listed,
  NOTE,
  ok,
  opened,
  publicKey,
  reference,
  sound,
  VERSION,
} from '../support/doctor-facts.js';
import { algorithmNamed } from '../support/pkix-keys.js';

const { question } = sound();
const QA = 'projects/trust/attestors/qa' as AttestorName;
const ADD = 'gcloud container binauthz attestors public-keys add --attestor=ci --project=trust';
const NAME = `${APP}@${DIGEST}`;

describe('attesting once more', () => {
  const secret = new Secret('s', 'LOCAL_KEY');
  const given = (source: KeySource, which = 0): KeyFacts => ({ source, opened: ok(opened('key', [publicKey(which)])) });
  const attestor = (...keys: readonly AttestorKey[]) => ({ name: ATTESTOR, note: NOTE, keys });
  const attest = (words: string): string => `binauthz attest ${NAME} --attestor ${ATTESTOR} ${words}`;
  const kms = { kind: 'kms-key-version', version: VERSION } as const;

  test.each<[string, KeySource]>([
    [`--kms-key-version ${VERSION}`, kms],
    [`--kms-key ${KEY}`, { kind: 'kms-key', key: KEY }],
    ['--pgp-private-key-env LOCAL_KEY', { kind: 'pgp', key: secret }],
    [
      '--pgp-private-key-env LOCAL_KEY --pgp-passphrase-env PASSPHRASE',
      { kind: 'pgp', key: secret, passphrase: new Secret('p', 'PASSPHRASE') },
    ],
    ['--pkix-private-key-env LOCAL_KEY', { kind: 'pkix', key: secret }],
  ])('takes the given key as it was given: %s', (words, source) =>
    expect(attestAgain(NAME, attestor(listed()), question, [given(source)])).toBe(attest(words)),
  );
  it('takes those of the given keys that the attestor trusts, or all where it trusts none of them', () => {
    const keys = [
      given({ kind: 'pkix', key: secret }, 1),
      given(kms),
      { source: { kind: 'kms-key', key: KEY } as const, opened: failed('UNAVAILABLE') },
    ];
    expect(attestAgain(NAME, attestor(listed()), question, keys)).toBe(attest(`--kms-key-version ${VERSION}`));
    const all = `--pkix-private-key-env LOCAL_KEY --kms-key-version ${VERSION} --kms-key ${KEY}`;
    expect(attestAgain(NAME, attestor(listed(2)), question, keys)).toBe(attest(all));
  });
  it('takes a key that is trusted for one of its algorithms', () => {
    const [pss, pkcs1] = [publicKey(0, 'RSA_PSS_2048_SHA256'), publicKey(0, 'RSA_SIGN_PKCS1_2048_SHA256')];
    const { sign } = opened().signers[0];
    const local = { name: 'local', signers: [{ name: 'local', publicKeys: [pss, pkcs1] as const, sign }] as const };
    const keys = [given(kms, 1), { source: { kind: 'pkix', key: secret } as const, opened: ok(local) }];
    const trusted = attestor(listed(0, 'x', 'RSA_SIGN_PKCS1_2048_SHA256'));
    expect(attestAgain(NAME, trusted, question, keys)).toBe(attest('--pkix-private-key-env LOCAL_KEY'));
  });
  it('takes a key of which one version is trusted, under one of several entries', () => {
    const versions: KeyFacts = { source: { kind: 'kms-key', key: KEY }, opened: ok(opened(KEY, [publicKey(3), publicKey()])) };
    const keys = [given({ kind: 'pkix', key: secret }, 1), versions];
    expect(attestAgain(NAME, attestor(listed(4, 'x'), listed()), question, keys)).toBe(attest(`--kms-key ${KEY}`));
  });
  test.each<[string, string, readonly AttestorKey[]]>([
    [
      'the first that names where it is',
      `--kms-key-version ${VERSION}`,
      [listed(1, 'local'), listed(), listed(2, `${KEY}/cryptoKeyVersions/9`)],
    ],
    [
      'a PGP key of whoever has it',
      '--pgp-private-key-env PGP_PRIVATE_KEY',
      [{ kind: 'pgp', id: FINGERPRINT, armored: 'A' }, listed(0, 'local')],
    ],
    ['one that only the owner knows', '--kms-key-version KEY_VERSION', [listed(0, 'ni:///sha-256;x')]],
    ['nothing, and has to be told', '--kms-key-version KEY_VERSION', []],
  ])('takes from the attestor %s where no key was given', (_title, words, keys) =>
    expect(attestAgain(NAME, attestor(...keys), question, [])).toBe(attest(words)),
  );
  it('stores where attestations are stored', () => {
    const elsewhere = { ...question, attestationProject: 'store' as ProjectId };
    expect(attestAgain(NAME, attestor(listed()), elsewhere, [])).toBe(attest(`--kms-key-version ${VERSION} --project store`));
  });
});

describe('having a key trusted', () => {
  it('goes by the name of a Cloud KMS key, by the export of a PGP key, and by the public half of a local one', () => {
    expect(trust(ATTESTOR, opened())).toBe(
      `${ADD} --keyversion-project=vault --keyversion-location=europe-west1 --keyversion-keyring=ring --keyversion-key=signing --keyversion=3 --public-key-id-override=//cloudkms.googleapis.com/v1/${VERSION}`,
    );
    expect(trust(ATTESTOR, opened('my key', [{ kind: 'pgp', fingerprint: FINGERPRINT }]))).toBe(
      `gpg --armor --output ${FINGERPRINT}.asc --export ${FINGERPRINT}\n${ADD} --pgp-public-key-file=${FINGERPRINT}.asc`,
    );
    const { pem } = listed() as { readonly pem: string };
    expect(trust(ATTESTOR, opened('PKIX: my key', [publicKey()]))).toBe(
      `printf %s '${pem}' > PKIX--my-key.pem\n${ADD} --pkix-public-key-file=PKIX--my-key.pem --pkix-public-key-algorithm=ecdsa-p256-sha256`,
    );
    const rsa = { ...publicKey(), algorithm: algorithmNamed('RSA_SIGN_PKCS1_4096_SHA512') };
    expect(trust(ATTESTOR, opened('k', [rsa]))).toContain(' --pkix-public-key-algorithm=rsa-sign-pkcs1-4096-sha512');
  });
  it('leaves out which where nobody named any', () => expect(trustSome(ATTESTOR)).toBe(`${ADD} --keyversion=KEY_VERSION`));
});

describe('making keys', () => {
  const create =
    'gcloud kms keys create signing --keyring=ring --location=europe-west1 --project=vault --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256';
  it('makes the ring only where it is missing', () => {
    expect(makeKey(KEY, [])).toBe(create);
    expect(makeKey(KEY, [], false)).toBe(`gcloud kms keyrings create ring --location=europe-west1 --project=vault\n${create}`);
  });
  it('has every attestor trust what was made', () => {
    expect(makeKey(KEY, [ATTESTOR, QA]).split('\n')).toEqual([
      create,
      expect.stringMatching(/--attestor=ci .* --keyversion=1 .*cryptoKeyVersions\/1$/),
      expect.stringMatching(/--attestor=qa .* --keyversion=1 .*cryptoKeyVersions\/1$/),
    ]);
    const [make, ...adds] = replaceVersion(KEY, [ATTESTOR, QA]).split('\n');
    expect(make).toBe(
      `VERSION="$(gcloud kms keys versions create --key=signing --keyring=ring --location=europe-west1 --project=vault '--format=value(name.basename())')"`,
    );
    expect(adds).toEqual([
      expect.stringMatching(/--attestor=ci .* --keyversion="\$VERSION" .*cryptoKeyVersions\/"\$VERSION"$/),
      expect.stringMatching(/--attestor=qa .* --keyversion="\$VERSION" .*cryptoKeyVersions\/"\$VERSION"$/),
    ]);
  });
  it('enables and restores one version', () =>
    expect((['enable', 'restore'] as const).map((verb) => onVersion(verb, VERSION))).toEqual([
      'gcloud kms keys versions enable 3 --key=signing --keyring=ring --location=europe-west1 --project=vault',
      'gcloud kms keys versions restore 3 --key=signing --keyring=ring --location=europe-west1 --project=vault',
    ]));
});

describe('a role', () => {
  const end = '--condition=None --member=user:a@b --role=r';
  test.each([
    ['projects/p', `gcloud projects add-iam-policy-binding p ${end}`],
    ['projects/p/policy', `gcloud container binauthz policy add-iam-policy-binding --project=p ${end}`],
    ['projects/p/attestors/a', `gcloud container binauthz attestors add-iam-policy-binding a --project=p ${end}`],
    [KEY, `gcloud kms keys add-iam-policy-binding signing --keyring=ring --location=europe-west1 --project=vault ${end}`],
    ['projects/p/locations/l/repositories/r', `gcloud artifacts repositories add-iam-policy-binding r --location=l --project=p ${end}`],
  ])('is given on %s', (resource, command) => expect(grant(resource, 'r', 'user:a@b')).toBe(command));
});

describe('the repository of an image', () => {
  test.each([
    ['europe-docker.pkg.dev/p/r/app:v1', 'projects/p/locations/europe/repositories/r'],
    [`us-central1-docker.pkg.dev/p/r/deep/app@${DIGEST}`, 'projects/p/locations/us-central1/repositories/r'],
    ['europe-docker.pkg.dev/p/r', undefined],
    ['gcr.io/p/r/app', undefined],
    ['x.europe-docker.pkg.dev/p/r/app', undefined],
    ['europe-docker.pkg.dev.example/p/r/app', undefined],
    ['example.org/europe-docker.pkg.dev/p/r/app', undefined],
  ])('%s is in %s', (image, repository) => expect(repositoryOf(reference(image))).toBe(repository));
});
