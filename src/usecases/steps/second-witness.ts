// SPDX-License-Identifier: Apache-2.0
import { asError, BinauthzError } from '../../core/errors.js';
import type { ResolvedImage } from '../../core/image/platform.js';
import { nameOf, type ImageReference } from '../../core/image/reference.js';
import type { ArtifactCatalog, ArtifactMetadata } from '../../ports/artifact-metadata.js';
import type { Clock } from '../../ports/clock.js';
import type { Reporter } from '../../ports/reporter.js';

export interface WitnessPorts {
  readonly catalog: ArtifactCatalog;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

// A GitHub job lives six hours at most: an image older than that was not pushed by the run that attests it.
const LONGEST_RUN_MS = 6 * 3_600_000;

/**
 * Artifact Registry's word on what tags mean, asked while the registry itself is read and heard before anything is
 * posted, so that it adds no round trip. For tags on Google's registries only: a digest needs no witness.
 */
export class SecondWitness {
  private readonly answers = new Map<ImageReference, Promise<ArtifactMetadata | undefined>>();

  constructor(private readonly ports: WitnessPorts) {}

  /** Asks about these references; the answers are waited for in `hear`. */
  ask(references: readonly ImageReference[]): void {
    for (const reference of references) {
      if (reference.digest === undefined && this.ports.catalog.covers(reference)) this.answers.set(reference, this.describe(reference));
    }
  }

  /** The upload time of an image, where one is known. TAG_MOVED where the witness names another digest. */
  async hear(asked: ImageReference, image: ResolvedImage): Promise<string | undefined> {
    const metadata = await this.answers.get(asked);
    if (!metadata) return undefined;
    if (metadata.digest !== image.reference.digest) throw tagMoved(image, metadata);
    this.reportAge(image, metadata);
    return metadata.uploadTime;
  }

  // A witness who may not, or cannot, speak proves nothing either way: the registry's bytes are the proof.
  private async describe(reference: ImageReference): Promise<ArtifactMetadata | undefined> {
    try {
      return await this.ports.catalog.describe(reference);
    } catch (thrown) {
      this.ports.reporter.info(`Artifact Registry was not heard about ${reference.original}: ${asError(thrown).message}`);
      return undefined;
    }
  }

  private reportAge(image: ResolvedImage, { uploadTime }: ArtifactMetadata): void {
    const uploadedAt = Date.parse(uploadTime ?? '');
    if (uploadTime === undefined || Number.isNaN(uploadedAt)) return;
    const name = image.reference.original;
    this.ports.reporter.info(`${name} was uploaded at ${uploadTime}`);
    const ageMs = this.ports.clock.now() - uploadedAt;
    if (ageMs <= LONGEST_RUN_MS) return;
    this.ports.reporter.warn(
      `${name} was uploaded ${Math.round(ageMs / 3_600_000)} hours ago, longer than this run would explain: is it the image that was just pushed?`,
    );
  }
}

function tagMoved({ reference }: ResolvedImage, metadata: ArtifactMetadata): BinauthzError {
  return new BinauthzError(
    'TAG_MOVED',
    `cannot tell what ${reference.original} is: the registry serves ${reference.digest}, Artifact Registry says ${metadata.digest}`,
    {
      resource: reference.original,
      hint: `the tag moved during this run: attest the digest that the build step printed, ${nameOf(reference)}@sha256:…`,
    },
  );
}
