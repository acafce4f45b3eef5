// SPDX-License-Identifier: Apache-2.0
// Note kinds, the member that carries each kind's details, and the enums and bytes inside these details.
// Source: grafeas/v1/*.proto.
import {
  ApiError,
  camelCase,
  decodeBytes,
  encodeBytes,
  enumMember,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  stringMember,
  type JsonObject,
} from '../wire.js';

/** grafeas.v1.NoteKind. */
export const NOTE_KINDS: ReadonlyMap<string, number> = new Map([
  ['NOTE_KIND_UNSPECIFIED', 0],
  ['VULNERABILITY', 1],
  ['BUILD', 2],
  ['IMAGE', 3],
  ['PACKAGE', 4],
  ['DEPLOYMENT', 5],
  ['DISCOVERY', 6],
  ['ATTESTATION', 7],
  ['UPGRADE', 8],
  ['COMPLIANCE', 9],
  ['DSSE_ATTESTATION', 10],
  ['VULNERABILITY_ASSESSMENT', 11],
  ['SBOM_REFERENCE', 12],
]);

/** Members whose keys are data: they keep their spelling. */
export const MAP_MEMBERS: readonly string[] = [
  ...['digest', 'annotations', 'buildOptions', 'fileHashes', 'labels', 'parameters', 'environment', 'buildConfig'],
  ...['externalParameters', 'internalParameters'],
];

/** The member of a note or an occurrence that says its kind, e.g. `attestation` for ATTESTATION. */
export function detailsMember(kind: string): string {
  return camelCase(kind.toLowerCase());
}

/** The kind whose details an object carries. Exactly one must be there: `kind` itself is output only. */
export function kindOf(object: JsonObject, what: string): string {
  const present = [...NOTE_KINDS.keys()].filter((kind) => isObject(object[detailsMember(kind)]));
  const [kind, ...others] = present;
  if (kind === undefined) throw new ApiError('INVALID_ARGUMENT', `${what} is invalid: its details are required, e.g. "attestation".`);
  if (others.length > 0)
    throw new ApiError('INVALID_ARGUMENT', `${what} is invalid: only one of ${present.map(detailsMember).join(', ')} may be set.`);
  return kind;
}

/** Severity, for findings and for notes. */
const SEVERITIES = numbered(['SEVERITY_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);

/** CVSS' impacts on confidentiality, integrity and availability share one enum. */
const IMPACTS = numbered(['IMPACT_UNSPECIFIED', 'IMPACT_HIGH', 'IMPACT_LOW', 'IMPACT_NONE', 'IMPACT_PARTIAL', 'IMPACT_COMPLETE']);

/** The enums inside vulnerability and discovery details, by member name. */
const ENUMS: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map([
  ['severity', SEVERITIES],
  ['effectiveSeverity', SEVERITIES],
  ['analysisKind', NOTE_KINDS],
  ['kind', numbered(['VERSION_KIND_UNSPECIFIED', 'NORMAL', 'MINIMUM', 'MAXIMUM'])],
  ['continuousAnalysis', numbered(['CONTINUOUS_ANALYSIS_UNSPECIFIED', 'ACTIVE', 'INACTIVE'])],
  ['analysisStatus', analysisStatuses()],
  ['cvssVersion', numbered(['CVSS_VERSION_UNSPECIFIED', 'CVSS_VERSION_2', 'CVSS_VERSION_3'])],
  ['attackVector', prefixed('ATTACK_VECTOR', ['NETWORK', 'ADJACENT', 'LOCAL', 'PHYSICAL'])],
  ['attackComplexity', prefixed('ATTACK_COMPLEXITY', ['LOW', 'HIGH', 'MEDIUM'])],
  ['authentication', prefixed('AUTHENTICATION', ['MULTIPLE', 'SINGLE', 'NONE'])],
  ['privilegesRequired', prefixed('PRIVILEGES_REQUIRED', ['NONE', 'LOW', 'HIGH'])],
  ['userInteraction', prefixed('USER_INTERACTION', ['NONE', 'REQUIRED'])],
  ['scope', prefixed('SCOPE', ['UNCHANGED', 'CHANGED'])],
  ['confidentialityImpact', IMPACTS],
  ['integrityImpact', IMPACTS],
  ['availabilityImpact', IMPACTS],
]);

function numbered(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [name, index]));
}

