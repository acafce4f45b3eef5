// SPDX-License-Identifier: Apache-2.0
// What setup makes, kind by kind: each is read as it is now, and changed with one write.
import type { Attestor } from '../core/attestation/attestor.js';
import type { AttestorName, KeyName, NoteName, ProjectId } from '../core/names.js';
import type { KeyRingName, NewAttestor, NewKey, NewLogMetric, NewNote, PolicyDocument } from '../core/provisioning/desired.js';
import type { IamPolicy } from '../core/provisioning/grants.js';
import type { AlertWrite, FoundAlert } from '../core/provisioning/monitoring.js';
import type { AttestorKey } from '../core/signing/public-key.js';

/** A kind of resource. Both calls: PERMISSION_DENIED, UNAVAILABLE, and what the kind says. */
export interface Provisioner<Name, Found, Write> {
  /** The resource as it is now; undefined where there is none. */
  read(name: Name): Promise<Found | undefined>;
  /** Makes it so. What exists already counts as made: who needs to know reads it afterwards. */
  write(name: Name, write: Write): Promise<void>;
}

/** Google's APIs in a project: found are those of `services` that are switched off, written are those to switch on. */
export interface ServiceSwitches {
  switchedOff(project: ProjectId, services: readonly string[]): Promise<readonly string[]>;
  /** Ends once the APIs are on as far as Service Usage knows; they may refuse calls for another minute. CHANGE_REFUSED, as without a billing account. */
  switchOn(project: ProjectId, services: readonly string[]): Promise<void>;
  /** Has Google make the account as which a service acts for a project. */
  makeAgent(project: ProjectId, service: string): Promise<void>;
}

/** IAM policies of notes, attestors, keys, projects and project policies, by the full name of each. */
export interface IamPolicies {
  /** Undefined where the resource does not exist. */
  read(resource: string): Promise<IamPolicy | undefined>;
  /** Replaces the policy that has this etag. CHANGED_MEANWHILE where it has another one by now, PRINCIPAL_NOT_FOUND, CHANGE_REFUSED. */
  write(resource: string, policy: IamPolicy): Promise<void>;
}

/** The enabled versions of Cloud KMS keys as attestors list them, under the ids that gcloud gives them; the newest first. */
export interface KeyEntries {
  /** KEY_NOT_FOUND, KEY_UNUSABLE where there is none or the key is for another purpose, KEY_ALGORITHM_UNSUPPORTED. */
  enabled(key: KeyName): Promise<readonly [AttestorKey, ...AttestorKey[]]>;
}

/** A project's policy for Binary Authorization. */
export interface PolicyStore {
  /** The document as the API answers it; one that was never set has no `updateTime`. */
  read(project: ProjectId): Promise<PolicyDocument>;
  /** Replaces the policy that has the document's etag. CHANGED_MEANWHILE, CHANGE_REFUSED where the API refuses the document. */
  write(project: ProjectId, document: PolicyDocument): Promise<void>;
}

/** A project's number. */
export interface ProjectNumbers {
  numberOf(project: ProjectId): Promise<string>;
}

/** Everything that setup reads and writes. */
export interface Provisioning {
  readonly services: ServiceSwitches;
  readonly projects: ProjectNumbers;
  readonly notes: Provisioner<NoteName, { readonly isAttestation: boolean }, NewNote>;
  readonly keyRings: Provisioner<KeyRingName, object, object>;
  readonly keys: Provisioner<KeyName, object, NewKey>;
  readonly entries: KeyEntries;
  readonly attestors: Provisioner<AttestorName, Attestor, NewAttestor>;
  readonly iam: IamPolicies;
  readonly policies: PolicyStore;
  readonly metrics: Provisioner<string, NewLogMetric, NewLogMetric>;
  readonly alerts: AlertPolicies;
}

/** Alert policies of Cloud Monitoring, and the channels that they tell. */
export interface AlertPolicies {
  /** The alert policy with this display name. */
  read(project: ProjectId, displayName: string): Promise<FoundAlert | undefined>;
  /** NOT_FOUND where a metric has not reached Cloud Monitoring yet. */
  write(project: ProjectId, write: AlertWrite): Promise<void>;
  /** NOT_FOUND where there is no such channel. */
  requireChannel(name: string): Promise<void>;
}
