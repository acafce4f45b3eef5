// SPDX-License-Identifier: Apache-2.0
// One change to a policy as the command that makes it: exported, changed by jq, imported. Each command reads the policy anew,
// so that several can be run one after the other; the etag of what it read keeps it from overwriting what somebody else wrote.
import type { AttestorName, ProjectId } from '../names.js';
import { RULE_MAPS, type AdmissionRule, type RuleMapName } from '../policy/policy.js';
import type { ChosenRule } from '../policy/rules.js';
import { shellLine } from '../provisioning/gcloud.js';

/** What jq is told: a program that makes one policy of another. */
export type Edit = string & { readonly __edit: unique symbol };

/** Changes a project's policy. Nothing is imported where a step before it failed: an empty file would be an empty policy. */
export function change(project: ProjectId, edit: Edit): string {
  const policy = ['gcloud', 'container', 'binauthz', 'policy'];
  const [read, changed] = ['binauthz-policy.json', 'binauthz-policy-changed.json'];
  return [
    `${shellLine([...policy, 'export', `--project=${project}`, '--format=json'])} > ${read}`,
    `${shellLine(['jq', edit, read])} > ${changed}`,
    shellLine([...policy, 'import', changed, `--project=${project}`]),
  ].join(' \\\n  && ');
}

/** Puts another rule in the place of this one. */
export function replaceRule(chosen: ChosenRule, { evaluationMode, enforcementMode, requireAttestationsBy }: AdmissionRule): Edit {
  const rule = { evaluationMode, enforcementMode, ...(requireAttestationsBy.length > 0 ? { requireAttestationsBy } : {}) };
  return edit(`${pathOf(chosen)} = ${JSON.stringify(rule)}`);
}

/** Has a rule that only logs deny as well. */
export function enforceRule(chosen: ChosenRule, enforcementMode: AdmissionRule['enforcementMode']): Edit {
  return edit(`${pathOf(chosen)}.enforcementMode = ${JSON.stringify(enforcementMode)}`);
}

/** Has a rule require one more attestor. */
export function requireAttestor(chosen: ChosenRule, attestor: AttestorName): Edit {
  return edit(`${pathOf(chosen)}.requireAttestationsBy += ${JSON.stringify([attestor])}`);
}

/**
 * Has no rule require an attestor that is gone. Where it was the only one, another takes its place; where there is none,
 * whatever the rule covers is denied rather than let in.
 */
export function forgetAttestor(gone: AttestorName, instead: AttestorName | undefined): Edit {
  const rules = `.defaultAdmissionRule, (${RULE_MAPS.map((map) => `.${map}`).join(', ')} | values | .[])`;
  const last =
    instead === undefined
      ? 'del(.requireAttestationsBy) | .evaluationMode = "ALWAYS_DENY"'
      : `.requireAttestationsBy = ${JSON.stringify([instead])}`;
  const without = `.requireAttestationsBy -= ${JSON.stringify([gone])} | if .requireAttestationsBy == [] then ${last} else . end`;
  return edit(`(${rules}) |= if (.requireAttestationsBy // [] | index(${JSON.stringify(gone)})) then ${without} else . end`);
}

/** Keeps the rules of only this kind. */
export function keepOnly(kept: RuleMapName): Edit {
  const others = RULE_MAPS.filter((map) => map !== kept).map((map) => `.${map}`);
  return edit(`del(${others.join(', ')})`);
}

/** Gives a cluster's rule another key. */
export function moveRule(from: string, to: string): Edit {
  const moved = `if .key == ${JSON.stringify(from)} then .key = ${JSON.stringify(to)} else . end`;
  return edit(`.clusterAdmissionRules |= with_entries(${moved})`);
}

/** Puts another pattern in the place of this one, or takes it out. */
export function replacePattern(from: string, to: string | undefined): Edit {
  const pattern = `.namePattern ${to === undefined ? '!=' : '=='} ${JSON.stringify(from)}`;
  const each = to === undefined ? `select(${pattern})` : `if ${pattern} then .namePattern = ${JSON.stringify(to)} else . end`;
  return edit(`.admissionWhitelistPatterns |= map(${each})`);
}

/** Has Google's system policy count. */
export const USE_SYSTEM_POLICY = edit('.globalPolicyEvaluationMode = "ENABLE"');

function pathOf({ map, key }: ChosenRule): string {
  return map === undefined ? '.defaultAdmissionRule' : `.${map}[${JSON.stringify(key)}]`;
}

// A JSON text is a literal of jq too: a backslash is doubled in it, so that none begins an interpolation.
function edit(program: string): Edit {
  return program as Edit;
}
