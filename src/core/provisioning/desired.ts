// SPDX-License-Identifier: Apache-2.0
// What setup is asked to make, and what follows from it: which APIs in which projects.
import { projectOf, type AttestorName, type KeyName, type NoteName, type ProjectId } from '../names.js';
import type { Policy } from '../policy/policy.js';
import type { AttestorKey } from '../signing/public-key.js';

/** `projects/P/locations/L/keyRings/R` */
export type KeyRingName = string & { readonly __keyRing: unique symbol };
/** A member of an IAM policy, such as `serviceAccount:EMAIL` or `principalSet://…`. */
export type Principal = string & { readonly __principal: unique symbol };

/** The key whose public half the attestor is to trust. */
export type DesiredKey =
  | { readonly kind: 'kms'; readonly key: KeyName }
  /** `file` as the user named it, for the command that does the same. */
  | { readonly kind: 'pgp'; readonly file: string; readonly armored: string; readonly fingerprint: string };

/** A policy as the API's JSON, with whatever members it has. */
export type PolicyDocument = Readonly<Record<string, unknown>>;

/** A policy from a file, and how it reads. */
export interface DesiredPolicy {
  readonly file: string;
  readonly document: PolicyDocument;
  readonly policy: Policy;
}

/** Everything that is to be so afterwards. */
export interface Desired {
  /** The project whose policy is enforced. */
  readonly project: ProjectId;
  readonly attestor: AttestorName;
  readonly note: NoteName;
  readonly key: DesiredKey;
  /** Where attestations are stored. */
  readonly attestationProject: ProjectId;
  /** Who may attest and check. */
  readonly signers: readonly Principal[];
  /** Without a file the live policy is kept, and its default rule made to require the attestor. */
  readonly policy?: DesiredPolicy;
  /** The default rule is to log only. */
  readonly dryRunRollout: boolean;
  readonly allowWeakening: boolean;
  /** Metrics and alerts; the channels by full name, possibly none. */
  readonly monitoring?: { readonly channels: readonly string[] };
}

/** A note that an attestor can be made for. */
export interface NewNote {
  readonly humanReadableName: string;
}

/** A key that can sign attestations. */
export interface NewKey {
  /** Cloud KMS enum name. */
  readonly algorithm: string;
}

/** An attestor with the one key that it trusts at first. */
export interface NewAttestor {
  readonly note: NoteName;
  readonly key: AttestorKey;
}

/** A log-based metric that counts entries. */
export interface NewLogMetric {
  readonly description: string;
  readonly filter: string;
}

/** An alert policy on log-based metrics. */
export interface NewAlertPolicy {
  /** By which it is found again. */
  readonly displayName: string;
  readonly channels: readonly string[];
  /** The types of the metrics that it watches. */
  readonly metrics: readonly string[];
  /** As the API and gcloud take it. */
  readonly document: object;
}

/** The algorithm of a new key: small signatures, and what Google's own guides use. */
export const NEW_KEY_ALGORITHM = 'EC_SIGN_P256_SHA256';

/** The services of Google's APIs. */
export const SERVICES = {
  binaryAuthorization: 'binaryauthorization.googleapis.com',
  containerAnalysis: 'containeranalysis.googleapis.com',
  kms: 'cloudkms.googleapis.com',
  resourceManager: 'cloudresourcemanager.googleapis.com',
  logging: 'logging.googleapis.com',
  monitoring: 'monitoring.googleapis.com',
} as const;

/** The APIs that each project of the layout needs, each project and each API once. */
export function servicesOf(desired: Desired): ReadonlyMap<ProjectId, readonly string[]> {
  const { project, attestor, note, key, attestationProject, signers, monitoring } = desired;
  const needs: readonly (readonly [ProjectId, readonly string[]])[] = [
    [project, [SERVICES.binaryAuthorization]],
    [projectOf(attestor), [SERVICES.binaryAuthorization]],
    [projectOf(note), [SERVICES.containerAnalysis]],
    [attestationProject, [SERVICES.containerAnalysis, ...(signers.length > 0 ? [SERVICES.resourceManager] : [])]],
    ...(key.kind === 'kms' ? [[projectOf(key.key), [SERVICES.kms]] as const] : []),
    ...(isDeployedElsewhere(desired) ? [[project, [SERVICES.resourceManager]] as const] : []),
    ...(monitoring ? [[project, [SERVICES.logging, SERVICES.monitoring]] as const] : []),
  ];
  const services = new Map<ProjectId, readonly string[]>();
  for (const [owner, wanted] of needs) services.set(owner, [...new Set([...(services.get(owner) ?? []), ...wanted])]);
  return services;
}

/** Whether images are deployed in another project than the attestor's, so that a foreign service agent asks the attestor. */
export function isDeployedElsewhere({ project, attestor }: Desired): boolean {
  return project !== projectOf(attestor);
}

/** The key ring that a key lies in. */
export function ringOf(key: KeyName): KeyRingName {
  return key.replace(/\/cryptoKeys\/[^/]+$/, '') as KeyRingName;
}

const SERVICE_OF: readonly (readonly [RegExp, string])[] = [
  [/^projects\/[^/]+$/, SERVICES.resourceManager],
  [/^projects\/[^/]+\/notes\//, SERVICES.containerAnalysis],
  [/^projects\/[^/]+\/locations\//, SERVICES.kms],
  [/^projects\/[^/]+\/(?:attestors\/|policy$)/, SERVICES.binaryAuthorization],
  [/^projects\/[^/]+\/metrics\//, SERVICES.logging],
  [/^projects\/[^/]+\/alertPolicies$/, SERVICES.monitoring],
];

/** The API that serves a resource, and the project in which it must be on for that. */
export function servedBy(resource: string): { readonly project: ProjectId; readonly service: string } {
  const service = SERVICE_OF.find(([name]) => name.test(resource))?.[1];
  if (service === undefined) throw new Error(`no API is known for ${resource}`);
  return { project: (resource.split('/')[1] ?? '') as ProjectId, service };
}
