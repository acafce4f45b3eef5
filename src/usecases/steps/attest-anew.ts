// SPDX-License-Identifier: Apache-2.0
import { asError, BinauthzError, type ErrorCode } from '../../core/errors.js';
import { pinnedName, type PinnedReference } from '../../core/image/reference.js';
import { projectOf, type OccurrenceName, type ProjectId } from '../../core/names.js';
import { backoff } from '../../core/retry.js';
import type { Pair } from '../../core/signing/pairing.js';
import { awaitVisibility, type VisibilityPorts } from './await-visibility.js';
import { concurrently, settle, type Settled } from './concurrently.js';
import { postAttestation, type Posted } from './post-attestation.js';
import { AttestationSigner } from './sign-attestations.js';
import { AttestationValidator, type ValidatedAssignment, type ValidatePorts } from './validate-attestations.js';
import { ValidationAllowance } from './validation-allowance.js';

export type AnewPorts = VisibilityPorts & ValidatePorts;

/** What images are attested with: the pair's attestor lists the new key alone, so that no other key's attestation counts. */
export interface AnewOptions {
  readonly pair: Pair;
  /** Where attestations are stored; the attestor's own project unless given. */
  readonly project?: ProjectId;
  /** How long each attestation's visibility is awaited, from its own post. */
  readonly waitTimeoutMs: number;
  /** How many runs like this one go on beside each other: they share what Google is asked to validate. */
  readonly runs: number;
}

/** An attestation that is stored now; one that was not seen before the wait timeout says why. */
export interface Anew {
  readonly status: 'attested' | 'existing' | 'posted';
  readonly occurrence: OccurrenceName;
  readonly unseen?: BinauthzError;
}

// A key that was added a moment ago, perhaps by another shard, may not be known everywhere at once.
const PATIENCE_MS = 30_000;
const ASK_AGAIN = { firstMs: 1_000, longestMs: 5_000 } as const;

/** What keeps one image from being stored, and would keep every other. */
const CONCERNS_ALL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'NOTE_NOT_FOUND',
  'PROJECT_NOT_FOUND',
]);

/**
 * Attests images with one key, each by itself: what is stored when a run is killed is found by the next. The first image
 * goes ahead: where its key is refused, or the right to store is missing, the rest is left alone, as undefined.
 */
export async function attestAnew(
  images: readonly PinnedReference[],
  options: AnewOptions,
  ports: AnewPorts,
): Promise<readonly (Settled<Anew> | undefined)[]> {
  const work = new Reattestation(options, ports);
  const [first, ...rest] = images;
  if (!first) return [];
  const opening = await settle(work.prepareFirst(first));
  if (!opening.ok) return [opening, ...rest.map(() => undefined)];
  const stored = await settle(work.post(opening.value));
  if (!stored.ok && stored.errors.some(({ code }) => CONCERNS_ALL.has(code))) return [stored, ...rest.map(() => undefined)];
  const others = await concurrently(rest, (image) => work.prepareAndPost(image));
  return concurrently([stored, ...others], (entry) => work.see(entry));
}

interface Stored {
  readonly assignment: ValidatedAssignment;
  readonly posted: Posted;
}

class Reattestation {
  private readonly signer: AttestationSigner;
  private readonly validator: AttestationValidator;

  constructor(
    private readonly options: AnewOptions,
    private readonly ports: AnewPorts,
  ) {
    this.signer = new AttestationSigner(ports.verifier);
    this.validator = new AttestationValidator(ports, new ValidationAllowance(options.runs));
  }

  /** As for the others, but Google is given time to learn of the key. */
  async prepareFirst(image: PinnedReference): Promise<ValidatedAssignment> {
    const { clock, reporter } = this.ports;
    const signed = await this.signer.sign({ image, pair: this.options.pair });
    const giveUpAt = clock.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.validator.validate(signed);
      } catch (thrown) {
        const pauseMs = backoff(attempt, clock.random(), ASK_AGAIN);
        if (asError(thrown).code !== 'ATTESTATION_NOT_VERIFIABLE' || clock.now() + pauseMs > giveUpAt) throw thrown;
        reporter.info(`Google does not verify attestations under ${this.options.pair.attestorKey.id} yet; asking again in ${pauseMs} ms`);
        await clock.sleep(pauseMs);
      }
    }
  }

  async prepareAndPost(image: PinnedReference): Promise<Stored> {
    const signed = await this.signer.sign({ image, pair: this.options.pair });
    return this.post(await this.validator.validate(signed));
  }

  async post(assignment: ValidatedAssignment): Promise<Stored> {
    const { project, pair } = this.options;
    try {
      const posted = await postAttestation(assignment, project ?? projectOf(pair.attestor.name), this.ports);
      this.ports.reporter.info(
        `${posted.status === 'created' ? 'posted' : 'found'} ${posted.occurrence} for ${pinnedName(assignment.image)}`,
      );
      return { assignment, posted };
    } catch (thrown) {
      throw inTheWay(asError(thrown), assignment);
    }
  }

  /** The end of one that was posted, once the enforcer's listing shows it. */
  async see(entry: Settled<Stored>): Promise<Anew> {
    if (!entry.ok) throw entry.errors[0] ?? new Error('a failed post without an error');
    const { assignment, posted } = entry.value;
    const { occurrence } = posted;
    if (posted.status === 'existing' && posted.isListed) return { status: 'existing', occurrence };
    try {
      await awaitVisibility(assignment, posted, posted.postedAt + this.options.waitTimeoutMs, this.ports);
      return { status: posted.status === 'existing' ? 'existing' : 'attested', occurrence };
    } catch (thrown) {
      return { status: 'posted', occurrence, unseen: asError(thrown) };
    }
  }
}

// What is in the way is the good attestation by the key that is still trusted. The usual hint, to delete it and run
// again, would leave an image that no rotation may sign.
function inTheWay(error: BinauthzError, { image, pair }: ValidatedAssignment): BinauthzError {
  if (error.code !== 'ATTESTATION_CONFLICT') return error;
  const name = pinnedName(image);
  return new BinauthzError(
    'ATTESTATION_CONFLICT',
    `cannot attest ${name} for ${pair.attestor.name} under another key: Container Analysis says that the attestation exists already`,
    {
      ...(error.resource === undefined ? {} : { resource: error.resource }),
      cause: error,
      hint:
        'leave the old key on the attestor, and rotate to an attestor with a note of its own; or, if the image may be without an attestation ' +
        `for a moment, delete the occurrence in the way and at once run: binauthz attest ${name} --attestor ${pair.attestor.name} … with the new key`,
    },
  );
}
