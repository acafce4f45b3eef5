// SPDX-License-Identifier: Apache-2.0
import { BinauthzError, asError } from '../../core/errors.js';
import { pinnedName } from '../../core/image/reference.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import type { Reporter } from '../../ports/reporter.js';
import { concurrently, settle, valuesOf, type Settled } from './concurrently.js';
import type { SignedAssignment } from './sign-attestations.js';
import { ValidationAllowance } from './validation-allowance.js';

/** A signed assignment that Google, or else the local verifier alone, calls good. */
export interface ValidatedAssignment extends SignedAssignment {
  readonly validated: 'google' | 'local';
}

/** An assignment and what became of its validation. */
export interface Validation {
  readonly assignment: SignedAssignment;
  readonly answer: Settled<ValidatedAssignment>;
}

export interface ValidatePorts {
  readonly attestors: AttestorService;
  readonly reporter: Reporter;
}

/**
 * Asks Google before anything is posted: the first use of each (attestor, key) always, the rest while the run's
 * allowance lasts. ATTESTATION_NOT_VERIFIABLE and UNDECIDED stop the assignment; without the permission to ask, the
 * local verdict stands, with a warning.
 */
export async function validateAttestations(signed: readonly SignedAssignment[], ports: ValidatePorts): Promise<readonly Validation[]> {
  const validator = new AttestationValidator(ports);
  const ask = async (assignment: SignedAssignment): Promise<Validation> => ({
    assignment,
    answer: await settle(validator.validate(assignment)),
  });
  const firsts = firstUses(signed);
  const answered = valuesOf(await concurrently(firsts, ask));
  // A key that Google refuses once is refused again: asking for the rest would only spend the quota.
  if (answered.some(({ answer }) => !answer.ok)) return answered;
  const rest = signed.filter((assignment) => !firsts.includes(assignment));
  return [...answered, ...valuesOf(await concurrently(rest, ask))];
}

/** Validates one attestation after the other with the allowance of one run; the rules are those of validateAttestations. */
export class AttestationValidator {
  private readonly forbidden = new Set<string>();

  constructor(
    private readonly ports: ValidatePorts,
    private readonly allowance = new ValidationAllowance(),
  ) {}

  async validate(assignment: SignedAssignment): Promise<ValidatedAssignment> {
    const { attestor, attestorKey } = assignment.pair;
    if (this.forbidden.has(attestor.name) || !this.allowance.take(attestor.name, attestorKey.id)) return local(assignment);
    try {
      const { result, reason } = { reason: '', ...(await this.ports.attestors.validate(attestor.name, assignment.signed.attestation)) };
      if (result === 'verified') return { ...assignment, validated: 'google' };
      throw refusal(assignment, result, reason);
    } catch (thrown) {
      const error = asError(thrown);
      if (error.code !== 'PERMISSION_DENIED') throw thrown;
      this.forbid(attestor.name, error);
      return local(assignment);
    }
  }

  private forbid(attestor: string, { message, hint }: BinauthzError): void {
    if (!this.forbidden.has(attestor))
      this.ports.reporter.warn(
        `${message}; the local verification stands${hint === undefined ? '' : ` (to have Google asked as well: ${hint})`}`,
      );
    this.forbidden.add(attestor);
  }
}

function firstUses(signed: readonly SignedAssignment[]): readonly SignedAssignment[] {
  const seen = new Map<string, SignedAssignment>();
  for (const assignment of signed) {
    const key = `${assignment.pair.attestor.name} ${assignment.pair.attestorKey.id}`;
    if (!seen.has(key)) seen.set(key, assignment);
  }
  return [...seen.values()];
}

function local(assignment: SignedAssignment): ValidatedAssignment {
  return { ...assignment, validated: 'local' };
}

function refusal(assignment: SignedAssignment, result: 'not-verifiable' | 'unspecified', reason: string): BinauthzError {
  const { image, pair } = assignment;
  const subject = `the attestation of ${pinnedName(image)} by ${pair.attestor.name}`;
  if (result === 'unspecified') {
    return new BinauthzError(
      'UNDECIDED',
      `cannot post ${subject}: Google's validation gave no result${reason === '' ? '' : ` (${reason})`}, expected VERIFIED`,
      {
        resource: pair.attestor.name,
        hint: 'nothing was posted; run again, and if it stays so ask Google’s support: the service may not know this kind of key yet',
      },
    );
  }
  const agent = pair.attestor.serviceAgent;
  return new BinauthzError(
    'ATTESTATION_NOT_VERIFIABLE',
    `cannot post ${subject}: Google's validation refuses it: ${reason === '' ? 'no reason given' : reason}`,
    {
      resource: pair.attestor.name,
      hint: `nothing was posted; compare the attestor's key with the one that signs${agent === undefined ? '' : `, and check that ${agent} holds roles/containeranalysis.notes.occurrences.viewer on ${pair.attestor.note}`}`,
    },
  );
}
