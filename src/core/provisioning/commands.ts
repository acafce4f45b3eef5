// SPDX-License-Identifier: Apache-2.0
// What a person would type instead: gcloud, and curl where gcloud has no command.
import { idOf, projectOf, type AttestorName, type KeyName, type KeyVersionName, type NoteName, type ProjectId } from '../names.js';
import { SERVICES, type NewLogMetric, type NewNote } from './desired.js';
import { shellLine } from './gcloud.js';
import type { Grant } from './grants.js';

const ANALYSIS = 'https://containeranalysis.googleapis.com/v1';

/** Switches APIs on. */
export function enableServices(project: ProjectId, services: readonly string[]): string {
  return shellLine(['gcloud', 'services', 'enable', ...services, `--project=${project}`]);
}

/** Makes a note; gcloud has no command for notes. */
export function createNote(note: NoteName, { humanReadableName }: NewNote): string {
  const url = `${ANALYSIS}/projects/${projectOf(note)}/notes?noteId=${idOf(note)}`;
  return curl(url, shellLine(['-d', JSON.stringify({ attestation: { hint: { humanReadableName } } })]));
}

/** Makes a key ring. */
export function createKeyRing(name: string): string {
  const { project, location, ring } = partsOfKey(name);
  return shellLine(['gcloud', 'kms', 'keyrings', 'create', ring, `--location=${location}`, `--project=${project}`]);
}

/** Makes a key that signs. */
export function createKey(key: KeyName, algorithm: string): string {
  const words = [...keyWords('create', key), '--purpose=asymmetric-signing', `--default-algorithm=${gcloudName(algorithm)}`];
  return shellLine(words);
}

/** Makes an attestor, which trusts nothing yet. */
export function createAttestor(attestor: AttestorName, note: NoteName): string {
  return shellLine([
    ...['gcloud', 'container', 'binauthz', 'attestors', 'create', idOf(attestor), `--project=${projectOf(attestor)}`],
    `--attestation-authority-note=${idOf(note)}`,
    `--attestation-authority-note-project=${projectOf(note)}`,
  ]);
}

/** Has an attestor trust a Cloud KMS key version, under the id that everybody expects. */
export function addKmsKey(attestor: AttestorName, version: KeyVersionName): string {
  const { project, location, ring, key, version: number } = partsOfKey(version);
  return shellLine([
    ...addKeyWords(attestor),
    ...[`--keyversion-project=${project}`, `--keyversion-location=${location}`, `--keyversion-keyring=${ring}`],
    ...[`--keyversion-key=${key}`, `--keyversion=${number}`, `--public-key-id-override=//cloudkms.googleapis.com/v1/${version}`],
  ]);
}

/** Has an attestor trust the PGP key in a file. */
export function addPgpKey(attestor: AttestorName, file: string): string {
  return shellLine([...addKeyWords(attestor), `--pgp-public-key-file=${file}`]);
}

/** The shell's words for the account as which an attestor reads its note: nothing but the attestor itself tells it. */
export function agentOfAttestor(attestor: AttestorName): string {
  const describe = ['gcloud', 'container', 'binauthz', 'attestors', 'describe', idOf(attestor), `--project=${projectOf(attestor)}`];
  return `serviceAccount:$(${shellLine([...describe, '--format=value(userOwnedGrafeasNote.delegationServiceAccountEmail)'])})`;
}

/** The shell's words for the account as which a project's Binary Authorization asks attestors of other projects. */
export function agentOfProject(project: ProjectId): string {
  const describe = ['gcloud', 'projects', 'describe', project, '--format=value(projectNumber)'];
  return `serviceAccount:${agentAddress(`$(${shellLine(describe)})`)}`;
}

/** The address of the account as which a project's Binary Authorization acts (Google's guide to multi-project set-ups). */
export function agentAddress(projectNumber: string): string {
  return `service-${projectNumber}@gcp-sa-binaryauthorization.iam.gserviceaccount.com`;
}

/** Has Google make that account, where it never acted before. */
export function makeAgent(project: ProjectId): string {
  return shellLine([
    'gcloud',
    'beta',
    'services',
    'identity',
    'create',
    `--service=${SERVICES.binaryAuthorization}`,
    `--project=${project}`,
  ]);
}

/** Gives members roles on a resource. A member that is not known yet is words of the shell, in `$(…)`. */
export function grantRoles(resource: string, grants: readonly Grant[]): string {
  if (/\/notes\/[^/]+$/.test(resource)) return grantOnNote(resource, grants);
  return grants.map(({ role, member }) => `${shellLine(bindingWords(resource))} --member=${wordOf(member)} --role=${role}`).join('\n');
}

