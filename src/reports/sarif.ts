// SPDX-License-Identifier: Apache-2.0
// A check as SARIF 2.1.0, within what GitHub's code scanning takes: 25,000 results of a run and 10 MB when compressed.
import { REASON_CODES, type Reason } from '../core/policy/verdict.js';
import type { CheckResult } from '../core/results.js';
import {
  countsOf,
  isWorseThanImages,
  levelOf,
  placesOf,
  repositoryPath,
  shown,
  tellingReasons,
  verdictWords,
  workloadOf,
  worstFirst,
  type ImagePlace,
  type Strictness,
} from './check-findings.js';

/** Who reports, and how a report fits among others. */
export interface SarifTool {
  readonly version: string;
  /** Tells reports of one commit apart; by default the policy and the target. */
  readonly category?: string;
  /**
   * The file that stands in where an image is in none. GitHub refuses an upload as a whole if one result has no file
   * ("expected a physical location"); other readers are content with the logical location.
   */
  readonly fallbackFile?: string;
}

interface Finding extends ImagePlace {
  readonly strictness: Strictness;
  readonly reason: Reason;
}

interface Notification {
  readonly level: 'error' | 'warning' | 'note';
  readonly message: { readonly text: string };
}

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const MOST_RESULTS = 25_000;
/** Text of this kind compresses to a quarter or less, so that this stays below 10 MB. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_NOTIFICATIONS = 200;
const LONGEST_MESSAGE = 1_000;
const LONGEST_NAME = 500;

const RULE_IDS = Object.keys(REASON_CODES);

/** The check as a SARIF log of one run; results in the order of their weight, so that a limit drops the lightest. */
export function sarifOf(result: CheckResult, tool: SarifTool, strictness: Strictness = {}): string {
  const { kept, left } = resultsOf(result, tool, strictness);
  const notifications = notificationsOf(result, left);
  const run = {
    tool: { driver: driverOf(tool) },
    automationDetails: { id: `${tool.category ?? categoryOf(result)}/` },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: result.verdict !== 'UNKNOWN' && (result.errors ?? []).length === 0,
        toolExecutionNotifications: notifications,
      },
    ],
    results: 0,
  };
  // Each result is text already, for its size.
  const [head = '', tail = ''] = JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }).split('"results":0');
  return `${head}"results":[${kept.join(',\n')}]${tail}\n`;
}

