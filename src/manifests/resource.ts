// SPDX-License-Identifier: Apache-2.0
import type { Path, YamlDocument } from '../documents/parse.js';
import type { Problem } from '../documents/problem.js';

/** A mapping of a document. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One object of a manifest, with its place in the document. */
export interface Resource {
  readonly document: YamlDocument;
  readonly path: Path;
  readonly value: JsonObject;
  readonly apiVersion: string;
  /** The API group: `apps` of `apps/v1`, empty for `v1`. */
  readonly group: string;
  /** Empty where the document has none. */
  readonly kind: string;
  readonly name: string;
}

/** Whether a value is a mapping. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at this path below a value; undefined where nothing does. */
export function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (Array.isArray(found) && typeof step === 'number') found = (found as readonly unknown[])[step];
    else if (isObject(found)) found = found[step];
    else return undefined;
  }
  return found;
}

/** The text at this path; undefined where there is none, or an empty one. */
export function textAt(value: unknown, path: Path): string | undefined {
  const found = at(value, path);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** Something wrong with what stands at this path of a resource. */
export function problemAt(resource: Resource, path: Path, message: string): Problem {
  const { document } = resource;
  return { file: document.file, line: document.lineOf([...resource.path, ...path]), message };
}

/** `Kind/name`, as messages name a resource. */
export function titleOf({ kind, name }: Resource): string {
  const shown = kind === '' ? 'a document without a kind' : kind;
  return name === '' ? shown : `${shown}/${name}`;
}

/** The objects of a document: lists of any kind, and plain arrays, are taken apart. */
export function resourcesIn(document: YamlDocument): { readonly resources: readonly Resource[]; readonly problems: readonly Problem[] } {
  const resources: Resource[] = [];
  const problems: Problem[] = [];
  const visit = (value: unknown, path: Path, listed: Listed): void => {
    if (Array.isArray(value)) return void value.forEach((item: unknown, index) => visit(item, [...path, index], listed));
    if (!isObject(value)) {
      const message = `expected a Kubernetes or Cloud Run object, got ${value === null ? 'nothing' : `a ${typeof value}`}`;
      return void problems.push({ file: document.file, line: document.lineOf(path), message });
    }
    const resource = resourceOf(document, path, withKind(value, listed));
    if (!isList(resource)) return void resources.push(resource);
    const { items, ...others } = resource.value;
    // Who does not take it for a list deploys what else it says.
    if (!resource.kind.endsWith('List')) resources.push({ ...resource, value: others });
    if (Array.isArray(items)) visit(items, [...path, 'items'], itemsOf(resource));
    else if (items !== null && items !== undefined)
      problems.push(problemAt(resource, ['items'], `expected a list of items in ${titleOf(resource)}`));
  };
  visit(document.value, [], {});
  return { resources, problems };
}

/** What a list says about its items where they say nothing themselves: kubectl reads them so. */
interface Listed {
  readonly kind?: string;
  readonly apiVersion?: string;
}

function itemsOf({ kind, apiVersion }: Resource): Listed {
  const itemKind = kind.replace(/List$/, '');
  return itemKind === '' ? {} : { kind: itemKind, apiVersion };
}

function withKind(value: JsonObject, { kind, apiVersion }: Listed): JsonObject {
  if (kind === undefined || textAt(value, ['kind']) !== undefined) return value;
  return { ...value, kind, apiVersion: textAt(value, ['apiVersion']) ?? apiVersion };
}

// A custom kind may be called SomethingList and hold no items: then it is an object like any other. Objects in items are
// deployed whatever the kind around them is called: kubectl takes everything with items for a list.
function isList({ kind, value }: Resource): boolean {
  const { items } = value;
  if (kind === 'List' || !Array.isArray(items)) return kind === 'List';
  return kind.endsWith('List') || items.some(isObject);
}

function resourceOf(document: YamlDocument, path: Path, value: JsonObject): Resource {
  const apiVersion = textAt(value, ['apiVersion']) ?? '';
  return {
    document,
    path,
    value,
    apiVersion,
    group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '',
    kind: textAt(value, ['kind']) ?? '',
    name: textAt(value, ['metadata', 'name']) ?? textAt(value, ['metadata', 'generateName']) ?? '',
  };
}
