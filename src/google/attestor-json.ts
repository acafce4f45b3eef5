// SPDX-License-Identifier: Apache-2.0
// An attestor in the JSON of Binary Authorization's v1 API.
import type { Attestor } from '../core/attestation/attestor.js';
import { BinauthzError } from '../core/errors.js';
import { idOf, parseNoteName, projectOf, type AttestorName } from '../core/names.js';
import type { AttestorKey } from '../core/signing/public-key.js';
import { list, member, text } from './json.js';

/** The attestor in an answer. RESPONSE_INVALID where it names no note. */
export function attestorOf(name: AttestorName, json: unknown): Attestor {
  const owned = member(json, 'userOwnedGrafeasNote');
  const note = parseNoteName(text(member(owned, 'noteReference')) ?? '');
  if (!note) {
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot read the attestor ${name}: expected a note (userOwnedGrafeasNote.noteReference), got ${JSON.stringify(member(owned, 'noteReference') ?? null)}`,
      {
        resource: name,
        hint: `look at it: gcloud container binauthz attestors describe ${idOf(name)} --project=${projectOf(name)}`,
      },
    );
  }
  const serviceAgent = text(member(owned, 'delegationServiceAccountEmail'));
  return {
    name,
    note,
    keys: list(member(owned, 'publicKeys')).flatMap(keyOfJson),
    ...(serviceAgent === undefined ? {} : { serviceAgent }),
  };
}

/** A key as the API lists it. */
export function keyJson(key: AttestorKey): object {
  // The API computes the id of a PGP key itself.
  if (key.kind === 'pgp') return { asciiArmoredPgpPublicKey: key.armored };
  return { id: key.id, pkixPublicKey: { publicKeyPem: key.pem, signatureAlgorithm: key.algorithm } };
}

// A key of a kind that is not known here verifies nothing here; the attestor's other keys still count. One without an
// id would be selected by every signature that names none.
function keyOfJson(json: unknown): readonly AttestorKey[] {
  const id = text(member(json, 'id')) ?? '';
  if (id === '') return [];
  const armored = text(member(json, 'asciiArmoredPgpPublicKey'));
  if (armored !== undefined) return [{ kind: 'pgp', id, armored }];
  const pkix = member(json, 'pkixPublicKey');
  const pem = text(member(pkix, 'publicKeyPem'));
  if (pem === undefined) return [];
  return [{ kind: 'pkix', id, pem, algorithm: text(member(pkix, 'signatureAlgorithm')) ?? 'SIGNATURE_ALGORITHM_UNSPECIFIED' }];
}
