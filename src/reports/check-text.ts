// SPDX-License-Identifier: Apache-2.0
// A check as text for people on a terminal. Every foreign text stays on its line and steers nothing.
import type { Reason, Verdict } from '../core/policy/verdict.js';
import type { CheckedImage, CheckResult, PlatformPolicyResult } from '../core/results.js';
import { matrixLines, matrixOfCheck } from './attestation-matrix.js';
import { countsOf, levelOf, lineOf, reasonsByWeight, shown, workloadOf, worstFirst } from './check-findings.js';

/** The colours that a terminal may carry; each returns the text unchanged where it may not. */
export interface TextStyle {
  bad(text: string): string;
  doubtful(text: string): string;
  good(text: string): string;
  faint(text: string): string;
}

const LONGEST_TEXT = 2_000;
const MOST_SOURCES = 20;

/** The check in lines: the worst image last, above the assumptions and the verdict, where the eye is. */
export function checkText(result: CheckResult, style: TextStyle): string {
  const lines = [
    ...worstFirst(result.images)
      .toReversed()
      .flatMap((image) => imageLines(image, style)),
    ...signers(result),
    ...result.platformPolicies.flatMap((policy) => platformLines(policy, style)),
    ...(result.assumptions.length === 0 ? [] : ['assumptions:', ...result.assumptions.map((text) => `  - ${one(text)}`)]),
    verdictLine(result, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function imageLines(image: CheckedImage, style: TextStyle): readonly string[] {
  const resolved = [image.digest, image.childDigest].filter((digest) => digest !== undefined && !image.image.includes(digest));
  const left = image.sources.length - MOST_SOURCES;
  return [
    `${painted(image.verdict, image.verdict, style)}  ${one(image.image)}`,
    ...resolved.map((digest) => `  judged: ${one(digest ?? '')}`),
    ...(image.rule === '' ? [] : [`  rule: ${one(image.rule)}`]),
    ...reasonsByWeight(image).flatMap((reason) => reasonLines(reason, style)),
    ...(image.denial === undefined ? [] : [`  denial: "${one(image.denial)}"`]),
    ...image.sources.slice(0, MOST_SOURCES).map((source) => style.faint(`  ${one(lineOf(source))} ${one(workloadOf(source))}`)),
    ...(left > 0 ? [style.faint(`  … and ${left} more places (--output json has all of them)`)] : []),
  ];
}

function reasonLines({ code, message, hint }: Reason, style: TextStyle): readonly string[] {
  // A hint may hold several commands, each on its own line; none of them begins where a line of ours does.
  const [first, ...others] = hint === undefined ? [] : hint.split('\n').map(one);
  return [
    `  ${code}: ${one(message)}`,
    ...(first === undefined ? [] : [`    ${style.faint('hint:')} ${first}`]),
    ...others.map((line) => `          ${line}`),
  ];
}

function signers(result: CheckResult): readonly string[] {
  const rows = matrixOfCheck(result);
  return rows.length === 0 ? [] : ['attestors:', ...matrixLines(rows, one)];
}

function platformLines({ policy, verdict, results }: PlatformPolicyResult, style: TextStyle): readonly string[] {
  return [
    `${style.faint('advisory')}  platform policy ${one(policy)}: ${verdict}`,
    ...results.map((row) => `  ${one(row.verdict)}  ${one(row.workload)}  ${one(row.image)}: ${one(row.explanation)}`),
  ];
}

function verdictLine(result: CheckResult, style: TextStyle): string {
  const { platform, cluster } = result.target;
  const target = `${platform === 'gke' ? 'GKE' : 'Cloud Run'}${cluster === undefined ? '' : ` cluster ${one(cluster)}`}`;
  const text = `${result.verdict}: ${countsOf(result.images)}, under ${one(result.policy)} on ${target}`;
  return `${painted(result.verdict, text, style)}${result.emulator ? ' (on the emulator: nothing of this exists in Google Cloud)' : ''}`;
}

function painted(verdict: Verdict, text: string, style: TextStyle): string {
  const level = levelOf(verdict);
  if (level === 'error') return style.bad(text);
  return level === 'warning' ? style.doubtful(text) : style.good(text);
}

function one(text: string): string {
  return shown(text, LONGEST_TEXT);
}
