// SPDX-License-Identifier: Apache-2.0
import type { StoredAttestation, VerifiedAttestation } from '../../core/attestation/attestation.js';
import type { Attestor } from '../../core/attestation/attestor.js';
import { asError } from '../../core/errors.js';
import type { Digest } from '../../core/image/digest.js';
import type { AttestorName, NoteName } from '../../core/names.js';
import type { Evidence } from '../../core/policy/context.js';
import type { CheckedOccurrence } from '../../core/results.js';
import type { AttestorKey } from '../../core/signing/public-key.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import { judge, type FindPorts, type FoundAttestations } from './find-attestations.js';
import { readOnce } from './read-once.js';
import { ValidationAllowance } from './validation-allowance.js';

export interface EvidencePorts extends FindPorts {
  readonly attestors: AttestorService;
}

/** What was found out about one attestor and one digest. */
export interface GatheredEvidence extends Evidence {
  readonly occurrences: readonly CheckedOccurrence[];
  /** The keys that the attestor trusts; none where it could not be read. */
  readonly keys: readonly AttestorKey[];
  /** What had to be taken for granted on the way. */
  readonly assumptions: readonly string[];
}

type Judged = Pick<GatheredEvidence, 'found' | 'what' | 'occurrences' | 'assumptions'>;

/** Collects evidence for a run: each attestor is read once, each listing once a round, and Google is asked within the run's allowance. */
export class EvidenceGatherer {
  private readonly allowance = new ValidationAllowance();
  private readonly forbidden = new Set<AttestorName>();
  private readonly readAttestor: (name: AttestorName) => Promise<Attestor>;
  private list: (of: Listing) => Promise<readonly StoredAttestation[]>;
  private rounds: Map<string, Promise<GatheredEvidence>> = new Map();

  constructor(private readonly ports: EvidencePorts) {
    this.readAttestor = readOnce((name: AttestorName) => ports.attestors.attestor(name));
    this.list = this.listings();
  }

  /** Forgets the listings, which may show more now; attestors are kept. */
  startRound(): void {
    this.rounds = new Map();
    this.list = this.listings();
  }

  /** The evidence of an attestor for a digest; whatever prevents an answer is part of it, never thrown. */
  gather(attestor: AttestorName, digest: Digest): Promise<GatheredEvidence> {
    const key = `${attestor} ${digest}`;
    const known = this.rounds.get(key) ?? this.read(attestor, digest);
    this.rounds.set(key, known);
    return known;
  }

  // Attestors may share a note: what it holds is read once for all of them.
  private listings(): (of: Listing) => Promise<readonly StoredAttestation[]> {
    return readOnce(
      ({ note, digest }: Listing) => this.ports.attestations.listOfNote(note, digest),
      ({ note, digest }) => `${note} ${digest}`,
    );
  }

  private async read(name: AttestorName, digest: Digest): Promise<GatheredEvidence> {
    const base = { attestor: name, digest, occurrences: [], keys: [], assumptions: [] };
    try {
      const attestor = await this.readAttestor(name);
      if (attestor.keys.length === 0)
        return { ...base, found: 'attestor-without-keys', what: 'the attestor trusts no key, so it is never satisfied' };
      const judged = await this.judge(attestor, digest, await this.find(attestor, digest));
      return { attestor: name, digest, keys: attestor.keys, ...judged };
    } catch (thrown) {
      const error = asError(thrown);
      if (error.code === 'CANCELLED') throw thrown;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      return { ...base, found: error.code === 'ATTESTOR_NOT_FOUND' ? 'attestor-missing' : 'no-answer', what: error.message, ...hint };
    }
  }

  private async find(attestor: Attestor, digest: Digest): Promise<FoundAttestations> {
    return judge(await this.list({ note: attestor.note, digest }), digest, attestor, this.ports.verifier);
  }

