// SPDX-License-Identifier: Apache-2.0
// Log entries as GKE, Distributed Cloud and Cloud Run write them, after published ones. Every maker is given a number that makes its entry one of its own.
import type { Stage } from './stage.js';

export const LOG_PROJECT = 'shop-prod';
export const GKE_HOOK = 'imagepolicywebhook.image-policy.k8s.io';
export const FLEET_HOOK = 'binaryauthorization.googleapis.com';
export const LABEL = 'image-policy.k8s.io/break-glass';
export const ANNOTATION = 'alpha.image-policy.k8s.io/break-glass';
export const RUN_ANNOTATION = 'run.googleapis.com/binary-authorization-breakglass';
export const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io';

type Json = Record<string, unknown>;
export type Entry = Json;
export type MakeEntry = (index: number) => Entry;

export const imageOf = (index: number): string =>
  `us-docker.pkg.dev/${LOG_PROJECT}/apps/web@sha256:${index.toString(16).padStart(64, '0')}`;

/** What a Pod's entry differs in. */
export interface PodParts {
  readonly method?: string;
  readonly log?: string;
  /** Audit annotations, out of reach of the Pod's author. */
  readonly labels?: Record<string, string>;
  readonly podLabels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly pod?: Json;
  /** A Failure instead of the Pod. */
  readonly refusal?: { readonly reason: string; readonly message: string };
  readonly isForbidden?: boolean;
  readonly workload?: string;
  readonly principal?: string;
}

export const DENIAL = 'denied by Binary Authorization default admission rule. Denied by always_deny admission rule';

/** An entry about a Pod. */
export function pod(index: number, parts: PodParts = {}): Entry {
  const { method = 'create', log = 'cloudaudit.googleapis.com%2Factivity', refusal, workload } = parts;
  const name = `web-${index}`;
  const metadata = {
    ...(workload === undefined ? { name } : { generateName: `${workload}-`, ownerReferences: [ownerOf(workload)] }),
    namespace: 'shop',
    creationTimestamp: null,
    ...(parts.podLabels ? { labels: parts.podLabels } : {}),
    ...(parts.annotations ? { annotations: parts.annotations } : {}),
  };
  const sent = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata,
    spec: { containers: [{ name: 'web', image: imageOf(index) }] },
    status: {},
    ...parts.pod,
  };
  const answer = refusal
    ? { '@type': 'core.k8s.io/v1.Status', kind: 'Status', status: 'Failure', code: 403, ...refusal, details: { name, kind: 'pods' } }
    : { ...sent, '@type': 'core.k8s.io/v1.Pod', metadata: { ...metadata, name, uid: `uid-${index}` }, status: { phase: 'Pending' } };
  return {
    logName: `projects/${LOG_PROJECT}/logs/${log}`,
    resource: { type: 'k8s_cluster', labels: { project_id: LOG_PROJECT, location: 'us-central1-a', cluster_name: 'prod' } },
    labels: { 'authorization.k8s.io/decision': parts.isForbidden === true ? 'forbid' : 'allow', ...parts.labels },
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      serviceName: 'k8s.io',
      methodName: `io.k8s.core.v1.pods.${method}`,
      resourceName: `core/v1/namespaces/shop/pods${workload === undefined ? `/${name}` : ''}`,
      authenticationInfo: { principalEmail: parts.principal ?? 'dev@example.com' },
      request: { '@type': 'core.k8s.io/v1.Pod', ...sent },
      response: answer,
      status: refusal ? { code: 7, message: refusal.message } : { code: 0 },
    },
  };
}

const ownerOf = (name: string) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: 'u', controller: true });

/** A Pod that Binary Authorization refused, in today's words. */
export const denied = (index: number, parts: PodParts = {}): Entry =>
  pod(index, {
    refusal: {
      reason: 'VIOLATES_POLICY',
      message: `admission webhook "${GKE_HOOK}" denied the request: Image ${imageOf(index)} ${DENIAL}`,
    },
    ...parts,
  });

/** An entry without what was too long to be logged. */
export function cut(entry: Entry): Entry {
  const payload = Object.entries(entry['protoPayload'] as Json).filter(([member]) => member !== 'request' && member !== 'response');
  return { ...entry, protoPayload: Object.fromEntries(payload) };
}

/** An entry with other values at these paths, whose members are parted by dots; undefined where there is to be none. */
export function edited(entry: Entry, changes: Readonly<Record<string, unknown>>): Entry {
  const copy = structuredClone(entry);
  for (const [path, value] of Object.entries(changes)) {
    const members = path.split('.');
    const parent = members.slice(0, -1).reduce<Entry>((inner, member) => (inner[member] ??= {}) as Entry, copy);
    parent[members.at(-1) ?? ''] = value;
  }
  return copy;
}

