// SPDX-License-Identifier: Apache-2.0
// Google's resource names, parsed once at the edge. Each is its own type, so that one cannot be passed for another.

/** A project id (`my-project`, `example.com:my-project`); never a project number. */
export type ProjectId = string & { readonly __projectId: unique symbol };
/** `projects/P/attestors/A` */
export type AttestorName = string & { readonly __attestor: unique symbol };
/** `projects/P/notes/N` */
export type NoteName = string & { readonly __note: unique symbol };
/** `projects/P/occurrences/ID` */
export type OccurrenceName = string & { readonly __occurrence: unique symbol };
/** `projects/P/locations/L/keyRings/R/cryptoKeys/K` */
export type KeyName = string & { readonly __key: unique symbol };
/** `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V` */
export type KeyVersionName = string & { readonly __keyVersion: unique symbol };

// Project ids: https://cloud.google.com/resource-manager/docs/creating-managing-projects#before_you_begin; the part
// before the colon is the domain of a domain-scoped project. Lower bound relaxed: legacy ids are shorter than six.
const PROJECT = '(?:[a-z0-9.-]+:)?[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?';
// Never `.` or `..`, escaped or not, which URLs take for another resource.
const ID = '(?!(?:\\.|%2[eE]){1,2}$)[A-Za-z0-9_.~%-]{1,256}';
const KEY = `projects/(?:${PROJECT})/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}`;

function matcher<Name extends string>(pattern: string): (text: string) => Name | undefined {
  const expression = new RegExp(`^(?:${pattern})$`);
  return (text) => (expression.test(text) ? (text as Name) : undefined);
}

/** A project id, or undefined where the text is none. */
export const parseProjectId = matcher<ProjectId>(PROJECT);
/** A full attestor name, or undefined where the text is none. */
export const parseAttestorName = matcher<AttestorName>(`projects/(?:${PROJECT})/attestors/${ID}`);
/** A note name, or undefined where the text is none. Numbers are accepted: replies may carry them. */
export const parseNoteName = matcher<NoteName>(`projects/(?:${PROJECT}|[0-9]+)/notes/${ID}`);
/** An occurrence name, or undefined where the text is none. */
export const parseOccurrenceName = matcher<OccurrenceName>(`projects/(?:${PROJECT}|[0-9]+)/occurrences/${ID}`);
/** A key's full name, or undefined where the text is none. */
export const parseKeyName = matcher<KeyName>(KEY);
/** A key version's full name, or undefined where the text is none. */
export const parseKeyVersionName = matcher<KeyVersionName>(`${KEY}/cryptoKeyVersions/[0-9]+`);

/** The full name of attestor `id` in a project, or undefined where `id` cannot be one. */
export function attestorNameIn(project: ProjectId, id: string): AttestorName | undefined {
  return parseAttestorName(`projects/${project}/attestors/${id}`);
}

/** The project that a full resource name lies in. */
export function projectOf(name: AttestorName | NoteName | OccurrenceName | KeyName | KeyVersionName): ProjectId {
  return name.split('/')[1] as ProjectId;
}

/** The key that a version belongs to. */
export function keyOf(version: KeyVersionName): KeyName {
  return version.slice(0, version.lastIndexOf('/cryptoKeyVersions/')) as KeyName;
}

/** The last segment of a resource name. */
export function idOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
