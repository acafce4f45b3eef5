// SPDX-License-Identifier: Apache-2.0
// Given keys: why they cannot sign, and the command that repairs it.
import { describe, expect, it, test } from 'vitest';
import type { DoctorFacts, KeyFacts } from '../../src/core/doctor/facts.js';
import type { FindingCode } from '../../src/core/doctor/findings.js';
import type { ErrorCode } from '../../src/core/errors.js';
import type { AttestorName, KeyVersionName } from '../../src/core/names.js';
import { Secret } from '../../src/core/secret.js';
import { ATTESTOR, attesting, codesOf, expectFindings, failed, KEY, kmsKey, lacks, ok, VERSION } from '../support/doctor-facts.js';

const KEYS = 'gcloud kms keys';
const AGAIN = `binauthz doctor --project deploy --attestor ${ATTESTOR}`;
const AT = '--key=signing --keyring=ring --location=europe-west1 --project=vault';
const source = { kind: 'kms-key', key: KEY } as const;
const ADD = 'gcloud container binauthz attestors public-keys add --attestor=ci --project=trust';
const trust = (key: string, version: string): string =>
  `${ADD} --keyversion-project=vault --keyversion-location=europe-west1 --keyversion-keyring=ring --keyversion-key=${key} --keyversion=${version}`;
const override = (key: string, version: string): string =>
  ` --public-key-id-override=//cloudkms.googleapis.com/v1/${KEY.replace('signing', key)}/cryptoKeyVersions/${version}`;
const create = (key: string): string =>
  `${KEYS} create ${key} --keyring=ring --location=europe-west1 --project=vault --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256`;
const made = (key: string): string => [create(key), trust(key, '1') + override(key, '1')].join('\n');
/** The next version of the key, whose number only making it tells. */
const NEXT = [
  `VERSION="$(${KEYS} versions create ${AT} '--format=value(name.basename())')"`,
  `${trust('signing', '"$VERSION"')}${override('signing', '"$VERSION"')}`,
].join('\n');

/** The key could not be opened for this reason. */
const shut = (
  code: ErrorCode,
  kms: Partial<NonNullable<KeyFacts['kms']>> = {},
  message = 'told so',
  more: Partial<KeyFacts> = {},
): DoctorFacts => attesting({ keys: [kmsKey({ opened: failed(code, message, { resource: KEY }), ...more }, kms)] });

