// SPDX-License-Identifier: Apache-2.0
// The Pod of a Kubernetes object: of a Pod itself, or of the template of a workload.
import { ApiError, isObject, listMember, objectMember, stringMember, type JsonObject } from '../../wire.js';

/** What a policy asks of a Pod. */
export interface PodToJudge {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** As written, in the order of init, regular and ephemeral containers. */
  readonly images: readonly string[];
}

/** Kind → the members that lead to the object with the Pod's spec. */
const TEMPLATE_OF: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', []],
  ['PodTemplate', ['template']],
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind): [string, string[]] => [
    kind,
    ['spec', 'template'],
  ]),
]);

/** The Pod that an object is or would make; INVALID_ARGUMENT where it makes none. */
export function podOf(resource: unknown): PodToJudge {
  if (!isObject(resource)) throw new ApiError('INVALID_ARGUMENT', 'resource is required: one Kubernetes object.');
  const kind = stringMember(resource, 'kind');
  const path = TEMPLATE_OF.get(kind);
  if (!path) throw new ApiError('INVALID_ARGUMENT', `resource: the kind "${kind}" is not supported; it must be a Pod or make Pods.`);
  const metadata = objectMember(resource, 'metadata');
  const spec = objectMember(path.reduce(objectMember, resource), 'spec');
  const images = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((member) => imagesIn(spec, member));
  if (images.length === 0) throw new ApiError('INVALID_ARGUMENT', 'resource: it has no containers.');
  return {
    name: stringMember(metadata, 'name'),
    namespace: stringMember(metadata, 'namespace') || 'default',
    serviceAccount: stringMember(spec, 'serviceAccountName') || stringMember(spec, 'serviceAccount') || 'default',
    images,
  };
}

function imagesIn(spec: JsonObject, member: string): string[] {
  return listMember(spec, member).map((container) => {
    const image = isObject(container) ? stringMember(container, 'image') : '';
    if (image === '') throw new ApiError('INVALID_ARGUMENT', `resource: each of ${member} needs an image.`);
    return image;
  });
}
