// SPDX-License-Identifier: Apache-2.0
// Why an attestation does not count, told apart finer than the verifier needs to: each cause has another remedy.
import type { StoredAttestation } from '../attestation/attestation.js';
import type { Rejection } from '../attestation/verify.js';
import { decodePayload, encodePayload, PAYLOAD_TYPE, type Payload } from '../payload/payload.js';
import type { AttestorKey } from '../signing/public-key.js';
import type { Verifier } from '../signing/verifier.js';
import type { FindingCode } from './findings.js';

/** An attestation that does not count, and what it is a case of. */
export interface ExplainedAttestation {
  readonly attestation: StoredAttestation;
  readonly code: FindingCode;
  readonly message: string;
}

/** The payload types that DSSE signatures of image names are made with (gcloud's default first). */
const DSSE_TYPES = ['application/vnd.dev.cosign.simplesigning.v1+json', 'application/vnd.in-toto+json'];
/** So many signatures of an attestation are looked into. */
const MOST_SIGNATURES = 3;

/** What a rejected attestation is a case of. */
export async function explain(
  { attestation, rejection }: { readonly attestation: StoredAttestation; readonly rejection: Rejection },
  keys: readonly AttestorKey[],
  verifier: Verifier,
): Promise<ExplainedAttestation> {
  const found = await caseOf(attestation, rejection, { keys, verifier });
  return { attestation, message: rejection.message, ...found };
}

type Case = Pick<ExplainedAttestation, 'code'> & { readonly message?: string };

async function caseOf(
  attestation: StoredAttestation,
  rejection: Rejection,
  trust: { readonly keys: readonly AttestorKey[]; readonly verifier: Verifier },
): Promise<Case> {
  switch (rejection.code) {
    case 'ATTESTOR_HAS_NO_KEY':
      return { code: 'ATTESTOR_WITHOUT_KEYS' };
    case 'OTHER_DIGEST':
      return { code: 'ATTESTATION_OF_OTHER_DIGEST' };
    case 'TRUSTED_KEY_UNDER_OTHER_ID':
      return isPgpSpelling(attestation, trust.keys) ? { code: 'ATTESTED_UNDER_PGP_SPELLING' } : { code: 'ATTESTED_UNDER_OTHER_KEY_ID' };
    case 'UNKNOWN_KEY_ID':
      return (await otherwiseSigned(attestation, trust)) ?? { code: 'ATTESTED_BY_UNTRUSTED_KEY' };
    case 'BAD_SIGNATURE':
      return (await otherwiseSigned(attestation, trust)) ?? { code: 'ATTESTATION_BROKEN' };
    case 'NO_SIGNATURE':
    case 'PAYLOAD_NOT_PARSEABLE':
      return { code: 'ATTESTATION_BROKEN' };
  }
}

// `openpgp4fpr:`, lower case, blanks, or only the end of the fingerprint.
function isPgpSpelling({ signatures }: StoredAttestation, keys: readonly AttestorKey[]): boolean {
  const ids = signatures.map(({ publicKeyId }) =>
    publicKeyId
      .replace(/^(?:openpgp4fpr:|0x)/i, '')
      .replaceAll(' ', '')
      .toUpperCase(),
  );
  return keys.some((key) => key.kind === 'pgp' && ids.some((id) => id.length >= 8 && key.id.endsWith(id)));
}

/** What the signature is over, if it is over something else than the payload as stored; or in which form it is no good. */
async function otherwiseSigned(
  { payload, signatures }: StoredAttestation,
  { keys, verifier }: { readonly keys: readonly AttestorKey[]; readonly verifier: Verifier },
): Promise<Case | undefined> {
  const form = signatures.map(({ bytes }) => pgpForm(bytes)).find((found) => found !== undefined);
  if (form !== undefined && keys.some(({ kind }) => kind === 'pgp')) {
    const message = `its PGP signature is ${form}, expected an armored attached one (gpg --armor --sign)`;
    return { code: 'ATTESTATION_PGP_NOT_ATTACHED', message };
  }
  const tries = signatures.slice(0, MOST_SIGNATURES).flatMap((signature) => keys.map((key) => ({ signature, key })));
  for (const { code, bytes, message } of otherBytes(payload)) {
    for (const { signature, key } of tries) if ((await verifier.verify(bytes, signature.bytes, key)).verified) return { code, message };
  }
  return undefined;
}

function pgpForm(signature: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(signature.subarray(0, 200));
  if (start.includes('-----BEGIN PGP SIGNED MESSAGE-----')) return 'clear-signed';
  return start.includes('-----BEGIN PGP SIGNATURE-----') ? 'detached' : undefined;
}

/** The bytes that were probably signed where those that are stored were not. */
function otherBytes(payload: Uint8Array): readonly (Case & { readonly bytes: Uint8Array; readonly message: string })[] {
  const pae = DSSE_TYPES.map((type) => ({
    code: 'ATTESTATION_PAE' as const,
    bytes: preAuthentication(type, payload),
    message: `its signature is over the DSSE encoding (PAE, type ${type}) of the payload, expected over the payload itself`,
  }));
  const decoded = decodePayload(payload);
  const message = 'its signature is over the same payload in another formatting: it was formatted anew after it was signed';
  const reserialised = (decoded ? spellings(decoded, payload) : []).map((bytes) => ({
    code: 'ATTESTATION_RESERIALISED' as const,
    bytes,
    message,
  }));
  return [...pae, ...reserialised];
}

// As gcloud writes it, and as JSON libraries write it by themselves; each with and without a line feed at its end.
function spellings(payload: Payload, stored: Uint8Array): readonly Uint8Array[] {
  const gcloud = new TextDecoder().decode(encodePayload({ ...payload, type: payload.type || PAYLOAD_TYPE }));
  const own: unknown = JSON.parse(new TextDecoder().decode(stored));
  const sorted = JSON.stringify(own, Object.keys(flat(own)).sort());
  const texts = [gcloud, JSON.stringify(own), JSON.stringify(own, undefined, 2), JSON.stringify(own, undefined, 4), spaced(own), sorted];
  const all = new Set(texts.flatMap((text) => [text.trimEnd(), `${text.trimEnd()}\n`]));
  return [...all].map((text) => new TextEncoder().encode(text));
}

// Python's json.dumps, which signs what it prints: a blank behind each colon and comma.
function spaced(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${spaced(entry)}`);
  return `{${members.join(', ')}}`;
}

function flat(value: unknown): Record<string, true> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.assign({}, ...Object.entries(value).map(([name, entry]) => ({ [name]: true, ...flat(entry) }))) as Record<string, true>;
}

// https://github.com/secure-systems-lab/dsse: lengths in bytes, decimal.
function preAuthentication(type: string, payload: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}
