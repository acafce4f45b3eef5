// SPDX-License-Identifier: Apache-2.0
// The keys that were given: whether they can sign, and whether the attestors trust them.
import type { Attestor } from '../attestation/attestor.js';
import { parseKeyVersionName, type AttestorName, type KeyName, type KeyVersionName } from '../names.js';
import { kmsKeyId } from '../rotation/new-key.js';
import { addKmsKey } from '../provisioning/commands.js';
import type { GivenKey } from '../signing/given-key.js';
import { isSameKey, isTrustedAs, type AttestorKey } from '../signing/public-key.js';
import { refused, withHint } from './access.js';
import { askAgain, distrust, enableNewest, makeKey, onVersion, replaceVersion, stateOf, trust } from './commands.js';
import { known, type DoctorFacts, type KeyFacts, type Question } from './facts.js';
import type { Finding } from './findings.js';

/** What is wrong with the given keys, and between them and the attestors. */
export function judgeKeys(facts: DoctorFacts): readonly Finding[] {
  const { keys, question, attestors } = facts;
  const unusable = keys.flatMap((key) => judgeKey(key, question));
  const opened = known(keys.map((key) => key.opened));
  const trusting = known(attestors.map(({ attestor }) => attestor)).filter((attestor) => attestor.keys.length > 0);
  // A key that could not be opened may be the trusted one.
  if (opened.length < keys.length) return unusable;
  return [...judgeTrust(opened, trusting), ...trusting.flatMap((attestor) => judgeIds(opened, attestor))];
}

function judgeKey({ opened, source, kms }: KeyFacts, question: Question): readonly Finding[] {
  if (opened.ok) return [];
  const { error } = opened;
  const { message } = error;
  const { attestors } = question;
  if (kms === undefined) {
    // Only its owner can mend or replace a local key, in ways that the hint says; the command tells whether that was done.
    const resource = error.resource ?? 'the given key';
    return [{ code: 'KEY_UNUSABLE', resource, message: withHint(error), fix: askAgain(question), error: error.code }];
  }
  const resource = source.kind === 'kms-key-version' ? source.version : kms.key;
  switch (error.code) {
    case 'KEY_NOT_FOUND':
      return [missingKey({ resource, message }, kms, attestors)];
    case 'KEY_ALGORITHM_UNSUPPORTED':
      return [{ ...otherKey({ resource, message }, kms.key, 'p256', attestors), code: 'KEY_ALGORITHM_UNSUPPORTED' }];
    case 'KEY_UNUSABLE':
      return [
        judgeState({ resource, message }, { kms, version: source.kind === 'kms-key-version' ? source.version : undefined }, attestors),
      ];
    default:
      return refused(error, `the key ${resource}`, [kms.tested], question);
  }
}

/** A Cloud KMS key as far as it was looked into. */
type KmsFacts = NonNullable<KeyFacts['kms']>;
/** What every finding about a key has. */
type Base = Pick<Finding, 'resource' | 'message'>;

function missingKey({ resource, message }: Base, { key, exists, ringExists }: KmsFacts, attestors: readonly AttestorName[]): Finding {
  const isKeyThere = exists?.ok === true && exists.value;
  const isRingMissing = ringExists?.ok === true && !ringExists.value;
  return {
    code: 'KEY_MISSING',
    resource,
    message: `${message}; make it, have the attestor trust it, and give ${isKeyThere ? 'the version that the first command prints' : `${key}/cryptoKeyVersions/1`}`,
    fix: isKeyThere ? replaceVersion(key, attestors) : makeKey(key, attestors, !isRingMissing),
  };
}

// What a key is for, and with which algorithm it signs, cannot be changed.
function otherKey({ resource, message }: Base, key: KeyName, suffix: string, attestors: readonly AttestorName[]): Omit<Finding, 'code'> {
  const other = `${key}-${suffix}` as KeyName;
  return {
    resource,
    message: `${message}; make another key, have the attestor trust it, and give ${other}`,
    fix: makeKey(other, attestors),
  };
}

// What failed or is gone stays so.
function otherVersion(base: Base, key: KeyName, attestors: readonly AttestorName[]): Omit<Finding, 'code'> {
  const message = `${base.message}; make another version, have the attestor trust it, and give that one`;
  return { ...base, message, fix: replaceVersion(key, attestors) };
}

// https://cloud.google.com/kms/docs/key-states
const STATES = /\b(?:DESTROY_SCHEDULED|DESTROYED|DISABLED|PENDING_(?:GENERATION|IMPORT)|(?:GENERATION|IMPORT)_FAILED)\b/;

// Who may use a key may not always see its state; then Cloud KMS's own words have to do.
function judgeState(
  base: Base,
  { kms, version }: { readonly kms: KmsFacts; readonly version: KeyVersionName | undefined },
  attestors: readonly AttestorName[],
): Finding {
  const { key, state } = kms;
  if (/purpose|ENCRYPT_DECRYPT|ASYMMETRIC_DECRYPT|\bMAC\b/.test(base.message))
    return { ...otherKey(base, key, 'sign', attestors), code: 'KEY_WRONG_PURPOSE' };
  if (version === undefined) return judgeNoneEnabled(base, kms, attestors);
  return judgeVersion(base, { key, version, state: state?.ok ? state.value : STATES.exec(base.message)?.[0] }, attestors);
}

/** What can be made ENABLED again, or will be: what takes least comes first. */
const COMES_BACK: readonly string[] = ['DISABLED', 'DESTROY_SCHEDULED', 'PENDING_GENERATION', 'PENDING_IMPORT'];