function prefixed(prefix: string, names: readonly string[]): ReadonlyMap<string, number> {
  return numbered(['UNSPECIFIED', ...names].map((name) => `${prefix}_${name}`));
}

function analysisStatuses(): ReadonlyMap<string, number> {
  const names = ['ANALYSIS_STATUS_UNSPECIFIED', 'PENDING', 'SCANNING', 'FINISHED_SUCCESS', 'FINISHED_FAILED', 'FINISHED_UNSUPPORTED'];
  return new Map([...numbered(names), ['COMPLETE', 3]]); // an alias of FINISHED_SUCCESS
}

/** An occurrence's details in the form in which they are stored and shown. */
export function occurrenceDetails(kind: string, details: JsonObject): JsonObject {
  if (kind === 'ATTESTATION') return attestation(details);
  return kind === 'VULNERABILITY' || kind === 'DISCOVERY' ? (nameEnums(details) as JsonObject) : details;
}

/** A note's details in the form in which they are stored and shown. */
export function noteDetails(kind: string, details: JsonObject): JsonObject {
  if (kind !== 'ATTESTATION') return kind === 'VULNERABILITY' || kind === 'DISCOVERY' ? (nameEnums(details) as JsonObject) : details;
  refuseUnknown(details, ['hint'], 'note.attestation');
  if (details['hint'] === undefined || details['hint'] === null) return details;
  const hint = objectMember(details, 'hint');
  refuseUnknown(hint, ['humanReadableName'], 'note.attestation.hint');
  if (stringMember(hint, 'humanReadableName') === '') {
    throw new ApiError('INVALID_ARGUMENT', 'note is invalid: attestation.hint.human_readable_name is required.');
  }
  return details;
}

/** Numbers of known enums as names, at any depth. */
function nameEnums(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nameEnums);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([member, item]) => [member, nameEnum(member, item)]));
}

function nameEnum(member: string, value: unknown): unknown {
  const names = ENUMS.get(member);
  return names && (typeof value === 'number' || typeof value === 'string') ? enumMember(value, names, member) : nameEnums(value);
}

/** Bytes may come in either alphabet; two spellings of one attestation must be one attestation. */
function attestation(details: JsonObject): JsonObject {
  refuseUnknown(details, ['serializedPayload', 'signatures', 'jwts'], 'occurrence.attestation');
  const payload = decodeBytes(details['serializedPayload'], 'attestation.serialized_payload');
  if (payload.length === 0) throw new ApiError('INVALID_ARGUMENT', 'occurrence is invalid: attestation.serialized_payload is required.');
  const signatures = listMember(details, 'signatures').map(signature);
  const { jwts } = details;
  return {
    serializedPayload: encodeBytes(payload),
    ...(signatures.length > 0 ? { signatures } : {}),
    ...(Array.isArray(jwts) && jwts.length > 0 ? { jwts } : {}),
  };
}

function signature(value: unknown): JsonObject {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', "Invalid value at 'attestation.signatures' (message expected)");
  refuseUnknown(value, ['publicKeyId', 'signature'], 'occurrence.attestation.signatures');
  const bytes = decodeBytes(value['signature'], 'attestation.signatures.signature');
  const publicKeyId = stringMember(value, 'publicKeyId');
  if (bytes.length === 0) throw new ApiError('INVALID_ARGUMENT', 'occurrence is invalid: attestation.signatures.signature is required.');
  if (publicKeyId === '')
    throw new ApiError('INVALID_ARGUMENT', 'occurrence is invalid: attestation.signatures.public_key_id is required.');
  return { publicKeyId, signature: encodeBytes(bytes) };
}
