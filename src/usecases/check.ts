// SPDX-License-Identifier: Apache-2.0
import { assumptionsFor } from '../core/policy/assumptions.js';
import type { Evaluation, PolicyContext } from '../core/policy/context.js';
import { pose } from '../core/policy/evaluate.js';
import { worst, type Reason, type ReasonCode } from '../core/policy/verdict.js';
import { policyWarnings } from '../core/policy/warnings.js';
import { parseImageReference } from '../core/image/reference.js';
import { backoff } from '../core/retry.js';
import type { CheckedImage, CheckedOccurrence, CheckResult } from '../core/results.js';
import { sharedKeyWarnings } from '../core/signing/shared-keys.js';
import type { Clock } from '../ports/clock.js';
import type { ImageRegistry } from '../ports/image-registry.js';
import type { Outcome } from './outcome.js';
import type { CheckRequest } from './requests.js';
import { askPlatformPolicies } from './steps/ask-platform-policies.js';
import { concurrently, errorsOf, valuesOf } from './steps/concurrently.js';
import { EvidenceGatherer, type EvidencePorts, type GatheredEvidence } from './steps/gather-evidence.js';
import { placeUses, type PlacedImage } from './steps/place-uses.js';
import { readContext, type ContextPorts } from './steps/read-context.js';

export interface CheckPorts extends EvidencePorts, ContextPorts {
  readonly registry: ImageRegistry;
  readonly clock: Clock;
}

// Denials that a later attestation can turn: only these are worth waiting for.
const MAY_PASS_LATER: ReadonlySet<ReasonCode> = new Set([
  'ATTESTED',
  'NO_TRUSTED_ATTESTATION',
  'PLATFORM_CHILD_NOT_ATTESTED',
  'BREAK_GLASS_INEFFECTIVE',
]);
const POLL = { firstMs: 1_000, longestMs: 10_000 } as const;

/**
 * Would the enforcer admit these images there? Reads the policy and what it needs to know once, judges each image in
 * each place, waits for missing attestations if asked to, and never takes "could not tell" for "allowed".
 */
export async function check(request: CheckRequest, ports: CheckPorts): Promise<Outcome<CheckResult>> {
  const [{ context, unreadable }, placed] = await Promise.all([readContext(request, ports), placeUses(request, ports.registry)]);
  const platformPolicies = askPlatformPolicies(request, ports.policies);
  const judged = context
    ? await judgeUntilSettled(context, placed, request, ports)
    : placed.map((image) => ({ image, evaluation: withClosure(image, undecided(unreadable), request), evidence: [] }));
  if (context) for (const warning of policyWarnings(context.policy)) ports.reporter.warn(warning);
  for (const warning of new Set(judged.flatMap(({ evaluation }) => evaluation.warnings))) ports.reporter.warn(warning);
  for (const warning of dependenceWarnings(judged)) ports.reporter.warn(warning);
  const images = judged.map((entry) => checkedImage(entry, request));
  const result: CheckResult = {
    schema: 'binauthz.check/v1',
    verdict: worst(images.map(({ verdict }) => verdict)),
    policy: request.policy ? request.policy.file : `projects/${request.project}/policy`,
    target: images[0]?.target ?? { platform: 'gke' },
    images,
    platformPolicies: await platformPolicies,
    assumptions: assumptionsOf(judged, context, request),
  };
  return { result, errors: [] };
}

/** An image with its evaluation and the evidence that it rests on. */
interface Judged {
  readonly image: PlacedImage;
  readonly evaluation: Evaluation;
  readonly evidence: readonly GatheredEvidence[];
}

async function judgeUntilSettled(
  context: PolicyContext,
  placed: readonly PlacedImage[],
  request: CheckRequest,
  ports: CheckPorts,
): Promise<readonly Judged[]> {
  const gatherer = new EvidenceGatherer(ports);
  const deadline = ports.clock.now() + request.waitTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    const judged = await judgeAll(context, placed, request, gatherer);
    const pauseMs = Math.min(backoff(attempt, ports.clock.random(), POLL), deadline - ports.clock.now());
    if (pauseMs <= 0 || !isWorthWaiting(judged)) return judged;
    ports.reporter.info(
      `${judged.filter(({ evaluation }) => evaluation.verdict === 'DENIED').length} images lack attestations; looking again in ${pauseMs} ms`,
    );
    await ports.clock.sleep(pauseMs);
    gatherer.startRound();
  }
}

async function judgeAll(
  context: PolicyContext,
  placed: readonly PlacedImage[],
  request: CheckRequest,
  gatherer: EvidenceGatherer,
): Promise<readonly Judged[]> {
  const settled = await concurrently(placed, async (image) => {
    const judged = await judgeOne(context, image, gatherer);
    return { ...judged, evaluation: withClosure(image, judged.evaluation, request) };
  });
  const [failed] = errorsOf(settled);
  if (failed) throw failed;
  return valuesOf(settled);
}

