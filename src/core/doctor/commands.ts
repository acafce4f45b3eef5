// SPDX-License-Identifier: Apache-2.0
// The commands that repair: complete enough to be run as they are printed. What only a person can fill in stands in capitals.
import type { Attestor } from '../attestation/attestor.js';
import { nameOf, type ImageReference } from '../image/reference.js';
import { idOf, keyOf, parseKeyVersionName, projectOf, type AttestorName, type KeyName, type KeyVersionName } from '../names.js';
import { addKmsKey, addPgpKey, createKey, createKeyRing, grantRoles } from '../provisioning/commands.js';
import { NEW_KEY_ALGORITHM, ringOf } from '../provisioning/desired.js';
import { shellLine } from '../provisioning/gcloud.js';
import type { GivenKey, KeySource } from '../signing/given-key.js';
import { isTrustedAs, type PublicKey } from '../signing/public-key.js';
import { kmsEntry } from '../rotation/new-key.js';
import type { KeyFacts, Question } from './facts.js';
import { TARGET_KINDS } from './target-kinds.js';

/** What stands for the identity of this run where nobody said who it is. */
export const MEMBER = 'MEMBER';

/** Gives the identity of this run a role. */
export function grant(resource: string, role: string, signer: string | undefined): string {
  return grantRoles(resource, [{ role, member: signer ?? MEMBER }]);
}

/** Has an attestor trust a given key. */
export function trust(attestor: AttestorName, { name, signers }: GivenKey): string {
  const [{ name: signer, publicKeys }] = signers;
  const version = parseKeyVersionName(signer);
  if (version !== undefined) return addKmsKey(attestor, version);
  const [key] = publicKeys;
  if (key.kind === 'pgp') {
    const file = `${key.fingerprint}.asc`;
    return [shellLine(['gpg', '--armor', '--output', file, '--export', key.fingerprint]), addPgpKey(attestor, file)].join('\n');
  }
  return trustLocal(attestor, name, key);
}

// The public half is no secret, so it is printed rather than taken out of the private one.
function trustLocal(attestor: AttestorName, name: string, key: Extract<PublicKey, { kind: 'pkix' }>): string {
  const file = `${name.replace(/\W/g, '-')}.pem`;
  const entry = kmsEntry('' as KeyVersionName, key);
  const pem = entry.kind === 'pkix' ? entry.pem : '';
  const algorithm = key.algorithm.name.toLowerCase().replaceAll('_', '-');
  return [
    `${shellLine(['printf', '%s', pem])} > ${shellLine([file])}`,
    shellLine([...publicKeys('add', attestor), `--pkix-public-key-file=${file}`, `--pkix-public-key-algorithm=${algorithm}`]),
  ].join('\n');
}

/** Has an attestor trust a key that nobody has named yet. */
export function trustSome(attestor: AttestorName): string {
  return shellLine([...publicKeys('add', attestor), '--keyversion=KEY_VERSION']);
}

/** Takes a key off an attestor. */
export function distrust(attestor: AttestorName, keyId: string): string {
  return shellLine([...publicKeys('remove', attestor, keyId)]);
}

/** The words that move an attestor to another key, and take the old one off: a new PGP key unless another is named. */
export function rotateTo(
  attestor: AttestorName,
  retired: string,
  key: readonly string[] = ['--to-pgp-private-key-env', 'NEW_PGP_PRIVATE_KEY'],
): readonly string[] {
  return ['binauthz', 'rotate', '--attestor', attestor, ...key, '--retire', retired, '--apply'];
}

function publicKeys(verb: string, attestor: AttestorName, ...more: readonly string[]): readonly string[] {
  const words = ['gcloud', 'container', 'binauthz', 'attestors', 'public-keys', verb, ...more];
  return [...words, `--attestor=${idOf(attestor)}`, `--project=${projectOf(attestor)}`];
}

/** A verb on a key version. */
export function onVersion(verb: 'enable' | 'restore', version: KeyVersionName): string {
  return shellLine(['gcloud', 'kms', 'keys', 'versions', verb, idOf(version), ...flagsOf(keyOf(version))]);
}

/** Prints the state of a key version. */
export function stateOf(version: KeyVersionName): string {
  const describe = ['gcloud', 'kms', 'keys', 'versions', 'describe', idOf(version), ...flagsOf(keyOf(version))];
  return shellLine([...describe, '--format=value(state)']);
}

/** Enables the newest version of a key that is disabled. */
export function enableNewest(key: KeyName): string {
  const list = ['gcloud', 'kms', 'keys', 'versions', 'list', ...flagsOf(key), '--filter=state=DISABLED', '--sort-by=~createTime'];
  const newest = shellLine([...list, '--limit=1', '--format=value(name.basename())']);
  return `gcloud kms keys versions enable "$(${newest})" ${shellLine(flagsOf(key))}`;
}