/** Replaces a project's policy; the document's etag keeps it from replacing what somebody else wrote meanwhile. */
export function importPolicy(project: ProjectId, document: object): string {
  const file = 'binauthz-policy.json';
  return [
    `${shellLine(['printf', '%s\\n', JSON.stringify(document, undefined, 2)])} > ${file}`,
    shellLine(['gcloud', 'container', 'binauthz', 'policy', 'import', file, `--project=${project}`]),
  ].join('\n');
}

/** Makes a log-based metric. */
export function createMetric(name: string, { description, filter }: NewLogMetric): string {
  const words = ['gcloud', 'logging', 'metrics', 'create', idOf(name), `--project=${name.split('/')[1] ?? ''}`];
  return shellLine([...words, `--description=${description}`, `--log-filter=${filter}`]);
}

/** Deletes a log-based metric. */
export function deleteMetric(name: string): string {
  return shellLine(['gcloud', 'logging', 'metrics', 'delete', idOf(name), `--project=${name.split('/')[1] ?? ''}`]);
}

/** Makes an alert policy out of its document. */
export function createAlert(project: ProjectId, document: object): string {
  return shellLine(['gcloud', 'alpha', 'monitoring', 'policies', 'create', `--project=${project}`, `--policy=${JSON.stringify(document)}`]);
}

/** Has an alert policy tell more channels. */
export function addChannels(name: string, channels: readonly string[]): string {
  return shellLine(['gcloud', 'alpha', 'monitoring', 'policies', 'update', name, `--add-notification-channels=${channels.join(',')}`]);
}

// Reads, adds and writes with the etag that was read, so that nobody's binding is lost.
function grantOnNote(note: string, grants: readonly Grant[]): string {
  const members = [...new Set(grants.map(({ member }) => member))];
  const bindings = grants.map(({ role, member }) => `{role: ${JSON.stringify(role)}, members: [$member${members.indexOf(member)}]}`);
  const arguments_ = members.map((member, index) => `--arg member${index} ${wordOf(member)}`).join(' ');
  const url = `${ANALYSIS}/${note}`;
  const pipeline = [
    curl(`${url}:getIamPolicy`, shellLine(['-d', '{"options": {"requestedPolicyVersion": 3}}'])),
    `jq ${arguments_} '{policy: (.bindings += [${bindings.join(', ')}] | .version = 3)}'`,
    curl(`${url}:setIamPolicy`, '-d @-'),
  ];
  return pipeline.join(' \\\n  | ');
}

// Only the words above hold a command with its spaces; a principal has none, and whatever else it holds is no command.
function wordOf(member: string): string {
  return member.includes('$(gcloud ') ? `"${member}"` : shellLine([member]);
}

function curl(url: string, rest: string): string {
  const headers = `-H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json'`;
  return `curl -sS --fail-with-body -X POST ${headers} ${rest} ${shellLine([url])}`;
}

function bindingWords(resource: string): readonly string[] {
  const [, project = '', kind, id = '', , repository = ''] = resource.split('/');
  const add = 'add-iam-policy-binding';
  // Where any binding has a condition, gcloud adds no other before it was told that this one has none.
  const plain = '--condition=None';
  if (kind === undefined) return ['gcloud', 'projects', add, project, plain];
  if (kind === 'attestors') return ['gcloud', 'container', 'binauthz', 'attestors', add, id, `--project=${project}`, plain];
  if (kind === 'policy') return ['gcloud', 'container', 'binauthz', 'policy', add, `--project=${project}`, plain];
  if (resource.includes('/repositories/'))
    return ['gcloud', 'artifacts', 'repositories', add, repository, `--location=${id}`, `--project=${project}`, plain];
  return [...keyWords(add, resource), plain];
}

function keyWords(verb: string, key: string): readonly string[] {
  const { project, location, ring, key: id } = partsOfKey(key);
  return ['gcloud', 'kms', 'keys', verb, id, `--keyring=${ring}`, `--location=${location}`, `--project=${project}`];
}

function addKeyWords(attestor: AttestorName): readonly string[] {
  const words = ['gcloud', 'container', 'binauthz', 'attestors', 'public-keys', 'add', `--attestor=${idOf(attestor)}`];
  return [...words, `--project=${projectOf(attestor)}`];
}

function partsOfKey(name: string): Readonly<Record<'project' | 'location' | 'ring' | 'key' | 'version', string>> {
  const [, project = '', , location = '', , ring = '', , key = '', , version = ''] = name.split('/');
  return { project, location, ring, key, version };
}

// EC_SIGN_P256_SHA256 is ec-sign-p256-sha256 to gcloud.
function gcloudName(algorithm: string): string {
  return algorithm.toLowerCase().replaceAll('_', '-');
}