  private async judge(attestor: Attestor, digest: Digest, found: FoundAttestations): Promise<Judged> {
    const rejected = found.rejected.map(({ attestation, rejection }): CheckedOccurrence => ({
      ...describe(attestation, attestor, digest),
      verified: false,
      reason: rejection,
    }));
    if (found.verified.length === 0) {
      const nearest = found.rejected[0];
      const what = nearest
        ? `${nearest.attestation.occurrence}: ${nearest.rejection.message}`
        : `its note ${attestor.note} holds none for this digest`;
      return { found: 'none', what, occurrences: rejected, assumptions: [] };
    }
    const opinions = await this.askUntilOneCounts(attestor, found.verified);
    const occurrences = opinions.map((opinion) => occurrenceOf(opinion, attestor, digest));
    const { says, what, assumptions } = bestOf(opinions);
    return { found: says, what, occurrences: [...occurrences, ...rejected], assumptions };
  }

  // Any one attestation suffices; asking about the others would only spend the quota. What Google was not asked about
  // does not outvote what it said of another one: where the allowance ends, its contradiction stands.
  private async askUntilOneCounts(attestor: Attestor, candidates: readonly VerifiedAttestation[]): Promise<readonly Opinion[]> {
    const opinions: Opinion[] = [];
    for (const candidate of candidates) {
      const opinion = await this.ask(attestor, candidate);
      if (opinions.length > 0 && opinion.validated === 'local' && opinion.says === 'verified') break;
      opinions.push(opinion);
      if (opinion.says === 'verified') break;
    }
    return opinions;
  }

  /** Google's opinion of an attestation that verifies here; where it may not be asked, ours stands. */
  private async ask(attestor: Attestor, candidate: VerifiedAttestation): Promise<Opinion> {
    const { attestation, publicKeyId, warnings } = candidate;
    const doubts = warnings.map((warning) => `${attestation.occurrence} counts although ${warning}`);
    const local: Opinion = {
      candidate,
      says: 'verified',
      what: `${attestation.occurrence} verifies`,
      validated: 'local',
      assumptions: doubts,
    };
    if (this.forbidden.has(attestor.name) || !this.allowance.take(attestor.name, publicKeyId)) return local;
    try {
      const answer = await this.ports.attestors.validate(attestor.name, attestation);
      if (answer.result === 'verified') return { ...local, validated: 'google', assumptions: [] };
      const google = `Google's validation says ${answer.reason === '' ? 'no, without a reason' : answer.reason}`;
      if (answer.result === 'unspecified')
        return { ...local, says: 'undecided', what: `${attestation.occurrence} verifies here, but ${google}` };
      return { ...local, says: 'disagreement', what: `${attestation.occurrence} verifies here under ${publicKeyId}, but ${google}` };
    } catch (thrown) {
      const error = asError(thrown);
      if (error.code !== 'PERMISSION_DENIED') throw thrown;
      this.forbidden.add(attestor.name);
      return { ...local, assumptions: [...doubts, `the local verification stands for ${attestor.name}: ${error.message}`] };
    }
  }
}

interface Listing {
  readonly note: NoteName;
  readonly digest: Digest;
}

interface Opinion {
  readonly candidate: VerifiedAttestation;
  readonly says: 'verified' | 'disagreement' | 'undecided';
  readonly what: string;
  readonly validated: 'google' | 'local';
  readonly assumptions: readonly string[];
}

// One that counts decides; a contradiction is worth more attention than silence.
function bestOf(opinions: readonly Opinion[]): Pick<Opinion, 'says' | 'what' | 'assumptions'> {
  const order = ['verified', 'disagreement', 'undecided'] as const;
  const [best] = order.flatMap((says) => opinions.filter((opinion) => opinion.says === says));
  return best ?? { says: 'undecided', what: 'no attestation was judged', assumptions: [] };
}

function occurrenceOf({ candidate, says, what, validated }: Opinion, attestor: Attestor, digest: Digest): CheckedOccurrence {
  const base = { ...describe(candidate.attestation, attestor, digest), publicKeyId: candidate.publicKeyId };
  if (says === 'verified') return { ...base, verified: true, validated };
  return {
    ...base,
    verified: false,
    reason: { code: says === 'disagreement' ? 'VALIDATION_DISAGREES' : 'VALIDATION_UNDECIDED', message: what },
  };
}

function describe(attestation: StoredAttestation, attestor: Attestor, digest: Digest): Omit<CheckedOccurrence, 'verified'> {
  const { occurrence, signatures, createTime } = attestation;
  const base = { attestor: attestor.name, occurrence, digest, publicKeyId: signatures[0]?.publicKeyId ?? '' };
  return createTime === undefined ? base : { ...base, createTime };
}
