// SPDX-License-Identifier: Apache-2.0
// What may have been meant: the pattern that nearly exempts an image, and exemptions that are missing.
import type { ImageUse } from '../deployment/image-use.js';
import { exemptingPattern, nearestPattern } from './allowlist.js';
import type { PolicyContext } from './context.js';
import type { Subject } from './subject.js';
import type { Reason } from './verdict.js';

// Where Cloud Run keeps what it builds from source (docs run/overview), and what older functions use (traps 5, inferred).
const BUILD_REPOSITORY = /^([a-z0-9-]+-docker\.pkg\.dev\/[^/]+\/(?:cloud-run-source-deploy|gcf-artifacts))\//;

/** The reasons of a violation, the first one with what the allowlist would need to exempt the image. */
export function withPatternHints(reasons: readonly Reason[], context: PolicyContext, use: ImageUse, subject: Subject): readonly Reason[] {
  const [first, ...others] = reasons;
  const hints = patternHints(context, use, subject);
  if (!first || hints.length === 0) return reasons;
  return [{ ...first, hint: [...(first.hint === undefined ? [] : [first.hint]), ...hints].join('; ') }, ...others];
}

function patternHints({ policy, system }: PolicyContext, use: ImageUse, subject: Subject): readonly string[] {
  const near = nearestPattern(policy.admissionWhitelistPatterns, subject.text);
  const built = use.platform === 'cloud-run' ? BUILD_REPOSITORY.exec(subject.text)?.[1] : undefined;
  const isSystemImage =
    use.platform === 'gke' &&
    !policy.usesSystemPolicy &&
    system.kind === 'read' &&
    exemptingPattern(system.patterns, subject.text) !== undefined;
  return [
    ...(near ? [`the nearest pattern ${near.pattern} does not match: ${near.why}`] : []),
    ...(built === undefined ? [] : [`Cloud Run built it: exempt its repository with the pattern ${built}/**`]),
    ...(isSystemImage ? ['Google’s system policy exempts it: set globalPolicyEvaluationMode to ENABLE'] : []),
  ];
}
