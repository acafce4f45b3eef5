// SPDX-License-Identifier: Apache-2.0
// The checks of a GKE platform policy as the API accepts them: from gcloud 528's messages, since no proto is published.
import {
  ApiError,
  booleanMember,
  enumMember,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  stringMember,
  stringsMember,
  type JsonObject,
} from '../../wire.js';
import { parseKey, type AttestorKey } from '../public-keys.js';
import { requireAllowPattern, requireDirectoryPattern } from './images.js';

/** What a check asks of an image. The types are named as in evaluation results. */
export type Question =
  | { readonly type: 'AlwaysDenyCheck' | 'SlsaCheck' | 'SigstoreSignatureCheck' }
  | { readonly type: 'SimpleSigningAttestationCheck'; readonly keys: readonly AttestorKey[]; readonly projects: readonly string[] }
  | { readonly type: 'TrustedDirectoryCheck'; readonly patterns: readonly string[] }
  | { readonly type: 'ImageFreshnessCheck'; readonly days: number }
  | VulnerabilityQuestion;

/** The thresholds are positions in SEVERITY_LIMITS. */
export interface VulnerabilityQuestion {
  readonly type: 'VulnerabilityCheck';
  readonly fixable: number;
  readonly unfixable: number;
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  readonly projects: readonly string[];
}

/** One check of a check set. */
export interface Check {
  readonly displayName: string;
  readonly allowlist: readonly string[];
  readonly question: Question;
}

/** Each limit admits its severity and those below it. */
export const SEVERITY_LIMITS = ['BLOCK_ALL', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'ALLOW_ALL'];

type Parser = (check: JsonObject, at: string) => Question | Promise<Question>;

const PARSERS: Readonly<Record<string, Parser>> = {
  simpleSigningAttestationCheck: parseSimpleSigning,
  trustedDirectoryCheck: parseTrustedDirectory,
  imageFreshnessCheck: parseFreshness,
  vulnerabilityCheck: parseVulnerability,
  slsaCheck: parseSlsa,
  sigstoreSignatureCheck: parseSigstore,
};
const PROJECTS_LIMIT = 10;

/** Reads one check; INVALID_ARGUMENT for what the API refuses. */
export async function parseCheck(value: unknown, at: string): Promise<Check> {
  const check = objectAt(value, at);
  refuseUnknown(check, ['displayName', 'imageAllowlist', 'alwaysDeny', ...Object.keys(PARSERS)], at);
  const kinds = ['alwaysDeny', ...Object.keys(PARSERS)].filter((kind) => check[kind] !== undefined && check[kind] !== null);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) throw new ApiError('INVALID_ARGUMENT', `${at}: exactly one kind of check must be set.`);
  return {
    displayName: stringMember(check, 'displayName'),
    allowlist: parseAllowlist(check, at),
    question: await parseQuestion(check, kind, at),
  };
}

/** The patterns of an object's `imageAllowlist`. */
export function parseAllowlist(holder: JsonObject, at: string): readonly string[] {
  const allowlist = objectMember(holder, 'imageAllowlist');
  refuseUnknown(allowlist, ['allowPattern'], `${at}.image_allowlist`);
  const patterns = stringsMember(allowlist, 'allowPattern');
  for (const pattern of patterns) requireAllowPattern(pattern, `${at}.image_allowlist.allow_pattern`);
  if (isObject(holder['imageAllowlist']) && patterns.length === 0)
    throw new ApiError('INVALID_ARGUMENT', `${at}.image_allowlist.allow_pattern: at least one pattern is required.`);
  return patterns;
}

function parseQuestion(check: JsonObject, kind: string, at: string): Question | Promise<Question> {
  const parser = PARSERS[kind];
  if (parser) return parser(objectAt(check[kind], `${at}.${kind}`), `${at}.${kind}`);
  if (!booleanMember(check, kind)) throw new ApiError('INVALID_ARGUMENT', `${at}.always_deny can only be true.`);
  return { type: 'AlwaysDenyCheck' };
}

async function parseSimpleSigning(check: JsonObject, at: string): Promise<Question> {
  refuseUnknown(check, ['attestationAuthenticators', 'containerAnalysisAttestationProjects'], at);
  const keys = atLeastOne(check, 'attestationAuthenticators', at).flatMap((authenticator, index) => {
    const where = `${at}.attestation_authenticators[${index}]`;
    const entry = objectAt(authenticator, where);
    refuseUnknown(entry, ['displayName', 'pkixPublicKeySet'], where);
    const set = objectMember(entry, 'pkixPublicKeySet');
    refuseUnknown(set, ['pkixPublicKeys'], `${where}.pkix_public_key_set`);
    // A key stands alone here: without an id it is known by the digest of its DER.
    return atLeastOne(set, 'pkixPublicKeys', `${where}.pkix_public_key_set`).map((pkixPublicKey, position) =>
      parseKey({ pkixPublicKey }, `${where}.pkix_public_key_set.pkix_public_keys[${position}]`),
    );
  });
  const projects = parseProjects(check, 'containerAnalysisAttestationProjects', at);
  return { type: 'SimpleSigningAttestationCheck', keys: await Promise.all(keys), projects };
}

