// SPDX-License-Identifier: Apache-2.0
import { asErrors, type BinauthzError } from '../core/errors.js';
import type { Digest } from '../core/image/digest.js';
import { digestsToAttest, type ResolvedImage } from '../core/image/platform.js';
import { pin, pinnedName, type ImageReference, type PinnedReference } from '../core/image/reference.js';
import { projectOf } from '../core/names.js';
import { reportOf, type AttestationResult, type AttestationStatus, type AttestedImage, type AttestResult } from '../core/results.js';
import type { GivenKey } from '../core/signing/given-key.js';
import type { Pair } from '../core/signing/pairing.js';
import { sharedKeyWarnings } from '../core/signing/shared-keys.js';
import { refusedNames } from '../core/vulnerabilities/refusals.js';
import type { AttestorService } from '../ports/attestor-service.js';
import type { Outcome } from './outcome.js';
import type { AttestRequest } from './requests.js';
import type { ScanPorts } from './steps/await-scan.js';
import { awaitVisibility, type VisibilityPorts } from './steps/await-visibility.js';
import { concurrently, errorsOf, settle, valuesOf } from './steps/concurrently.js';
import { findAttestations, type FoundAttestations } from './steps/find-attestations.js';
import { passGate, type Passage } from './steps/judge-vulnerabilities.js';
import { pairAttestors } from './steps/pair-attestors.js';
import { postAttestation, type Posted } from './steps/post-attestation.js';
import { resolveImages, type ResolvePorts } from './steps/resolve-images.js';
import { SecondWitness, type WitnessPorts } from './steps/second-witness.js';
import { AttestationSigner, type Assignment, type SignedAssignment } from './steps/sign-attestations.js';
import { validateAttestations, type ValidatedAssignment } from './steps/validate-attestations.js';

export interface AttestPorts extends ResolvePorts, WitnessPorts, VisibilityPorts, ScanPorts {
  readonly attestors: AttestorService;
  /** Opens the keys that the user gave; called once, while the attestors are read. */
  readonly openKeys: () => Promise<readonly GivenKey[]>;
}

/**
 * Makes images deployable: resolves each once, pairs attestors with keys, leaves alone what is attested already,
 * signs what passes the vulnerability gate, has Google validate, posts, and waits until the enforcer's listing shows it.
 * Nothing is signed unless every image passes, and nothing posted unless every assignment could be signed and validated.
 */
export async function attest(request: AttestRequest, ports: AttestPorts): Promise<Outcome<AttestResult>> {
  const run = new AttestRun(request, ports);
  const { images, pairs, errors } = await run.prepare();
  if (errors.length > 0) return outcome({ images }, [], errors);

  const assignments = assignmentsOf(images, pairs, request);
  const gate = passGate(images, request.gate, ports);
  const [uploads, passage, examined] = await Promise.all([run.hearWitness(images), gate, run.examine(assignments, gate)]);
  const found: Found = { images: uploads.images, passage };
  const refusals = [...passage.errors, ...uploads.errors, ...examined.errors];
  if (request.dryRun || refusals.length > 0) return outcome(found, inOrderOf(assignments, examined.results), refusals);

  const validated = await run.validate(examined.signed);
  if (validated.errors.length > 0)
    return outcome(found, inOrderOf(assignments, [...examined.results, ...validated.results]), validated.errors);

  const posted = await run.post(validated.ready);
  return outcome(found, inOrderOf(assignments, [...examined.results, ...posted.results]), posted.errors);
}

const MOST_WARNINGS = 5;

/** An image as it was asked for and as it was found. */
interface FoundImage extends ResolvedImage {
  readonly asked: ImageReference;
  readonly uploadTime?: string | undefined;
}

/** What is known of the images of a run. */
interface Found {
  readonly images: readonly FoundImage[];
  readonly passage?: Passage;
}

interface Progress {
  readonly results: readonly AttestationResult[];
  readonly errors: readonly BinauthzError[];
}

class AttestRun {
  private readonly signer: AttestationSigner;
  private readonly witness: SecondWitness;
  /** When the wait for visibility ends; set by the first post of the run. */
  private deadline: number | undefined;

  constructor(
    private readonly request: AttestRequest,
    private readonly ports: AttestPorts,
  ) {
    this.signer = new AttestationSigner(ports.verifier);
    this.witness = new SecondWitness(ports);
  }

  async prepare(): Promise<{ images: readonly FoundImage[]; pairs: readonly Pair[]; errors: readonly BinauthzError[] }> {
    const { request, ports } = this;
    ports.reporter.step(`Resolving ${count(request.images.length, 'image')} and reading ${count(request.attestors.length, 'attestor')}`);
    this.witness.ask(request.images);
    const [resolved, pairs] = await Promise.all([
      resolveImages(request.images, ports),
      settle(pairAttestors(request.attestors, ports.attestors, ports.openKeys)),
    ]);
    const images = request.images.flatMap((asked, index) => {
      const image = resolved[index];
      return image?.ok ? [{ ...image.value, asked }] : [];
    });
    const found = pairs.ok ? pairs.value : [];
    for (const warning of sharedKeyWarnings(found.map(({ attestor }) => attestor))) ports.reporter.warn(warning);
    return { images, pairs: found, errors: [...errorsOf(resolved), ...errorsOf([pairs])] };
  }