/** What a revision's entry differs in. */
export interface RevisionParts {
  readonly log?: string;
  readonly service?: string;
  /** Empty for an entry about the service. */
  readonly revision?: string;
  readonly message?: string;
  readonly conditions?: readonly Json[];
  readonly annotations?: Record<string, string>;
  readonly spec?: Json;
}

const unauthorized = (index: number) =>
  `Revision web-${index} uses an unauthorized container image. Container image '${imageOf(index)}' is not authorized by policy. ` +
  `Image ${imageOf(index)} denied by attestor projects/${LOG_PROJECT}/attestors/ci: No attestations found that were valid and signed by a key trusted by the attestor`;

/** An entry about a revision of Cloud Run. */
export function revision(index: number, parts: RevisionParts = {}): Entry {
  const { log = 'cloudaudit.googleapis.com%2Fsystem_event', service = 'web', message = '' } = parts;
  const name = parts.revision ?? `${service}-${index}`;
  return {
    logName: `projects/${LOG_PROJECT}/logs/${log}`,
    resource: {
      type: 'cloud_run_revision',
      labels: {
        project_id: LOG_PROJECT,
        location: 'europe-west1',
        service_name: service,
        configuration_name: service,
        revision_name: name,
      },
    },
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      serviceName: 'run.googleapis.com',
      methodName: '/InternalServices.ReplaceInternalService',
      resourceName: `namespaces/${LOG_PROJECT}/revisions/${name}`,
      ...(message === '' ? {} : { status: { message } }),
      response: {
        kind: 'Revision',
        metadata: { name, annotations: { 'serving.knative.dev/creator': 'ops@example.com', ...parts.annotations } },
        spec: { containers: [{ image: imageOf(index) }], ...parts.spec },
        status: { conditions: parts.conditions ?? [{ type: 'Ready', status: 'True' }] },
      },
    },
  };
}

/** A revision that the policy refused. */
export const blocked = (index: number, parts: RevisionParts = {}): Entry =>
  revision(index, {
    message: unauthorized(index),
    conditions: [{ type: 'Ready', status: 'False', reason: 'ContainerImageUnauthorized', message: unauthorized(index) }],
    ...parts,
  });

/** The execution of a job that the policy refused. */
export function execution(index: number): Entry {
  const entry = blocked(index);
  const labels = { project_id: LOG_PROJECT, location: 'europe-west1', job_name: 'nightly' };
  const payload = { ...(entry['protoPayload'] as Json), resourceName: `namespaces/${LOG_PROJECT}/executions/nightly-${index}` };
  return { ...entry, resource: { type: 'cloud_run_job', labels }, protoPayload: payload };
}

/** A patch of something else on a Pod that has the label. */
export function patchOfLabelled(index: number): Entry {
  const entry = pod(index, { method: 'patch', podLabels: { [LABEL]: 'true' } });
  const payload = entry['protoPayload'] as Json;
  return { ...entry, protoPayload: { ...payload, request: { metadata: { annotations: { note: 'x' } } } } };
}

/** The label where it means nothing. */
export function onDeployment(index: number): Entry {
  const entry = pod(index, { podLabels: { [LABEL]: 'true' } });
  const payload = entry['protoPayload'] as Json;
  return { ...entry, protoPayload: { ...payload, methodName: 'io.k8s.apps.v1.deployments.create' } };
}

/** What a container wrote itself. */
export function output(index: number): Entry {
  const { logName, resource } = revision(index, { log: 'run.googleapis.com%2Fstdout' });
  return { logName, resource, textPayload: 'breakglass: dry run of the emergency plan' };
}

/** Plants an event of each kind, a day apart, in the week that ends now. */
export async function plantWeek(stage: Pick<Stage, 'call'>): Promise<void> {
  const made = [
    revision(1, { message: "Revision 'web-1' was deployed with breakglass: INC-7", annotations: { [RUN_ANNOTATION]: 'INC-7' } }),
    pod(2, { labels: { [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK } }),
    denied(3, { workload: 'web-7d4b9c' }),
    pod(4, {
      labels: { [`${GKE_HOOK}/dry-run`]: 'true', [`${GKE_HOOK}/overridden-verification-result`]: `Image ${imageOf(4)} ${DENIAL}` },
    }),
  ];
  const entries = made.map((entry, days) => ({ ...entry, timestamp: new Date(Date.now() - (days + 0.5) * 86_400_000).toISOString() }));
  await stage.call('POST', '/v2/entries:write', { entries });
}
