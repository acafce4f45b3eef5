// SPDX-License-Identifier: Apache-2.0
// The two use cases of a run, one after the other, over any ports.
import { asErrors } from '../../../core/errors.js';
import { parseDigest } from '../../../core/image/digest.js';
import type { AttestResult, CheckResult } from '../../../core/results.js';
import { attest, type AttestPorts } from '../../../usecases/attest.js';
import { check, type CheckPorts } from '../../../usecases/check.js';
import type { Outcome } from '../../../usecases/outcome.js';
import type { CheckRequest } from '../../../usecases/requests.js';
import type { AttestOutcome, CheckOutcome } from '../../context.js';
import { verdictWarning } from '../check/gate.js';
import type { FinalCheck, ParsedCheckedAttest } from './parse.js';
import { argumentUse, type CheckEnd } from '../check/parse.js';

/** Attests and, where that succeeded and a check was asked for, checks what was attested. */
export async function attestThenCheck(
  parsed: Pick<ParsedCheckedAttest, 'request' | 'check' | 'warnings'>,
  ports: AttestPorts & CheckPorts,
): Promise<AttestOutcome> {
  const { request, check: final, warnings } = parsed;
  for (const warning of warnings) ports.reporter.warn(warning);
  const attested = await attest(request, ports);
  if (!final || attested.errors.length > 0) return attested;
  if (request.dryRun) {
    ports.reporter.warn('the check did not take place: a dry run stores no attestation that it could find');
    return attested;
  }
  const wanted = finalRequest(final, attested.result, request.multiPlatform === 'children');
  const { result, errors } = await checkAtEnd(wanted, final, ports);
  return { result: { ...attested.result, ...(result === undefined ? {} : { check: result }) }, errors };
}

/** Checks, and warns of what passes without being plainly allowed. */
export async function checkAndWarn(request: CheckRequest, { gate, notes }: CheckEnd, ports: CheckPorts): Promise<CheckOutcome> {
  // What may have gone unchecked must be heard; a document without any image is only worth a line.
  for (const note of notes) {
    if (/no image was found/.test(note)) ports.reporter.info(note);
    else ports.reporter.warn(note);
  }
  const outcome = await check(request, ports);
  const warning = outcome.errors.length > 0 ? undefined : verdictWarning(outcome.result, gate);
  if (warning !== undefined) ports.reporter.warn(warning);
  return outcome;
}

// What is attested stays attested and reported, whatever becomes of the check.
function checkAtEnd(request: CheckRequest, end: CheckEnd, ports: CheckPorts): Promise<Outcome<CheckResult | undefined>> {
  return checkAndWarn(request, end, ports).catch((thrown: unknown) => ({ result: undefined, errors: asErrors(thrown) }));
}

/** Checks the images as they would be deployed: by the digest that was asked for, or by those of the platforms alone. */
function finalRequest({ request, uses, platform }: FinalCheck, attested: AttestResult, childrenOnly: boolean): CheckRequest {
  const names = childrenOnly ? attested.attestations.map(({ image }) => image) : attested.images.map(({ image }) => image);
  const [first, ...rest] = [...[...new Set(names)].map((image) => argumentUse(image, platform)), ...uses];
  if (!first) throw new Error('attest succeeded without an image');
  return { ...request, uses: [first, ...rest], ...(request.attested ? { attested: withOwn(request.attested, attested) } : {}) };
}

/** The file of what this pipeline attested, and what this very run did. */
function withOwn({ file, digests }: Closure, { images, attestations }: AttestResult): Closure {
  const own = [...images.map(({ digest }) => digest), ...attestations.map(({ image }) => image.slice(image.lastIndexOf('@') + 1))];
  return { file, digests: new Set([...digests, ...own.flatMap((text) => parseDigest(text) ?? [])]) };
}

type Closure = NonNullable<CheckRequest['attested']>;
