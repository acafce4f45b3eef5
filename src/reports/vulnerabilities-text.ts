// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as a table for people on a terminal. Every foreign text stays on its line and steers nothing.
import type { VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../core/results.js';
import { shown } from './check-findings.js';
import type { TextStyle } from './check-text.js';
import { summaryOf, telling, waiverOf, worstFindingsFirst } from './vulnerability-findings.js';

const LONGEST_CELL = 60;
const LONGEST_TEXT = 2_000;
const HEAD = ['CVE', 'PACKAGE', 'VERSION', 'FIXED IN', 'SEVERITY', 'CVSS', 'VERDICT', 'WAIVER'];
const VERDICT = 6;

/** The images in lines, each with its table; the verdict last, where the eye is. */
export function vulnerabilitiesText(result: VulnerabilitiesResult, style: TextStyle): string {
  const lines = [...result.images.flatMap((image) => imageLines(image, style)), verdictLine(result, style)];
  return lines.map((line) => `${line}\n`).join('');
}

function imageLines(image: VulnerableImage, style: TextStyle): readonly string[] {
  return [
    `${painted(image.verdict, image.verdict, style)}  ${one(image.image)}`,
    ...image.manifests.map(({ digest, platform, scan, lastScanTime }) => {
      const when = lastScanTime === undefined ? '' : `, last scanned at ${one(lastScanTime)}`;
      return style.faint(`  scan: ${scan}${when}${platform === undefined ? '' : ` (${one(platform)} ${one(digest)})`}`);
    }),
    ...table(image, style).map((line) => `  ${line}`),
    ...telling(image).flatMap(({ code, message, hint }) => [
      `  ${code}: ${one(message)}`,
      ...(hint === undefined ? [] : [`    ${style.faint('hint:')} ${one(hint)}`]),
    ]),
  ];
}

function table({ findings }: VulnerableImage, style: TextStyle): readonly string[] {
  if (findings.length === 0) return [];
  const rows = worstFindingsFirst(findings).map(cells);
  const widths = HEAD.map((title, column) => rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length));
  const line = (row: readonly string[], verdict?: VulnerabilityFinding['verdict']): string =>
    row
      .map((cell, column) => {
        const padded = cell.padEnd(widths[column] ?? 0);
        return column === VERDICT && verdict !== undefined ? painted(verdict, padded, style) : padded;
      })
      .join('  ')
      .trimEnd();
  return [style.faint(line(HEAD)), ...rows.map((row) => line(row, row[VERDICT] as VulnerabilityFinding['verdict']))];
}

function cells(finding: VulnerabilityFinding): readonly string[] {
  const { id, package: name, version, fixedVersion, severity, cvss, verdict } = finding;
  const cell = (text: string): string => shown(text, LONGEST_CELL);
  return [
    cell(id),
    cell(name),
    cell(version),
    cell(fixedVersion ?? '-'),
    severity,
    cvss === null ? '-' : String(cvss),
    verdict,
    cell(waiverOf(finding)),
  ];
}

function verdictLine(result: VulnerabilitiesResult, style: TextStyle): string {
  const text = `${result.verdict}: ${summaryOf(result)}`;
  return `${painted(result.verdict, text, style)}${result.emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : ''}`;
}

function painted(verdict: string, text: string, style: TextStyle): string {
  if (verdict === 'DENIED' || verdict === 'UNKNOWN') return style.bad(text);
  return verdict === 'ALLOWED' ? style.good(text) : style.doubtful(text);
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
