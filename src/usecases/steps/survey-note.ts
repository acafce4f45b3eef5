// SPDX-License-Identifier: Apache-2.0
import type { StoredAttestation } from '../../core/attestation/attestation.js';
import type { Attestor } from '../../core/attestation/attestor.js';
import { verifyAttestation } from '../../core/attestation/verify.js';
import type { Digest } from '../../core/image/digest.js';
import { digestAttested, imageAttested, type Coverage, type CoveringKey } from '../../core/rotation/coverage.js';
import type { AttestorKey } from '../../core/signing/public-key.js';
import type { Verifier } from '../../core/signing/verifier.js';
import type { FindPorts } from './find-attestations.js';

/** Everything under an attestor's note, as one listing showed it; verified for a digest when it is asked about. */
export class NoteSurvey {
  private readonly known = new Map<Digest, Promise<Coverage | undefined>>();

  private constructor(
    private readonly attestor: Attestor,
    private readonly byDigest: ReadonlyMap<Digest, readonly StoredAttestation[]>,
    private readonly verifier: Verifier,
  ) {}

  /** Lists the note once. */
  static async of(attestor: Attestor, { attestations, verifier }: FindPorts): Promise<NoteSurvey> {
    const byDigest = new Map<Digest, StoredAttestation[]>();
    for (const attestation of await attestations.listOfNote(attestor.note)) {
      const digest = digestAttested(attestation);
      if (digest === undefined) continue;
      const others = byDigest.get(digest);
      if (others) others.push(attestation);
      else byDigest.set(digest, [attestation]);
    }
    return new NoteSurvey(attestor, byDigest, verifier);
  }

  /** Whether anybody stored an attestation for this digest, good or bad. */
  holds(digest: Digest): boolean {
    return this.byDigest.has(digest);
  }

  /** Whether any signature claims to be by this key, right or wrong. */
  names(keyId: string): boolean {
    return [...this.byDigest.values()].some((attestations) => attestations.some((attestation) => claims(attestation, keyId)));
  }

  /** The trusted keys that a digest's attestations verify under; undefined where none does. */
  coverageOf(digest: Digest): Promise<Coverage | undefined> {
    const coverage = this.known.get(digest) ?? this.verify(digest);
    this.known.set(digest, coverage);
    return coverage;
  }

  /** The coverage of every digest that has one, of those that are `wanted`. */
  async coverages(wanted: (digest: Digest) => boolean): Promise<readonly Coverage[]> {
    const found: Coverage[] = [];
    for (const digest of this.byDigest.keys()) {
      const coverage = wanted(digest) ? await this.coverageOf(digest) : undefined;
      if (coverage) found.push(coverage);
    }
    return found;
  }

  /** The digests with attestations that claim to be by a trusted key, of which none verifies under it. */
  async unproven(keyId: string): Promise<readonly Digest[]> {
    const found: Digest[] = [];
    for (const [digest, attestations] of this.byDigest) {
      if (!attestations.some((attestation) => claims(attestation, keyId))) continue;
      const coverage = await this.coverageOf(digest);
      if (!coverage?.keys.some(({ id }) => id === keyId)) found.push(digest);
    }
    return found;
  }

  private async verify(digest: Digest): Promise<Coverage | undefined> {
    const keys: CoveringKey[] = [];
    let first: StoredAttestation | undefined;
    for (const key of this.attestor.keys) {
      const found = await this.verifyUnder(key, digest);
      if (!found) continue;
      first ??= found.attestation;
      keys.push(found.covering);
    }
    if (!first) return undefined;
    const image = imageAttested(first, digest);
    return { digest, keys, ...(image === undefined ? {} : { image }) };
  }

  // One that verifies beyond doubt is enough; a doubtful one counts until it is found.
  private async verifyUnder(
    key: AttestorKey,
    digest: Digest,
  ): Promise<{ readonly attestation: StoredAttestation; readonly covering: CoveringKey } | undefined> {
    let doubtful: Awaited<ReturnType<NoteSurvey['verifyUnder']>>;
    for (const attestation of this.byDigest.get(digest) ?? []) {
      if (!claims(attestation, key.id)) continue;
      const verdict = await verifyAttestation(attestation, digest, [key], this.verifier);
      if ('rejected' in verdict) continue;
      const { warnings } = verdict.verified;
      const covering = { id: key.id, occurrence: attestation.occurrence };
      if (warnings.length === 0) return { attestation, covering };
      doubtful ??= { attestation, covering: { ...covering, doubt: warnings.join('; ') } };
    }
    return doubtful;
  }
}

function claims({ signatures }: StoredAttestation, keyId: string): boolean {
  return signatures.some(({ publicKeyId }) => publicKeyId === keyId);
}
