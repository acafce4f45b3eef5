// SPDX-License-Identifier: Apache-2.0
// Everything that setup reads and writes, one adapter per kind.
import type { Google } from '../google/clients.js';
import { createAlertPolicies } from '../google/alert-policies.js';
import { createAttestors } from '../google/attestors.js';
import { createIamPolicies } from '../google/iam.js';
import { createKeyRings, createKeys } from '../google/kms-resources.js';
import { createLogMetrics } from '../google/log-metrics.js';
import { createNotes } from '../google/notes.js';
import { createPolicyStore } from '../google/policies.js';
import { createProjectNumbers } from '../google/resource-manager.js';
import { createServiceSwitches } from '../google/service-usage.js';
import type { Clock } from '../ports/clock.js';
import type { KeyService } from '../ports/key-service.js';
import type { Provisioning } from '../ports/provisioning.js';
import { createKeyEntries } from '../signers/kms-entries.js';

/** The ports of setup. Nothing is called before one is used. */
export function provisioningOf(google: Google, keys: KeyService, clock: Clock): Provisioning {
  return {
    services: createServiceSwitches(google, clock),
    projects: createProjectNumbers(google),
    notes: createNotes(google),
    keyRings: createKeyRings(google),
    keys: createKeys(google),
    entries: createKeyEntries(keys, clock),
    attestors: createAttestors(google),
    iam: createIamPolicies(google),
    policies: createPolicyStore(google),
    metrics: createLogMetrics(google),
    alerts: createAlertPolicies(google),
  };
}
