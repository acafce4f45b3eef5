// SPDX-License-Identifier: Apache-2.0
// Manifests as what they would run: every container image with its place, and what decides about it.
import type { ImageUse } from '../core/deployment/image-use.js';
import type { Platform } from '../core/deployment/target.js';
import { oneLine } from '../core/redact.js';
import type { Path, YamlDocument } from '../documents/parse.js';
import type { Problem } from '../documents/problem.js';
import { cloudRunFacts } from './cloud-run.js';
import { placeOf, placesByStructure, unreadImage, v2Identity, type Place } from './kinds.js';
import { breakGlassOf, containersOf, podOf, serviceAccountOf } from './pod-template.js';
import { at, isObject, problemAt, resourcesIn, textAt, titleOf, type Resource } from './resource.js';

/** What manifests hold. Uses and workloads are complete only where there is no problem. */
export interface Extracted {
  readonly uses: readonly ImageUse[];
  /** The Kubernetes objects, `Kind/name` each, as GKE platform policies are asked about them. */
  readonly workloads: readonly { readonly name: string; readonly resource: unknown }[];
  /** What a person should know, but what stops nothing. */
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
}

/** The file's name for notes, and `--platform` where it was given. */
export interface ExtractOptions {
  readonly file: string;
  readonly platform?: Platform;
}

/** What is wrong with a thousand containers alike is clear from the first ones. */
const MOST_PROBLEMS = 50;

/** Finds every image that these documents of one file would run. */
export function extract(documents: readonly YamlDocument[], options: ExtractOptions): Extracted {
  const extraction = new Extraction(options.platform);
  for (const document of documents) {
    const { resources, problems } = resourcesIn(document);
    extraction.problems.push(...problems);
    for (const resource of resources) extraction.add(resource);
  }
  const { uses, workloads, problems } = extraction;
  const nothing = uses.length === 0 && problems.length === 0 ? [`${options.file}: no image was found in it`] : [];
  return { uses, workloads, notes: [...extraction.notes.values(), ...nothing], problems: problems.slice(0, MOST_PROBLEMS) };
}

class Extraction {
  readonly uses: ImageUse[] = [];
  readonly workloads: { readonly name: string; readonly resource: unknown }[] = [];
  /** By kind and topic: two thousand objects of a kind are one note, which names the first. Names are other people's text: one line each. */
  readonly notes = new Map<string, string>();
  readonly problems: Problem[] = [];

  constructor(private readonly platform: Platform | undefined) {}

  add(resource: Resource): void {
    const place = placeOf(resource, this.platform);
    if (place) {
      if (this.collect(resource, place) === 0) this.note(resource, place.podSpec, 'no container is described there, so no image was found');
      return;
    }
    const places = placesByStructure(resource);
    for (const found of places) {
      this.note(resource, found.podSpec, `its Pod template was found by structure in ${kindOf(resource)}, a kind that is not known here`);
      this.collect(resource, found);
    }
    this.mention(resource, places);
  }

  private mention(resource: Resource, places: readonly Place[]): void {
    const image = unreadImage(resource, places);
    if (image)
      this.note(resource, image, `it names an image outside of any Pod template of ${kindOf(resource)}: that image is not checked`);
    else if (resource.kind === '' && places.length === 0) this.note(resource, [], 'it has no kind and no Pod template: no image was found');
  }

  /** The number of containers at this place. */
  private collect(resource: Resource, place: Place): number {
    if (place.platform === 'gke' && this.platform === 'cloud-run') {
      this.problems.push(
        problemAt(
          resource,
          ['kind'],
          `expected a Cloud Run resource (--platform cloud-run), got ${titleOf(resource)}, which runs on Kubernetes`,
        ),
      );
      return 1;
    }
    const { containers, problems } = containersOf(resource, place.podSpec);
    const facts = place.platform === 'gke' ? this.podFacts(resource, place) : this.cloudRunFacts(resource, place);
    const { kind, name } = v2Identity(resource) ?? resource;
    for (const { image, source } of containers)
      this.uses.push({ image, platform: place.platform, ...facts, source: { file: resource.document.file, kind, name, ...source } });
    this.problems.push(...problems);
    this.noteImageVolumes(resource, place.podSpec);
    if (place.platform === 'gke' && containers.length > 0)
      this.workloads.push({ name: titleOf(resource), resource: place.isNative ? resource.value : podOf(resource, place) });
    return containers.length + problems.length;
  }

  private podFacts(resource: Resource, place: Place): Partial<ImageUse> {
    const breakGlass = breakGlassOf(resource, place);
    const namespace = this.text(resource, ['metadata', 'namespace']);
    for (const key of ['serviceAccountName', 'serviceAccount']) this.text(resource, [...place.podSpec, key]);
    const serviceAccount = serviceAccountOf(resource, place.podSpec);
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
      ...(breakGlass === undefined ? {} : { breakGlass }),
    };
  }

  private cloudRunFacts(resource: Resource, place: Place): Partial<ImageUse> {
    const { setting, breakGlass, problems, notes } = cloudRunFacts(resource, place);
    this.problems.push(...problems);
    for (const note of notes) this.notes.set(note, oneLine(note));
    return { cloudRun: setting, ...(breakGlass === undefined ? {} : { breakGlass }), isJob: place.isJob };
  }

  // A number or a boolean here would be dropped, and the default's rule judged instead of the one that is meant.
  private text(resource: Resource, path: Path): string | undefined {
    const value = at(resource.value, path);
    if (value !== undefined && value !== null && typeof value !== 'string')
      this.problems.push(problemAt(resource, path, `expected a text at ${path.join('.')} of ${titleOf(resource)}: put it in quotes`));
    return textAt(resource.value, path);
  }

  private noteImageVolumes(resource: Resource, podSpec: Path): void {
    const path = [...podSpec, 'volumes'];
    const volumes = at(resource.value, path);
    if (!Array.isArray(volumes)) return;
    const index = volumes.findIndex((volume) => isObject(at(volume, ['image'])));
    if (index >= 0) this.note(resource, [...path, index], 'it mounts an image as a volume, and that image is not checked');
  }

  private note(resource: Resource, path: Path, text: string): void {
    const key = `${kindOf(resource)} ${text}`;
    if (this.notes.has(key)) return;
    const { file, line } = problemAt(resource, path, text);
    this.notes.set(key, oneLine(`${file}:${line}: ${titleOf(resource)}: ${text}`));
  }
}

function kindOf({ kind, group }: Resource): string {
  if (kind === '') return 'a document without a kind';
  return group === '' ? `kind ${kind}` : `kind ${kind} (${group})`;
}
