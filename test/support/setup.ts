// SPDX-License-Identifier: Apache-2.0
// What setup is asked for, the ports that it runs over, and what an emulator holds afterwards.
import type { AttestorName, KeyName, NoteName, ProjectId } from '../../src/core/names.js';
import type { Desired, Principal } from '../../src/core/provisioning/desired.js';
import { createAttestorKeys } from '../../src/google/attestor-keys.js';
import { createAttestorService } from '../../src/google/binary-authorization.js';
import { createKeyService } from '../../src/google/kms.js';
import { provisioningOf } from '../../src/hosts/provisioning.js';
import type { Reporter } from '../../src/ports/reporter.js';
import type { SetupPorts } from '../../src/usecases/setup.js';
import { googleOn } from '../google/google.js';
import type { TestEmulator } from './emulator.js';

export const SIGNER = 'serviceAccount:ci@shop.iam.gserviceaccount.com' as Principal;

/** Everything in one project. */
export function desired(overrides: Partial<Desired> = {}): Desired {
  return {
    project: 'shop' as ProjectId,
    attestor: 'projects/shop/attestors/built' as AttestorName,
    note: 'projects/shop/notes/built' as NoteName,
    key: { kind: 'kms', key: 'projects/shop/locations/global/keyRings/ci/cryptoKeys/built' as KeyName },
    attestationProject: 'shop' as ProjectId,
    signers: [SIGNER],
    dryRunRollout: false,
    allowWeakening: false,
    ...overrides,
  };
}

/** A project for each part. */
export function scattered(overrides: Partial<Desired> = {}): Desired {
  return desired({
    project: 'deployer-prod' as ProjectId,
    attestor: 'projects/attestor-prod/attestors/built' as AttestorName,
    note: 'projects/note-prod/notes/built' as NoteName,
    key: { kind: 'kms', key: 'projects/key-prod/locations/europe-west4/keyRings/ci/cryptoKeys/built' as KeyName },
    attestationProject: 'attestation-prod' as ProjectId,
    ...overrides,
  });
}

export interface TestPorts extends SetupPorts {
  readonly warnings: string[];
}

/** Setup's ports on an emulator, in virtual time. */
export function setupPorts(emulator: TestEmulator, token?: string): TestPorts {
  const { google, pace } = googleOn(emulator.host, token === undefined ? {} : { token });
  const warnings: string[] = [];
  const reporter: Reporter = { step: () => undefined, info: () => undefined, debug: () => undefined, warn: (text) => warnings.push(text) };
  return {
    warnings,
    reporter,
    clock: pace,
    attestors: createAttestorService(google),
    attestorKeys: createAttestorKeys(google),
    provisioning: provisioningOf(google, createKeyService(google), pace),
  };
}

/** The writes that an emulator answered, e.g. `POST /v1/projects/p/notes`; what only reads by POST is none. */
export async function writesOn(emulator: TestEmulator): Promise<readonly string[]> {
  const { json } = await emulator.api('GET', '/_emulator/requests');
  const requests = json.requests as { method: string; path: string }[];
  return requests
    .filter(({ method, path }) => method !== 'GET' && !path.endsWith(':getIamPolicy'))
    .map(({ method, path }) => `${method} ${path}`);
}

/** Everything that setup may have made, as Google's JSON, without what differs from one making to the next. */
export async function stateOf(emulator: TestEmulator, { project, attestor, note, key, attestationProject }: Desired): Promise<unknown> {
  const kms = key.kind === 'kms' ? key.key : undefined;
  const paths = [
    ...[`/v1/${note}`, `/v1/${note}:getIamPolicy`, `/v1/${attestor}`, `/v1/${attestor}:getIamPolicy`],
    ...[`/v1/projects/${project}/policy`, `/v1/projects/${project}/policy:getIamPolicy`],
    ...[`/v2/projects/${project}/metrics`, `/v3/projects/${project}/alertPolicies?orderBy=display_name`],
    ...(kms === undefined
      ? []
      : [`/v1/${kms.replace(/\/cryptoKeys.*/, '')}`, `/v1/${kms}`, `/v1/${kms}/cryptoKeyVersions`, `/v1/${kms}:getIamPolicy`]),
  ];
  const ask = async (method: string, path: string, body?: object): Promise<readonly [string, unknown]> => {
    const { status, text, json } = await emulator.api(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return [path, json];
  };
  const owners = [...new Set([project, attestationProject])];
  const answers = await Promise.all([
    ...paths.map((path) => ask('GET', path)),
    ...owners.map((owner) => ask('POST', `/v1/projects/${owner}:getIamPolicy`, {})),
  ]);
  return scrubbed(Object.fromEntries(answers));
}

// Times, etags, generated ids and key material; and the version of an IAM policy, which says nothing without conditions.
function scrubbed(value: unknown): unknown {
  const random = /^(?:etag|updateTime|createTime|generateTime|creationRecord|mutationRecord|publicKeyPem|version)$/;
  if (Array.isArray(value)) return value.map(scrubbed);
  if (typeof value === 'string') return value.replace(/(alertPolicies|conditions)\/[^/]+/g, '$1/ID');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !random.test(name))
      .map(([name, entry]) => [name, scrubbed(entry)]),
  );
}
