// SPDX-License-Identifier: Apache-2.0
import { placeOf } from '../../core/deployment/place.js';
import type { ImageUse, UseSource } from '../../core/deployment/image-use.js';
import { asError } from '../../core/errors.js';
import { parseImageReference } from '../../core/image/reference.js';
import type { PlacedUse, Resolution } from '../../core/policy/context.js';
import type { ImageRegistry } from '../../ports/image-registry.js';
import type { CheckRequest } from '../requests.js';
import { concurrently, valuesOf } from './concurrently.js';
import { readOnce } from './read-once.js';

/** An image in one kind of place, with every source that uses it there. */
export interface PlacedImage extends PlacedUse {
  readonly sources: readonly UseSource[];
}

/** The child that Cloud Run runs of an index (facts 5.6). */
const CLOUD_RUN_PLATFORM = 'linux/amd64';

/** Uses that nothing distinguishes are judged once; images for Cloud Run, which resolves tags, are resolved, each once. */
export async function placeUses(request: CheckRequest, registry: ImageRegistry): Promise<readonly PlacedImage[]> {
  const resolve = readOnce((image: string) => resolveForCloudRun(image, registry));
  const groups = new Map<string, { use: ImageUse; sources: UseSource[] }>();
  for (const use of request.uses) {
    const { image, platform, namespace, serviceAccount, breakGlass, cloudRun, isJob, source } = use;
    const key = JSON.stringify([image, platform, namespace, serviceAccount, breakGlass, cloudRun, isJob]);
    const group = groups.get(key) ?? { use, sources: [] };
    groups.set(key, group);
    if (source) group.sources.push(source);
  }
  const settled = await concurrently([...groups.values()], async ({ use, sources }): Promise<PlacedImage> => {
    const place = placeOf(use, { namespace: request.namespace, serviceAccount: request.serviceAccount });
    return { use, place, sources, ...(use.platform === 'cloud-run' ? { resolved: await resolve(use.image) } : {}) };
  });
  const [failed] = settled.flatMap((entry) => (entry.ok ? [] : entry.errors));
  if (failed) throw failed;
  return valuesOf(settled);
}

async function resolveForCloudRun(image: string, registry: ImageRegistry): Promise<Resolution> {
  const parsed = parseImageReference(image);
  if (!parsed.ok) return { failed: `${image} is no image reference: ${parsed.reason}` };
  try {
    const { reference, isIndex, children } = await registry.resolve(parsed.reference);
    if (!isIndex) return { digest: reference.digest };
    const child = children.find(({ platform }) => platform === CLOUD_RUN_PLATFORM);
    return child
      ? { digest: reference.digest, child: child.digest }
      : { failed: `${image} is an index without an image for ${CLOUD_RUN_PLATFORM}, which is what Cloud Run runs`, isIndex: true };
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code === 'CANCELLED') throw error;
    return { failed: error.message };
  }
}