  /** What Artifact Registry says about the tags that were given; a tag that moved is an error. */
  async hearWitness(images: readonly FoundImage[]): Promise<{ images: readonly FoundImage[]; errors: readonly BinauthzError[] }> {
    const heard = await concurrently(images, async (image) => ({ ...image, uploadTime: await this.witness.hear(image.asked, image) }));
    const withTimes = heard.map((entry, index) => (entry.ok ? entry.value : images[index])).filter((image) => image !== undefined);
    return { images: withTimes, errors: errorsOf(heard) };
  }

  /** Finds what is attested already; what is not is signed once the gate lets all images pass, unless this is a dry run. */
  async examine(assignments: readonly Assignment[], gate: Promise<Passage>): Promise<Progress & { signed: readonly SignedAssignment[] }> {
    this.ports.reporter.step(`Looking for existing attestations of ${count(assignments.length, 'digest and attestor pair')}`);
    const settled = await concurrently(assignments, (assignment) => this.examineOne(assignment, gate));
    const results = settled.flatMap((entry, index) => (entry.ok ? (entry.value.result ?? []) : failure(assignments[index], entry.errors)));
    this.warnOfRefused(results, await gate);
    return { results, errors: errorsOf(settled), signed: valuesOf(settled).flatMap(({ signed }) => signed ?? []) };
  }

  private async examineOne(
    assignment: Assignment,
    gate: Promise<Passage>,
  ): Promise<{ result?: AttestationResult; signed?: SignedAssignment }> {
    const { image, pair } = assignment;
    // Listing and signing run side by side: a signature too many costs less than a round trip for every new image.
    const signing = settle(this.signBehind(gate, assignment));
    const found = await findAttestations(pair.attestor, image.digest, this.ports);
    // One that verifies with a doubt may be refused at the deploy, so it does not stand in for one without.
    const existing = found.verified.find(({ warnings }) => warnings.length === 0);
    if (existing) {
      this.ports.reporter.info(`${pinnedName(image)} is attested for ${pair.attestor.name} already: ${existing.attestation.occurrence}`);
      return {
        result: resultOf(assignment, 'existing', { occurrence: existing.attestation.occurrence, publicKeyId: existing.publicKeyId }),
      };
    }
    this.warnOf(found);
    const { errors } = await gate;
    if (errors.length > 0) return {};
    const signed = await signing;
    if (!signed.ok) throw signed.errors[0] ?? new Error('a failed signature without an error');
    return signed.value ? { signed: signed.value } : { result: resultOf(assignment, 'dry-run') };
  }

  /** Asks for no signature before the gate is passed, and for none at all in a dry run. */
  private async signBehind(gate: Promise<Passage>, assignment: Assignment): Promise<SignedAssignment | undefined> {
    const { errors } = await gate;
    return errors.length > 0 || this.request.dryRun ? undefined : this.signer.sign(assignment);
  }

  // An attestation from before stays: what is refused now can still be deployed, and that must be heard.
  private warnOfRefused(results: readonly AttestationResult[], { vulnerabilities }: Passage): void {
    const refused = refusedNames(vulnerabilities?.images ?? []);
    for (const { image, attestor, occurrence = '' } of results.filter(({ status }) => status === 'existing'))
      if (refused.has(image)) this.ports.reporter.warn(`${image} is refused, but ${attestor} attested it before, and ${occurrence} stays`);
  }

  private warnOf({ verified, rejected }: FoundAttestations): void {
    const doubtful = verified.map(({ attestation, warnings }) => `${attestation.occurrence} is not relied on: ${warnings.join('; ')}`);
    const broken = rejected.map(({ attestation, rejection }) => `${attestation.occurrence} does not count: ${rejection.message}`);
    const all = [...doubtful, ...broken];
    for (const warning of all.slice(0, MOST_WARNINGS)) this.ports.reporter.warn(warning);
    // Others may store what they like on a note; the log is not theirs to fill.
    if (all.length > MOST_WARNINGS)
      this.ports.reporter.warn(`${all.length - MOST_WARNINGS} more occurrences do not count; list them with binauthz list`);
  }

  async validate(signed: readonly SignedAssignment[]): Promise<Progress & { ready: readonly ValidatedAssignment[] }> {
    if (signed.length > 0) this.ports.reporter.step(`Asking Google whether ${count(signed.length, 'new attestation')} will verify`);
    const validations = await validateAttestations(signed, this.ports);
    const answers = validations.map(({ answer }) => answer);
    const results = validations.flatMap(({ assignment, answer }) => (answer.ok ? [] : failure(assignment, answer.errors)));
    return { results, errors: errorsOf(answers), ready: valuesOf(answers) };
  }

