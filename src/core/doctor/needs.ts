// SPDX-License-Identifier: Apache-2.0
// The permissions that attest and check need, on which resource, and the smallest role that carries each (facts 8).
import type { TargetRef } from '../deployment/target.js';
import type { AttestorName, NoteName, ProjectId } from '../names.js';
import type { Question } from './facts.js';
import type { Eyes } from './findings.js';

/** A permission, the role that carries it, and who needs it; what is only advised is not needed to get on. */
export interface Need {
  readonly permission: string;
  readonly role: string;
  readonly for: readonly Eyes[];
  readonly isAdvice?: true;
  /** What cannot be done without it. */
  readonly why: string;
}

const BOTH: readonly Eyes[] = ['attest', 'check'];
const ATTEST: readonly Eyes[] = ['attest'];
const CHECK: readonly Eyes[] = ['check'];

const ON_ATTESTOR: readonly Need[] = [
  {
    permission: 'binaryauthorization.attestors.get',
    role: 'roles/binaryauthorization.attestorsViewer',
    for: BOTH,
    why: 'read the attestor',
  },
  {
    permission: 'binaryauthorization.attestors.verifyImageAttested',
    role: 'roles/binaryauthorization.attestorsVerifier',
    for: BOTH,
    isAdvice: true,
    why: 'have Google validate attestations; without it the local verification stands alone',
  },
];
const ON_NOTE: readonly Need[] = [
  {
    permission: 'containeranalysis.notes.listOccurrences',
    role: 'roles/containeranalysis.notes.occurrences.viewer',
    for: BOTH,
    why: 'list the attestations of the note',
  },
  {
    permission: 'containeranalysis.notes.attachOccurrence',
    role: 'roles/containeranalysis.notes.attacher',
    for: ATTEST,
    why: 'attach attestations to the note',
  },
];
const ON_ATTESTATION_PROJECT: readonly Need[] = [
  {
    permission: 'containeranalysis.occurrences.create',
    role: 'roles/containeranalysis.occurrences.editor',
    for: ATTEST,
    why: 'store attestations in the project',
  },
];
const ON_POLICY: readonly Need[] = [
  { permission: 'binaryauthorization.policy.get', role: 'roles/binaryauthorization.policyViewer', for: CHECK, why: 'read the policy' },
];
const READ_TARGET: Readonly<Record<TargetRef['kind'], Need>> = {
  cluster: {
    permission: 'container.clusters.get',
    role: 'roles/container.clusterViewer',
    for: BOTH,
    isAdvice: true,
    why: 'read whether the cluster enforces; without it that is taken for granted',
  },
  service: onCloudRun('run.services.get', 'service'),
  job: onCloudRun('run.jobs.get', 'job'),
};
const SIGN: Need = {
  permission: 'cloudkms.cryptoKeyVersions.useToSign',
  role: 'roles/cloudkms.signerVerifier',
  for: ATTEST,
  why: 'sign with the key',
};
const VIEW_PUBLIC_KEY: Need = {
  permission: 'cloudkms.cryptoKeyVersions.viewPublicKey',
  role: 'roles/cloudkms.signerVerifier',
  for: ATTEST,
  why: 'read the public key',
};
const LIST_VERSIONS: Need = {
  permission: 'cloudkms.cryptoKeyVersions.list',
  role: 'roles/cloudkms.viewer',
  for: ATTEST,
  why: 'find the key’s newest enabled version',
};

/** What is needed on a resource. */
export interface NeedsOn {
  readonly resource: string;
  readonly needs: readonly Need[];
}

/** What is needed on an attestor and on its note. */
export function needsOnAttestor(attestor: AttestorName, note: NoteName, eyes: Eyes): readonly NeedsOn[] {
  return [
    { resource: attestor, needs: needed(ON_ATTESTOR, eyes) },
    { resource: note, needs: needed(ON_NOTE, eyes) },
  ];
}

/** What is needed on a given Cloud KMS key; naming no version takes a listing of them. */
export function needsOnKey(key: string, namesVersion: boolean): NeedsOn {
  return { resource: key, needs: namesVersion ? [VIEW_PUBLIC_KEY, SIGN] : [VIEW_PUBLIC_KEY, SIGN, LIST_VERSIONS] };
}

/** What is needed on projects and on the policy. `attestationProjects`: where attestations would be stored. */
export function needsOnProjects(question: Question, attestationProjects: readonly ProjectId[]): readonly NeedsOn[] {
  const { eyes, project } = question;
  const all = [
    { resource: `projects/${project}/policy`, needs: needed(ON_POLICY, eyes) },
    ...attestationProjects.map((owner) => ({ resource: `projects/${owner}`, needs: needed(ON_ATTESTATION_PROJECT, eyes) })),
  ];
  return all.filter(({ needs }) => needs.length > 0);
}

/** What is needed to read the place that was named. */
export function needsOnTarget(project: ProjectId, { kind }: TargetRef): NeedsOn {
  return { resource: `projects/${project}`, needs: [READ_TARGET[kind]] };
}

/** The need that a permission on a kind of resource is; every permission that is tested has one. */
export function needOf(permission: string): Need | undefined {
  const all = [...ON_ATTESTOR, ...ON_NOTE, ...ON_ATTESTATION_PROJECT, ...ON_POLICY];
  return [...all, ...Object.values(READ_TARGET), SIGN, VIEW_PUBLIC_KEY, LIST_VERSIONS].find((need) => need.permission === permission);
}

function onCloudRun(permission: string, what: string): Need {
  const why = `read whether the ${what} opted in; without it that is taken for granted`;
  return { permission, role: 'roles/run.viewer', for: BOTH, isAdvice: true, why };
}

function needed(needs: readonly Need[], eyes: Eyes): readonly Need[] {
  return needs.filter((need) => need.for.includes(eyes));
}
