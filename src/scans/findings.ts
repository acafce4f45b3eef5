// SPDX-License-Identifier: Apache-2.0
// A scanner's report from a file. Whatever cannot be read to its end is refused: a broken report is never a clean one.
import { parseJsonStrictly } from '../core/strict-json.js';
import type { ScanReport } from '../core/vulnerabilities/finding.js';
import { readGrafeas } from './grafeas.js';
import { isTrivy, readTrivy } from './trivy.js';

/** The reports of a file, or everything because of which it must not be trusted. */
export type ParsedFindings =
  | { readonly reports: readonly [ScanReport, ...ScanReport[]]; readonly problems?: undefined }
  | { readonly reports?: undefined; readonly problems: readonly string[] };

/** Reads a file with a Trivy JSON report (schema version 2), a list of such, or occurrences of Grafeas. */
export function parseFindings(bytes: Uint8Array): ParsedFindings {
  if (bytes.length === 0) return { problems: ['expected a scanner’s JSON report, got an empty file'] };
  let document: unknown;
  try {
    document = parseJsonStrictly(bytes);
  } catch (thrown) {
    return {
      problems: [`expected JSON in UTF-8 without a byte order mark: ${thrown instanceof Error ? thrown.message : 'it cannot be read'}`],
    };
  }
  const problems: string[] = [];
  const reports = readReports(document, problems);
  const [first, ...others] = reports;
  if (problems.length > 0) return { problems };
  if (!first) return { problems: ['expected findings, got none: an empty report does not say which image it is about'] };
  return { reports: [first, ...others] };
}

function readReports(document: unknown, problems: string[]): readonly ScanReport[] {
  if (isTrivy(document)) return readTrivy(document, problems);
  if (Array.isArray(document) && document.some(isTrivy)) return document.flatMap((entry: unknown) => readTrivy(entry, problems));
  return readGrafeas(document, problems);
}
