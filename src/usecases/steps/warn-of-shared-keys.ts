// SPDX-License-Identifier: Apache-2.0
import { asError } from '../../core/errors.js';
import { projectOf, type AttestorName } from '../../core/names.js';
import { sharedKeyWarnings } from '../../core/provisioning/resources.js';
import type { AttestorKey } from '../../core/signing/public-key.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import type { Reporter } from '../../ports/reporter.js';

export interface SharedKeyPorts {
  readonly attestors: AttestorService;
  readonly reporter: Reporter;
}

/**
 * Warns where other attestors of the project trust what this one is to trust. Where they may not be listed, nothing is known
 * and nothing is said.
 */
export async function warnOfSharedKeys(
  name: AttestorName,
  entries: readonly AttestorKey[],
  { attestors, reporter }: SharedKeyPorts,
): Promise<void> {
  if (entries.length === 0) return;
  try {
    for (const warning of sharedKeyWarnings(name, entries, await attestors.attestorsIn(projectOf(name)))) reporter.warn(warning);
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code === 'CANCELLED') throw thrown;
    reporter.debug(`whether other attestors trust the key is not known: ${error.message}`);
  }
}
