// SPDX-License-Identifier: Apache-2.0
// Results as text for people; scripts use --output json.
import { formatDuration } from '../../core/duration.js';
import type {
  AttestationResult,
  AttestedImage,
  AttestResult,
  CheckResult,
  ListedAttestation,
  ListResult,
  VulnerabilitiesResult,
} from '../../core/results.js';
import { matrixLines, matrixOfList } from '../../reports/attestation-matrix.js';
import { auditText } from '../../reports/audit-text.js';
import { shown } from '../../reports/check-findings.js';
import { checkText } from '../../reports/check-text.js';
import { doctorText } from '../../reports/doctor-text.js';
import { planText } from '../../reports/plan-text.js';
import { vulnerabilitiesText } from '../../reports/vulnerabilities-text.js';
import type { AnyResult } from '../outcome.js';
import { textOf } from './lines.js';
import type { Style } from './terminal.js';

const LONGEST_NAME = 2_000;

/** A result as text; empty where there is nothing but errors, which go elsewhere. */
export function renderResult(result: AnyResult, style: Style): string {
  switch (result.schema) {
    case 'binauthz.attest/v1':
      return attestText(result, style);
    case 'binauthz.check/v1':
      return isUnjudged(result) ? '' : checkText(result, style);
    case 'binauthz.list/v1':
      return textOf(listLines(result, style));
    case 'binauthz.vulnerabilities/v1':
      return isUnjudged(result) ? '' : vulnerabilitiesText(result, style);
    case 'binauthz.plan/v1':
      return planText(result, style);
    case 'binauthz.audit/v1':
      return auditText(result, style);
    case 'binauthz.doctor/v1':
      return doctorText(result, style);
    case 'binauthz.error/v1':
      return '';
  }
}

// Nothing was judged where the run failed before it; the errors say so.
function isUnjudged({ errors, images }: CheckResult | VulnerabilitiesResult): boolean {
  return errors !== undefined && images.length === 0;
}

/** What was judged before and after stands around what was attested, as it happened. */
function attestText(result: AttestResult, style: Style): string {
  const { vulnerabilities, check } = result;
  return [
    vulnerabilities ? vulnerabilitiesText(vulnerabilities, style) : '',
    textOf(attestLines(result, style)),
    check ? checkText(check, style) : '',
  ].join('');
}

function attestLines(result: AttestResult, style: Style): readonly string[] {
  const shown = new Set<string>();
  const lines = result.images.flatMap((image) => imageLines(image, result.attestations, shown, style));
  const others = [...new Set(result.attestations.map(({ image }) => image))].filter((image) => !shown.has(image));
  return [...lines, ...others.flatMap((image) => [image, ...statusLines(image, result.attestations, '  ', style)])];
}

function imageLines(image: AttestedImage, attestations: readonly AttestationResult[], shown: Set<string>, style: Style): readonly string[] {
  const name = image.image.slice(0, image.image.lastIndexOf('@'));
  shown.add(image.image);
  const lines = [
    `${image.image}${image.tag === undefined ? '' : `  (tag ${image.tag})`}`,
    ...statusLines(image.image, attestations, '  ', style),
  ];
  for (const child of image.children) {
    const pinned = `${name}@${child.digest}`;
    lines.push(`  ${child.platform}  ${child.digest}`);
    if (!shown.has(pinned)) lines.push(...statusLines(pinned, attestations, '    ', style));
    shown.add(pinned);
  }
  return lines;
}

function statusLines(image: string, attestations: readonly AttestationResult[], indent: string, style: Style): readonly string[] {
  const rows = attestations.filter((attestation) => attestation.image === image);
  const cells = align(rows.map((row) => [row.status, row.attestor, row.occurrence ?? '', visibility(row)]));
  return cells.map((line, index) => `${indent}${paint(line, rows[index]?.status, style)}`);
}

function visibility({ visibleAfterMs, status }: AttestationResult): string {
  if (typeof visibleAfterMs === 'number') return `visible after ${formatDuration(visibleAfterMs)}`;
  return status === 'posted' ? 'not visible in time' : '';
}

function paint(line: string, status: AttestationResult['status'] | undefined, style: Style): string {
  if (status === 'failed') return style.bad(line);
  if (status === 'posted') return style.doubtful(line);
  return status === 'dry-run' ? line : style.good(line);
}

function listLines(result: ListResult, style: Style): readonly string[] {
  if (result.attestations.length === 0) return result.errors === undefined ? ['no attestations'] : [];
  const images = [...new Set(result.attestations.map(({ image }) => image))];
  const listed = images.flatMap((image) => [
    image,
    ...listedLines(
      result.attestations.filter((row) => row.image === image),
      style,
    ),
  ]);
  const matrix = matrixLines(matrixOfList(result), (name) => shown(name, LONGEST_NAME));
  return matrix.length === 0 ? listed : [...listed, 'attestors:', ...matrix];
}

function listedLines(rows: readonly ListedAttestation[], style: Style): readonly string[] {
  const cells = align(rows.map((row) => [row.verified ? 'verified' : 'not verified', row.attestor, row.occurrence, row.createTime ?? '']));
  return cells.flatMap((line, index) => {
    const { verified = false, reason, warnings = [] } = rows[index] ?? {};
    const details = [...(reason ? [`${reason.code}: ${reason.message}`] : []), ...warnings.map((warning) => `warning: ${warning}`)];
    return [`  ${verified ? style.good(line) : style.bad(line)}`, ...details.map((detail) => `    ${detail}`)];
  });
}

/** Rows with their columns under each other, two spaces apart. */
function align(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
