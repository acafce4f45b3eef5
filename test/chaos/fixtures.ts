// SPDX-License-Identifier: Apache-2.0
import { imageIndex, singleImage, type TestImage } from '../support/images.js';
import type { Scenario } from './schedule.js';

/** The images of the stage; their bytes, and so their digests, are always the same. */
export const FIXTURES = {
  alpha: singleImage('alpha'),
  beta: singleImage('beta'),
  gamma: singleImage('gamma'),
  fleet: imageIndex('fleet', ['linux/amd64', 'linux/arm64']),
  proven: imageIndex('proven', ['linux/amd64', 'linux/arm64'], { provenance: true }),
} as const;

export type FixtureName = keyof typeof FIXTURES;

/** A digest that a run must attest, and the image that it belongs to. */
export interface Target {
  readonly image: FixtureName;
  readonly digest: string;
}

/** What a run of this scenario must attest, reasoned from the contract and the fixtures, not asked from the product. */
export function targetsOf({ images, multiPlatform }: Pick<Scenario, 'images' | 'multiPlatform'>): readonly Target[] {
  return images.flatMap((image) => digestsOf(FIXTURES[image], multiPlatform).map((digest) => ({ image, digest })));
}

function digestsOf(image: TestImage, multiPlatform: Scenario['multiPlatform']): readonly string[] {
  if (image.children.length === 0) return [image.digest];
  const runnable = image.children.filter(isRunnable).map(({ digest }) => digest);
  return { both: [image.digest, ...runnable], index: [image.digest], children: runnable }[multiPlatform];
}

/** BuildKit's provenance is a child of the index that never runs. */
function isRunnable({ manifest }: TestImage): boolean {
  return !manifest.toString().includes('application/vnd.in-toto+json');
}
