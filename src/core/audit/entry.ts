// SPDX-License-Identifier: Apache-2.0
// A log entry as Cloud Logging answers it: JSON whose payload is as free as the object that somebody sent to Kubernetes or
// Cloud Run. Nothing in it has a type until it was looked at.

/** An entry as it came. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** What lies at a path of members; undefined where there is nothing. Own members only. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined), value);
}

/** The text at a path; empty where there is none, or something else. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The list at a path; empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The members of an object at a path whose values are texts. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly (readonly [name: string, text: string])[] {
  const found = at(value, ...path);
  return isObject(found) ? Object.entries(found).filter((member): member is [string, string] => typeof member[1] === 'string') : [];
}

/** The first text that is not empty. */
export function firstText(...texts: readonly string[]): string {
  return texts.find((text) => text !== '') ?? '';
}

/** The id of the log that an entry is in: `cloudaudit.googleapis.com/activity`. */
export function logIdOf(entry: LogEntry): string {
  const name = textAt(entry, 'logName');
  const id = name.slice(name.indexOf('/logs/') + '/logs/'.length);
  return id.replace(/%2f/gi, '/');
}

/** The images of a Pod or of a revision's `spec`, in their order. */
export function imagesOf(spec: unknown): readonly string[] {
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((kind) => listAt(spec, kind));
  return containers.map((container) => textAt(container, 'image')).filter((image) => image !== '');
}

const COMMIT_KEY = /(?:^|[/._-])(?:commit|commit-sha|git-commit|git-sha|revision)$/i;

/** What labels and annotations claim to be the commit that something was built of. */
export function commitOf(...metadata: readonly unknown[]): string | undefined {
  const named = metadata.flatMap((object) => [...textsAt(object, 'labels'), ...textsAt(object, 'annotations')]);
  return named.find(([key, value]) => COMMIT_KEY.test(key) && /^[0-9a-f]{7,64}$/.test(value))?.[1];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
