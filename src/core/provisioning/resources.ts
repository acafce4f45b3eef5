// SPDX-License-Identifier: Apache-2.0
// Desired and found → what has to be done, for each kind of resource but policies.
import type { Attestor } from '../attestation/attestor.js';
import { BinauthzError } from '../errors.js';
import { idOf, projectOf, type AttestorName, type KeyName, type KeyVersionName, type NoteName, type ProjectId } from '../names.js';
import { isSameKey, isTrustedAs, publicKeyOf, type AttestorKey } from '../signing/public-key.js';
import * as commands from './commands.js';
import type { Decision } from './decision.js';
import {
  isDeployedElsewhere,
  NEW_KEY_ALGORITHM,
  type Desired,
  type KeyRingName,
  type NewAttestor,
  type NewKey,
  type NewNote,
} from './desired.js';
import { missingGrants, type Grant, type IamPolicy } from './grants.js';

/** APIs that are off are switched on. */
export function decideServices(project: ProjectId, wanted: readonly string[], off: readonly string[]): Decision<readonly string[]> {
  if (off.length === 0) return { action: 'none', summary: `${wanted.join(', ')}: on` };
  return { action: 'update', summary: `switch on ${off.join(', ')}`, gcloud: commands.enableServices(project, off), write: off };
}

/** A note is made; one of another kind can be none of an attestor’s. */
export function decideNote(note: NoteName, found: { readonly isAttestation: boolean } | undefined): Decision<NewNote> {
  if (found?.isAttestation) return { action: 'none', summary: 'the note exists' };
  if (found) {
    throw new BinauthzError('RESOURCE_MISMATCH', `cannot use the note ${note}: expected a note for attestations, got one of another kind`, {
      resource: note,
      hint: 'name another note with --note: what kind a note is cannot be changed',
    });
  }
  const write = { humanReadableName: idOf(note) };
  return { action: 'create', summary: 'make the note that attestations hang on', gcloud: commands.createNote(note, write), write };
}

/** A key ring is made. */
export function decideKeyRing(ring: KeyRingName, found: object | undefined): Decision<object> {
  if (found) return { action: 'none', summary: 'the key ring exists' };
  return { action: 'create', summary: 'make the key ring, which can never be deleted', gcloud: commands.createKeyRing(ring), write: {} };
}

/** A key is made. */
export function decideKey(key: KeyName, found: object | undefined): Decision<NewKey> {
  if (found) return { action: 'none', summary: 'the key exists and can sign' };
  const write = { algorithm: NEW_KEY_ALGORITHM };
  return {
    action: 'create',
    summary: `make a key that signs with ${write.algorithm}`,
    gcloud: commands.createKey(key, write.algorithm),
    write,
  };
}

/** What is to be written of an attestor: all of it, or one more key. */
export type AttestorWrite =
  { readonly kind: 'create'; readonly attestor: NewAttestor } | { readonly kind: 'key'; readonly key: AttestorKey };

/**
 * An attestor is made, or made to trust the key; where it trusts any of the key’s versions that can sign, it is left alone,
 * because moving on to another one is a rotation. `entries`: the newest first; none while the key is not made yet.
 */
export function decideAttestor(
  desired: Desired,
  entries: readonly AttestorKey[],
  found: Attestor | undefined,
): Decision<() => AttestorWrite> {
  const { attestor, note } = desired;
  const trust = trustCommand(desired, entries[0]);
  const key = (): AttestorKey => newest(desired, entries);
  if (!found) {
    return {
      action: 'create',
      summary: `make the attestor on ${note}, trusting ${keyName(desired, entries[0])}`,
      gcloud: `${commands.createAttestor(attestor, note)}\n${trust}`,
      write: () => ({ kind: 'create', attestor: { note, key: key() } }),
    };
  }
  if (found.note !== note) throw otherNote(attestor, note, found.note);
  const warnings = strangeKeyWarnings(desired, entries, found);
  if (entries.some((entry) => isListed(entry, found)))
    return { action: 'none', summary: 'the attestor exists and trusts the key', warnings };
  const summary = `have the attestor trust ${keyName(desired, entries[0])} as well`;
  return { action: 'update', summary, gcloud: trust, write: () => ({ kind: 'key', key: key() }), warnings };
}

// Whoever made the attestor may have made it trust a key of theirs.
function strangeKeyWarnings({ attestor, key }: Desired, entries: readonly AttestorKey[], { keys }: Attestor): readonly string[] {
  const own = entries.map(publicKeyOf);
  const others = keys.filter((listed) => !own.some((entry) => entry !== undefined && isSameKey(entry, listed)));
  if (others.length === 0) return [];
  const given = key.kind === 'kms' ? key.key : key.file;
  return [
    `${attestor} also trusts ${others.map(({ id }) => id).join(' and ')}, which ${others.length === 1 ? 'is no key' : 'are no keys'} of ${given}: ` +
      `whoever holds ${others.length === 1 ? 'it' : 'them'} can attest as well`,
  ];
}

