// SPDX-License-Identifier: Apache-2.0
import { keyOf, parseKeyName, parseKeyVersionName, type KeyName } from '../core/names.js';
import type { Secret } from '../core/secret.js';
import type { KeySource, NewKeySource } from '../core/signing/given-key.js';
import { inputError } from './issues.js';
import type { OptionReader, Parser } from './option-reader.js';

const KEY = 'projects/P/locations/L/keyRings/R/cryptoKeys/K';
const KEY_OPTIONS = ['kms-key-version', 'kms-key', 'pgp-private-key', 'pkix-private-key'] as const;

/** Whether a key was given at all, right or wrong. */
export function hasKeys(reader: OptionReader): boolean {
  return KEY_OPTIONS.some((name) => reader.has(name));
}

/** The keys that the user gave, of any kind and at least one; undefined where something is wrong with them. */
export function readKeys(reader: OptionReader): readonly [KeySource, ...KeySource[]] | undefined {
  const sources: KeySource[] = [...readKeyVersions(reader), ...readKmsKeys(reader), ...readPgpKeys(reader), ...readPkixKeys(reader)];
  if (!hasKeys(reader)) {
    reader.issues.push(
      inputError(`${KEY_OPTIONS.map((name) => reader.spell(name)).join(', ')}: expected at least one key, got none`, noKeyHint(reader)),
    );
  }
  const [first, ...rest] = sources;
  return first && [first, ...rest];
}

function noKeyHint(reader: OptionReader): { readonly hint?: string } {
  if (reader.host === 'cli') return {};
  return {
    hint: 'a secret that does not exist arrives empty, and secrets are not passed to pull requests from forks: check the secret’s name and the event',
  };
}

/** The one key that an attestor is rotated to; undefined where something is wrong with it. */
export function readNewKey(reader: OptionReader): NewKeySource | undefined {
  const noVersion = (key: KeyName): string => `name a version of it: gcloud kms keys versions list --key=${key}`;
  const version = reader.one('to-kms-key-version', keyVersionParser(noVersion));
  const [key] = reader.secrets('to-pgp-private-key');
  const passphrase = readPassphrase(reader, 'to-pgp-private-key');
  const names = ['to-kms-key-version', 'to-pgp-private-key'];
  const given = names.filter((name) => reader.has(name));
  if (given.length !== 1) {
    const spelled = names.map((name) => reader.spell(name)).join(' or ');
    reader.issues.push(inputError(`${spelled}: expected exactly one of them, got ${given.length === 0 ? 'none' : 'both'}`));
  }
  if (version || !key) return version;
  return { kind: 'pgp', key, ...(passphrase === undefined ? {} : { passphrase }) };
}

function readKeyVersions(reader: OptionReader): readonly KeySource[] {
  const noVersion = (): string =>
    `for a key without a version use ${reader.spell('kms-key')}, which picks the newest one that the attestor trusts`;
  return reader.list<KeySource>('kms-key-version', keyVersionParser(noVersion));
}

function keyVersionParser(noVersion: (key: KeyName) => string): Parser<Extract<KeySource, { kind: 'kms-key-version' }>> {
  return (text) => {
    const version = parseKeyVersionName(text);
    if (version) return { value: { kind: 'kms-key-version', version } };
    if (prefixed(text)) return { expected: `${KEY}/cryptoKeyVersions/V`, ...prefixed(text) };
    const key = parseKeyName(text);
    return { expected: `${KEY}/cryptoKeyVersions/V`, ...(key ? { hint: noVersion(key) } : {}) };
  };
}

function readKmsKeys(reader: OptionReader): readonly KeySource[] {
  return reader.list<KeySource>('kms-key', (text) => {
    const key = parseKeyName(text);
    if (key) return { value: { kind: 'kms-key', key } };
    if (prefixed(text)) return { expected: KEY, ...prefixed(text) };
    const version = parseKeyVersionName(text);
    const hint = version ? { hint: `for one version use ${reader.spell('kms-key-version')}; the key alone is ${keyOf(version)}` } : {};
    return { expected: KEY, ...hint };
  });
}

// As attestors, cosign and others name the same keys.
function prefixed(text: string): { readonly hint: string } | undefined {
  const prefix = /^.*:?\/\/(?:cloudkms\.googleapis\.com\/v1\/)?(?=projects\/)/.exec(text)?.[0];
  return prefix === undefined ? undefined : { hint: `leave out ${prefix} before projects/` };
}

function readPgpKeys(reader: OptionReader): readonly KeySource[] {
  const passphrase = readPassphrase(reader, 'pgp-private-key');
  return distinct(reader.secrets('pgp-private-key')).map((key) => ({
    kind: 'pgp',
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  }));
}

function readPassphrase(reader: OptionReader, keyOption: string): Secret | undefined {
  const [passphrase] = reader.secrets('pgp-passphrase');
  if (reader.has('pgp-passphrase') && !reader.has(keyOption))
    reader.issues.push(inputError(`${reader.spell('pgp-passphrase')}: expected ${reader.spell(keyOption)} beside it, got none`));
  return passphrase;
}

function readPkixKeys(reader: OptionReader): readonly KeySource[] {
  return distinct(reader.secrets('pkix-private-key')).map((key) => ({ kind: 'pkix', key }));
}

function distinct(secrets: readonly Secret[]): readonly Secret[] {
  return [...new Map(secrets.map((secret) => [secret.reveal(), secret])).values()];
}
