// SPDX-License-Identifier: Apache-2.0
// Everything that a run judged in one file that programs read.
import { junitDocument } from './junit-document.js';
import { checkSuites } from './junit.js';
import { joinSarif, sarifOf, type SarifTool } from './sarif.js';
import type { Verdicts } from './verdict-markdown.js';
import { vulnerabilitySuites } from './vulnerabilities-junit.js';
import { vulnerabilitiesSarif } from './vulnerabilities-sarif.js';

/** The verdicts as a SARIF log, with a run for each. */
export function renderSarif({ vulnerabilities, check, strict = false }: Verdicts, tool: SarifTool): string {
  return joinSarif([
    ...(vulnerabilities ? [vulnerabilitiesSarif(vulnerabilities, tool)] : []),
    ...(check ? [sarifOf(check, tool, { strict })] : []),
  ]);
}

/** The verdicts as a JUnit document. */
export function renderJunit({ vulnerabilities, check, strict = false }: Verdicts): string {
  const suites = [...(vulnerabilities ? vulnerabilitySuites(vulnerabilities) : []), ...(check ? checkSuites(check, { strict }) : [])];
  return junitDocument(check ? 'binauthz check' : 'binauthz vulnerabilities', suites);
}
