// SPDX-License-Identifier: Apache-2.0
// An audit as SARIF 2.1.0: a result for each group of events.
import { EVENT_TYPES } from '../core/audit/events.js';
import type { AuditEventType, AuditGroup, AuditResult } from '../core/operation-results.js';
import { countsOf, EVENT_MEANINGS, timesOf } from './audit-findings.js';
import { repositoryPath, shown } from './check-findings.js';
import { hash32, type SarifTool } from './sarif.js';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const MOST_RESULTS = 25_000;
const MOST_NOTIFICATIONS = 200;
const MOST_IMAGES = 20;
const LONGEST_TEXT = 1_000;
const LONGEST_NAME = 500;
/** A denial is the policy at work, and a dry run harms nobody yet. */
const LEVELS: Readonly<Record<AuditEventType, 'error' | 'warning' | 'note'>> = {
  BREAK_GLASS: 'error',
  FAIL_OPEN: 'error',
  DENIED: 'warning',
  DRY_RUN: 'note',
};

/** The audit as a SARIF log of one run; the gravest groups first, so that a limit drops the lightest. */
export function auditSarif(result: AuditResult, tool: SarifTool): string {
  const seen = new Map<string, number>();
  const run = {
    tool: { driver: { name: 'binauthz', version: shown(tool.version, LONGEST_NAME), rules: EVENT_TYPES.map(ruleOf) } },
    automationDetails: { id: `${tool.category ?? `binauthz-audit/projects/${shown(result.project, LONGEST_NAME)}`}/` },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: result.complete && (result.errors ?? []).length === 0,
        toolExecutionNotifications: notificationsOf(result),
      },
    ],
    results: result.groups.slice(0, MOST_RESULTS).map((group) => {
      const hash = fingerprintOf(group);
      const count = (seen.get(hash) ?? 0) + 1;
      seen.set(hash, count);
      return resultOf(group, `${hash}:${count}`, tool);
    }),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] })}\n`;
}

function ruleOf(id: AuditEventType): object {
  const { meaning, next } = EVENT_MEANINGS[id];
  return {
    id,
    shortDescription: { text: meaning },
    fullDescription: { text: meaning },
    help: { text: next },
    defaultConfiguration: { level: LEVELS[id] },
  };
}

function resultOf(group: AuditGroup, fingerprint: string, { fallbackFile }: SarifTool): object {
  const uri = (fallbackFile === undefined ? undefined : repositoryPath(fallbackFile))?.split('/').map(encodeURIComponent).join('/');
  const name = shown(group.resource, LONGEST_NAME);
  return {
    ruleId: group.type,
    ruleIndex: EVENT_TYPES.findIndex((type) => type === group.type),
    level: LEVELS[group.type],
    message: { text: messageOf(group) },
    locations: [
      {
        ...(uri === undefined ? {} : { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine: 1 } } }),
        logicalLocations: [{ name, fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    partialFingerprints: { primaryLocationLineHash: fingerprint, 'binauthzAuditGroup/v1': fingerprint },
    properties: {
      platform: group.platform,
      images: group.images.slice(0, MOST_IMAGES).map((image) => shown(image, LONGEST_NAME)),
      count: group.count,
    },
  };
}

function messageOf(group: AuditGroup): string {
  const who = group.principals.map((principal) => shown(principal, LONGEST_NAME)).slice(0, MOST_IMAGES);
  const why = group.justification === undefined ? '' : ` Justification: ${shown(group.justification, LONGEST_TEXT)}.`;
  const text = `${group.type}: ${shown(group.resource, LONGEST_NAME)} by ${who.join(', ')}, ${timesOf(group)}: ${shown(group.message, LONGEST_TEXT)}.${why}`;
  // `[text](target)` would be a link (SARIF 2.1.0, section 3.11.6).
  return text.replaceAll('](', '] (');
}

/** The same as long as the same workload has the same kind of event with an image of the same name. */
function fingerprintOf({ type, resource, images }: AuditGroup): string {
  const names = images.map((image) => (image.split('@')[0] ?? '').replace(/:[^:/]*$/, ''));
  const text = JSON.stringify([type, resource, names]);
  return [0x811c9dc5, 0x2f0b4c47].map((seed) => hash32(text, seed).toString(16).padStart(8, '0')).join('');
}

function notificationsOf(result: AuditResult): readonly object[] {
  const notify = (level: string, text: string): object => ({ level, message: { text: shown(text, LONGEST_TEXT) || 'no text' } });
  const left = result.groups.length - MOST_RESULTS;
  return [
    notify(result.complete ? 'note' : 'error', `${countsOf(result)} from ${result.since} to ${result.until}`),
    notify('note', `dry run: ${result.readiness.statement}`),
    ...(left > 0 ? [notify('warning', `${left} more results were left out: GitHub takes ${MOST_RESULTS} of a run`)] : []),
    ...(result.emulator ? [notify('warning', 'the emulator answered: nothing in this report exists in Google Cloud')] : []),
    ...(result.errors ?? []).map(({ code, message }) => notify('error', `${code}: ${message}`)),
    ...(result.warnings ?? []).map((text) => notify('warning', text)),
  ].slice(0, MOST_NOTIFICATIONS);
}
