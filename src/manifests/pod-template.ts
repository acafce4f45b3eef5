// SPDX-License-Identifier: Apache-2.0
import type { BreakGlass, UseSource } from '../core/deployment/image-use.js';
import type { Path } from '../documents/parse.js';
import type { Problem } from '../documents/problem.js';
import type { Place } from './kinds.js';
import { at, isObject, problemAt, textAt, titleOf, type Resource } from './resource.js';

/** A container's image as written, and its place. */
export interface ContainerImage {
  readonly image: string;
  readonly source: Pick<UseSource, 'line' | 'container' | 'containerType'>;
}

const CONTAINER_LISTS: readonly (readonly [string, UseSource['containerType']])[] = [
  ['initContainers', 'init'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeral'],
];

// A patch of Kustomize, or the values of a chart, look much like a manifest.
const RENDER = 'if the file is a patch or a template, check what is made of it: kubectl kustomize DIR | binauthz check -f -';
const LABEL = 'image-policy.k8s.io/break-glass';
const OLD_ANNOTATION = 'alpha.image-policy.k8s.io/break-glass';

/** The images of all containers at this place, and the containers that name none. */
export function containersOf(
  resource: Resource,
  podSpec: Path,
): { readonly containers: readonly ContainerImage[]; readonly problems: readonly Problem[] } {
  const containers: ContainerImage[] = [];
  const problems: Problem[] = [];
  for (const [key, containerType] of CONTAINER_LISTS) {
    const path = [...podSpec, key];
    const list = at(resource.value, path);
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) {
      problems.push(problemAt(resource, path, `expected a list at ${path.join('.')} of ${titleOf(resource)}`));
      continue;
    }
    (list as readonly unknown[]).forEach((item, index) => {
      const image = isObject(item) ? item['image'] : undefined;
      const container = textAt(item, ['name']) ?? '';
      if (typeof image === 'string' && image !== '') {
        const line = resource.document.lineOf([...resource.path, ...path, index, 'image']);
        containers.push({ image, source: { line, container, containerType } });
      } else problems.push({ ...problemAt(resource, [...path, index, 'image'], withoutImage(resource, container, image)), hint: RENDER });
    });
  }
  return { containers, problems };
}

function withoutImage(resource: Resource, container: string, image: unknown): string {
  const who = container === '' ? 'a container' : `container ${container}`;
  const got = image === undefined || image === null || image === '' ? 'none' : `a ${shapeOf(image)}`;
  return `expected an image (a text) in ${who} of ${titleOf(resource)}, got ${got}`;
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return isObject(value) ? 'mapping' : typeof value;
}

/** The Pod's service account, where the manifest names one. */
export function serviceAccountOf(resource: Resource, podSpec: Path): string | undefined {
  // As Kubernetes does: the deprecated name counts where the other is missing or empty.
  return textAt(resource.value, [...podSpec, 'serviceAccountName']) ?? textAt(resource.value, [...podSpec, 'serviceAccount']);
}

/** What a manifest says about break-glass: what acts, else what looks as if it did. */
export function breakGlassOf(resource: Resource, { template }: Place): BreakGlass | undefined {
  const found: BreakGlass[] = [];
  // Admission sees Pods only, so what stands on the objects around the template does nothing.
  for (let length = template.length; length >= 0; length--) {
    found.push(...asksAt(at(resource.value, [...template.slice(0, length), 'metadata']), length === template.length));
  }
  return found.find(({ isEffective }) => isEffective) ?? found[0];
}

function asksAt(metadata: unknown, isPod: boolean): readonly BreakGlass[] {
  return [LABEL, OLD_ANNOTATION].flatMap((key) => [
    ...asking('label', at(metadata, ['labels', key]), isPod && key === LABEL),
    ...asking('annotation', at(metadata, ['annotations', key]), isPod && key === OLD_ANNOTATION),
  ]);
}

// A value that is not a text (an unquoted true) is refused by the API server: it admits nothing.
function asking(by: 'label' | 'annotation', value: unknown, isRightPlace: boolean): readonly BreakGlass[] {
  if (value === undefined || value === null) return [];
  return [{ by, value: typeof value === 'object' ? JSON.stringify(value) : String(value), isEffective: isRightPlace && value === 'true' }];
}

/** The Pod that a template describes, as an object of its own: for kinds that only we find a template in. */
export function podOf(resource: Resource, { template, podSpec }: Place): unknown {
  const own = (key: string): unknown => at(resource.value, ['metadata', key]);
  const ofTemplate = (key: string): unknown => at(resource.value, [...template, 'metadata', key]);
  const metadata = { name: own('name'), namespace: own('namespace'), labels: ofTemplate('labels'), annotations: ofTemplate('annotations') };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: at(resource.value, podSpec) };
}
