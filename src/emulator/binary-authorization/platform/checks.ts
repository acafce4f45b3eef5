// SPDX-License-Identifier: Apache-2.0
// What each check finds for one image. What cannot be known here is an error, as at Google: never a silent yes.
import type { ImageStore } from '../../artifact-registry/state.js';
import { parseRegistryHost } from '../../artifact-registry/registry-hosts.js';
import type { Occurrence } from '../../container-analysis/state.js';
import { decodeBytes, isObject, listMember, stringMember } from '../../wire.js';
import type { World } from '../../world.js';
import { payloadFlaw } from '../validate.js';
import { flawOf } from '../verify.js';
import type { AttestorKey } from '../public-keys.js';
import { isInDirectory, parseImageUri } from './images.js';
import { SEVERITY_LIMITS, type Question, type VulnerabilityQuestion } from './parse-checks.js';

/** Where checks look things up. */
export interface Evidence {
  readonly world: World;
  /** The occurrences that a listing of a project, `projects/P`, shows now. */
  occurrencesIn(project: string): readonly Occurrence[];
  readonly images: ImageStore;
}

export type Verdict = 'CONFORMANT' | 'NON_CONFORMANT' | 'ERROR';

/** A check's answer. */
export interface Finding {
  readonly verdict: Verdict;
  readonly explanation: string;
}

