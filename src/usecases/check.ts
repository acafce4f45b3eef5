// SPDX-License-Identifier: Apache-2.0
// First version, for the demo: images as written, GKE, the project's policy. Its full semantics are work of its own.
import { asError } from '../core/errors.js';
import { parseImageReference } from '../core/image/reference.js';
import type { Digest } from '../core/image/digest.js';
import type { AttestorName, ProjectId } from '../core/names.js';
import { evaluate, pose, type Evaluation, type Evidence } from '../core/policy/evaluate.js';
import type { Policy } from '../core/policy/policy.js';
import { worst, type Verdict } from '../core/policy/verdict.js';
import type { AttestorService } from '../ports/attestor-service.js';
import type { PolicyService } from '../ports/policy-service.js';
import { concurrently, valuesOf } from './steps/concurrently.js';
import { findAttestations, type FindPorts } from './steps/find-attestations.js';

/** Which images would be deployed where. */
export interface CheckRequest {
  readonly project: ProjectId;
  /** As the manifest would write them. */
  readonly images: readonly string[];
  /** `LOCATION.NAME` */
  readonly cluster?: string;
}

export interface CheckPorts extends FindPorts {
  readonly attestors: AttestorService;
  readonly policies: PolicyService;
}

/** The verdict on every image and over all. */
export interface CheckedImages {
  readonly verdict: Verdict;
  readonly images: readonly (Evaluation & { readonly image: string })[];
}

/** What the enforcer would answer for each image under the project's live policy. */
export async function check(request: CheckRequest, ports: CheckPorts): Promise<CheckedImages> {
  const policy = await ports.policies.project(request.project);
  const images = valuesOf(
    await concurrently(request.images, async (image) => ({ image, ...(await judgeImage(image, policy, request, ports)) })),
  );
  return { verdict: worst(images.map(({ verdict }) => verdict)), images };
}

async function judgeImage(image: string, policy: Policy, request: CheckRequest, ports: CheckPorts): Promise<Evaluation> {
  const question = pose(policy, image, request.cluster);
  if ('decided' in question) return question.decided;
  const parsed = parseImageReference(image);
  const digest = parsed.ok ? parsed.reference.digest : undefined;
  if (digest === undefined) return evaluate(policy, question.chosen, false, []);
  const evidence = valuesOf(await concurrently(question.attestors, (attestor) => gather(attestor, digest, ports)));
  return evaluate(policy, question.chosen, true, evidence);
}

async function gather(attestor: AttestorName, digest: Digest, ports: CheckPorts): Promise<Evidence> {
  try {
    const { verified, rejected } = await findAttestations(await ports.attestors.attestor(attestor), digest, ports);
    const [good] = verified;
    if (good) return { attestor, found: 'verified', what: `${good.attestation.occurrence} verifies` };
    const [bad] = rejected;
    return {
      attestor,
      found: 'none',
      what: bad ? `${bad.attestation.occurrence}: ${bad.rejection.message}` : 'its note holds none for this digest',
    };
  } catch (thrown) {
    return { attestor, found: 'no-answer', what: asError(thrown).message };
  }
}
