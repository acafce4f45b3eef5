// SPDX-License-Identifier: Apache-2.0
import { asErrors, BinauthzError, type ErrorCode } from '../../core/errors.js';
import { parseDigest, type Digest } from '../../core/image/digest.js';
import type { ChildManifest } from '../../core/image/platform.js';
import { nameOf, parseImageReference, pin, pinnedName, type ImageReference } from '../../core/image/reference.js';
import type { RepositoryImages } from '../../ports/repository-images.js';
import type { RotateRequest } from '../requests.js';
import { concurrently, errorsOf, valuesOf } from './concurrently.js';
import type { ResolvePorts } from './resolve-images.js';

export interface GatherPorts extends ResolvePorts {
  readonly repositories: RepositoryImages;
}

/** An image that a rotation was told of: the digest that runs, and those of its platforms where it is an index. */
export interface GatheredImage {
  readonly name: string;
  readonly digest: Digest;
  readonly children: readonly ChildManifest[];
  /** Whether the user named this very image. */
  readonly isNamed: boolean;
}

/** An image of which no digest is known. */
export interface UnknownImage {
  readonly name: string;
  /** Why; none for a name that no attestation can be meant for. */
  readonly errors: readonly BinauthzError[];
}

/** What a rotation was told of. */
export interface Gathered {
  readonly images: readonly GatheredImage[];
  readonly unknown: readonly UnknownImage[];
  /** Of repositories that could not be listed, or hold nothing. */
  readonly errors: readonly BinauthzError[];
}

/**
 * Finds the digests of the images that a request names. The registry is asked what a tag means, and what an index holds;
 * where it does not say for a digest, its platforms stay unknown, and whatever depends on the old key shows at the end.
 */
export async function gatherImages(request: RotateRequest, ports: GatherPorts): Promise<Gathered> {
  const named = request.images.map((image) => ({ image, name: image.original, isNamed: true }));
  const used = [...new Set(request.used)].map((text) => asUse(text));
  const [resolved, listed] = await Promise.all([
    concurrently([...named, ...used], (wanted) => resolve(wanted, ports)),
    concurrently(request.repositories, (repository) => listRepository(repository, ports)),
  ]);
  const found = valuesOf(resolved);
  return {
    images: [...found.flatMap((entry) => ('digest' in entry ? [entry] : [])), ...valuesOf(listed).flat()],
    unknown: found.flatMap((entry) => ('digest' in entry ? [] : [entry])),
    errors: [...errorsOf(resolved), ...errorsOf(listed)],
  };
}

/** What keeps a registry from telling an index's platforms, and speaks against nothing. */
const MAY_STAY_UNKNOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'IMAGE_NOT_FOUND',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'UNAVAILABLE',
  'QUOTA_EXHAUSTED',
]);

interface Wanted {
  readonly name: string;
  readonly isNamed: boolean;
  readonly image?: ImageReference;
  readonly digest?: Digest;
}

// A manifest may say `nginx@sha256:…`: the digest alone is what the enforcer compares.
function asUse(text: string): Wanted {
  const parsed = parseImageReference(text);
  if (parsed.ok) return { name: text, isNamed: false, image: parsed.reference };
  const digest = parseDigest(text.slice(text.lastIndexOf('@') + 1));
  return { name: text, isNamed: false, ...(digest === undefined ? {} : { digest }) };
}

async function resolve({ name, isNamed, image, digest }: Wanted, ports: GatherPorts): Promise<GatheredImage | UnknownImage> {
  if (!image) return digest === undefined ? { name, errors: [] } : { name, digest, children: [], isNamed };
  if (image.digest === undefined && image.tag === undefined) return { name, errors: [] };
  try {
    const { reference, children } = await ports.registry.resolve(image);
    return { name: pinnedName(reference), digest: reference.digest, children, isNamed };
  } catch (thrown) {
    const errors = asErrors(thrown);
    if (image.digest === undefined || !errors.every(({ code }) => MAY_STAY_UNKNOWN.has(code))) return { name, errors };
    ports.reporter.debug(`the platforms of ${name} are not known: ${errors[0].message}`);
    return { name: pinnedName(pin(image, image.digest)), digest: image.digest, children: [], isNamed };
  }
}

async function listRepository(repository: ImageReference, ports: GatherPorts): Promise<readonly GatheredImage[]> {
  const images = await ports.repositories.imagesIn(repository);
  if (images.length > 0) return images.map((image) => ({ ...image, isNamed: false }));
  throw new BinauthzError('IMAGE_NOT_FOUND', `cannot find an image in ${nameOf(repository)}: expected at least one, got none`, {
    resource: nameOf(repository),
    hint: 'compare it with what is there: gcloud artifacts docker images list ' + nameOf(repository),
  });
}
