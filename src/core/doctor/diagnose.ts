// SPDX-License-Identifier: Apache-2.0
// All findings of a run: judged part by part, each told once, and never at odds with what check says of the images.
import { exitCodeOf, BinauthzError } from '../errors.js';
import { ERROR_CODES, type ErrorCode } from '../error-codes.js';
import type { DoctorFinding } from '../operation-results.js';
import { oneLine } from '../redact.js';
import { judgePermissions, judgeServices } from './access.js';
import { assumptionsOfAttestors, judgeAttestors } from './attestors.js';
import type { DoctorFacts, Question } from './facts.js';
import { errorOf, FINDINGS, report, type Finding, type FindingRow } from './findings.js';
import { judgeImages } from './images.js';
import { judgeKeys } from './keys.js';
import { judgePolicy } from './policy.js';
import { assumptionsOfTarget, judgeTarget } from './targets.js';
import { judgeVerdicts } from './verdicts.js';

/** What was found, and what had to be taken for granted. */
export interface Diagnosis {
  readonly findings: readonly DoctorFinding[];
  readonly assumptions: readonly string[];
}

/** Judges everything that was found out. What stops the command comes first. */
export function diagnose(facts: DoctorFacts): Diagnosis {
  const { question } = facts;
  const parts = [judgeServices, judgePermissions, judgeKeys, judgeAttestors, judgeImages, judgePolicy, judgeTarget].flatMap((judge) =>
    judge(facts),
  );
  const findings = settled(distinct([...parts, ...judgeVerdicts(facts, parts)]), facts).map((finding) => report(finding, question.eyes));
  const ofImages = facts.images.flatMap((image) => image.assumptions);
  const assumptions = [...assumptionsOfAttestors(facts), ...assumptionsOfServices(facts), ...assumptionsOfTarget(facts), ...ofImages].map(
    oneLine,
  );
  const errors = findings.filter(({ level }) => level === 'error');
  const warnings = findings.filter(({ level }) => level === 'warning');
  return {
    findings: [...errors, ...warnings],
    assumptions: [...new Set(assumptions)],
  };
}

/** The error that stands for all findings: the one whose exit code wins; undefined where attest or check would go on. */
export function refusalOf(findings: readonly DoctorFinding[]): BinauthzError | undefined {
  const errors = findings.flatMap(({ error, message, resource, fix }) =>
    error === undefined ? [] : [{ code: error, exit: ERROR_CODES[error].exit, message, resource, fix }],
  );
  const code = exitCodeOf(errors.map(({ code: of, message }) => new BinauthzError(of, message)));
  const winner = errors.find(({ exit }) => exit === code);
  if (!winner) return undefined;
  const others = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  return new BinauthzError(winner.code, `doctor found what keeps the run from succeeding: ${winner.message}${others}`, {
    resource: winner.resource,
    hint: 'run the command that the result gives for each finding, then doctor again',
  });
}

// One cause shows in several reads; one command repairs it. What stops the command outweighs the same thing as advice.
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byKey = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.resource, finding.fix]);
    const told = byKey.get(key);
    if (told === undefined || told.error === 'none') byKey.set(key, finding);
  }
  return [...byKey.values()];
}

/** Where check decided about every image and none is denied, what would only have made it deny is worth a warning. */
function settled(findings: readonly Finding[], { question, images }: DoctorFacts): readonly Finding[] {
  const verdicts = images.map(({ evaluation }) => evaluation?.verdict);
  const isGreen =
    verdicts.length > 0 && verdicts.every((verdict) => verdict !== undefined && verdict !== 'DENIED' && verdict !== 'UNKNOWN');
  return isGreen ? findings.map((finding) => softened(finding, question)) : findings;
}

function softened(finding: Finding, { eyes }: Question): Finding {
  const row: FindingRow = FINDINGS[finding.code];
  const error = errorOf(finding, eyes);
  return error === undefined || row.isHidden || !isVerdict(error) ? finding : { ...finding, error: 'none' };
}

function isVerdict(error: ErrorCode): boolean {
  return error === 'POLICY_DENIED' || error === 'UNDECIDED';
}

function assumptionsOfServices({ services }: DoctorFacts): readonly string[] {
  return services.flatMap(({ project, off }) =>
    off.ok ? [] : [`every API that is called in ${project} is on: Service Usage could not be asked (${off.error.message})`],
  );
}
