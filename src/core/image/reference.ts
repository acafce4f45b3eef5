// SPDX-License-Identifier: Apache-2.0
import { DIGEST_LENGTH, parseDigest, type Digest } from './digest.js';

/** `registry/repository[:tag][@digest]`, parsed strictly; keeps the text that it came from. */
export interface ImageReference {
  readonly original: string;
  /** Host with optional port, lower case: `us-docker.pkg.dev`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** Path below the registry: `project/repository/app`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** A reference whose digest is known: the only kind that a payload can be built from. */
export interface PinnedReference extends ImageReference {
  readonly digest: Digest;
}

/** What a text parses to: a reference, or the reason why it is none. */
export type ParsedReference = { readonly ok: true; readonly reference: ImageReference } | { readonly ok: false; readonly reason: string };

// The grammar of github.com/distribution/reference, without its host-less short names.
const HOST =
  /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?=:)|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?$/i;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;

/**
 * Parses a fully qualified image reference. A scheme (`https://`, `http://`, `oci://`) before it is dropped. Refused,
 * each with its reason: names without a registry host, upper case in the repository, empty path components, white
 * space, digests other than sha256 with 64 lower-case hex digits.
 */
export function parseImageReference(text: string): ParsedReference {
  const refuse = (reason: string): ParsedReference => ({ ok: false, reason });
  const bare = text.replace(/^(?:https?|oci):\/\//i, '');
  const unusable = textProblem(text, bare);
  if (unusable !== undefined) return refuse(unusable);
  const { name, tag, digest } = split(bare);
  if (digest !== undefined) {
    const problem = digestProblem(digest);
    if (problem) return refuse(problem);
  }
  if (tag !== undefined && !TAG.test(tag))
    return refuse(`"${tag.slice(0, 140)}" is not a tag (letters, digits, "_", "." and "-", at most 128, not starting with "." or "-")`);
  const named = splitName(name);
  if ('reason' in named) return refuse(named.reason);
  const pinned = digest === undefined ? undefined : parseDigest(digest);
  return {
    ok: true,
    reference: { original: text, ...named, ...(tag === undefined ? {} : { tag }), ...(pinned === undefined ? {} : { digest: pinned }) },
  };
}

/** Whether a text has a user, and maybe a password, before the registry, as URLs may: a secret that no image name holds. */
export function holdsLogin(text: string): boolean {
  const bare = text.replace(/^[a-z+.-]*:\/\//i, '');
  const slash = bare.indexOf('/');
  return slash >= 0 && bare.slice(0, slash).includes('@');
}

function textProblem(text: string, bare: string): string | undefined {
  if (text === '') return 'it is empty';
  if (holdsLogin(text)) return 'it has a user or a password before the registry: docker login is the place for them';
  if (/\s/.test(text)) return 'it contains white space';
  const scheme = /^[a-z+.-]{0,20}:\/\//i.exec(bare)?.[0];
  return scheme === undefined ? undefined : `"${scheme}" before the name is not known: leave it out`;
}

/** The same image by this digest: what is signed, listed and reported. */
export function pin(reference: ImageReference, digest: Digest): PinnedReference {
  return { ...reference, digest };
}

/** `registry/repository`, the docker-reference of a payload. */
export function nameOf(reference: ImageReference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** `registry/repository@sha256:…`, the way results name an image. */
export function pinnedName(reference: PinnedReference): string {
  return `${nameOf(reference)}@${reference.digest}`;
}

function split(bare: string): { name: string; tag?: string; digest?: string } {
  const at = bare.indexOf('@');
  const digest = at < 0 ? {} : { digest: bare.slice(at + 1) };
  const named = at < 0 ? bare : bare.slice(0, at);
  // A colon is a tag only behind the last slash; before it, it is the registry's port.
  const colon = named.lastIndexOf(':');
  if (colon <= named.lastIndexOf('/')) return { name: named, ...digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), ...digest };
}

function digestProblem(digest: string): string | undefined {
  if (parseDigest(digest)) return undefined;
  const got = `got "${digest.slice(0, 100)}"`;
  if (!digest.startsWith('sha256:')) return `the digest must be sha256, which is all that Binary Authorization knows; ${got}`;
  if (digest.length !== DIGEST_LENGTH)
    return `the digest must be "sha256:" and 64 hex digits, ${got} with ${digest.length - 'sha256:'.length}`;
  return `the digest must be lower-case hex, ${got}`;
}

function splitName(name: string): { registry: string; repository: string } | { reason: string } {
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(0, slash));
  const found = HOST.exec(host);
  if (!found) return { reason: 'a registry host must come first (for Docker Hub write docker.io/library/NAME)' };
  const port = Number(found[1] ?? 443);
  if (port < 1 || port > 65535) return { reason: `"${port}" is not a port` };
  // `256.1.1.1` and `[:::]` fit the grammar, but are addresses of nothing.
  if (!URL.canParse(`https://${host}/`)) return { reason: `"${host.slice(0, 140)}" is not an address` };
  const repository = name.slice(slash + 1);
  if (name.length > LONGEST_NAME) return { reason: `the name has ${name.length} characters, at most ${LONGEST_NAME} are allowed` };
  const bad = repository.split('/').find((component) => !COMPONENT.test(component));
  if (bad === '') return { reason: 'the repository has an empty path component ("//" or a slash at an end)' };
  if (bad !== undefined)
    return {
      reason: `"${bad}" is not a repository name component (lower-case letters, digits, and single ".", "_", "__" or "-" between them)`,
    };
  return { registry: host.toLowerCase(), repository };
}