/** The project of the policy, by id: as its service agent the occurrences are read. */
export interface Asker {
  readonly project: string;
  readonly evidence: Evidence;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const SEVERITIES = ['SEVERITY_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
/** The DSSE type that gcloud signs with; it is stored nowhere, so no other can be guessed. */
const DSSE_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

const yes = (explanation: string): Finding => ({ verdict: 'CONFORMANT', explanation });
const no = (explanation: string): Finding => ({ verdict: 'NON_CONFORMANT', explanation });
const failure = (explanation: string): Finding => ({ verdict: 'ERROR', explanation });

/** Asks one question about one image. */
export function answer(question: Question, image: string, asker: Asker): Finding | Promise<Finding> {
  switch (question.type) {
    case 'AlwaysDenyCheck':
      return no('Denied by always_deny check');
    case 'SimpleSigningAttestationCheck':
      return simpleSigning(question, image, asker);
    case 'TrustedDirectoryCheck':
      return isInDirectory(question.patterns, image)
        ? yes('Image is in a trusted directory')
        : no(`Image is in none of the trusted directories ${question.patterns.join(', ')}`);
    case 'ImageFreshnessCheck':
      return freshness(question.days, image, asker.evidence);
    case 'VulnerabilityCheck':
      return vulnerabilities(question, image, asker);
    case 'SlsaCheck':
    case 'SigstoreSignatureCheck':
      return failure(`The emulator cannot evaluate a ${question.type}`);
  }
}

async function simpleSigning(
  { keys, projects }: Extract<Question, { type: 'SimpleSigningAttestationCheck' }>,
  image: string,
  asker: Asker,
): Promise<Finding> {
  const digest = digestOf(image);
  if (digest === undefined) return no('Expected digest with sha256 scheme, but got tag or malformed digest');
  const { found, unreadable } = lookUp(projects, digest, asker);
  const flaws: string[] = [];
  for (const occurrence of found.filter(({ kind }) => kind === 'ATTESTATION')) {
    const flaw = await attestationFlaw(occurrence, digest, { keys, now: asker.evidence.world.clock.now() });
    if (flaw === undefined) return yes(`Attestation ${occurrence.name} verified`);
    flaws.push(`${occurrence.name}: ${flaw}`);
  }
  if (unreadable.length > 0) return failure(unreadable.join('; '));
  const details = flaws.length > 0 ? flaws.join('; ') : `nothing for ${digest} in ${projects.join(', ') || 'no project'}`;
  return no(`No attestations found that were valid and signed by a key trusted by the check (${details})`);
}

/** The occurrences about a digest, whatever their note, and the projects that the policy's agent may not list. */
function lookUp(projects: readonly string[], digest: string, { project, evidence }: Asker): { found: Occurrence[]; unreadable: string[] } {
  const { world } = evidence;
  const agent = `service-${world.projectNumber(project)}@gcp-sa-binaryauthorization.iam.gserviceaccount.com`;
  const permission = 'containeranalysis.occurrences.list';
  // In its own project the agent has its role from the start.
  const isReadable = (name: string): boolean => name === `projects/${project}` || world.iam.allows(agent, permission, name);
  const readable = projects.filter(isReadable);
  return {
    found: readable.flatMap((name) => evidence.occurrencesIn(name)).filter(({ resourceUri }) => resourceUri.endsWith(`@${digest}`)),
    unreadable: projects.filter((name) => !isReadable(name)).map((name) => `${agent} lacks the permission ${permission} on ${name}`),
  };
}

async function attestationFlaw(
  { details }: Occurrence,
  digest: string,
  { keys, now }: { readonly keys: readonly AttestorKey[]; readonly now: number },
): Promise<string | undefined> {
  const payload = decodeBytes(details['serializedPayload'], 'serialized_payload');
  const flaw = payloadFlaw(payload, digest);
  if (flaw !== undefined) return flaw;
  // A signature is checked with the key that it names, over the payload as it is and over its DSSE form.
  const attempts = listMember(details, 'signatures')
    .filter(isObject)
    .flatMap((entry) => keys.filter(({ id }) => id === stringMember(entry, 'publicKeyId')).map((key) => ({ key, entry })))
    .flatMap(({ key, entry }) => [payload, preAuthenticationEncoding(payload)].map((signed) => ({ key, entry, signed })));
  for (const { key, entry, signed } of attempts) {
    if ((await flawOf(key, signed, decodeBytes(entry['signature'], 'signature'), now)) === undefined) return undefined;
  }
  return 'no signature verifies with a key of the check';
}

/** https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
function preAuthenticationEncoding(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(DSSE_TYPE)} ${DSSE_TYPE} ${body.length} `), body]);
}

function freshness(days: number, uri: string, { world, images }: Evidence): Finding {
  const uploaded = uploadTimeOf(uri, images);
  if (uploaded === undefined) return failure('The upload time of the image is not known: it is in no repository of Artifact Registry');
  const age = Math.floor((world.clock.now() - uploaded) / DAY_MS);
  const isFresh = world.clock.now() - uploaded <= days * DAY_MS;
  return (isFresh ? yes : no)(`Image was uploaded ${age} days ago; at most ${days} are allowed`);
}

function uploadTimeOf(uri: string, images: ImageStore): number | undefined {
  const { name, tag, digest } = parseImageUri(uri);
  const [host = '', project = '', ...rest] = name.split('/');
  const registry = parseRegistryHost(host);
  if (!registry) return undefined;
  const [repository = '', ...path] = registry.repository === undefined ? rest : [registry.repository, ...rest];
  const found = images.find({ project, location: registry.location, repository })?.images.get(path.join('/'));
  return found?.manifest(digest ?? tag ?? 'latest')?.uploadTime;
}

function vulnerabilities(question: VulnerabilityQuestion, image: string, asker: Asker): Finding {
  const digest = digestOf(image);
  if (digest === undefined) return failure('No vulnerability scan can be found for an image without a digest');
  const projects = question.projects.length > 0 ? question.projects : [`projects/${asker.project}`];
  const { found, unreadable } = lookUp(projects, digest, asker);
  const isScanned = found.some(({ kind, details }) => kind === 'DISCOVERY' && details['analysisStatus'] === 'FINISHED_SUCCESS');
  if (!isScanned) return failure([`No valid vulnerability scan was found for ${digest}`, ...unreadable].join('; '));
  const violations = found.filter((occurrence) => occurrence.kind === 'VULNERABILITY' && violates(occurrence, question));
  if (violations.length === 0) return yes('No vulnerability violates the check');
  return no(`Vulnerabilities violate the check: ${violations.map(({ noteName }) => noteName).join(', ')}`);
}

function violates({ noteName, details }: Occurrence, { blocked, allowed, fixable, unfixable }: VulnerabilityQuestion): boolean {
  const cve = noteName.slice(noteName.lastIndexOf('/') + 1);
  if (blocked.includes(cve)) return true;
  if (allowed.includes(cve)) return false;
  const limit = details['fixAvailable'] === true ? fixable : unfixable;
  if (SEVERITY_LIMITS[limit] === 'ALLOW_ALL') return false;
  const severity = SEVERITIES.indexOf(stringMember(details, 'effectiveSeverity') || stringMember(details, 'severity'));
  return severity <= 0 || severity > limit;
}

function digestOf(image: string): string | undefined {
  const { digest } = parseImageUri(image);
  return digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}
