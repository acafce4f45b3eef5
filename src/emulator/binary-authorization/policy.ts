// SPDX-License-Identifier: Apache-2.0
// Project policies and system policies: what the API accepts, stores and answers.
import { isRegion } from '../regions.js';
import {
  ApiError,
  enumMember,
  etagOf,
  isObject,
  listMember,
  objectMember,
  refuseUnknown,
  requireEtag,
  stringMember,
  stringsMember,
  timestamp,
  type JsonObject,
} from '../wire.js';
import type { EmulatorClock } from '../world.js';

/** The members whose keys are data: cluster names, namespaces, accounts, identities. */
export const RULE_MAPS = [
  'clusterAdmissionRules',
  'kubernetesNamespaceAdmissionRules',
  'kubernetesServiceAccountAdmissionRules',
  'istioServiceIdentityAdmissionRules',
] as const;

const POLICY_MEMBERS = [
  'name',
  'description',
  'globalPolicyEvaluationMode',
  'admissionWhitelistPatterns',
  ...RULE_MAPS,
  'defaultAdmissionRule',
  'updateTime',
  'etag',
];
const GLOBAL_MODES = new Map([
  ['GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED', 0],
  ['ENABLE', 1],
  ['DISABLE', 2],
]);
const EVALUATION_MODES = new Map([
  ['ALWAYS_ALLOW', 1],
  ['REQUIRE_ATTESTATION', 2],
  ['ALWAYS_DENY', 3],
]);
const ENFORCEMENT_MODES = new Map([
  ['ENFORCED_BLOCK_AND_AUDIT_LOG', 1],
  ['DRYRUN_AUDIT_LOG_ONLY', 2],
]);
const ATTESTOR = /^projects\/[^/]+\/attestors\/[^/]+$/;
const KEY_FORMS: Readonly<Record<(typeof RULE_MAPS)[number], { readonly form: RegExp; readonly expected: string }>> = {
  clusterAdmissionRules: { form: /^[^.]+\..+$/, expected: 'LOCATION.CLUSTER' },
  kubernetesNamespaceAdmissionRules: { form: /^[^:/\s]+$/, expected: 'NAMESPACE' },
  kubernetesServiceAccountAdmissionRules: { form: /^[^:/\s]+:[^:/\s]+$/, expected: 'NAMESPACE:SERVICEACCOUNT' },
  istioServiceIdentityAdmissionRules: {
    form: /^(spiffe:\/\/)?[^/\s]+\/ns\/[^/\s]+\/sa\/[^/\s]+$/,
    expected: 'DOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT',
  },
};
const ATTESTORS_LIMIT = 200;

/** A policy without its name, times and etag. */
export type PolicyContent = JsonObject;

/** What a project has before its policy is ever set: everything is admitted, and there is no time of update. */
export const DEFAULT_POLICY: PolicyContent = {
  globalPolicyEvaluationMode: 'ENABLE',
  defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
};

/** Google's list is not published: this one is made of the stand-ins in its documentation, and says so itself. */
export const SYSTEM_POLICY: PolicyContent = {
  description: "Made up by the binauthz emulator; Google's own system policy is different and changes.",
  globalPolicyEvaluationMode: 'DISABLE',
  admissionWhitelistPatterns: [
    'gcr.io/google-containers/*',
    'gcr.io/google_containers/*',
    'k8s.gcr.io/**',
    'gke.gcr.io/**',
    'gcr.io/gke-release/asm/*',
    'gcr.io/stackdriver-agents/*',
  ].map((namePattern) => ({ namePattern })),
  defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
};

/** Reads a policy in camelCase; INVALID_ARGUMENT for what the API refuses. `oneMap`: v1 allows one non-empty rule map. */
export function parsePolicy(body: JsonObject, options: { readonly oneMap: boolean; readonly system?: boolean }): PolicyContent {
  refuseUnknown(body, POLICY_MEMBERS, 'policy');
  const content: JsonObject = {};
  const description = stringMember(body, 'description');
  if (description !== '') content['description'] = description;
  const mode = enumMember(body['globalPolicyEvaluationMode'], GLOBAL_MODES, 'policy.global_policy_evaluation_mode');
  if (mode !== '' && mode !== 'GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED') content['globalPolicyEvaluationMode'] = mode;
  const patterns = listMember(body, 'admissionWhitelistPatterns').map(parsePattern);
  if (patterns.length > 0) content['admissionWhitelistPatterns'] = patterns;
  Object.assign(content, parseRuleMaps(body, options.oneMap));
  const rule = body['defaultAdmissionRule'] ?? undefined;
  if (rule !== undefined) content['defaultAdmissionRule'] = parseRule(rule, 'policy.default_admission_rule');
  if (rule === undefined && !options.system) throw new ApiError('INVALID_ARGUMENT', 'policy.default_admission_rule is required.');
  if (attestorsOf(content).length > ATTESTORS_LIMIT)
    throw new ApiError('RESOURCE_EXHAUSTED', `A policy may reference at most ${ATTESTORS_LIMIT} attestors.`);
  return content;
}

