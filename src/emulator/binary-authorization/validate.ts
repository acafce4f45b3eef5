// SPDX-License-Identifier: Apache-2.0
// validateAttestationOccurrence: is this attestation, on this image, one that the attestor vouches for?
import type { Call, Reply } from '../router.js';
import { jsonBody } from '../router.js';
import { ApiError, decodeBytes, isObject, listMember, refuseUnknown, stringMember, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import type { Attestor } from './attestors.js';
import { flawOf } from './verify.js';

/** The two spellings of `critical.type` in Google's own tools and guides. */
const PAYLOAD_TYPES = ['Google cloud binauthz container signature', 'Google Cloud BinAuthz container signature'];

interface Question {
  readonly payload: Buffer;
  readonly signatures: readonly { readonly publicKeyId: string; readonly signature: Buffer }[];
  readonly note: string;
  readonly resourceUri: string;
}

/** Answers the call for an attestor that exists and that the caller may verify with. */
export async function validateOccurrence(world: World, attestor: Attestor, call: Call): Promise<Reply> {
  const question = parseQuestion(jsonBody(call));
  const denialReason =
    agentFlaw(world, attestor) ?? subjectFlaw(attestor, question) ?? (await signaturesFlaw(attestor, question, world.clock.now()));
  return { json: denialReason === undefined ? { result: 'VERIFIED' } : { result: 'ATTESTATION_NOT_VERIFIABLE', denialReason } };
}

function parseQuestion(body: JsonObject): Question {
  refuseUnknown(body, ['attestor', 'attestation', 'occurrenceNote', 'occurrenceResourceUri'], '');
  const attestation = body['attestation'];
  const note = stringMember(body, 'occurrenceNote');
  const resourceUri = stringMember(body, 'occurrenceResourceUri');
  if (!isObject(attestation)) throw new ApiError('INVALID_ARGUMENT', 'attestation is required.');
  if (note === '') throw new ApiError('INVALID_ARGUMENT', 'occurrence_note is required.');
  if (resourceUri === '') throw new ApiError('INVALID_ARGUMENT', 'occurrence_resource_uri is required.');
  refuseUnknown(attestation, ['serializedPayload', 'signatures', 'jwts'], 'attestation');
  const signatures = listMember(attestation, 'signatures').map((entry, index) => {
    const at = `attestation.signatures[${index}]`;
    if (!isObject(entry)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
    refuseUnknown(entry, ['publicKeyId', 'signature'], at);
    return { publicKeyId: stringMember(entry, 'publicKeyId'), signature: decodeBytes(entry['signature'], `${at}.signature`) };
  });
  return { payload: decodeBytes(attestation['serializedPayload'], 'attestation.serialized_payload'), signatures, note, resourceUri };
}

/** The attestor reads its note as its own service account, whose right to do so nobody grants by itself. */
function agentFlaw(world: World, { agent, noteReference }: Attestor): string | undefined {
  const permission = 'containeranalysis.notes.listOccurrences';
  if (world.iam.allows(agent, permission, noteReference)) return undefined;
  return `The attestor's service account ${agent} lacks the permission ${permission} on ${noteReference}; grant it roles/containeranalysis.notes.occurrences.viewer on the note.`;
}

function subjectFlaw(attestor: Attestor, { note, resourceUri, payload }: Question): string | undefined {
  if (note !== attestor.noteReference)
    return `The occurrence belongs to the note ${note}, but the attestor's note is ${attestor.noteReference}.`;
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(resourceUri)?.[1];
  if (digest === undefined) return `Expected digest with sha256 scheme, but got tag or malformed digest: ${resourceUri}`;
  return payloadFlaw(payload, digest);
}

/** Why signed bytes are not what vouches for a digest; undefined where they are. */
export function payloadFlaw(payload: Buffer, digest: string): string | undefined {
  const unexpected = (why: string) => `Unexpected message was signed: ${why}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.toString('utf8'));
  } catch {
    return unexpected('the payload is not JSON.');
  }
  const critical = isObject(parsed) && isObject(parsed['critical']) ? parsed['critical'] : {};
  const image = isObject(critical['image']) ? critical['image'] : {};
  const signed = image['docker-manifest-digest'] ?? 'none';
  if (signed !== digest)
    return unexpected(`the payload's digest is ${typeof signed === 'string' ? signed : JSON.stringify(signed)}, the image's is ${digest}.`);
  if (!PAYLOAD_TYPES.some((type) => type === critical['type']))
    return unexpected(`the payload's type is ${JSON.stringify(critical['type'] ?? null)}.`);
  return undefined;
}

/** One good signature is enough; otherwise the reason says what was wrong with each. */
async function signaturesFlaw(attestor: Attestor, question: Question, now: number): Promise<string | undefined> {
  const flaws: string[] = [];
  for (const { publicKeyId, signature } of question.signatures) {
    const key = attestor.keys.find(({ id }) => id === publicKeyId);
    const flaw = key ? await flawOf(key, question.payload, signature, now) : 'the attestor has no such key';
    if (flaw === undefined) return undefined;
    flaws.push(`"${publicKeyId}": ${flaw}`);
  }
  const details = flaws.length > 0 ? flaws.join('; ') : 'the attestation carries no signatures';
  return `No attestations found that were valid and signed by a key trusted by the attestor (${details}).`;
}