function parseTrustedDirectory(check: JsonObject, at: string): Question {
  refuseUnknown(check, ['trustedDirPatterns'], at);
  atLeastOne(check, 'trustedDirPatterns', at);
  const patterns = stringsMember(check, 'trustedDirPatterns');
  for (const pattern of patterns) requireDirectoryPattern(pattern, `${at}.trusted_dir_patterns`);
  return { type: 'TrustedDirectoryCheck', patterns };
}

function parseFreshness(check: JsonObject, at: string): Question {
  refuseUnknown(check, ['maxUploadAgeDays'], at);
  const days = Number(check['maxUploadAgeDays'] ?? 0);
  if (!Number.isInteger(days) || days <= 0) throw new ApiError('INVALID_ARGUMENT', `${at}.max_upload_age_days must be greater than zero.`);
  return { type: 'ImageFreshnessCheck', days };
}

function parseVulnerability(check: JsonObject, at: string): Question {
  const limits = ['maximumFixableSeverity', 'maximumUnfixableSeverity'] as const;
  refuseUnknown(check, [...limits, 'allowedCves', 'blockedCves', 'containerAnalysisVulnerabilityProjects'], at);
  const numbers = new Map(SEVERITY_LIMITS.map((name, index) => [name, index + 1]));
  const [fixable = -1, unfixable = -1] = limits.map((limit) =>
    SEVERITY_LIMITS.indexOf(enumMember(check[limit], numbers, `${at}.${limit}`)),
  );
  if (fixable < 0 || unfixable < 0) throw new ApiError('INVALID_ARGUMENT', `${at}: ${limits.join(' and ')} must be specified.`);
  return {
    type: 'VulnerabilityCheck',
    fixable,
    unfixable,
    allowed: stringsMember(check, 'allowedCves'),
    blocked: stringsMember(check, 'blockedCves'),
    projects: parseProjects(check, 'containerAnalysisVulnerabilityProjects', at),
  };
}

function parseSlsa(check: JsonObject, at: string): Question {
  refuseUnknown(check, ['rules'], at);
  for (const [index, value] of atLeastOne(check, 'rules', at).entries()) {
    const where = `${at}.rules[${index}]`;
    const rule = objectAt(value, where);
    const members = ['trustedBuilder', 'attestationSource', 'configBasedBuildRequired', 'customConstraints', 'trustedSourceRepoPatterns'];
    refuseUnknown(rule, members, where);
    if (enumMember(rule['trustedBuilder'], new Map([['GOOGLE_CLOUD_BUILD', 1]]), `${where}.trusted_builder`) === '')
      throw new ApiError('INVALID_ARGUMENT', `${where}.trusted_builder must be specified.`);
    const source = objectMember(rule, 'attestationSource');
    refuseUnknown(source, ['containerAnalysisAttestationProjects'], `${where}.attestation_source`);
    parseProjects(source, 'containerAnalysisAttestationProjects', `${where}.attestation_source`);
  }
  return { type: 'SlsaCheck' };
}

function parseSigstore(check: JsonObject, at: string): Question {
  refuseUnknown(check, ['sigstoreAuthorities'], at);
  for (const [index, value] of atLeastOne(check, 'sigstoreAuthorities', at).entries()) {
    const where = `${at}.sigstore_authorities[${index}]`;
    const authority = objectAt(value, where);
    refuseUnknown(authority, ['displayName', 'publicKeySet'], where);
    atLeastOne(objectMember(authority, 'publicKeySet'), 'publicKeys', `${where}.public_key_set`);
  }
  return { type: 'SigstoreSignatureCheck' };
}

function parseProjects(holder: JsonObject, member: string, at: string): readonly string[] {
  const projects = stringsMember(holder, member);
  if (projects.length > PROJECTS_LIMIT)
    throw new ApiError('INVALID_ARGUMENT', `${at}.${member}: at most ${PROJECTS_LIMIT} projects may be named.`);
  const wrong = projects.find((project) => !/^projects\/(?!\d+$)[^/]+$/.test(project));
  if (wrong !== undefined) throw new ApiError('INVALID_ARGUMENT', `${at}.${member}: "${wrong}" is not of the form projects/PROJECT_ID.`);
  return projects;
}

function atLeastOne(holder: JsonObject, member: string, at: string): readonly unknown[] {
  const items = listMember(holder, member);
  if (items.length === 0) throw new ApiError('INVALID_ARGUMENT', `${at}.${member}: at least one is required.`);
  return items;
}

function objectAt(value: unknown, at: string): JsonObject {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  return value;
}
