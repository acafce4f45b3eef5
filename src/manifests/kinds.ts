// SPDX-License-Identifier: Apache-2.0
// Where each kind keeps what it runs.
import type { Platform } from '../core/deployment/target.js';
import type { Path } from '../documents/parse.js';
import { at, isObject, textAt, type Resource } from './resource.js';

/** The place of a Pod's (or Cloud Run instance's) description in a resource. */
export interface Place {
  readonly platform: Platform;
  /** The object whose metadata the Pod gets. */
  readonly template: Path;
  /** The object that holds the containers. */
  readonly podSpec: Path;
  /** A Cloud Run Job. */
  readonly isJob: boolean;
  /** Kinds that GKE platform policies are known to understand as a whole. */
  readonly isNative: boolean;
}

interface KindRow {
  readonly groups: readonly string[];
  readonly template: Path;
  readonly isNative?: boolean;
}

const TEMPLATE: Path = ['spec', 'template'];

/** Kubernetes kinds; a kind of the same name in another group is found by its structure or not at all. */
const POD_KINDS: Readonly<Record<string, KindRow>> = {
  Pod: { groups: [''], template: [] },
  PodTemplate: { groups: [''], template: ['template'] },
  ReplicationController: { groups: [''], template: TEMPLATE },
  Deployment: { groups: ['apps', 'extensions'], template: TEMPLATE },
  ReplicaSet: { groups: ['apps', 'extensions'], template: TEMPLATE },
  DaemonSet: { groups: ['apps', 'extensions'], template: TEMPLATE },
  StatefulSet: { groups: ['apps'], template: TEMPLATE },
  Job: { groups: ['batch'], template: TEMPLATE },
  CronJob: { groups: ['batch'], template: ['spec', 'jobTemplate', ...TEMPLATE] },
  Rollout: { groups: ['argoproj.io'], template: TEMPLATE, isNative: false },
};

const KNATIVE = 'serving.knative.dev';
const CLOUD_RUN = 'run.googleapis.com';

/** Name of a resource of Cloud Run's v2 API, whose JSON has no kind. */
const V2_NAME = /^projects\/[^/]+\/locations\/[^/]+\/(services|jobs|workerPools)\/([^/]+)$/;
const V2_KINDS: Readonly<Record<string, string>> = { services: 'Service', jobs: 'Job', workerPools: 'WorkerPool' };

/** Where a resource of a known kind keeps its containers; undefined for other kinds. `platform` decides about Knative. */
export function placeOf(resource: Resource, platform: Platform | undefined): Place | undefined {
  return podPlace(resource) ?? knativePlace(resource, platform) ?? cloudRunPlace(resource) ?? v2Place(resource);
}

/** Kind and short name of a resource of Cloud Run's v2 API. */
export function v2Identity({ value, kind }: Resource): { readonly kind: string; readonly name: string } | undefined {
  if (kind !== '') return undefined;
  const [, collection = '', name = ''] = V2_NAME.exec(textAt(value, ['name']) ?? '') ?? [];
  const found = V2_KINDS[collection];
  return found === undefined ? undefined : { kind: found, name };
}

/** Whether a group belongs to Cloud Run alone. */
export function isCloudRunGroup(group: string): boolean {
  return group === CLOUD_RUN;
}

/** Whether a group is Kubernetes' own, whose kinds without a Pod template run no image. */
export function isBuiltInGroup({ group, apiVersion }: Resource): boolean {
  return apiVersion !== '' && isBuiltIn(group);
}

function isBuiltIn(group: string): boolean {
  return ['', 'apps', 'batch', 'extensions', 'policy', 'autoscaling'].includes(group) || group.endsWith('.k8s.io');
}

function podPlace({ kind, group }: Resource): Place | undefined {
  const row = Object.hasOwn(POD_KINDS, kind) ? POD_KINDS[kind] : undefined;
  if (!row?.groups.includes(group)) return undefined;
  return { platform: 'gke', template: row.template, podSpec: [...row.template, 'spec'], isJob: false, isNative: row.isNative ?? true };
}

function knativePlace({ kind, group }: Resource, platform: Platform | undefined): Place | undefined {
  if (group !== KNATIVE || !['Service', 'Configuration'].includes(kind)) return undefined;
  return { platform: platform ?? 'cloud-run', template: TEMPLATE, podSpec: [...TEMPLATE, 'spec'], isJob: false, isNative: false };
}

function cloudRunPlace({ kind, group }: Resource): Place | undefined {
  if (group !== CLOUD_RUN || !['Service', 'Job', 'WorkerPool'].includes(kind)) return undefined;
  const isJob = kind === 'Job';
  // A Job's template is that of an execution, which holds the template of its tasks.
  const template = isJob ? [...TEMPLATE, ...TEMPLATE] : TEMPLATE;
  return { platform: 'cloud-run', template, podSpec: [...template, 'spec'], isJob, isNative: false };
}

function v2Place(resource: Resource): Place | undefined {
  const identity = v2Identity(resource);
  if (!identity) return undefined;
  const isJob = identity.kind === 'Job';
  const template = isJob ? ['template', 'template'] : ['template'];
  return { platform: 'cloud-run', template, podSpec: template, isJob, isNative: false };
}

/**
 * Pod templates anywhere in a resource, known by their shape: an object with a list at `spec.containers`, under a key that
 * ends in "template"; or the resource itself, where its group is Kubernetes' own and only the kind is misspelt.
 */
export function placesByStructure(resource: Resource): readonly Place[] {
  const places: Place[] = [];
  const platform = isCloudRunGroup(resource.group) ? 'cloud-run' : 'gke';
  const visit = (value: unknown, path: Path): void => {
    if (path.length === 0 ? isMisspeltPod(resource) : isTemplate(value, path))
      places.push({ platform, template: path, podSpec: [...path, 'spec'], isJob: false, isNative: false });
    else if (Array.isArray(value)) value.forEach((item: unknown, index) => visit(item, [...path, index]));
    else if (isObject(value)) for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
  };
  // The schema in a definition of a kind describes templates; it is none.
  if (resource.kind !== 'CustomResourceDefinition') visit(resource.value, []);
  return places;
}

function isMisspeltPod({ kind, group, apiVersion, value }: Resource): boolean {
  return (kind !== '' || apiVersion !== '') && isBuiltIn(group) && Array.isArray(at(value, ['spec', 'containers']));
}

function isTemplate(value: unknown, path: Path): boolean {
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  return /template(?:spec|s)?$/i.test(String(key)) && Array.isArray(at(value, ['spec', 'containers']));
}

/** Where a resource names an image outside these places, in a form that is not known here; undefined where it does not. */
export function unreadImage(resource: Resource, places: readonly Place[]): Path | undefined {
  if (isBuiltInGroup(resource)) return undefined;
  const read = new Set(places.map(({ template }) => at(resource.value, template)));
  const search = (value: unknown, path: Path): Path | undefined => {
    if (typeof value === 'string') return value !== '' && path.at(-1) === 'image' ? path : undefined;
    if (typeof value !== 'object' || value === null || read.has(value)) return undefined;
    const inner: readonly (readonly [string | number, unknown])[] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    for (const [step, item] of inner) {
      const found = search(item, [...path, step]);
      if (found) return found;
    }
    return undefined;
  };
  return search(resource.value, []);
}
