// SPDX-License-Identifier: Apache-2.0
import type { Fact, KeyFacts } from '../../core/doctor/facts.js';
import { needsOnKey } from '../../core/doctor/needs.js';
import { keyOf, type KeyName } from '../../core/names.js';
import { ringOf } from '../../core/provisioning/desired.js';
import type { GivenKey, KeySource } from '../../core/signing/given-key.js';
import type { KeyStates } from '../../ports/key-states.js';
import type { Permissions } from '../../ports/permissions.js';
import type { Provisioning } from '../../ports/provisioning.js';
import { fact, testPermissions } from './examine-attestor.js';

export interface ExamineKeyPorts {
  readonly openKey: (source: KeySource) => Promise<GivenKey>;
  readonly keyStates: KeyStates;
  readonly permissions: Permissions;
  readonly provisioning: Pick<Provisioning, 'keys' | 'keyRings'>;
}

/** Opens a given key as attest would, without signing anything; where that fails, finds out why. */
export async function examineKey(source: KeySource, ports: ExamineKeyPorts): Promise<KeyFacts> {
  const opened = await fact(ports.openKey(source));
  const key = source.kind === 'kms-key-version' ? keyOf(source.version) : source.kind === 'kms-key' ? source.key : undefined;
  if (key === undefined) return { source, opened };
  const [tested, why] = await Promise.all([testKey(key, source, opened, ports), opened.ok ? {} : whyNot(key, source, ports)]);
  return { source, opened, kms: { key, tested, ...why } };
}

// A key that is not there grants nothing to anybody, which is no news about the identity.
async function testKey(
  key: KeyName,
  source: KeySource,
  opened: Fact<GivenKey>,
  ports: ExamineKeyPorts,
): ReturnType<typeof testPermissions> {
  if (!opened.ok && opened.error.code === 'KEY_NOT_FOUND') return { resource: key, missing: { ok: true, value: [] } };
  return testPermissions(needsOnKey(key, source.kind === 'kms-key-version'), ports.permissions);
}

async function whyNot(
  key: KeyName,
  source: KeySource,
  ports: ExamineKeyPorts,
): Promise<Omit<NonNullable<KeyFacts['kms']>, 'key' | 'tested'>> {
  const exists = async (read: Promise<object | undefined>): Promise<boolean> => (await read) !== undefined;
  const [state, keyExists, ringExists] = await Promise.all([
    source.kind === 'kms-key-version' ? fact(ports.keyStates.state(source.version)) : undefined,
    fact(exists(ports.provisioning.keys.read(key))),
    fact(exists(ports.provisioning.keyRings.read(ringOf(key)))),
  ]);
  return { exists: keyExists, ringExists, ...(state === undefined ? {} : { state }) };
}
