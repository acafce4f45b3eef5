// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as GitHub-flavoured Markdown, bounded in bytes, with nothing obeyed that came from outside.
import type { ErrorReport, VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../core/results.js';
import { shown } from './check-findings.js';
import { codeSpan, plain } from './markdown-text.js';
import { summaryOf, telling, waiverOf, worstFindingsFirst } from './vulnerability-findings.js';

/** How vulnerabilities are shown. */
export interface VulnerabilitiesMarkdownOptions {
  /** The page of the run that made it. */
  readonly runUrl?: string;
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1024;
const SHARE = { errors: 0.1, warnings: 0.1, images: 0.7 } as const;
const LONGEST_NAME = 300;
const LONGEST_TEXT = 600;
const MOST_REASONS = 20;
const HEAD = ['CVE', 'Package', 'Version', 'Fixed in', 'Severity', 'CVSS', 'Verdict', 'Waiver'];

/** The job summary of a vulnerability gate. */
export function vulnerabilitiesMarkdown(result: VulnerabilitiesResult, options: VulnerabilitiesMarkdownOptions = {}): string {
  const { runUrl, maxBytes = MAX_BYTES } = options;
  const { errors = [], warnings = [], images } = result;
  const share = (maxBytes * SHARE.images) / Math.max(1, images.length);
  const parts = [
    `### ${mark(result.verdict)} binauthz vulnerabilities: ${result.verdict}`,
    result.emulator ? '> [!WARNING]\n> **On the emulator:** nothing in this report exists in Google Cloud.' : '',
    `**${plain(summaryOf(result))}**`,
    section('Errors', bounded(errors.map(errorItem), maxBytes * SHARE.errors)),
    ...images.map((image) => imageSection(image, share)),
    section(
      'Warnings',
      bounded(
        warnings.map((text) => `- ${plain(shown(text, LONGEST_TEXT))}`),
        maxBytes * SHARE.warnings,
      ),
    ),
    runUrl !== undefined && /^https?:\/\/[^\s<>"()]+$/.test(runUrl) ? `[The workflow run](${runUrl})` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function imageSection(image: VulnerableImage, maxBytes: number): string {
  const scans = image.manifests.map(({ platform, scan, lastScanTime }) =>
    [
      platform === undefined ? '' : `${plain(platform)} `,
      codeSpan(scan),
      lastScanTime === undefined ? '' : `, last scanned at ${plain(lastScanTime)}`,
    ].join(''),
  );
  const reasons = telling(image)
    .slice(0, MOST_REASONS)
    .map(({ code, message, hint }) => {
      const next = hint === undefined ? '' : ` Next step: ${plain(shown(hint, LONGEST_TEXT))}`;
      return `- ${codeSpan(code)} ${plain(shown(message, LONGEST_TEXT))}.${next}`;
    });
  const rows = worstFindingsFirst(image.findings).map(row);
  const table = rows.length === 0 ? '' : [line(HEAD), line(HEAD.map(() => '---')), bounded(rows, maxBytes)].join('\n');
  return [
    `#### ${mark(image.verdict)} ${image.verdict} ${codeSpan(shown(image.image, LONGEST_NAME))}`,
    `Scan: ${scans.join('; ') || codeSpan(image.scan)}`,
    reasons.join('\n'),
    table,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function row(finding: VulnerabilityFinding): string {
  const { id, package: name, version, fixedVersion, severity, cvss, verdict, platforms } = finding;
  const cell = (text: string): string => plain(shown(text, LONGEST_NAME));
  const where = platforms === undefined ? '' : `<br>${cell(platforms.join(', '))}`;
  return line([
    codeSpan(shown(id, LONGEST_NAME)),
    `${cell(name)}${where}`,
    cell(version),
    fixedVersion === null ? '–' : cell(fixedVersion),
    severity,
    cvss === null ? '–' : String(cvss),
    verdict === 'DENIED' ? '**DENIED**' : verdict,
    cell(waiverOf(finding)),
  ]);
}

function mark(verdict: string): string {
  if (verdict === 'DENIED' || verdict === 'UNKNOWN') return '❌';
  return verdict === 'ALLOWED' ? '✅' : '⚠️';
}

function errorItem({ code, message, hint }: ErrorReport): string {
  const item = `- **${plain(code)}**: ${plain(shown(message, LONGEST_TEXT))}`;
  return hint === undefined ? item : `${item}\n  - Next step: ${plain(shown(hint, LONGEST_TEXT))}`;
}

function section(title: string, content: string): string {
  return content === '' ? '' : `#### ${title}\n\n${content}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The first lines that fit into so many bytes, and how many do not. */
function bounded(lines: readonly string[], maxBytes: number): string {
  let bytes = 0;
  const kept = lines.filter((text) => (bytes += new TextEncoder().encode(text).length + 1) <= maxBytes);
  const left = lines.length - kept.length;
  return [...kept, ...(left === 0 ? [] : ['', `… and ${left} more in the report`])].join('\n');
}
