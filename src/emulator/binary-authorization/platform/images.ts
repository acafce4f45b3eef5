// SPDX-License-Identifier: Apache-2.0
// Image URIs, and the patterns of platform policies: other rules than those of the project policy
// (docs overview-cv; gcloud 528's message TrustedDirectoryCheck).
import { ApiError } from '../../wire.js';

/** An image URI taken apart; nothing is added to it. */
export interface ImageUri {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Takes `NAME[:TAG][@DIGEST]` apart. A colon before the last slash belongs to a port. */
export function parseImageUri(uri: string): ImageUri {
  const at = uri.indexOf('@');
  const before = at < 0 ? uri : uri.slice(0, at);
  const digest = at < 0 ? undefined : uri.slice(at + 1);
  const colon = before.indexOf(':', before.lastIndexOf('/') + 1);
  if (colon < 0) return { name: before, tag: undefined, digest };
  return { name: before.slice(0, colon), tag: before.slice(colon + 1), digest };
}

/** Refuses an allowlist pattern that the API would refuse. */
export function requireAllowPattern(pattern: string, at: string): void {
  const { name, tag, digest } = parseImageUri(pattern);
  const isName = name !== '' && !/\s/.test(pattern) && !/^\*+$/.test(name) && !/(?<!\/)\*\*|\*{3}|\*\*./.test(name);
  const isTag = tag === undefined || /^[^*]+\*?$/.test(tag);
  const isDigest = digest === undefined || /^[^*]+$/.test(digest);
  if (!isName || !isTag || !isDigest) throw new ApiError('INVALID_ARGUMENT', `${at}: invalid allow pattern "${pattern}".`);
}

/** The first of the patterns that an image matches. A pattern without tag or digest takes any. */
export function matchedPattern(patterns: readonly string[], uri: string): string | undefined {
  const image = parseImageUri(uri);
  return patterns.find((pattern) => {
    const { name, tag, digest } = parseImageUri(pattern);
    return globMatches(name, image.name) && tagMatches(tag, image.tag) && (digest === undefined || digest === image.digest);
  });
}

function tagMatches(pattern: string | undefined, tag: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (pattern.endsWith('*')) return tag?.startsWith(pattern.slice(0, -1)) === true;
  return tag === pattern;
}

/** Refuses a directory pattern that the API would refuse. */
export function requireDirectoryPattern(pattern: string, at: string): void {
  const [registry = '', ...path] = pattern.split('/');
  // A leading wildcard stands for a subdomain or for its beginning: what follows is a domain of its own.
  const domain = /^(?:[a-z0-9-]+\.)+[a-z0-9-]+$|^\*\.(?:[a-z0-9-]+\.)+[a-z0-9-]+$|^\*-(?:[a-z0-9-]+\.){2,}[a-z0-9-]+$/;
  const directory = path.join('/');
  const isPath = path.every((segment) => segment !== '') && /^[^*\s]*(?:\*|(?:^|(?<=\/))\*\*)?$/.test(directory);
  if (!domain.test(registry) || !isPath) throw new ApiError('INVALID_ARGUMENT', `${at}: invalid directory pattern "${pattern}".`);
}

/** Whether an image lies directly in one of the directories. */
export function isInDirectory(patterns: readonly string[], uri: string): boolean {
  const { name } = parseImageUri(uri);
  const slash = name.lastIndexOf('/');
  return slash > 0 && patterns.some((pattern) => globMatches(pattern, name.slice(0, slash)));
}

/** `**`, which is a whole last segment, stands for one or more segments; `*` for any text within one. */
function globMatches(pattern: string, text: string): boolean {
  const wanted = pattern.split('/');
  const given = text.split('/');
  const isDeep = wanted.at(-1) === '**';
  if (isDeep ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((segment, index) => (isDeep && index === wanted.length - 1) || segmentMatches(segment, given[index] ?? ''));
}

/** Each part between wildcards where it is found first: no pattern can make this slow, as it could a regular expression. */
function segmentMatches(pattern: string, text: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return text === start;
  if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false;
  const last = text.length - end.length;
  let from = start.length;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > last) return false;
    from = found + part.length;
  }
  return true;
}
