// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../../core/attestation/attestor.js';
import { explain } from '../../core/doctor/explain.js';
import { clusterOf, type AttestationFacts, type Fact, type ImageFacts, type Question } from '../../core/doctor/facts.js';
import type { CloudRunSetting, ImageUse } from '../../core/deployment/image-use.js';
import type { Digest } from '../../core/image/digest.js';
import type { ResolvedImage } from '../../core/image/platform.js';
import { pinnedName, type ImageReference } from '../../core/image/reference.js';
import { projectOf } from '../../core/names.js';
import { pose } from '../../core/policy/evaluate.js';
import type { ImageRegistry } from '../../ports/image-registry.js';
import type { Evaluation } from '../../core/policy/context.js';
import type { CheckRequest } from '../requests.js';
import { fact } from './examine-attestor.js';
import { findAttestations, type FindPorts } from './find-attestations.js';
import { EvidenceGatherer, type EvidencePorts } from './gather-evidence.js';
import { placeUses } from './place-uses.js';
import { readContext, type ContextPorts } from './read-context.js';

export interface ExamineImagePorts extends FindPorts, EvidencePorts, ContextPorts {
  readonly registry: ImageRegistry;
}

/** Where the images would run, beyond what the question says. */
export interface Whereabouts {
  /** How the Cloud Run service or job is set, where one was named and read. */
  readonly cloudRun?: CloudRunSetting;
}

/** The child that Cloud Run runs of an index (facts 5.6). */
const CLOUD_RUN_PLATFORM = 'linux/amd64';

/** Resolves images, reads what hangs on the attestors' notes for them, and has them judged as check would. */
export async function examineImages(
  images: readonly ImageReference[],
  attestors: readonly Attestor[],
  question: Question & Whereabouts,
  ports: ExamineImagePorts,
): Promise<readonly ImageFacts[]> {
  const resolved = await Promise.all(images.map(async (asked) => ({ asked, resolved: await fact(ports.registry.resolve(asked)) })));
  const evaluations = await evaluate(resolved, question, ports);
  return Promise.all(
    resolved.map(async ({ asked, resolved: found }, index) => {
      const attestations = await Promise.all(
        attestors.map((attestor) => examineAttestations({ asked, resolved: found }, attestor, question, ports)),
      );
      return {
        asked,
        resolved: found,
        attestations: attestations.flatMap((one) => one ?? []),
        ...(evaluations[index] ?? { assumptions: [] }),
      };
    }),
  );
}

type Resolved = Pick<ImageFacts, 'asked' | 'resolved'>;

type Evaluated = Pick<ImageFacts, 'evaluation' | 'assumptions'>;

/** What check says of each image. */
async function evaluate(
  images: readonly Resolved[],
  question: Question & Whereabouts,
  ports: ExamineImagePorts,
): Promise<readonly (Evaluated | undefined)[]> {
  const [first, ...rest] = images.map((image) => useOf(image, question));
  if (!first) return [];
  const { project, namespace, serviceAccount } = question;
  const cluster = clusterOf(question.target);
  const request: CheckRequest = {
    project,
    uses: [first, ...rest],
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    platformPolicies: [],
    workloads: [],
    waitTimeoutMs: 0,
  };
  const { context, unreadable } = await readContext(request, ports);
  if (!context) {
    const evaluation: Evaluation = { verdict: 'UNKNOWN', rule: '', reasons: [unreadable], assumptions: [], warnings: [] };
    return images.map(() => ({ evaluation, assumptions: [] }));
  }
  const placed = await placeUses(request, ports.registry);
  const gatherer = new EvidenceGatherer(ports);
  return Promise.all(
    request.uses.map(async (use) => {
      const image = placed.find((one) => one.use.image === use.image);
      if (!image) return undefined;
      const posed = pose(context, image);
      if (posed.decided) return { evaluation: posed.decided, assumptions: posed.decided.assumptions };
      const { attestors, digest, index } = posed.needs;
      const digests = index === undefined ? [digest] : [digest, index];
      const evidence = await Promise.all(attestors.flatMap((attestor) => digests.map((of) => gatherer.gather(attestor, of))));
      const evaluation = posed.judge(evidence);
      return { evaluation, assumptions: [...evaluation.assumptions, ...evidence.flatMap(({ assumptions }) => assumptions)] };
    }),
  );
}