/** The other attestors that trust a key which this one is to trust: two of them are then no two approvals. */
export function sharedKeyWarnings(name: AttestorName, entries: readonly AttestorKey[], all: readonly Attestor[]): readonly string[] {
  return entries.flatMap((entry) => {
    const others = all.filter((other) => other.name !== name && isListed(entry, other)).map((other) => other.name);
    if (others.length === 0) return [];
    return [`the key ${entry.id} is trusted by ${others.join(' and ')} as well: who holds it satisfies all of them at once`];
  });
}

/** Who needs which role where: by the full name of the resource whose IAM policy it is in. */
export interface GrantsOn {
  readonly resource: string;
  readonly why: string;
  readonly grants: readonly Grant[];
  /** The member that is Google’s own account for a project: it may have to be made first. */
  readonly agent?: { readonly member: string; readonly project: ProjectId };
}

/** What the account as which an attestor reads its note, and signers, need. `agent` is words of the shell while it is not known. */
export function grantsFor(desired: Desired, agents: { readonly attestor: string; readonly deployer: string }): readonly GrantsOn[] {
  const { project, attestor, note, key, attestationProject, signers } = desired;
  const toSigners = (...roles: readonly string[]): readonly Grant[] => signers.flatMap((member) => roles.map((role) => ({ role, member })));
  const verify = 'roles/binaryauthorization.attestorsVerifier';
  const view = 'roles/containeranalysis.notes.occurrences.viewer';
  const all: readonly GrantsOn[] = [
    {
      resource: note,
      why: 'let the attestor’s own account read the note’s attestations, and signers attach and list them',
      grants: [{ role: view, member: agents.attestor }, ...toSigners('roles/containeranalysis.notes.attacher', view)],
      agent: { member: agents.attestor, project: projectOf(attestor) },
    },
    {
      resource: key.kind === 'kms' ? key.key : '',
      why: 'let signers sign with the key, and list its versions',
      grants: key.kind === 'kms' ? toSigners('roles/cloudkms.signerVerifier', 'roles/cloudkms.viewer') : [],
    },
    {
      resource: attestor,
      why: 'let signers read and verify with the attestor',
      grants: [...toSigners(verify), ...(isDeployedElsewhere(desired) ? [{ role: verify, member: agents.deployer }] : [])],
      ...(isDeployedElsewhere(desired) ? { agent: { member: agents.deployer, project } } : {}),
    },
    {
      resource: `projects/${attestationProject}`,
      why: 'let signers store attestations',
      grants: toSigners('roles/containeranalysis.occurrences.editor'),
    },
    {
      resource: `projects/${project}/policy`,
      why: 'let signers read the policy',
      grants: toSigners('roles/binaryauthorization.policyViewer'),
    },
  ];
  return all.filter(({ grants }) => grants.length > 0);
}

/** Grants that are missing are added; nobody’s are taken away. */
export function decideGrants({ resource, why, grants, agent }: GrantsOn, found: IamPolicy | undefined): Decision<readonly Grant[]> {
  const missing = missingGrants(found, grants);
  if (missing.length === 0) return { action: 'none', summary: `${why}: granted` };
  const make = agent !== undefined && missing.some(({ member }) => member === agent.member) ? [commands.makeAgent(agent.project)] : [];
  return {
    action: 'update',
    summary: why,
    details: missing.map(({ role, member }) => `${role} to ${member}`),
    gcloud: [...make, commands.grantRoles(resource, missing)].join('\n'),
    write: missing,
  };
}

function isListed(entry: AttestorKey, attestor: Attestor): boolean {
  const key = publicKeyOf(entry);
  return key !== undefined && attestor.keys.some((listed) => isTrustedAs(key, listed));
}

function newest({ key }: Desired, [entry]: readonly AttestorKey[]): AttestorKey {
  if (entry) return entry;
  const name = key.kind === 'kms' ? key.key : key.file;
  throw new BinauthzError('KEY_NOT_FOUND', `cannot use ${name}: it has no version that could sign`, { resource: name });
}

function keyName({ key }: Desired, entry: AttestorKey | undefined): string {
  if (key.kind === 'pgp') return `the PGP key ${key.fingerprint}`;
  return entry === undefined ? `version 1 of ${key.key}` : entry.id.replace('//cloudkms.googleapis.com/v1/', '');
}

function trustCommand({ attestor, key }: Desired, entry: AttestorKey | undefined): string {
  if (key.kind === 'pgp') return commands.addPgpKey(attestor, key.file);
  const version = entry?.id.replace('//cloudkms.googleapis.com/v1/', '') ?? `${key.key}/cryptoKeyVersions/1`;
  return commands.addKmsKey(attestor, version as KeyVersionName);
}

function otherNote(attestor: AttestorName, expected: NoteName, got: NoteName): BinauthzError {
  return new BinauthzError('RESOURCE_MISMATCH', `cannot use the attestor ${attestor}: expected the note ${expected}, got ${got}`, {
    resource: attestor,
    hint: `an attestor’s note cannot be changed: give --note ${got}, or another attestor (this one is in project ${projectOf(attestor)})`,
  });
}
