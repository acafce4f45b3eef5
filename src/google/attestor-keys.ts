// SPDX-License-Identifier: Apache-2.0
// An attestor's keys are part of the attestor, which the API only replaces as a whole: read, change, and write with the
// etag that was read. A collision reads again, so that nobody's key is lost.
import type { Attestor } from '../core/attestation/attestor.js';
import { BinauthzError } from '../core/errors.js';
import { idOf, projectOf, type AttestorName } from '../core/names.js';
import { isSameKey, isTrustedAs, publicKeyOf, type AttestorKey } from '../core/signing/public-key.js';
import type { AttestorKeys } from '../ports/attestor-keys.js';
import { attestorOf, keyJson } from './attestor-json.js';
import type { Google } from './clients.js';
import type { Call } from './errors.js';
import { member } from './json.js';
import { pathOf } from './rest.js';

/** The keys of Binary Authorization's attestors through REST. */
export function createAttestorKeys(google: Google): AttestorKeys {
  return {
    add: (name, key) => rewrite(google, name, (current, listed) => withKey(current, listed, key)),
    remove: (judged, keyId) => rewrite(google, judged.name, (current, listed) => withoutKey(current, listed, { judged, keyId })),
  };
}

/** The keys to write, as JSON; undefined where those that are listed are right already. */
type Change = (current: Attestor, listed: readonly unknown[]) => readonly unknown[] | undefined;

function withKey(current: Attestor, listed: readonly unknown[], key: AttestorKey): readonly unknown[] | undefined {
  if (trusts(current, key)) return undefined;
  const taken = current.keys.find(({ id }) => id === key.id);
  if (taken) throw idTaken(current, taken);
  return [...listed, keyJson(key)];
}

function withoutKey(
  current: Attestor,
  listed: readonly unknown[],
  { judged, keyId }: { readonly judged: Attestor; readonly keyId: string },
): readonly unknown[] | undefined {
  if (!current.keys.some(({ id }) => id === keyId)) return undefined;
  if (!sameKeys(current.keys, judged.keys)) throw changedMeanwhile(current, judged);
  return listed.filter((entry) => member(entry, 'id') !== keyId);
}

async function rewrite(google: Google, name: AttestorName, change: Change): Promise<Attestor> {
  const rest = google.rest('binaryauthorization');
  const path = `v1/${pathOf(name)}`;
  // The whole of it is repeated: after a collision (409), and where an answer was lost, only a new look tells what is so.
  return google.call.repeat(callOn(name), async () => {
    const found = await rest.request('GET', path);
    const current = attestorOf(name, found);
    const owned = member(found, 'userOwnedGrafeasNote');
    const listed = member(owned, 'publicKeys');
    const publicKeys = change(current, Array.isArray(listed) ? listed : []);
    if (publicKeys === undefined) return current;
    requireEtag(found, name);
    // Everything else goes back as it came, members that are not known here included.
    const body = { ...(found as object), userOwnedGrafeasNote: { ...(owned as object), publicKeys } };
    const written = attestorOf(name, await rest.request('PUT', path, body));
    requireWritten(written, change);
    return written;
  });
}

// Without one the API would replace whatever is there, keys of others included.
function requireEtag(found: unknown, name: AttestorName): void {
  const etag = member(found, 'etag');
  if (typeof etag === 'string' && etag !== '') return;
  throw new BinauthzError('RESPONSE_INVALID', `cannot change the keys of ${name}: expected an etag with the attestor, got none`, {
    resource: name,
    hint: 'without it a change of somebody else could be lost: check the endpoint overrides (CLOUDSDK_API_ENDPOINT_OVERRIDES_…) and proxies',
  });
}

function requireWritten(written: Attestor, change: Change): void {
  if (change(written, []) === undefined) return;
  throw new BinauthzError('RESPONSE_INVALID', `cannot change the keys of ${written.name}: the answer does not show the change`, {
    resource: written.name,
    hint: `look at it: gcloud container binauthz attestors describe ${idOf(written.name)} --project=${projectOf(written.name)}`,
  });
}

function callOn(name: AttestorName): Call {
  return {
    what: 'cannot change the keys of the attestor',
    resource: name,
    needs: [
      { permission: 'binaryauthorization.attestors.get', role: 'roles/binaryauthorization.attestorsViewer', on: name },
      { permission: 'binaryauthorization.attestors.update', role: 'roles/binaryauthorization.attestorsEditor', on: name },
    ],
    notFound: 'ATTESTOR_NOT_FOUND',
    refused: 'CHANGE_REFUSED',
    hint: (code) =>
      code === 'ATTESTOR_NOT_FOUND'
        ? `list what is there: gcloud container binauthz attestors list --project=${projectOf(name)}`
        : undefined,
  };
}

function trusts(attestor: Attestor, key: AttestorKey): boolean {
  const publicKey = publicKeyOf(key);
  return publicKey !== undefined && attestor.keys.some((listed) => isTrustedAs(publicKey, listed));
}

function sameKeys(some: readonly AttestorKey[], others: readonly AttestorKey[]): boolean {
  const holds = (keys: readonly AttestorKey[], key: AttestorKey): boolean => {
    const publicKey = publicKeyOf(key);
    return keys.some((other) => other.id === key.id && (publicKey === undefined || isSameKey(publicKey, other)));
  };
  return some.length === others.length && some.every((key) => holds(others, key));
}

function idTaken(attestor: Attestor, taken: AttestorKey): BinauthzError {
  return new BinauthzError(
    'ATTESTOR_KEY_CONFLICT',
    `cannot add a key to ${attestor.name}: its id ${taken.id} belongs to another key there, or to this one under another algorithm`,
    {
      resource: attestor.name,
      hint: `look at both, then remove the entry that is wrong: gcloud container binauthz attestors describe ${idOf(attestor.name)} --project=${projectOf(attestor.name)}`,
    },
  );
}

function changedMeanwhile(current: Attestor, judged: Attestor): BinauthzError {
  const ids = (keys: readonly AttestorKey[]): string => keys.map(({ id }) => id).join(', ');
  return new BinauthzError(
    'CHANGED_MEANWHILE',
    `cannot take a key off ${current.name}: its keys changed meanwhile: expected ${ids(judged.keys)}, got ${ids(current.keys)}`,
    { resource: current.name, hint: 'nothing was removed: run again, which looks at the keys anew' },
  );
}
