// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as SARIF 2.1.0: what is denied, and scans that cannot be judged, as errors; what is waived as suppressed.
import type { VulnerabilitiesResult, VulnerabilityFinding, VulnerableImage } from '../core/results.js';
import { VULNERABILITY_REASON_CODES, type VulnerabilityReason, type VulnerabilityReasonCode } from '../core/vulnerabilities/evaluate.js';
import { repositoryPath, shown } from './check-findings.js';
import { hash32, type SarifTool } from './sarif.js';
import { summaryOf, worstFindingsFirst } from './vulnerability-findings.js';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const MOST_RESULTS = 25_000;
const MOST_NOTIFICATIONS = 200;
const LONGEST_TEXT = 1_000;
const RULE_IDS = Object.keys(VULNERABILITY_REASON_CODES);

interface Row {
  readonly image: VulnerableImage;
  readonly reason: VulnerabilityReason;
  readonly finding?: VulnerabilityFinding;
}

/** The result as a SARIF log of one run. */
export function vulnerabilitiesSarif(result: VulnerabilitiesResult, tool: SarifTool): string {
  const rows = result.images.flatMap(rowsOf);
  const run = {
    tool: { driver: { name: 'binauthz', version: shown(tool.version, LONGEST_TEXT), rules: RULE_IDS.map(ruleOf) } },
    automationDetails: { id: `${tool.category ?? 'binauthz-vulnerabilities'}/` },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: result.verdict !== 'UNKNOWN' && (result.errors ?? []).length === 0,
        toolExecutionNotifications: notificationsOf(result, rows.length),
      },
    ],
    results: rows.slice(0, MOST_RESULTS).map((row) => resultOf(row, tool)),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] })}\n`;
}

function ruleOf(id: string): object {
  const text = VULNERABILITY_REASON_CODES[id as VulnerabilityReasonCode];
  return { id, shortDescription: { text }, fullDescription: { text }, help: { text }, defaultConfiguration: { level: 'error' } };
}

function rowsOf(image: VulnerableImage): readonly Row[] {
  const judged = image.findings.filter(({ verdict }) => verdict === 'DENIED' || verdict === 'WAIVED');
  const doubts = image.reasons.filter(({ code }) => code.startsWith('SCAN_')).map((reason): Row => ({ image, reason }));
  const found = worstFindingsFirst(judged).flatMap((finding) => (finding.reasons ?? []).map((reason): Row => ({ image, reason, finding })));
  return [...doubts, ...found];
}

function resultOf({ image, reason, finding }: Row, { fallbackFile }: SarifTool): object {
  const name = shown(image.image, LONGEST_TEXT);
  const file = fallbackFile === undefined ? undefined : repositoryPath(fallbackFile);
  const uri = file?.split('/').map(encodeURIComponent).join('/');
  const fingerprint = fingerprintOf({ image, reason, ...(finding ? { finding } : {}) });
  return {
    ruleId: reason.code,
    ruleIndex: RULE_IDS.indexOf(reason.code),
    level: 'error',
    // `[text](target)` would be a link.
    message: { text: `${name}: ${shown(reason.message, LONGEST_TEXT)}`.replaceAll('](', '] (') },
    locations: [
      {
        ...(uri === undefined ? {} : { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine: 1 } } }),
        logicalLocations: [{ name, kind: 'image' }],
      },
    ],
    partialFingerprints: { primaryLocationLineHash: fingerprint, 'binauthzVulnerability/v1': fingerprint },
    ...suppressionOf(finding),
    properties: { verdict: finding?.verdict ?? image.verdict },
  };
}

function suppressionOf(finding: VulnerabilityFinding | undefined): object {
  if (finding?.verdict !== 'WAIVED' || !finding.waiver) return {};
  const { owner, reason, expires } = finding.waiver;
  const justification = shown(`${owner}, until ${expires}: ${reason}`, LONGEST_TEXT);
  return { suppressions: [{ kind: 'external', status: 'accepted', justification }] };
}

/** The same as long as the same package of an image of the same name has the same trouble. */
function fingerprintOf({ image, reason, finding }: Row): string {
  const name = (image.image.split('@')[0] ?? '').replace(/:[^:/]*$/, '');
  const text = JSON.stringify([reason.code, name, finding?.id ?? '', finding?.package ?? '', finding?.version ?? '']);
  return `${[0x811c9dc5, 0x2f0b4c47].map((seed) => hash32(text, seed).toString(16).padStart(8, '0')).join('')}:1`;
}

function notificationsOf(result: VulnerabilitiesResult, rows: number): readonly object[] {
  const notify = (level: string, text: string): object => ({ level, message: { text: shown(text, LONGEST_TEXT) || 'no text' } });
  return [
    notify(
      result.verdict === 'DENIED' || result.verdict === 'UNKNOWN' ? 'error' : 'note',
      `the verdict is ${result.verdict}: ${summaryOf(result)}`,
    ),
    ...(rows > MOST_RESULTS
      ? [notify('warning', `${rows - MOST_RESULTS} more results were left out: GitHub takes ${MOST_RESULTS} of a run`)]
      : []),
    ...(result.emulator ? [notify('warning', 'the emulator answered: nothing in this report exists in Google Cloud')] : []),
    ...(result.errors ?? []).map(({ code, message }) => notify('error', `${code}: ${message}`)),
    ...(result.warnings ?? []).map((text) => notify('warning', text)),
  ].slice(0, MOST_NOTIFICATIONS);
}
