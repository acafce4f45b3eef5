// SPDX-License-Identifier: Apache-2.0
import type { KeyFacts, VersionState } from '../../core/doctor/facts.js';
import type { KeyName, KeyVersionName } from '../../core/names.js';
import type { KeyStates } from '../../ports/key-states.js';
import { fact } from './examine-attestor.js';

/** The first versions that are asked about together; after them twice as many, and so on. Most keys have fewer. */
const FIRST = 2;
/** So many rounds: 62 versions. A key with more has been rotated for years, and those tell what can be done. */
const ROUNDS = 5;

export interface VersionPorts {
  readonly keyStates: KeyStates;
}

/** A key that was given without a version, together with the states of its versions where none of them is enabled. */
export async function withVersions(facts: KeyFacts, { keyStates }: VersionPorts): Promise<KeyFacts> {
  const { source, opened, kms } = facts;
  if (source.kind !== 'kms-key' || opened.ok || opened.error.code !== 'KEY_UNUSABLE' || !kms) return facts;
  return { ...facts, kms: { ...kms, versions: await fact(readVersions(source.key, keyStates)) } };
}

// Cloud KMS counts versions from 1 on, and keeps those that are destroyed: the first number that is not there ends them.
async function readVersions(key: KeyName, keyStates: KeyStates): Promise<readonly VersionState[]> {
  const found: VersionState[] = [];
  let next = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const numbers = Array.from({ length: FIRST * 2 ** round }, (_, index) => next + index);
    next += numbers.length;
    const states = await Promise.all(numbers.map((number) => readState(`${key}/cryptoKeyVersions/${number}` as KeyVersionName, keyStates)));
    found.push(...states.flatMap((state) => state ?? []));
    if (states.includes(undefined)) break;
  }
  return found.reverse();
}

async function readState(version: KeyVersionName, keyStates: KeyStates): Promise<VersionState | undefined> {
  const state = await fact(keyStates.state(version));
  if (state.ok) return { version, state: state.value };
  if (state.error.code === 'KEY_NOT_FOUND') return undefined;
  throw state.error;
}