/** Makes a new version of a key, and has the attestors trust it. */
export function replaceVersion(key: KeyName, attestors: readonly AttestorName[]): string {
  const make = shellLine(['gcloud', 'kms', 'keys', 'versions', 'create', ...flagsOf(key), '--format=value(name.basename())']);
  // Version 0, which no key has, stands for the number that only making it tells.
  const added = attestors.map((attestor) => addKmsKey(attestor, `${key}/cryptoKeyVersions/0` as KeyVersionName));
  const lines = added.map((line) =>
    line.replace('--keyversion=0', '--keyversion="$VERSION"').replace('/cryptoKeyVersions/0', '/cryptoKeyVersions/"$VERSION"'),
  );
  return [`VERSION="$(${make})"`, ...lines].join('\n');
}

/** Makes a key for signing, its ring too where that is missing, and has the attestors trust its first version. */
export function makeKey(key: KeyName, attestors: readonly AttestorName[], ringExists = true): string {
  const version = `${key}/cryptoKeyVersions/1` as KeyVersionName;
  return [
    ...(ringExists ? [] : [createKeyRing(ringOf(key))]),
    createKey(key, NEW_KEY_ALGORITHM),
    ...attestors.map((attestor) => addKmsKey(attestor, version)),
  ].join('\n');
}

function flagsOf(key: KeyName): readonly string[] {
  const [, project = '', , location = '', , ring = '', , id = ''] = key.split('/');
  return [`--key=${id}`, `--keyring=${ring}`, `--location=${location}`, `--project=${project}`];
}

/** Asks doctor the same again: what is left to run after a person did what no command does. */
export function askAgain({ project, attestors, keys, attestationProject, target, signer }: Question): string {
  return shellLine([
    ...['binauthz', 'doctor', '--project', project],
    ...attestors.flatMap((attestor) => ['--attestor', attestor]),
    ...keys.flatMap(keyWords),
    ...(attestationProject === undefined ? [] : ['--attestation-project', attestationProject]),
    ...(target === undefined ? [] : [TARGET_KINDS[target.kind].option, target.key]),
    ...(signer === undefined ? [] : ['--signer', signer]),
  ]);
}

/** Attests an image once more, with the given keys that an attestor trusts, or else with the keys that it trusts. */
export function attestAgain(image: string, attestor: Attestor, question: Question, keys: readonly KeyFacts[]): string {
  const trusted = keys.filter(({ opened }) => opened.ok && isTrustedBy(opened.value, attestor));
  const given = (trusted.length > 0 ? trusted : keys).flatMap(({ source }) => keyWords(source));
  const { attestationProject } = question;
  return shellLine([
    ...['binauthz', 'attest', image, '--attestor', attestor.name],
    ...(given.length > 0 ? given : keyWordsOf(attestor)),
    ...(attestationProject === undefined ? [] : ['--project', attestationProject]),
  ]);
}

function isTrustedBy({ signers }: GivenKey, attestor: Attestor): boolean {
  return signers.some((signer) => signer.publicKeys.some((key) => attestor.keys.some((listed) => isTrustedAs(key, listed))));
}

function keyWords(source: KeySource): readonly string[] {
  switch (source.kind) {
    case 'kms-key-version':
      return ['--kms-key-version', source.version];
    case 'kms-key':
      return ['--kms-key', source.key];
    case 'pgp':
      return ['--pgp-private-key-env', source.key.source, ...(source.passphrase ? ['--pgp-passphrase-env', source.passphrase.source] : [])];
    case 'pkix':
      return ['--pkix-private-key-env', source.key.source];
  }
}

// A Cloud KMS key's id tells where it is; of others only the owner knows.
function keyWordsOf({ keys }: Attestor): readonly string[] {
  for (const { id } of keys) {
    const version = parseKeyVersionName(id.replace(/^.*\/(?=projects\/)/, ''));
    if (version !== undefined) return ['--kms-key-version', version];
  }
  return keys[0]?.kind === 'pgp' ? ['--pgp-private-key-env', 'PGP_PRIVATE_KEY'] : ['--kms-key-version', 'KEY_VERSION'];
}

/** The Artifact Registry repository of an image, by its full resource name; undefined for other registries. */
export function repositoryOf(image: ImageReference): string | undefined {
  const [found, location, project, repository] = /^([a-z0-9-]+)-docker\.pkg\.dev\/([^/]+)\/([^/]+)\//.exec(nameOf(image)) ?? [];
  return found && `projects/${project}/locations/${location}/repositories/${repository}`;
}