describe('a Cloud KMS key that cannot sign', () => {
  const enable = `${KEYS} versions enable 3 ${AT}`;
  const stateOf3 = `${KEYS} versions describe 3 ${AT} '--format=value(state)'`;
  const newest = `${KEYS} versions enable "$(${KEYS} versions list ${AT} --filter=state=DISABLED '--sort-by=~createTime' --limit=1 '--format=value(name.basename())')" ${AT}`;
  const gone = { code: 'KEY_NOT_FOUND', error: 'KEY_NOT_FOUND' } as const;
  const there = { exists: ok(true), ringExists: ok(true) };
  const unusable = (state: string): DoctorFacts => shut('KEY_UNUSABLE', { state: ok(state) });
  const refused = failed('PERMISSION_DENIED');
  test.each<[string, FindingCode, DoctorFacts, { says?: string; fix: string; resource?: string; error?: ErrorCode }]>([
    [
      'whose key is missing',
      'KEY_MISSING',
      shut(gone.code, { exists: ok(false), ringExists: ok(true) }),
      { ...gone, says: `give ${KEY}/cryptoKeyVersions/1`, fix: made('signing') },
    ],
    [
      'whose ring is missing',
      'KEY_MISSING',
      shut(gone.code, { exists: ok(false), ringExists: ok(false) }),
      { ...gone, fix: `gcloud kms keyrings create ring --location=europe-west1 --project=vault\n${made('signing')}` },
    ],
    [
      'of which nothing is known',
      'KEY_MISSING',
      shut(gone.code),
      { ...gone, says: `give ${KEY}/cryptoKeyVersions/1`, fix: made('signing') },
    ],
    [
      'of which nothing may be known',
      'KEY_MISSING',
      shut(gone.code, { exists: refused, ringExists: refused }),
      { ...gone, fix: made('signing') },
    ],
    [
      'whose version is missing',
      'KEY_MISSING',
      shut(gone.code, there),
      { ...gone, says: 'make it, have the attestor trust it, and give the version that the first command prints', fix: NEXT },
    ],
    [
      'of another algorithm',
      'KEY_ALGORITHM_UNSUPPORTED',
      shut('KEY_ALGORITHM_UNSUPPORTED'),
      {
        error: 'KEY_ALGORITHM_UNSUPPORTED',
        says: `make another key, have the attestor trust it, and give ${KEY}-p256`,
        fix: made('signing-p256'),
      },
    ],
    [
      'for another purpose',
      'KEY_WRONG_PURPOSE',
      shut('KEY_UNUSABLE', {}, 'the purpose is another'),
      { says: `give ${KEY}-sign`, fix: made('signing-sign') },
    ],
    ['that encrypts', 'KEY_WRONG_PURPOSE', shut('KEY_UNUSABLE', {}, 'it is for ENCRYPT_DECRYPT'), { fix: made('signing-sign') }],
    ['that decrypts', 'KEY_WRONG_PURPOSE', shut('KEY_UNUSABLE', {}, 'it is for ASYMMETRIC_DECRYPT'), { fix: made('signing-sign') }],
    ['that authenticates', 'KEY_WRONG_PURPOSE', shut('KEY_UNUSABLE', {}, 'it is for MAC'), { fix: made('signing-sign') }],
    ['whose version is disabled', 'KEY_DISABLED', unusable('DISABLED'), { fix: enable }],
    [
      'whose version is to be destroyed',
      'KEY_DESTRUCTION_SCHEDULED',
      unusable('DESTROY_SCHEDULED'),
      { fix: `${KEYS} versions restore 3 ${AT}\n${enable}` },
    ],
    [
      'whose version is destroyed',
      'KEY_DESTROYED',
      unusable('DESTROYED'),
      { says: 'make another version, have the attestor trust it, and give that one', fix: NEXT },
    ],
    ['whose version is something else', 'KEY_UNUSABLE', unusable('PENDING_EKM_OUTSIDE'), { fix: enable }],
    [
      'whose version is PENDING_GENERATION',
      'KEY_UNUSABLE',
      unusable('PENDING_GENERATION'),
      { says: 'wait until this prints ENABLED', fix: stateOf3 },
    ],
    [
      'whose version is PENDING_IMPORT',
      'KEY_UNUSABLE',
      unusable('PENDING_IMPORT'),
      { says: 'wait until this prints ENABLED', fix: stateOf3 },
    ],
    [
      'whose version is GENERATION_FAILED',
      'KEY_UNUSABLE',
      unusable('GENERATION_FAILED'),
      { says: 'make another version, have the attestor', fix: NEXT },
    ],
    [
      'whose version is IMPORT_FAILED',
      'KEY_UNUSABLE',
      unusable('IMPORT_FAILED'),
      { says: 'make another version, have the attestor', fix: NEXT },
    ],
    [
      'whose state in the refusal is one of not yet',
      'KEY_UNUSABLE',
      shut('KEY_UNUSABLE', { state: refused }, 'told so: current state is: PENDING_IMPORT.'),
      { says: 'it is still being made', fix: stateOf3 },
    ],
    [
      'whose state in the refusal is one of never',
      'KEY_UNUSABLE',
      shut('KEY_UNUSABLE', { state: refused }, 'told so: current state is: GENERATION_FAILED.'),
      { says: 'make another version', fix: NEXT },
    ],
    [
      'whose state is in the refusal alone',
      'KEY_DESTROYED',
      shut('KEY_UNUSABLE', { state: refused }, 'told so: it is DESTROYED.'),
      { fix: NEXT },
    ],
    [
      'whose state is told rather than read off',
      'KEY_DISABLED',
      shut('KEY_UNUSABLE', { state: ok('DISABLED') }, 'told so: DESTROYED'),
      { fix: enable },
    ],
    ['whose state nobody tells', 'KEY_UNUSABLE', shut('KEY_UNUSABLE', {}, 'told so: UNDISABLED MACHINE'), { fix: enable }],
    [
      'that is for another purpose as a whole',
      'KEY_WRONG_PURPOSE',
      shut('KEY_UNUSABLE', {}, 'its purpose', { source }),
      { resource: KEY, fix: made('signing-sign') },
    ],
  ])('%s: %s', (_title, code, facts, { says, fix, resource = VERSION, error = 'KEY_UNUSABLE' }) => {
    const [key] = facts.keys;
    const message = key?.opened.ok === false ? key.opened.error.message : '';
    expectFindings(facts, { code, error, resource, says: says === undefined ? [message] : [message, says], fix });
  });

  /** None is enabled; these are the states of its versions, the newest first. */
  const without = (versions: NonNullable<KeyFacts['kms']>['versions']): DoctorFacts =>
    shut('KEY_UNUSABLE', versions && { versions }, 'none is enabled', { source });
  const states = (...all: readonly string[]) =>
    ok(all.map((state, index) => ({ version: `${KEY}/cryptoKeyVersions/${all.length - index}` as KeyVersionName, state })));
  const restore = (version: string) =>
    [`restore ${version}`, `enable ${version}`].map((verb) => `${KEYS} versions ${verb} ${AT}`).join('\n');
  const anew = 'none is enabled; make another version, and have the attestor trust it';
  test.each<[string, FindingCode, DoctorFacts, { says?: string; fix: string }]>([
    ['is disabled', 'KEY_DISABLED', without(states('DISABLED')), { fix: newest }],
    ['is disabled behind one that is not to be had back', 'KEY_DISABLED', without(states('DESTROYED', 'DISABLED')), { fix: newest }],
    ['is disabled beside one that is to be destroyed', 'KEY_DISABLED', without(states('DESTROY_SCHEDULED', 'DISABLED')), { fix: newest }],
    [
      'is to be destroyed',
      'KEY_DESTRUCTION_SCHEDULED',
      without(states('DESTROYED', 'DESTROY_SCHEDULED', 'DESTROY_SCHEDULED')),
      { says: `of those that it has ${KEY}/cryptoKeyVersions/2 is DESTROY_SCHEDULED`, fix: restore('2') },
    ],
    [
      'is still being made',
      'KEY_UNUSABLE',
      without(states('PENDING_GENERATION', 'DESTROYED', 'DESTROYED')),
      { says: 'wait until this prints ENABLED', fix: stateOf3 },
    ],
    ['is destroyed', 'KEY_DESTROYED', without(states('DESTROYED', 'DESTROYED')), { says: anew, fix: NEXT }],
    ['never came to be', 'KEY_DISABLED', without(states('GENERATION_FAILED')), { says: anew, fix: NEXT }],
    ['is there at all', 'KEY_DISABLED', without(states()), { says: anew, fix: NEXT }],
    ['could be asked', 'KEY_DISABLED', without(refused), { says: anew, fix: NEXT }],
    ['was asked', 'KEY_DISABLED', without(undefined), { says: anew, fix: NEXT }],
  ])('none of whose versions is enabled: one, or none, %s: %s', (_title, code, facts, { says = 'none is enabled', fix }) =>
    expectFindings(facts, { code, error: 'KEY_UNUSABLE', resource: KEY, says: [says], fix }),
  );

  it('is trusted by each attestor that was asked about', () => {
    const attestors = [ATTESTOR, 'projects/trust/attestors/qa' as AttestorName];
    const facts = shut('KEY_ALGORITHM_UNSUPPORTED');
    const [first, second] = [trust('signing-p256', '1'), trust('signing-p256', '1').replace('=ci', '=qa')];
    const id = override('signing-p256', '1');
    expectFindings(
      { ...facts, question: { ...facts.question, attestors }, policy: failed('UNAVAILABLE') },
      {
        ...{ code: 'KEY_ALGORITHM_UNSUPPORTED', error: 'KEY_ALGORITHM_UNSUPPORTED', resource: VERSION },
        says: ['told so'],
        fix: [create('signing-p256'), first + id, second + id].join('\n'),
      },
      {
        ...{ code: 'NOT_CHECKED', resource: 'the policy of deploy' },
        says: ['the policy of deploy'],
        fix: `${AGAIN} --attestor ${attestors[1]}`,
      },
    );
  });
  it('may be one that may not be used, or cannot be asked', () => {
    const denied = shut('PERMISSION_DENIED', { tested: lacks(KEY, 'cloudkms.cryptoKeyVersions.useToSign') });
    expect(codesOf(denied)).toEqual(['PERMISSION_MISSING']);
    expectFindings(shut('PERMISSION_DENIED'), {
      ...{ code: 'NOT_CHECKED', error: 'PERMISSION_DENIED', resource: KEY },
      says: [`the key ${VERSION} could not be checked`],
      fix: AGAIN,
    });
    expect(codesOf(shut('UNAVAILABLE'))).toEqual(['NOT_CHECKED']);
  });
});

describe('a local key that cannot sign', () => {
  const pkix = (details: object): DoctorFacts =>
    attesting({
      keys: [
        { source: { kind: 'pkix', key: new Secret('s', 'LOCAL_KEY') }, opened: failed('KEY_ALGORITHM_UNSUPPORTED', 'of a curve', details) },
      ],
    });
  const expected = { code: 'KEY_UNUSABLE', error: 'KEY_ALGORITHM_UNSUPPORTED', says: ['of a curve'] } as const;
  it('is told as it was told, and asked about again once its owner mended it', () => {
    expectFindings(pkix({}), { ...expected, resource: 'the given key', fix: AGAIN });
    expectFindings(pkix({ resource: 'LOCAL_KEY', hint: 'use P-256' }), {
      ...{ ...expected, resource: 'LOCAL_KEY', fix: AGAIN },
      says: ['of a curve (use P-256)'],
    });
  });
});
