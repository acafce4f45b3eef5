// SPDX-License-Identifier: Apache-2.0

/** The first pattern that exempts this image, compared as written: nothing is added to either (facts 5.3). */
export function exemptingPattern(patterns: readonly string[], image: string): string | undefined {
  return patterns.find((pattern) => matchesPattern(pattern, image));
}

/**
 * Whether an allowlist pattern of a project policy or of the system policy matches: `**` is any rest, `*` a rest without
 * a slash (facts 5.3). Patterns of platform policies follow other rules.
 */
export function matchesPattern(pattern: string, image: string): boolean {
  if (pattern.endsWith('**')) return image.startsWith(pattern.slice(0, -2));
  if (!pattern.endsWith('*')) return image === pattern;
  const prefix = pattern.slice(0, -1);
  return image.startsWith(prefix) && !image.slice(prefix.length).includes('/');
}

/** The text of a pattern before its wildcard. */
export function fixedPart(pattern: string): string {
  return pattern.replace(/\*{1,2}$/, '');
}

/** Whether the API takes this pattern: a wildcard only at the end, and only in the text behind `registry/` (facts 5.1). */
export function isUsablePattern(pattern: string): boolean {
  const fixed = fixedPart(pattern);
  return fixed !== '' && !fixed.includes('*') && (fixed === pattern || fixed.includes('/'));
}

/** A pattern that nearly exempts an image, and why it does not. */
export interface NearMiss {
  readonly pattern: string;
  readonly why: string;
}

/** The pattern that comes nearest to exempting an image that none of them exempts, for the explanation of a denial (traps 4). */
export function nearestPattern(patterns: readonly string[], image: string): NearMiss | undefined {
  for (const miss of [tagOrDigestMiss, wildcardMiss, versionMiss, spellingMiss]) {
    const found = patterns.map((pattern) => ({ pattern, why: miss(pattern, image) })).find(({ why }) => why !== undefined);
    if (found?.why !== undefined) return { pattern: found.pattern, why: found.why };
  }
  return undefined;
}

function tagOrDigestMiss(pattern: string, image: string): string | undefined {
  const rest = image.slice(pattern.length);
  if (pattern.endsWith('*') || !image.startsWith(pattern) || !/^[:@]/.test(rest)) return undefined;
  return `it matches that exact text only, and the image goes on with ${rest.startsWith('@') ? 'a digest' : 'a tag or digest'}`;
}

function wildcardMiss(pattern: string, image: string): string | undefined {
  if (!pattern.endsWith('*') || !image.startsWith(fixedPart(pattern))) return undefined;
  return '"*" does not go beyond the next "/"; "**" does';
}

function versionMiss(pattern: string, image: string): string | undefined {
  const end = nameEnd(pattern);
  if (end !== nameEnd(image) || end === image.length || !image.startsWith(pattern.slice(0, end))) return undefined;
  return pattern.charAt(end) === '@' && image.charAt(end) === ':'
    ? 'it is compared as text: "@" covers digests, and the image has a tag'
    : 'it is compared as text, and the tag or digest is another one';
}

// Where the tag or digest begins: a colon before the last slash is the registry's port. Manifests are anybody's text, so
// nothing here may take longer than the text is long.
function nameEnd(text: string): number {
  const slash = text.lastIndexOf('/', text.search(/@|$/));
  return slash + 1 + text.slice(slash + 1).search(/[:@]|$/);
}

function spellingMiss(pattern: string, image: string): string | undefined {
  return respelt(image).some((other) => matchesPattern(pattern, other))
    ? 'names are compared as written: no registry, "library/" or ":latest" is added or taken away'
    : undefined;
}

// What Docker takes for the same image, and Binary Authorization does not.
function respelt(image: string): readonly string[] {
  const short = image.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '');
  const hosts = ['', 'docker.io/', 'index.docker.io/'];
  const names = hosts.flatMap((host) => (short.includes('/') ? [host + short] : [host + short, `${host}library/${short}`]));
  const host = image.slice(0, Math.max(0, image.indexOf('/')));
  const isOfDockerHub = short !== image || !(host === 'localhost' || /[.:]/.test(host));
  const spellings = isOfDockerHub ? names : [image];
  return nameEnd(image) < image.length ? spellings : [...spellings, ...spellings.map((name) => `${name}:latest`)];
}
