// SPDX-License-Identifier: Apache-2.0
// What a check's verdict means for a run: its exit code, its warning, and the line that says why it failed.
import { BinauthzError } from '../../../core/errors.js';
import type { Reason, Verdict } from '../../../core/policy/verdict.js';
import type { CheckedImage, CheckResult } from '../../../core/results.js';
import { reasonsByWeight } from '../../../reports/check-findings.js';
import { checkOf, type Refuse } from '../../outcome.js';

/** How strictly a verdict is taken. */
export interface Gate {
  /** `warn`: a denial, or no decision, is only a warning. */
  readonly mode: 'warn' | 'enforce';
  /** Only ALLOWED passes. */
  readonly strict: boolean;
}

/** What a gate makes of the end of a run that checks: what it refuses, and whether its reports show that as strictly. */
export function gated(gate: Gate): { readonly refuse: Refuse; readonly strict: boolean } {
  // Where nothing of the check fails the run, nothing must look as if strictness did.
  return { refuse: gatekeeper(gate), strict: gate.strict && gate.mode === 'enforce' };
}

/** Refuses what the gate does not let pass, in a run that checks. */
export function gatekeeper(gate: Gate): Refuse {
  return (result) => {
    const check = checkOf(result);
    return check && refusalOf(check, gate);
  };
}

/** The exit code of a verdict: 0, 3 for denied, 4 for unknown. */
export function verdictStatus(verdict: Verdict, { mode, strict }: Gate): 0 | 3 | 4 {
  return mode === 'warn' ? 0 : enforcedStatus(verdict, strict);
}

/** What to warn of where the gate lets something pass that is not plainly allowed. */
export function verdictWarning(check: CheckResult, gate: Gate): string | undefined {
  if (check.verdict === 'ALLOWED' || verdictStatus(check.verdict, gate) !== 0) return undefined;
  const wouldFail = enforcedStatus(check.verdict, gate.strict);
  const instead = wouldFail === 0 ? '' : `; with the check enforced this run would have ended with exit code ${wouldFail}`;
  return `the check ended ${check.verdict}: ${summary(check, gate)}${instead}`;
}

/** Why the gate is shut, as an error; undefined where it is open. */
export function refusalOf(check: CheckResult, gate: Gate): BinauthzError | undefined {
  const status = verdictStatus(check.verdict, gate);
  if (status === 0) return undefined;
  const code = status === 3 ? 'POLICY_DENIED' : 'UNDECIDED';
  const [first] = offenders(check, gate);
  const hint = first && decidingReason(first)?.hint;
  return new BinauthzError(code, `the check ended ${check.verdict}: ${summary(check, gate)}`, {
    ...(check.policy === '' ? {} : { resource: check.policy }),
    hint: hint ?? 'the result names the reasons of each image',
  });
}

function enforcedStatus(verdict: Verdict, strict: boolean): 0 | 3 | 4 {
  switch (verdict) {
    case 'ALLOWED':
      return 0;
    case 'DENIED':
      return 3;
    case 'UNKNOWN':
      return 4;
    case 'ALLOWED_DRY_RUN':
    case 'ALLOWED_BREAK_GLASS':
    case 'NOT_ENFORCED':
      return strict ? 3 : 0;
  }
}

/** The images that have the verdict of the whole, the worst one. */
function offenders(check: CheckResult, { strict }: Gate): readonly CheckedImage[] {
  const status = enforcedStatus(check.verdict, strict);
  return check.images.filter(({ verdict }) => (status === 0 ? verdict === check.verdict : enforcedStatus(verdict, strict) === status));
}

function summary(check: CheckResult, gate: Gate): string {
  const bad = offenders(check, gate);
  const [first] = bad;
  const policy = check.policy === '' ? '' : ` under ${check.policy}`;
  if (!first) return `no image was judged${policy}`;
  const reason = decidingReason(first);
  const others = bad.length === 1 ? '' : `, and ${bad.length - 1} more`;
  const isStrict = gate.strict && !['DENIED', 'UNKNOWN'].includes(first.verdict) ? ', and only ALLOWED is accepted' : '';
  return `${first.image} is ${first.verdict}${policy}${reason === undefined ? '' : ` (${reason.code}: ${reason.message})`}${isStrict}${others}`;
}

function decidingReason(image: CheckedImage): Reason | undefined {
  return reasonsByWeight(image)[0];
}
