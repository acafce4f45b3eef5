// SPDX-License-Identifier: Apache-2.0
import { BinauthzError, asError } from '../../core/errors.js';
import { pinnedName } from '../../core/image/reference.js';
import { idOf, parseOccurrenceName, type OccurrenceName, type ProjectId } from '../../core/names.js';
import { backoff, retry, RETRY_BUDGET_MS } from '../../core/retry.js';
import type { Clock } from '../../ports/clock.js';
import { FAIR_LOOK_MS, findAttestations, judge, type FindPorts, type FoundAttestations } from './find-attestations.js';
import type { SignedAssignment } from './sign-attestations.js';

export interface PostPorts extends FindPorts {
  readonly clock: Clock;
}

/** An attestation that is stored now, by us or by somebody before us. */
export interface Posted {
  readonly occurrence: OccurrenceName;
  readonly status: 'created' | 'existing';
  /** Whether the listing, which is what the enforcer reads, shows it already. */
  readonly isListed: boolean;
  /** The id of the key that it verifies under; another than ours where somebody else's attestation counts already. */
  readonly publicKeyId: string;
  /** When it was stored, by the run's clock. */
  readonly postedAt: number;
}

/** Others may have stored thousands; a message is one line. */
const MOST_NAMED = 3;

/** How long a conflicting occurrence may stay invisible before it is taken for one that does not verify. */
const CONFLICT_PATIENCE_MS = 10_000;

/**
 * Stores an attestation exactly once. A request whose outcome is unknown is repeated only after the listing was read
 * again; a conflict is a success only where an attestation verifies now.
 */
export async function postAttestation(assignment: SignedAssignment, project: ProjectId, ports: PostPorts): Promise<Posted> {
  // A look in between belongs to the post: with patience of its own, the two would take twice what is documented.
  const deadline = ports.clock.now() + RETRY_BUDGET_MS.quota;
  return retry(async (attempt) => {
    if (attempt > 1) {
      const found = await find(assignment, ports, Math.max(deadline, ports.clock.now() + FAIR_LOOK_MS));
      const stored = storedAlready(found, assignment, ports);
      if (stored) return stored;
    }
    try {
      const occurrence = await ports.attestations.create(project, assignment.signed.attestation);
      return { occurrence, status: 'created', isListed: false, publicKeyId: assignment.signed.publicKeyId, postedAt: ports.clock.now() };
    } catch (thrown) {
      const error = asError(thrown);
      if (error.code !== 'ATTESTATION_CONFLICT') throw thrown;
      return await settleConflict(error, assignment, { ...ports, deadline, project });
    }
  }, ports.clock);
}

async function settleConflict(
  conflict: BinauthzError,
  assignment: SignedAssignment,
  ports: PostPorts & { readonly deadline: number; readonly project: ProjectId },
): Promise<Posted> {
  const startedAt = ports.clock.now();
  const named = namedBy(conflict, ports.project);
  for (let attempt = 1; ; attempt++) {
    const deadline = Math.max(ports.deadline, ports.clock.now() + FAIR_LOOK_MS);
    const found = await find(assignment, ports, deadline);
    // One with a doubt was warned of when it was found; where the service takes no other beside it, it is what there is.
    const stored = storedAlready(found, assignment, ports) ?? standingIn(found.verified[0], ports);
    if (stored) return stored;
    const inTheWay = await judgeNamed(named, found, assignment, { ...ports, deadline });
    const standing = storedAlready(inTheWay, assignment, ports);
    if (standing) return { ...standing, isListed: false };
    // Where Google names the occurrence in the way and it is one that does not verify, waiting changes nothing.
    if (inTheWay.rejected.length > 0) throw conflictWith(conflict, assignment, { rejected: inTheWay.rejected, named });
    if (ports.clock.now() - startedAt > CONFLICT_PATIENCE_MS)
      throw conflictWith(conflict, assignment, { rejected: named === undefined ? found.rejected : [], named });
    await ports.clock.sleep(backoff(attempt, ports.clock.random(), { firstMs: 200, longestMs: 2_000 }));
  }
}

