// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../../src/core/results.js';
import { vulnerabilitiesJunit } from '../../src/reports/vulnerabilities-junit.js';
import { vulnerabilitiesMarkdown } from '../../src/reports/vulnerabilities-markdown.js';
import { vulnerabilitiesSarif } from '../../src/reports/vulnerabilities-sarif.js';
import { vulnerabilitiesText } from '../../src/reports/vulnerabilities-text.js';
import { casesOf, junitProblems } from '../support/junit-schema.js';
import { sarifProblems } from '../support/sarif-schema.js';
import { parseXml } from '../support/xml.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGE = `us-docker.pkg.dev/p/r/app@${DIGEST}`;
const plainStyle = { bad: String, doubtful: String, good: String, faint: String };
const waiver = { owner: 'security@example.com', reason: 'not reachable', expires: '2027-01-31' };

const finding = (change: Partial<VulnerabilityFinding> = {}): VulnerabilityFinding => ({
  id: 'CVE-2026-1',
  package: 'openssl',
  version: '3.0.1',
  fixedVersion: '3.0.2',
  severity: 'CRITICAL',
  cvss: 9.8,
  verdict: 'DENIED',
  reasons: [{ code: 'SEVERITY_DENIED', message: 'CVE-2026-1 in openssl is CRITICAL' }],
  ...change,
});
const image = (change: Partial<VulnerableImage> = {}): VulnerableImage => ({
  image: IMAGE,
  digest: DIGEST,
  scan: 'FINISHED_SUCCESS',
  verdict: 'DENIED',
  reasons: [{ code: 'SEVERITY_DENIED', message: 'CVE-2026-1 in openssl is CRITICAL', finding: 'CVE-2026-1' }],
  findings: [finding({ id: 'CVE-2026-2', severity: 'LOW', cvss: null, fixedVersion: null, verdict: 'ALLOWED', reasons: [] }), finding()],
  manifests: [{ digest: DIGEST, scan: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' }],
  ...change,
});
const result = (change: Partial<VulnerabilitiesResult> = {}): VulnerabilitiesResult => ({
  schema: 'binauthz.vulnerabilities/v1',
  verdict: 'DENIED',
  images: [image()],
  ...change,
});
const unscanned = image({
  scan: 'PENDING',
  verdict: 'UNKNOWN',
  findings: [],
  reasons: [{ code: 'SCAN_PENDING', message: 'the scan has not begun', hint: 'raise --scan-timeout' }],
  manifests: [{ digest: DIGEST, scan: 'PENDING' }],
});
const waived = image({ verdict: 'ALLOWED', reasons: [], findings: [finding({ verdict: 'WAIVED', waiver })] });
const hostile = image({
  image: `us-docker.pkg.dev/p/r/<script>|@${DIGEST}`,
  findings: [finding({ id: 'CVE\n::error::x', package: '<b>|[a](javascript:x)', version: '\u0000\u001b[31m', platforms: ['a|b'] })],
});
const RESULTS = [result(), result({ images: [] }), result({ images: [unscanned, waived, hostile], verdict: 'DENIED' })];
RESULTS.push(
  result({ verdict: 'UNKNOWN', emulator: true, errors: [{ code: 'FINDINGS_MISMATCH', message: 'other', exitCode: 7 }], warnings: ['w'] }),
);

describe('the table', () => {
  it('shows the denied first, with fix, severity, score, verdict and waiver', () => {
    const lines = vulnerabilitiesText(result(), plainStyle).split('\n');
    const rows = lines.filter((line) => line.includes('CVE-')).map((line) => line.trim().split(/ {2,}/));
    expect(
      lines
        .find((line) => line.includes('PACKAGE'))
        ?.trim()
        .split(/ {2,}/),
    ).toEqual(['CVE', 'PACKAGE', 'VERSION', 'FIXED IN', 'SEVERITY', 'CVSS', 'VERDICT', 'WAIVER']);
    expect(rows).toEqual([
      ['CVE-2026-1', 'openssl', '3.0.1', '3.0.2', 'CRITICAL', '9.8', 'DENIED'],
      ['CVE-2026-2', 'openssl', '3.0.1', '-', 'LOW', '-', 'ALLOWED'],
    ]);
    expect(lines.at(-2)).toBe('DENIED: 1 DENIED, 1 ALLOWED of 2 findings in 1 image');
  });

  it('says why a scan does not count, and who waived what until when', () => {
    const text = vulnerabilitiesText(result({ images: [unscanned, waived] }), plainStyle);
    expect(text).toContain('SCAN_PENDING: the scan has not begun\n    hint: raise --scan-timeout');
    expect(text).toContain('until 2027-01-31 by security@example.com: not reachable');
    expect(text).toContain('1 not scanned to the end');
  });

  it('may be longer than a call has arguments', () => {
    const [finding] = image().findings;
    const findings = Array.from({ length: 150_000 }, () => finding).filter((entry) => entry !== undefined);
    expect(vulnerabilitiesText(result({ images: [image({ findings })] }), plainStyle).split('\n').length).toBeGreaterThan(150_000);
  });

  it('lets no foreign text begin a line or steer the terminal', () => {
    const text = vulnerabilitiesText(result({ images: [hostile] }), plainStyle);
    expect(text).not.toMatch(/^::|\u001b|\u0000/m);
  });
});

describe('the summary', () => {
  it('shows the same in Markdown, and obeys nothing', () => {
    const text = vulnerabilitiesMarkdown(result({ images: [image(), hostile] }), { runUrl: 'https://example.com/1' });
    expect(text).toContain('### ❌ binauthz vulnerabilities: DENIED');
    expect(text).toContain('| <code>CVE-2026-1</code> | openssl | &#51;.0.1 | &#51;.0.2 | CRITICAL | 9.8 | **DENIED** |  |');
    expect(text).not.toMatch(/<script>|<b>|\]\(javascript/);
  });

  it('keeps within its bytes', () => {
    const findings = Array.from({ length: 5_000 }, (_, index) => finding({ id: `CVE-2026-${index}` }));
    const text = vulnerabilitiesMarkdown(result({ images: [image({ findings })] }), { maxBytes: 20_000 });
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
    expect(text).toMatch(/… and \d+ more in the report/);
  });
});

describe('JUnit', () => {
  it.each(RESULTS.map((entry, index) => [index, entry] as const))('is valid, and never all well: %i', (_index, entry) => {
    const root = parseXml(vulnerabilitiesJunit(entry));
    expect(junitProblems(root)).toEqual([]);
    expect(casesOf(root, 'failure').length + casesOf(root, 'error').length).toBeGreaterThan(0);
  });

  it('has an error for a scan and a failure for a finding', () => {
    const root = parseXml(vulnerabilitiesJunit(result({ images: [unscanned, image()] })));
    expect([casesOf(root, 'error').length, casesOf(root, 'failure').length, casesOf(root).length]).toEqual([1, 1, 4]);
  });
});

describe('SARIF', () => {
  it.each(RESULTS.map((entry, index) => [index, entry] as const))('is valid: %i', (_index, entry) => {
    const log: unknown = JSON.parse(vulnerabilitiesSarif(entry, { version: '1.0.0', fallbackFile: 'policy.yaml' }));
    expect(sarifProblems(log)).toEqual([]);
  });

  it('has denials and doubts, and what is waived as suppressed', () => {
    const log = JSON.parse(vulnerabilitiesSarif(result({ images: [unscanned, waived, image()] }), { version: '1.0.0' })) as {
      runs: [{ results: { ruleId: string; suppressions?: { justification: string }[] }[] }];
    };
    expect(log.runs[0].results.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toEqual([
      ['SCAN_PENDING', undefined],
      ['SEVERITY_DENIED', 'security@example.com, until 2027-01-31: not reachable'],
      ['SEVERITY_DENIED', undefined],
    ]);
  });
});