// Attest is followed by a deployment of the digest that it attested; check takes the image as it is written. A break-glass
// justification is left out: the next deployment takes it away.
function useOf({ asked, resolved }: Resolved, { eyes, platform, target, cloudRun }: Question & Whereabouts): ImageUse {
  const image = eyes === 'attest' && resolved.ok ? pinnedName(resolved.value.reference) : asked.original;
  if (platform !== 'cloud-run') return { image, platform };
  return { image, platform, ...(cloudRun && { cloudRun }), ...(target?.kind === 'job' && { isJob: true }) };
}

async function examineAttestations(
  image: Resolved,
  attestor: Attestor,
  question: Question,
  ports: ExamineImagePorts,
): Promise<Fact<AttestationFacts> | undefined> {
  const digest = judgedDigest(image, question);
  return digest === undefined ? undefined : fact(readAttestations({ digest, image, attestor }, question, ports));
}

function judgedDigest({ asked, resolved }: Resolved, { platform }: Question): Digest | undefined {
  if (!resolved.ok) return asked.digest;
  const { reference, isIndex, children } = resolved.value;
  const child = children.find((one) => one.platform === CLOUD_RUN_PLATFORM);
  return platform === 'cloud-run' && isIndex ? child?.digest : reference.digest;
}

async function readAttestations(
  { digest, image, attestor }: { readonly digest: Digest; readonly image: Resolved; readonly attestor: Attestor },
  question: Question,
  ports: ExamineImagePorts,
): Promise<AttestationFacts> {
  const { verified, rejected } = await findAttestations(attestor, digest, ports);
  const base = { attestor, digest, isVerified: verified.length > 0 };
  if (verified.length > 0) return { ...base, rejected: [], elsewhere: [], siblings: [] };
  const explained = await Promise.all(rejected.map((one) => explain(one, attestor.keys, ports.verifier)));
  if (explained.length > 0) return { ...base, rejected: explained, elsewhere: [], siblings: [] };
  const [elsewhere, index] = await Promise.all([readElsewhere(attestor, digest, question, ports), indexOf(image, digest, ports)]);
  if (!index) return { ...base, rejected: [], elsewhere, siblings: [] };
  const siblings = await attestedSiblings(index, digest, attestor, ports);
  return { ...base, rejected: [], elsewhere, siblings, index: index.reference.digest };
}

// Not being allowed to look there is no reason to say anything else about the image.
async function readElsewhere(
  attestor: Attestor,
  digest: Digest,
  { attestationProject }: Question,
  { attestations }: ExamineImagePorts,
): Promise<AttestationFacts['elsewhere']> {
  const stored = await fact(attestations.listInProject(attestationProject ?? projectOf(attestor.name), digest));
  return (stored.ok ? stored.value : []).filter(({ note }) => note !== attestor.note);
}

/** The index that a digest is or belongs to. A registry tells it of an image only where the tag beside the digest names it. */
async function indexOf({ asked, resolved }: Resolved, digest: Digest, { registry }: ExamineImagePorts): Promise<ResolvedImage | undefined> {
  if (resolved.ok && resolved.value.isIndex) return resolved.value;
  if (asked.tag === undefined || asked.digest === undefined) return undefined;
  const { original, registry: host, repository, tag } = asked;
  const named = await fact(registry.resolve({ original, registry: host, repository, tag }));
  return named.ok && named.value.children.some((child) => child.digest === digest) ? named.value : undefined;
}

async function attestedSiblings(
  { reference, children }: ResolvedImage,
  digest: Digest,
  attestor: Attestor,
  ports: ExamineImagePorts,
): Promise<AttestationFacts['siblings']> {
  const others = [
    { digest: reference.digest, what: 'index' as const },
    ...children.map((child) => ({ digest: child.digest, what: 'child' as const })),
  ];
  const looked = await Promise.all(
    others
      .filter((other) => other.digest !== digest)
      .map(async (other) => ({ other, found: await findAttestations(attestor, other.digest, ports) })),
  );
  return looked.filter(({ found }) => found.verified.length > 0).map(({ other }) => other);
}
