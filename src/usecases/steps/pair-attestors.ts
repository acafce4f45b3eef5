// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../../core/attestation/attestor.js';
import { BinauthzErrors, type BinauthzError } from '../../core/errors.js';
import type { AttestorName } from '../../core/names.js';
import type { GivenKey } from '../../core/signing/given-key.js';
import { pairKeys, type Pair } from '../../core/signing/pairing.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import { concurrently, errorsOf, settle, valuesOf } from './concurrently.js';

/** Reads the attestors while the keys are opened, and pairs them. Throws all that is wrong on either side. */
export async function pairAttestors(
  names: readonly AttestorName[],
  service: AttestorService,
  openKeys: () => Promise<readonly GivenKey[]>,
): Promise<readonly Pair[]> {
  const [attestors, keys] = await Promise.all([readAttestors(names, service), settle(openKeys())]);
  const broken = [...attestors.errors, ...(keys.ok ? [] : keys.errors)];
  throwAll(broken);
  const { pairs, errors } = pairKeys(attestors.found, keys.ok ? keys.value : []);
  throwAll(errors);
  return pairs;
}

/** Reads attestors side by side; what is missing or forbidden is an error of its own. */
export async function readAttestors(
  names: readonly AttestorName[],
  service: AttestorService,
): Promise<{ readonly found: readonly Attestor[]; readonly errors: readonly BinauthzError[] }> {
  const settled = await concurrently(names, (name) => service.attestor(name));
  return { found: valuesOf(settled), errors: errorsOf(settled) };
}

function throwAll(errors: readonly BinauthzError[]): void {
  const [first, ...rest] = errors;
  if (first) throw new BinauthzErrors([first, ...rest]);
}
