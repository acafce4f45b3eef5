// SPDX-License-Identifier: Apache-2.0
// Everything that a run judged as Markdown.
import type { CheckResult, VulnerabilitiesResult } from '../core/results.js';
import type { Strictness } from './check-findings.js';
import { checkMarkdown } from './check-markdown.js';
import { vulnerabilitiesMarkdown } from './vulnerabilities-markdown.js';

/** What a run judged, at least one of them: the vulnerabilities before something was signed, and what the policy admits. */
export interface Verdicts extends Strictness {
  readonly vulnerabilities: VulnerabilitiesResult | undefined;
  readonly check: CheckResult | undefined;
}

/** How verdicts are shown as Markdown. */
export interface VerdictMarkdownOptions {
  /** The page of the run that made them. */
  readonly runUrl?: string;
  /** For all of them together. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1024;

/** The verdicts as Markdown, one below the other. */
export function renderVerdictMarkdown({ vulnerabilities, check, strict = false }: Verdicts, options: VerdictMarkdownOptions = {}): string {
  const { runUrl, maxBytes = MAX_BYTES } = options;
  const share = maxBytes / (vulnerabilities && check ? 2 : 1);
  const url = runUrl === undefined ? {} : { runUrl };
  return [
    ...(vulnerabilities ? [vulnerabilitiesMarkdown(vulnerabilities, { ...(check ? {} : url), maxBytes: share })] : []),
    ...(check ? [checkMarkdown(check, { ...url, maxBytes: share, strict })] : []),
  ].join('\n');
}