/** The occurrence that the service names in a conflict: `occurrence ID "…" already exists`. */
function namedBy(conflict: BinauthzError, project: ProjectId): OccurrenceName | undefined {
  const id = /occurrence ID "([^"]+)"/i.exec(conflict.message)?.[1];
  return id === undefined ? undefined : parseOccurrenceName(`projects/${project}/occurrences/${id}`);
}

/** What is known of the occurrence in the way: from the listing, or else by its name, which works before it is listed. */
async function judgeNamed(
  named: OccurrenceName | undefined,
  found: FoundAttestations,
  { pair: { attestor }, image: { digest } }: SignedAssignment,
  ports: PostPorts & { readonly deadline: number },
): Promise<FoundAttestations> {
  if (named === undefined) return { verified: [], rejected: [] };
  const rejected = found.rejected.filter(({ attestation }) => idOf(attestation.occurrence) === idOf(named));
  if (rejected.length > 0) return { verified: [], rejected };
  // To read it by name takes a permission that attesting does not.
  const stored = await ports.attestations.read(named, ports.deadline).catch(() => undefined);
  const isListedLater = stored?.note === attestor.note && stored.resourceUri.endsWith(`@${digest}`);
  return judge(isListedLater ? [stored] : [], digest, attestor, ports.verifier);
}

function find(assignment: SignedAssignment, ports: PostPorts, deadline?: number): Promise<FoundAttestations> {
  return findAttestations(assignment.pair.attestor, assignment.image.digest, ports, deadline);
}

// Ours, or one that counts beyond doubt: one with a doubt stands in for ours no more than before it was posted.
function storedAlready(found: FoundAttestations, assignment: SignedAssignment, ports: PostPorts): Posted | undefined {
  const ours = assignment.signed.attestation.signatures[0]?.bytes ?? new Uint8Array();
  const own = found.verified.find(({ attestation }) => attestation.signatures.some((signature) => isEqual(signature.bytes, ours)));
  const other = found.verified.find(({ warnings }) => warnings.length === 0);
  if (own === undefined) return standingIn(other, ports);
  return { ...storedAs(own, ports), status: 'created' };
}

function standingIn(stored: FoundAttestations['verified'][number] | undefined, ports: PostPorts): Posted | undefined {
  return stored && { ...storedAs(stored, ports), status: 'existing' };
}

function storedAs({ attestation, publicKeyId }: FoundAttestations['verified'][number], { clock }: PostPorts): Omit<Posted, 'status'> {
  return { occurrence: attestation.occurrence, isListed: true, publicKeyId, postedAt: clock.now() };
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function conflictWith(
  conflict: BinauthzError,
  { image, pair }: SignedAssignment,
  { rejected, named }: Pick<FoundAttestations, 'rejected'> & { readonly named: OccurrenceName | undefined },
): BinauthzError {
  const names = rejected.slice(0, MOST_NAMED).map(({ attestation, rejection }) => `${attestation.occurrence} (${rejection.message})`);
  const first = rejected[0]?.attestation.occurrence;
  const unlisted = named === undefined ? 'the occurrence in the way is not listed' : `in the way is ${named}, which is not listed yet`;
  const more = rejected.length > MOST_NAMED ? ` or one of ${rejected.length - MOST_NAMED} more` : '';
  const what = first === undefined ? unlisted : `in the way is ${names.join(', ')}${more}`;
  return new BinauthzError(
    'ATTESTATION_CONFLICT',
    `cannot attest ${pinnedName(image)} for ${pair.attestor.name}: Container Analysis says that the attestation exists, but none that is listed verifies under a key that the attestor trusts now; ${what}`,
    {
      resource: first ?? named ?? image.original,
      cause: conflict,
      hint:
        first === undefined
          ? `run again later; what is listed: gcloud container binauthz attestations list --attestor=${pair.attestor.name} --artifact-url=${pinnedName(image)}`
          : `check that nothing needs it any more, delete it, and run again: ${DELETE}${first}`,
    },
  );
}

// gcloud has no command for it.
const DELETE = 'curl -X DELETE -H "Authorization: Bearer $(gcloud auth print-access-token)" https://containeranalysis.googleapis.com/v1/';