  /** Posts each attestation and waits until it is seen. One that fails does not keep the others from being posted. */
  async post(ready: readonly ValidatedAssignment[]): Promise<Progress> {
    if (ready.length > 0) this.ports.reporter.step(`Posting ${count(ready.length, 'attestation')}`);
    const posted = await concurrently(ready, (assignment) => this.postOne(assignment));
    const seen = await concurrently(posted, async (entry, index) => {
      const assignment = ready[index];
      if (!assignment || !entry.ok)
        return { results: failure(assignment, entry.ok ? [] : entry.errors), errors: entry.ok ? [] : entry.errors };
      return this.see(assignment, entry.value);
    });
    const progress = valuesOf(seen);
    return {
      results: progress.flatMap(({ results }) => results),
      errors: [...progress.flatMap(({ errors }) => errors), ...errorsOf(seen)],
    };
  }

  private async postOne(assignment: ValidatedAssignment): Promise<Posted> {
    const { waitTimeoutMs, project } = this.request;
    const posted = await postAttestation(assignment, project ?? projectOf(assignment.pair.attestor.name), this.ports);
    if (waitTimeoutMs !== undefined) this.deadline ??= posted.postedAt + waitTimeoutMs;
    this.ports.reporter.info(
      `${posted.status === 'created' ? 'posted' : 'found'} ${posted.occurrence} for ${pinnedName(assignment.image)}`,
    );
    return posted;
  }

  private async see(assignment: ValidatedAssignment, posted: Posted): Promise<Progress> {
    const { occurrence, publicKeyId, status } = posted;
    const stored = { occurrence, publicKeyId };
    if (status === 'existing' && posted.isListed) return { results: [resultOf(assignment, status, stored)], errors: [] };
    // What was validated is what we signed, not what somebody stored before.
    const details = status === 'existing' ? stored : { ...stored, validated: assignment.validated };
    if (this.deadline === undefined) return { results: [resultOf(assignment, status, { ...details, visibleAfterMs: null })], errors: [] };
    try {
      const visibleAfterMs = await awaitVisibility(assignment, posted, this.deadline, this.ports);
      return { results: [resultOf(assignment, status, { ...details, visibleAfterMs })], errors: [] };
    } catch (thrown) {
      const errors = asErrors(thrown);
      return { results: [resultOf(assignment, 'posted', { ...details, visibleAfterMs: null, error: reportOf(errors[0]) })], errors };
    }
  }
}

/** One assignment per digest and attestor. The enforcer compares digests only, so a digest named twice is one. */
function assignmentsOf(images: readonly FoundImage[], pairs: readonly Pair[], request: AttestRequest): readonly Assignment[] {
  const byDigest = new Map<Digest, PinnedReference>();
  for (const image of images) {
    for (const digest of digestsToAttest(image, request.multiPlatform)) {
      if (!byDigest.has(digest)) byDigest.set(digest, pin(image.reference, digest));
    }
  }
  return [...byDigest.values()].flatMap((image) => pairs.map((pair) => ({ image, pair })));
}

function resultOf(assignment: Assignment, status: AttestationStatus, details: Partial<AttestationResult> = {}): AttestationResult {
  const { image, pair } = assignment;
  return {
    image: pinnedName(image),
    attestor: pair.attestor.name,
    note: pair.attestor.note,
    publicKeyId: pair.attestorKey.id,
    status,
    ...details,
  };
}

/** Results as the images and attestors were given, however they came about. */
function inOrderOf(assignments: readonly Assignment[], results: readonly AttestationResult[]): readonly AttestationResult[] {
  const places = new Map(assignments.map(({ image, pair }, place) => [`${pinnedName(image)} ${pair.attestor.name}`, place]));
  const placeOf = ({ image, attestor }: AttestationResult) => places.get(`${image} ${attestor}`) ?? assignments.length;
  return [...results].sort((one, other) => placeOf(one) - placeOf(other));
}

function failure(assignment: Assignment | undefined, errors: readonly BinauthzError[]): readonly AttestationResult[] {
  const [error] = errors;
  return assignment && error ? [resultOf(assignment, 'failed', { error: reportOf(error) })] : [];
}

function outcome(
  { images, passage }: Found,
  attestations: readonly AttestationResult[],
  errors: readonly BinauthzError[],
): Outcome<AttestResult> {
  return {
    result: {
      schema: 'binauthz.attest/v1',
      images: images.map(imageResult),
      attestations,
      ...(passage?.vulnerabilities ? { vulnerabilities: passage.vulnerabilities } : {}),
      ...(errors.length > 0 ? { errors: errors.map(reportOf) } : {}),
    },
    errors,
  };
}

function imageResult(image: FoundImage): AttestedImage {
  const { reference, mediaType, children, uploadTime } = image;
  const optional = { ...(reference.tag === undefined ? {} : { tag: reference.tag }), ...(uploadTime === undefined ? {} : { uploadTime }) };
  return {
    image: pinnedName(reference),
    digest: reference.digest,
    mediaType,
    children: children.map(({ digest, platform }) => ({ digest, platform })),
    ...optional,
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