/** The names of all attestors that a policy refers to, each once. */
export function attestorsOf(content: PolicyContent): string[] {
  const maps = RULE_MAPS.flatMap((member) => Object.values(objectMember(content, member)));
  const rules = [content['defaultAdmissionRule'], ...maps].filter(isObject);
  return [...new Set(rules.flatMap((rule) => stringsMember(rule, 'requireAttestationsBy')))];
}

function parsePattern(value: unknown, index: number): JsonObject {
  const at = `policy.admission_whitelist_patterns[${index}]`;
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['namePattern'], at);
  const namePattern = stringMember(value, 'namePattern');
  const fixed = namePattern.replace(/\*{1,2}$/, '');
  const wild = fixed.length < namePattern.length;
  // The wildcard may stand only at the end, and only in the text after the registry.
  if (namePattern === '' || fixed.includes('*') || (wild && !fixed.includes('/')))
    throw new ApiError('INVALID_ARGUMENT', `${at}.name_pattern is invalid: "${namePattern}".`);
  return { namePattern };
}

function parseRuleMaps(body: JsonObject, oneMap: boolean): JsonObject {
  const maps = RULE_MAPS.map((member) => [member, parseRules(objectMember(body, member), member)] as const).filter(
    ([, rules]) => Object.keys(rules).length > 0,
  );
  if (!oneMap || maps.length <= 1) return Object.fromEntries(maps);
  throw new ApiError(
    'INVALID_ARGUMENT',
    `A valid policy has only one of the rule maps non-empty; this one has ${maps.map(([member]) => member).join(', ')}.`,
  );
}

function parseRules(rules: JsonObject, member: (typeof RULE_MAPS)[number]): JsonObject {
  const { form, expected } = KEY_FORMS[member];
  const wrong = Object.keys(rules).find((key) => !form.test(key));
  if (wrong !== undefined) throw new ApiError('INVALID_ARGUMENT', `policy.${member}: the key "${wrong}" is not of the form ${expected}.`);
  return Object.fromEntries(Object.entries(rules).map(([key, rule]) => [key, parseRule(rule, `policy.${member}[${key}]`)]));
}

function parseRule(value: unknown, at: string): JsonObject {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['evaluationMode', 'enforcementMode', 'requireAttestationsBy'], at);
  const evaluationMode = enumMember(value['evaluationMode'], EVALUATION_MODES, `${at}.evaluation_mode`);
  const enforcementMode = enumMember(value['enforcementMode'], ENFORCEMENT_MODES, `${at}.enforcement_mode`);
  if (evaluationMode === '' || enforcementMode === '')
    throw new ApiError('INVALID_ARGUMENT', `${at}: evaluation_mode and enforcement_mode must be specified.`);
  const attestors = stringsMember(value, 'requireAttestationsBy');
  if ((evaluationMode === 'REQUIRE_ATTESTATION') !== attestors.length > 0) {
    throw new ApiError('INVALID_ARGUMENT', `${at}.require_attestations_by must be set with REQUIRE_ATTESTATION, and only then.`);
  }
  const wrong = attestors.find((attestor) => !ATTESTOR.test(attestor));
  if (wrong !== undefined)
    throw new ApiError(
      'INVALID_ARGUMENT',
      `${at}.require_attestations_by: "${wrong}" is not of the form projects/PROJECT/attestors/ATTESTOR.`,
    );
  return { evaluationMode, ...(attestors.length > 0 ? { requireAttestationsBy: attestors } : {}), enforcementMode };
}

/** Keeps the policies of projects, and the system policies of locations. */
export class Policies {
  private readonly projects = new Map<string, JsonObject>();
  private readonly systems = new Map<string, PolicyContent>();
  private revision = 0;

  constructor(private readonly clock: EmulatorClock) {}

  /** The policy of a project, the default one where none was set. */
  get(project: string): JsonObject {
    return this.projects.get(project) ?? { name: `projects/${project}/policy`, ...DEFAULT_POLICY };
  }

  /** Replaces the policy of a project; the etag is compared where one is sent. */
  set(project: string, content: PolicyContent, etag: string): JsonObject {
    requireEtag(etag, String(this.get(project)['etag'] ?? ''));
    this.revision += 1;
    const policy = {
      name: `projects/${project}/policy`,
      ...content,
      updateTime: timestamp(this.clock.now()),
      etag: `"${etagOf(content, this.revision)}"`,
    };
    this.projects.set(project, policy);
    return policy;
  }

  /** The system policy of `global` or a region; NOT_FOUND for any other location, unless one was set for it. */
  system(location: string): JsonObject {
    if (location !== 'global' && !isRegion(location) && !this.systems.has(location))
      throw new ApiError('NOT_FOUND', `The system policy locations/${location}/policy was not found.`);
    return { name: `locations/${location}/policy`, ...(this.systems.get(location) ?? SYSTEM_POLICY) };
  }

  /** Replaces the system policy of a location. */
  setSystem(location: string, body: JsonObject): JsonObject {
    this.systems.set(location, parsePolicy(body, { oneMap: true, system: true }));
    return this.system(location);
  }

  /** Forgets everything that was set. */
  reset(): void {
    this.projects.clear();
    this.systems.clear();
  }
}