/** Logs as one, with the runs of all. */
export function joinSarif(logs: readonly string[]): string {
  const [first = '', ...others] = logs;
  if (others.length === 0) return first;
  const runs = logs.flatMap((log) => (JSON.parse(log) as { readonly runs: readonly unknown[] }).runs);
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs })}\n`;
}

function driverOf({ version }: SarifTool): object {
  const rules = Object.entries(REASON_CODES).map(([id, text]) => ({
    id,
    shortDescription: { text },
    fullDescription: { text },
    help: { text: `${text} docs/ERRORS.md of binauthz lists every code.` },
    defaultConfiguration: { level: 'error' },
  }));
  return { name: 'binauthz', version: shown(version, LONGEST_NAME), rules };
}

function categoryOf({ policy, target }: CheckResult): string {
  return ['binauthz-check', policy, target.platform, target.cluster ?? '']
    .filter((part) => part !== '')
    .map((part) => shown(part, LONGEST_NAME))
    .join('/');
}

function resultsOf(
  result: CheckResult,
  tool: SarifTool,
  strictness: Strictness,
): { readonly kept: readonly string[]; readonly left: number } {
  const seen = new Map<string, number>();
  const kept: string[] = [];
  let bytes = 0;
  const findings = worstFirst(result.images)
    .filter(({ verdict }) => verdict !== 'ALLOWED')
    .flatMap((image) =>
      placesOf(image).flatMap((place) => tellingReasons(image).map((reason): Finding => ({ ...place, reason, strictness }))),
    );
  for (const finding of findings.slice(0, MOST_RESULTS)) {
    const hash = fingerprintOf(finding);
    const count = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, count);
    const text = JSON.stringify(resultOf(finding, `${hash}:${count}`, tool));
    bytes += new TextEncoder().encode(text).length + 2;
    if (bytes > MOST_BYTES) break;
    kept.push(text);
  }
  return { kept, left: findings.length - kept.length };
}

function resultOf(finding: Finding, fingerprint: string, { fallbackFile }: SarifTool): object {
  const { image, source, reason, strictness } = finding;
  const file = (source && repositoryPath(source.file)) ?? (fallbackFile === undefined ? undefined : repositoryPath(fallbackFile));
  const startLine = source && repositoryPath(source.file) !== undefined ? Math.max(1, source.line) : 1;
  const name = shown(image.image, LONGEST_NAME);
  const logical = {
    name,
    ...(source ? { fullyQualifiedName: shown(workloadOf(source), LONGEST_NAME) } : {}),
    kind: source ? 'resource' : 'image',
  };
  return {
    ruleId: reason.code,
    ruleIndex: RULE_IDS.indexOf(reason.code),
    level: levelOf(image.verdict, strictness) ?? 'note',
    message: { text: messageOf(finding) },
    locations: [
      {
        ...(file === undefined
          ? {}
          : { physicalLocation: { artifactLocation: { uri: uriOf(file), uriBaseId: '%SRCROOT%' }, region: { startLine } } }),
        logicalLocations: [logical],
      },
    ],
    // GitHub follows an alert by the first alone, which its upload would otherwise make of the line, digest and all.
    partialFingerprints: { primaryLocationLineHash: fingerprint, 'binauthzImageUse/v1': fingerprint },
    properties: { verdict: image.verdict, rule: shown(image.rule, LONGEST_NAME) },
  };
}

function messageOf({ image, reason, strictness }: Finding): string {
  const next = reason.hint === undefined ? '' : ` Next step: ${shown(reason.hint, LONGEST_MESSAGE)}`;
  const text = `${verdictWords(image.verdict, strictness)}: ${shown(image.image, LONGEST_NAME)}: ${shown(reason.message, LONGEST_MESSAGE)}.${next}`;
  // `[text](target)` would be a link (SARIF 2.1.0, section 3.11.6).
  return text.replaceAll('](', '] (').replace(/\.\.(?= Next step|$)/, '.');
}

function uriOf(path: string): string {
  return path
    .replace(/\p{Cs}/gu, '\ufffd')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
}

function notificationsOf(result: CheckResult, left: number): readonly Notification[] {
  const notify = (level: Notification['level'], text: string): Notification => ({
    level,
    message: { text: shown(text, LONGEST_MESSAGE) || 'no text' },
  });
  const all = [
    ...(left === 0
      ? []
      : [notify('warning', `${left} more results were left out: GitHub takes ${MOST_RESULTS} results of a run, and 10 MB`)]),
    ...(isWorseThanImages(result) ? [notify('error', `the verdict is ${result.verdict}: ${countsOf(result.images)}`)] : []),
    ...(result.emulator ? [notify('warning', 'the emulator answered: nothing in this report exists in Google Cloud')] : []),
    ...(result.errors ?? []).map(({ code, message }) => notify('error', `${code}: ${message}`)),
    ...(result.warnings ?? []).map((text) => notify('warning', text)),
    ...result.assumptions.map((text) => notify('note', `assumed: ${text}`)),
  ];
  if (all.length <= MOST_NOTIFICATIONS) return all;
  return [...all.slice(0, MOST_NOTIFICATIONS), notify('note', `${all.length - MOST_NOTIFICATIONS} more notifications were left out`)];
}

/** The same as long as the same container of the same workload has the same trouble with an image of the same name. */
function fingerprintOf({ image, source, reason }: Finding): string {
  const name = (image.image.split('@')[0] ?? '').replace(/:[^:/]*$/, '');
  const place = source && [source.file, source.kind, source.namespace, source.name, source.containerType, source.container];
  const text = JSON.stringify([reason.code, reason.attestor ?? '', name, place ?? []]);
  return [0x811c9dc5, 0x2f0b4c47].map((seed) => hash32(text, seed).toString(16).padStart(8, '0')).join('');
}

/** FNV-1a over the text's two-byte units: it tells findings apart and protects nothing. */
export function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}
