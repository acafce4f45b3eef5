// SPDX-License-Identifier: Apache-2.0
// REQUIRE_ATTESTATION: every listed attestor must be satisfied, each by any attestation that verifies (facts 5.2, step 6).
import type { AttestorName } from '../names.js';
import type { Evidence } from './context.js';
import { NO_ATTESTATIONS } from './denial.js';
import type { Subject } from './subject.js';
import type { Reason, ReasonCode } from './verdict.js';

type Found = Evidence['found'];
type Standing = 'satisfied' | 'violated' | 'open';

/** What the evidence says about the attestors of a rule together. */
export interface Attestations {
  readonly standing: Standing;
  readonly reasons: readonly Reason[];
  /** The attestors that would deny. */
  readonly denying: readonly AttestorName[];
}

interface Answer {
  readonly attestor: AttestorName;
  readonly standing: Standing;
  readonly entry: Pick<Evidence, 'found' | 'what' | 'hint'>;
  /** Cloud Run: the index is attested, and the image that counts is not. */
  readonly isIndexAttested: boolean;
}

// What happens when a listed attestor was deleted is not settled (facts 5.2).
const STANDING: Readonly<Record<Found, Standing>> = {
  verified: 'satisfied',
  none: 'violated',
  'attestor-without-keys': 'violated',
  'no-answer': 'open',
  disagreement: 'open',
  undecided: 'open',
  'attestor-missing': 'open',
};
const CODES: Readonly<Record<Found, ReasonCode>> = {
  verified: 'ATTESTED',
  none: 'NO_TRUSTED_ATTESTATION',
  'attestor-without-keys': 'ATTESTOR_HAS_NO_KEY',
  'no-answer': 'EVIDENCE_MISSING',
  disagreement: 'VALIDATION_DISAGREES',
  undecided: 'VALIDATION_UNDECIDED',
  'attestor-missing': 'ATTESTOR_MISSING',
};

/** Holds the evidence against the attestors that a rule requires. A violation outweighs what is open; nothing required is open. */
export function weigh(required: readonly AttestorName[], subject: Subject, evidence: readonly Evidence[]): Attestations {
  const attestors = [...new Set(required)];
  const answers = attestors.map((attestor) => answerOf(attestor, subject, evidence));
  const missing = answers.filter(({ standing }) => standing === 'violated').map(({ attestor }) => attestor);
  const isSatisfied = answers.length > 0 && answers.every(({ standing }) => standing === 'satisfied');
  const open = isSatisfied ? 'satisfied' : 'open';
  const standing = missing.length > 0 ? 'violated' : open;
  const reported = standing === 'satisfied' ? answers : answers.filter((answer) => answer.standing !== 'satisfied');
  const total = `${attestors.length} of ${attestors.length} attestors required, missing: ${missing.join(', ')}`;
  const reasons = reported.map((answer) => reasonOf(answer, subject, total));
  return { standing, reasons: reasons.length > 0 ? reasons : [nothingRequired()], denying: missing };
}

function answerOf(attestor: AttestorName, subject: Subject, evidence: readonly Evidence[]): Answer {
  const own = evidence.filter((entry) => entry.attestor === attestor);
  const judged = own.filter(({ digest }) => digest === subject.digest);
  const isIndexAttested = own.some(({ digest, found }) => digest === subject.index && found === 'verified');
  const best = (['satisfied', 'open', 'violated'] as const).flatMap((standing) =>
    judged.filter(({ found }) => STANDING[found] === standing),
  )[0];
  const entry = best ?? { found: 'no-answer' as const, what: 'it was not asked for this digest' };
  return { attestor, standing: STANDING[entry.found], entry, isIndexAttested };
}

function reasonOf({ attestor, entry, isIndexAttested }: Answer, subject: Subject, total: string): Reason {
  const { found, what } = entry;
  const code = found === 'none' && isIndexAttested ? 'PLATFORM_CHILD_NOT_ATTESTED' : CODES[found];
  const hint = entry.hint ?? hintFor(code, attestor, `${subject.name}@${subject.digest ?? ''}`);
  return { code, message: messageFor(code, what, total, subject), attestor, ...(hint === undefined ? {} : { hint }) };
}

function messageFor(code: ReasonCode, what: string, total: string, subject: Subject): string {
  switch (code) {
    case 'NO_TRUSTED_ATTESTATION':
      return `${NO_ATTESTATIONS}: ${what} (${total})`;
    case 'ATTESTOR_HAS_NO_KEY':
      return `the attestor trusts no key, so no attestation of it is ever valid: ${what} (${total})`;
    case 'PLATFORM_CHILD_NOT_ATTESTED':
      return `the index ${subject.index ?? ''} is attested, but Cloud Run evaluates its linux/amd64 image ${subject.digest ?? ''}: ${what} (${total})`;
    case 'VALIDATION_DISAGREES':
      return `an attestation verifies here, and Google’s validation says that it does not: ${what}`;
    case 'ATTESTOR_MISSING':
      return `the attestor does not exist, and what the enforcer does then is not published: ${what}`;
    default:
      return what;
  }
}

function hintFor(code: ReasonCode, attestor: AttestorName, image: string): string | undefined {
  switch (code) {
    case 'NO_TRUSTED_ATTESTATION':
      return `attest the image: binauthz attest ${image} --attestor ${attestor} …`;
    case 'PLATFORM_CHILD_NOT_ATTESTED':
      return `attest the index together with its images: binauthz attest IMAGE --attestor ${attestor} --multi-platform both …`;
    case 'ATTESTOR_HAS_NO_KEY':
      return `give the attestor a key: gcloud container binauthz attestors public-keys add --attestor=${attestor} …`;
    case 'VALIDATION_DISAGREES':
      return `Google’s word counts at the deploy: let the attestor’s own account read its note (roles/containeranalysis.notes.occurrences.viewer), or attest the image again`;
    case 'VALIDATION_UNDECIDED':
      return 'run again; if it stays so, the service may not know this kind of key yet';
    case 'ATTESTOR_MISSING':
      return `create the attestor again, or take it out of the rule’s requireAttestationsBy`;
    default:
      return undefined;
  }
}

// The API refuses such a rule; if one comes about all the same, it must not admit.
function nothingRequired(): Reason {
  return { code: 'EVIDENCE_MISSING', message: 'the rule requires attestations and names no attestor: there is nothing to decide by' };
}
