// SPDX-License-Identifier: Apache-2.0
// What every report of a check says the same way: which images matter, for which reasons, and where they are.
import { oneLine } from '../core/redact.js';
import type { CheckedImage, CheckResult } from '../core/results.js';
import { VERDICTS, worst, type Reason, type ReasonCode, type Verdict } from '../core/policy/verdict.js';

/** A place where an image was found, with the workload's namespace and service account. */
export type CheckedSource = CheckedImage['sources'][number];

/** An image in one of its places; without a source for an IMAGE argument or an image list. */
export interface ImagePlace {
  readonly image: CheckedImage;
  readonly source?: CheckedSource;
}

const FAVOURABLE: ReadonlySet<ReasonCode> = new Set(['ATTESTED', 'EXEMPT_BY_PATTERN', 'EXEMPT_BY_SYSTEM_POLICY', 'POLICY_ALLOWS_ALL']);

/** What a rule of the policy itself denies for, or in dry-run mode would. */
const VIOLATIONS: ReadonlySet<ReasonCode> = new Set([
  'POLICY_DENIES_ALL',
  'NO_TRUSTED_ATTESTATION',
  'ATTESTOR_HAS_NO_KEY',
  'IMAGE_NOT_PINNED',
  'PLATFORM_CHILD_NOT_ATTESTED',
]);

/** How strictly the run took its verdicts, as far as its reports show it. */
export interface Strictness {
  /** Only ALLOWED passes: every other verdict failed the run, and must look like it. */
  readonly strict?: boolean;
}

/** How loudly a verdict is said: what fails the gate is an error, what passes with a doubt a warning. */
export function levelOf(verdict: Verdict, { strict = false }: Strictness = {}): 'error' | 'warning' | undefined {
  switch (verdict) {
    case 'DENIED':
    case 'UNKNOWN':
      return 'error';
    case 'ALLOWED_DRY_RUN':
    case 'ALLOWED_BREAK_GLASS':
    case 'NOT_ENFORCED':
      return strict ? 'error' : 'warning';
    case 'ALLOWED':
      return undefined;
  }
}

/** The verdict in words: one that fails by strictness alone looks like a pass, so it is said why it is none. */
export function verdictWords(verdict: Verdict, strictness: Strictness): string {
  return levelOf(verdict, strictness) === levelOf(verdict) ? verdict : `${verdict}, and only ALLOWED is accepted`;
}

/** The images with the worst verdict first, otherwise in their order. */
export function worstFirst(images: readonly CheckedImage[]): readonly CheckedImage[] {
  return images.toSorted((one, other) => VERDICTS.indexOf(other.verdict) - VERDICTS.indexOf(one.verdict));
}

/** Every place of an image, and one without source where it has none. */
export function placesOf(image: CheckedImage): readonly ImagePlace[] {
  return image.sources.length === 0 ? [{ image }] : image.sources.map((source) => ({ image, source }));
}

/** The reasons for a verdict that is not plain ALLOWED: without those that speak for the image, unless there are no others. */
export function tellingReasons(image: CheckedImage): readonly Reason[] {
  const reasons = reasonsByWeight(image);
  const telling = image.verdict === 'ALLOWED' ? reasons : reasons.filter(({ code }) => !FAVOURABLE.has(code));
  if (telling.length > 0) return telling;
  return reasons.length > 0 ? reasons : [{ code: 'EVIDENCE_MISSING', message: 'no reason was reported' }];
}

/** All reasons of an image: what decided its verdict first, and where it is not plain ALLOWED what speaks for it last. */
export function reasonsByWeight(image: CheckedImage): readonly Reason[] {
  if (image.verdict === 'ALLOWED') return image.reasons;
  const weightOf = ({ code }: Reason): number => (FAVOURABLE.has(code) ? 2 : isDecisive(code, image) ? 0 : 1);
  return image.reasons.toSorted((one, other) => weightOf(one) - weightOf(other));
}

// A denial by the policy has the text that the platform would print. Without that text the policy would have let the image
// pass, or left it open: then the closed set of attested images denied it.
function isDecisive(code: ReasonCode, { verdict, denial }: CheckedImage): boolean {
  if (verdict === 'DENIED' && denial === undefined) return code === 'NOT_IN_ATTESTED_SET';
  return (verdict === 'DENIED' || verdict === 'ALLOWED_DRY_RUN') && VIOLATIONS.has(code);
}

/** Whether the result is worse than its images: where none was found, or something failed beside them. */
export function isWorseThanImages({ verdict, images }: CheckResult): boolean {
  if (images.length === 0) return true;
  return VERDICTS.indexOf(verdict) > VERDICTS.indexOf(worst(images.map((image) => image.verdict)));
}

/** `1 DENIED, 2 ALLOWED of 3 images`, the worst first. */
export function countsOf(images: readonly CheckedImage[]): string {
  if (images.length === 0) return 'no image';
  const counts = VERDICTS.toReversed().map((verdict) => [images.filter((image) => image.verdict === verdict).length, verdict] as const);
  const told = counts.filter(([count]) => count > 0).map(([count, verdict]) => `${count} ${verdict}`);
  return `${told.join(', ')} of ${images.length} image${images.length === 1 ? '' : 's'}`;
}

/** `Deployment/app container app`; what the manifest leaves out is left out. */
export function workloadOf({ kind, name, container, containerType }: CheckedSource): string {
  const what = containerType === 'container' ? 'container' : `${containerType} container`;
  const workload = name === '' ? kind : `${kind}/${name}`;
  return [workload, ...(container === '' ? [] : [`${what} ${container}`])].join(' ');
}

/** `k8s/app.yaml:23` */
export function lineOf({ file, line }: CheckedSource): string {
  return `${file === '-' ? 'standard input' : file}:${line}`;
}

/**
 * A path relative to the repository, in its shortest form; undefined for standard input and for what lies outside, which
 * no page of the repository can show.
 */
export function repositoryPath(file: string): string | undefined {
  const path = file.replaceAll('\\', '/');
  if (path === '-' || path.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:\//.test(path)) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length === 0 ? undefined : parts.join('/');
}

/** Foreign text on one line, at most so long, of whole characters. */
export function shown(text: string, longest: number): string {
  const line = oneLine(text.slice(0, 4 * longest)).replace(/\p{Cs}/gu, '\ufffd');
  const isWhole = line.length <= longest && text.length <= 4 * longest;
  return isWhole ? line : `${line.slice(0, longest - 1).replace(/\p{Cs}$/u, '')}…`;
}
