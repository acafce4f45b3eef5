// SPDX-License-Identifier: Apache-2.0
// What the enforcer sees of an image: on GKE the text of the Pod, on Cloud Run the name with a resolved digest.
import { parseDigest, type Digest } from '../image/digest.js';
import type { PlacedUse, Resolution } from './context.js';

/** An image as the enforcer sees it. */
export interface Subject {
  /** What patterns are held against, and what a denial names. */
  readonly text: string;
  /** Without tag and digest. */
  readonly name: string;
  /** What attestations must be for; undefined where the enforcer sees none (GKE) or it is not known (Cloud Run). */
  readonly digest?: Digest;
  /** Cloud Run: the index that was named, where `digest` is that of its linux/amd64 image. */
  readonly index?: Digest;
  /** Cloud Run: why the digest is not known. */
  readonly unresolved?: string;
  readonly assumptions: readonly string[];
}

/** The image as this platform's enforcer sees it. */
export function subjectOf(placed: PlacedUse): Subject {
  const { image, platform } = placed.use;
  const name = bareName(image);
  const written = writtenDigest(image);
  // GKE resolves nothing: what is written is what counts, whatever a registry would say (facts 5.5).
  if (platform === 'gke') return { text: image, name, ...(written === undefined ? {} : { digest: written }), assumptions: [] };
  return onCloudRun(name, written, placed.resolved ?? { failed: 'it was not looked up' });
}

// Tags are resolved at deploy, and an index to its linux/amd64 image, so no pattern can name a tag (facts 5.6).
function onCloudRun(name: string, written: Digest | undefined, resolved: Resolution): Subject {
  if (!('failed' in resolved)) {
    const digest = resolved.child ?? resolved.digest;
    const index = digest === resolved.digest ? {} : { index: resolved.digest };
    return { text: `${name}@${digest}`, name, digest, ...index, assumptions: [] };
  }
  // What is known to be an index is not what Cloud Run evaluates, whoever attested it.
  if (written === undefined || resolved.isIndex) return { text: name, name, unresolved: resolved.failed, assumptions: [] };
  const assumption = `${written} is what Cloud Run evaluates, and not an index: its manifest could not be read (${resolved.failed})`;
  return { text: `${name}@${written}`, name, digest: written, assumptions: [assumption] };
}

/** The digest in an image as written: behind one `@`, and exactly one; anything else is malformed to the enforcer. */
export function writtenDigest(image: string): Digest | undefined {
  const [, text] = /^[^@\s]+@(\S+)$/.exec(image) ?? [];
  return text === undefined ? undefined : parseDigest(text);
}

/** An image's name without tag and digest. A colon before the last slash is the registry's port. */
export function bareName(image: string): string {
  const named = image.split('@')[0] ?? '';
  return named.replace(/:[^:/]*$/, '');
}