// Where no version is enabled, it depends on those that there are which command can succeed.
function judgeNoneEnabled(base: Base, { key, versions }: KmsFacts, attestors: readonly AttestorName[]): Finding {
  const all = versions?.ok ? versions.value : [];
  const [best] = COMES_BACK.flatMap((state) => all.filter((version) => version.state === state));
  if (best?.state === 'DISABLED') return { ...base, code: 'KEY_DISABLED', fix: enableNewest(key) };
  if (best) {
    const message = `${base.message}, and of those that it has ${best.version} is ${best.state}`;
    return judgeVersion({ ...base, message }, { key, ...best }, attestors);
  }
  const message = `${base.message}; make another version, and have the attestor trust it`;
  const code = all[0]?.state === 'DESTROYED' ? 'KEY_DESTROYED' : 'KEY_DISABLED';
  return { ...base, code, message, fix: replaceVersion(key, attestors) };
}

function judgeVersion(
  base: Base,
  { key, version, state }: { readonly key: KeyName; readonly version: KeyVersionName; readonly state: string | undefined },
  attestors: readonly AttestorName[],
): Finding {
  switch (state) {
    case 'DESTROY_SCHEDULED':
      return { ...base, code: 'KEY_DESTRUCTION_SCHEDULED', fix: [onVersion('restore', version), onVersion('enable', version)].join('\n') };
    case 'DESTROYED':
      return { ...otherVersion(base, key, attestors), code: 'KEY_DESTROYED' };
    case 'GENERATION_FAILED':
    case 'IMPORT_FAILED':
      return { ...otherVersion(base, key, attestors), code: 'KEY_UNUSABLE' };
    case 'PENDING_GENERATION':
    case 'PENDING_IMPORT': {
      const message = `${base.message}; it is still being made: wait until this prints ENABLED, and run again`;
      return { ...base, code: 'KEY_UNUSABLE', message, fix: stateOf(version) };
    }
    case 'DISABLED':
      return { ...base, code: 'KEY_DISABLED', fix: onVersion('enable', version) };
    default:
      return { ...base, code: 'KEY_UNUSABLE', fix: onVersion('enable', version) };
  }
}

// As core/signing/pairing.ts pairs them: every attestor needs one of the keys, and every key one of the attestors.
function judgeTrust(given: readonly GivenKey[], attestors: readonly Attestor[]): readonly Finding[] {
  const untrusting = attestors.filter((attestor) => !given.some((key) => isTrusted(key, attestor)));
  const unused = given.filter((key) => !attestors.some((attestor) => isTrusted(key, attestor)));
  const [first] = attestors;
  const leftOver = untrusting.length === attestors.length ? [] : unused;
  return [
    ...untrusting.flatMap((attestor) => judgeMismatch(attestor, given)),
    ...leftOver.flatMap((key): readonly Finding[] =>
      first
        ? [
            {
              code: 'KEY_NOT_TRUSTED',
              resource: key.name,
              message: `none of the attestors trusts ${key.name}: leave the key out, or have one trust it`,
              fix: trust(first.name, key),
            },
          ]
        : [],
    ),
  ];
}

function judgeMismatch(attestor: Attestor, given: readonly GivenKey[]): readonly Finding[] {
  const { name, keys } = attestor;
  for (const key of given) {
    const listed = keys.find((entry) => publicKeysOf(key).some((publicKey) => isSameKey(publicKey, entry)));
    if (listed?.kind !== 'pkix') continue;
    const real = publicKeysOf(key)
      .flatMap((publicKey) => (publicKey.kind === 'pkix' ? [publicKey.algorithm.name] : []))
      .join(' or ');
    const message = `${name} lists ${key.name} as ${listed.algorithm}, but it signs with ${real}: no signature of it ever verifies there`;
    return [{ code: 'KEY_DECLARED_WRONG', resource: name, message, fix: [distrust(name, listed.id), trust(name, key)].join('\n') }];
  }
  const [key] = given;
  const message = `${name} trusts none of the given keys (${given.map((one) => one.name).join(', ')}), only ${keys.map(({ id }) => id).join(', ')}: what they sign is not counted`;
  return key ? [{ code: 'KEY_NOT_TRUSTED', resource: name, message, fix: trust(name, key) }] : [];
}

// gcloud signs under the key's own id, whatever the attestor calls it; binauthz takes the id from the attestor.
function judgeIds(given: readonly GivenKey[], attestor: Attestor): readonly Finding[] {
  return given.flatMap(({ signers }) =>
    signers.flatMap(({ name, publicKeys }): readonly Finding[] => {
      const version = parseKeyVersionName(name);
      const listed = attestor.keys.filter((entry) => publicKeys.some((key) => isTrustedAs(key, entry)));
      const ids = listed.map(({ id }) => id);
      if (version === undefined || ids.length === 0 || ids.includes(kmsKeyId(version))) return [];
      const message = `${attestor.name} lists ${version} under the id ${ids.join(', ')}: attestations that gcloud makes carry ${kmsKeyId(version)}, and are not counted (binauthz takes the id from the attestor)`;
      return [{ code: 'KEY_ID_UNUSUAL', resource: attestor.name, message, fix: addKmsKey(attestor.name, version) }];
    }),
  );
}

function isTrusted(key: GivenKey, attestor: Attestor): boolean {
  return publicKeysOf(key).some((publicKey) => attestor.keys.some((listed: AttestorKey) => isTrustedAs(publicKey, listed)));
}

function publicKeysOf({ signers }: GivenKey): GivenKey['signers'][0]['publicKeys'][number][] {
  return signers.flatMap(({ publicKeys }) => [...publicKeys]);
}
