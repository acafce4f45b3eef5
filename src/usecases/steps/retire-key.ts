// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../../core/attestation/attestor.js';
import { BinauthzError } from '../../core/errors.js';
import type { Digest } from '../../core/image/digest.js';
import type { PlannedChange } from '../../core/operation-results.js';
import { reportOf } from '../../core/results.js';
import { removeKeyCommand } from '../../core/rotation/commands.js';
import { nameOfCoverage, type Coverage } from '../../core/rotation/coverage.js';
import { kmsKeyId, type NewKey } from '../../core/rotation/new-key.js';
import { isSameKey, normalizeFingerprint, publicKeyOf, type AttestorKey } from '../../core/signing/public-key.js';
import type { AttestorKeys } from '../../ports/attestor-keys.js';
import type { Reporter } from '../../ports/reporter.js';
import { settle } from './concurrently.js';
import type { NoteSurvey } from './survey-note.js';

/** The key to retire: as the attestor lists it, or gone already. */
export type Retiring = { readonly key: AttestorKey } | { readonly goneId: string };

/** Others may depend by the thousand; a message is one line. */
const MOST_NAMED = 3;

/**
 * The key that is to be retired. Where the attestor does not list it, attestations that name it tell that it is gone, as
 * after a run that was killed. KEY_NOT_FOUND where nothing knows it, INVALID_INPUT where it is the new key itself.
 */
export function findRetiring(keyId: string, attestor: Attestor, newKey: NewKey, survey: NoteSurvey): Retiring {
  const spellings = [keyId, kmsKeyId(keyId), normalizeFingerprint(keyId)];
  const key = attestor.keys.find(({ id }) => spellings.includes(id));
  if (key ? isSameKey(newKey.publicKey, key) : spellings.includes(newKey.entry.id)) throw isNewKey(keyId, attestor);
  if (key) return { key };
  const goneId = spellings.find((spelling) => survey.names(spelling));
  if (goneId !== undefined) return { goneId };
  throw new BinauthzError(
    'KEY_NOT_FOUND',
    `cannot retire ${keyId}: ${attestor.name} does not trust it, and no attestation names it; it trusts ${attestor.keys.map(({ id }) => id).join(', ')}`,
    { resource: attestor.name, hint: 'give the id as the attestor lists it: gcloud container binauthz attestors describe' },
  );
}

/** What is known when a key is to be retired. */
export interface RetireInputs {
  readonly retiring: Retiring;
  readonly attestor: Attestor;
  /** The images that depend on the key alone. */
  readonly needed: readonly Coverage[];
  /** Digests with attestations that name the key and do not verify here. */
  readonly unproven: readonly Digest[];
  readonly apply: boolean;
  readonly force: boolean;
}

export interface RetirePorts {
  readonly attestorKeys: AttestorKeys;
  readonly reporter: Reporter;
}

/** What became of the key. */
export interface Retired {
  readonly changes: readonly PlannedChange[];
  readonly errors: readonly BinauthzError[];
}

/** Takes a key off the attestor that no image depends on alone, or says why it stays. */
export async function retire(inputs: RetireInputs, ports: RetirePorts): Promise<Retired> {
  const { retiring, attestor, needed, apply, force } = inputs;
  const resource = attestor.name;
  if ('goneId' in retiring) {
    const summary = `${retiring.goneId} is not trusted any more`;
    return { changes: [{ resource, action: 'none', status: 'done', summary, gcloud: '' }], errors: [] };
  }
  const keyId = retiring.key.id;
  const planned: PlannedChange = {
    ...{ resource, action: 'update', status: 'planned', summary: `trust ${keyId} no longer` },
    gcloud: removeKeyCommand(resource, keyId),
  };
  const refusal = needed.length > 0 ? stillNeeded(keyId, attestor, needed) : undefined;
  if (refusal && !force) return { changes: [{ ...planned, status: 'skipped', error: reportOf(refusal) }], errors: [refusal] };
  warnOf(inputs, retiring.key, ports.reporter);
  if (!apply) return { changes: [planned], errors: [] };
  ports.reporter.step(`Taking ${keyId} off ${resource}`);
  const removed = await settle(ports.attestorKeys.remove(attestor, keyId));
  if (removed.ok) return { changes: [{ ...planned, status: 'done' }], errors: [] };
  const [error] = removed.errors;
  return { changes: [{ ...planned, status: 'failed', ...(error ? { error: reportOf(error) } : {}) }], errors: removed.errors };
}

function warnOf({ attestor, needed, unproven }: RetireInputs, retiring: AttestorKey, reporter: Reporter): void {
  const { id: keyId } = retiring;
  const publicKey = publicKeyOf(retiring);
  const twins = attestor.keys.filter((listed) => listed.id !== keyId && publicKey !== undefined && isSameKey(publicKey, listed));
  if (twins.length > 0)
    reporter.warn(
      `${attestor.name} trusts the very key of ${keyId} as ${twins.map(({ id }) => id).join(' and ')} as well: whoever holds it can attest until that is retired too`,
    );
  if (needed.length > 0) reporter.warn(`${listed(needed.map(nameOfCoverage))} depend on ${keyId} alone and will be denied without it`);
  if (unproven.length > 0)
    reporter.warn(
      `${listed(unproven)}: an attestation names ${keyId}, but does not verify here; where Google accepts it all the same, the image will be denied`,
    );
}

function stillNeeded(keyId: string, attestor: Attestor, needed: readonly Coverage[]): BinauthzError {
  return new BinauthzError(
    'KEY_STILL_NEEDED',
    `cannot retire ${keyId}: expected that no image of ${attestor.name} depends on it alone, got ${needed.length}: ${listed(needed.map(nameOfCoverage))}`,
    {
      resource: attestor.name,
      hint:
        'rotate without --image, --image-list, -f and --image-repository to re-attest whatever verifies, or give these images up with --force; ' +
        'where the key leaked, whoever has it may have attested these: re-attest none that you do not know',
    },
  );
}

function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

function isNewKey(keyId: string, attestor: Attestor): BinauthzError {
  return new BinauthzError(
    'INVALID_INPUT',
    `cannot retire ${keyId}: it is the key that ${attestor.name} is rotated to; expected the id of another key`,
    { resource: keyId, hint: `the attestor trusts ${attestor.keys.map(({ id }) => id).join(', ')}` },
  );
}
