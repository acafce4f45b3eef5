// SPDX-License-Identifier: Apache-2.0
// The keys that were given: whether they can sign, and whether the attestors trust them.
import type { Attestor } from '../attestation/attestor.js';
import { keyOf, parseKeyVersionName, projectOf, type AttestorName, type KeyName } from '../names.js';
import { kmsKeyId } from '../rotation/new-key.js';
import { addKmsKey } from '../provisioning/commands.js';
import { shellLine } from '../provisioning/gcloud.js';
import type { GivenKey } from '../signing/given-key.js';
import { isSameKey, isTrustedAs, type AttestorKey } from '../signing/public-key.js';
import { unread } from './access.js';
import { distrust, enableNewest, makeKey, onVersion, replaceVersion, trust } from './commands.js';
import { known, type DoctorFacts, type KeyFacts } from './facts.js';
import type { Finding } from './findings.js';

/** What is wrong with the given keys, and between them and the attestors. */
export function judgeKeys(facts: DoctorFacts): readonly Finding[] {
  const { keys, question, attestors } = facts;
  const unusable = keys.flatMap((key) => judgeKey(key, question.attestors));
  const opened = known(keys.map((key) => key.opened));
  const trusting = known(attestors.map(({ attestor }) => attestor)).filter((attestor) => attestor.keys.length > 0);
  // A key that could not be opened may be the trusted one.
  if (opened.length === 0 || opened.length < keys.length) return unusable;
  return [...judgeTrust(opened, trusting), ...trusting.flatMap((attestor) => judgeIds(opened, attestor))];
}

function judgeKey({ opened, source, kms }: KeyFacts, attestors: readonly AttestorName[]): readonly Finding[] {
  if (opened.ok) return [];
  const { error } = opened;
  if (kms === undefined) return [{ code: 'KEY_UNUSABLE', resource: error.resource ?? 'the given key', message: error.message, fix: error.hint ?? '', error: error.code }];
  const name = source.kind === 'kms-key-version' ? source.version : kms.key;
  const base = { resource: name, message: error.message };
  switch (error.code) {
    case 'KEY_NOT_FOUND': {
      const isKeyThere = kms.exists?.ok === true && kms.exists.value;
      const isRingThere = !(kms.ringExists?.ok === true && !kms.ringExists.value);
      const fix = isKeyThere ? replaceVersion(kms.key, attestors) : makeKey(kms.key, attestors, isRingThere);
      return [{ ...base, code: 'KEY_MISSING', message: `${error.message}; make it and have the attestor trust it, then give ${isKeyThere ? 'the new version' : `${kms.key}/cryptoKeyVersions/1`}`, fix }];
    }
    case 'KEY_ALGORITHM_UNSUPPORTED': {
      const other = `${kms.key}-p256` as KeyName;
      return [{ ...base, code: 'KEY_ALGORITHM_UNSUPPORTED', message: `${error.message}; make another key, and give that one: ${other}`, fix: makeKey(other, attestors) }];
    }
    case 'KEY_UNUSABLE':
      return [judgeState(base, { source, opened, kms }, attestors)];
    case 'PERMISSION_DENIED':
      return error.disabledApi === undefined ? [] : [unread(error, `the key ${name}`)];
    default:
      return [unread(error, `the key ${name}`)];
  }
}

// Who may use a key may not always see its state; then Cloud KMS's own words have to do.
function judgeState(
  base: Pick<Finding, 'resource' | 'message'>,
  { source, kms }: KeyFacts,
  attestors: readonly AttestorName[],
): Finding {
  const key = kms?.key ?? ('' as KeyName);
  const version = source.kind === 'kms-key-version' ? source.version : undefined;
  const said = kms?.state?.ok ? kms.state.value : /\b(?:DESTROY_SCHEDULED|DESTROYED|DISABLED)\b/.exec(base.message)?.[0];
  if (/purpose|ENCRYPT_DECRYPT|ASYMMETRIC_DECRYPT|\bMAC\b/.test(base.message)) {
    const other = `${key}-sign` as KeyName;
    return { ...base, code: 'KEY_WRONG_PURPOSE', message: `${base.message}; make another key, and give that one: ${other}`, fix: makeKey(other, attestors) };
  }
  if (version === undefined) return { ...base, code: 'KEY_DISABLED', fix: enableNewest(key) };
  switch (said) {
    case 'DESTROY_SCHEDULED':
      return { ...base, code: 'KEY_DESTRUCTION_SCHEDULED', fix: [onVersion('restore', version), onVersion('enable', version)].join('\n') };
    case 'DESTROYED':
      return { ...base, code: 'KEY_DESTROYED', message: `${base.message}; make another version, and give that one`, fix: replaceVersion(key, attestors) };
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
  const leftOver = untrusting.length === attestors.length || !first ? [] : unused;
  return [
    ...untrusting.flatMap((attestor) => judgeMismatch(attestor, given)),
    ...leftOver.flatMap((key): readonly Finding[] =>
      first
        ? [{ code: 'KEY_NOT_TRUSTED', resource: key.name, message: `none of the attestors trusts ${key.name}: leave the key out, or have one trust it`, fix: trust(first.name, key) }]
        : [],
    ),
  ];
}

function judgeMismatch(attestor: Attestor, given: readonly GivenKey[]): readonly Finding[] {
  const { name, keys } = attestor;
  for (const key of given) {
    const listed = keys.find((entry) => publicKeysOf(key).some((publicKey) => isSameKey(publicKey, entry)));
    if (listed?.kind !== 'pkix') continue;
    const real = publicKeysOf(key).flatMap((publicKey) => (publicKey.kind === 'pkix' ? [publicKey.algorithm.name] : [])).join(' or ');
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