async function judgeOne(context: PolicyContext, image: PlacedImage, gatherer: EvidenceGatherer): Promise<Judged> {
  const question = pose(context, image);
  if (question.decided) return { image, evaluation: question.decided, evidence: [] };
  const { attestors, digest, index } = question.needs;
  const digests = index === undefined ? [digest] : [digest, index];
  const evidence = await Promise.all(attestors.flatMap((attestor) => digests.map((of) => gatherer.gather(attestor, of))));
  return { image, evaluation: question.judge(evidence), evidence };
}

function isWorthWaiting(judged: readonly Judged[]): boolean {
  const open = judged.filter(({ evaluation }) => evaluation.verdict === 'DENIED' || evaluation.verdict === 'UNKNOWN');
  return (
    open.length > 0 &&
    open.every(({ evaluation }) => evaluation.verdict === 'DENIED' && evaluation.reasons.every(({ code }) => MAY_PASS_LATER.has(code)))
  );
}

function undecided(reason: Reason): Evaluation {
  return { verdict: 'UNKNOWN', rule: '', reasons: [reason], assumptions: [], warnings: [] };
}

function checkedImage({ image, evaluation, evidence }: Judged, request: CheckRequest): CheckedImage {
  const { use, place, resolved, sources } = image;
  const { verdict, reasons } = evaluation;
  const found =
    resolved && 'digest' in resolved
      ? { digest: resolved.digest, ...(resolved.child === undefined ? {} : { childDigest: resolved.child }) }
      : writtenDigest(use.image);
  const isGke = use.platform === 'gke';
  return {
    image: use.image,
    ...found,
    verdict,
    rule: evaluation.rule,
    reasons,
    ...(evaluation.denial === undefined ? {} : { denial: evaluation.denial }),
    occurrences: evidence.flatMap(({ occurrences }): readonly CheckedOccurrence[] => occurrences),
    target: {
      platform: use.platform,
      ...(isGke
        ? { ...(request.cluster ? { cluster: request.cluster.key } : {}), namespace: place.namespace, serviceAccount: place.serviceAccount }
        : {}),
    },
    sources: sources.map((source) => ({ ...source, namespace: place.namespace, serviceAccount: place.serviceAccount })),
  };
}

function writtenDigest(image: string): { digest?: string } {
  const parsed = parseImageReference(image);
  const digest = parsed.ok ? parsed.reference.digest : /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
  return digest === undefined ? {} : { digest };
}

/** With --require-attested every image must be one that this pipeline attested, whatever the policy says. */
function withClosure({ use, resolved }: PlacedImage, evaluation: Evaluation, { attested }: CheckRequest): Evaluation {
  if (!attested) return evaluation;
  const { digest } = resolved && 'digest' in resolved ? resolved : writtenDigest(use.image);
  if (digest !== undefined && attested.digests.has(digest)) return evaluation;
  const reason: Reason = {
    code: 'NOT_IN_ATTESTED_SET',
    message: `${use.image} is not among the ${attested.digests.size} digests of ${attested.file}${digest === undefined ? ': it is not named by a digest' : ''}`,
    hint: 'deploy what this pipeline attested, by its digest',
  };
  return { ...evaluation, verdict: worst([evaluation.verdict, 'DENIED']), reasons: [...evaluation.reasons, reason] };
}

/** Attestors that a rule requires together are meant to be independent. */
function dependenceWarnings(judged: readonly Judged[]): ReadonlySet<string> {
  const together = new Map(judged.map(({ evidence }) => [evidence.map(({ attestor }) => attestor).join(), evidence]));
  const asked = [...together.values()].map((evidence) => evidence.map(({ attestor: name, keys }) => ({ name, keys })));
  return new Set(asked.flatMap(sharedKeyWarnings));
}

function assumptionsOf(judged: readonly Judged[], context: PolicyContext | undefined, request: CheckRequest): readonly string[] {
  const things = {
    attestors: judged.some(({ evidence }) => evidence.length > 0),
    systemPolicy: context?.policy.usesSystemPolicy === true,
    ephemeral: request.uses.some(({ source }) => source?.containerType === 'ephemeral'),
  };
  const platforms = [...new Set(request.uses.map(({ platform }) => platform))];
  const own = judged.flatMap(({ evaluation, evidence }) => [
    ...evaluation.assumptions,
    ...evidence.flatMap(({ assumptions }) => assumptions),
  ]);
  return [...new Set([...own, ...platforms.flatMap((platform) => assumptionsFor(platform, things))])];
}
