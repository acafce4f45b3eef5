// SPDX-License-Identifier: Apache-2.0
// A GKE platform policy as the API accepts it: check sets in order of specificity, the last one for everything else.
import { ApiError, isObject, listMember, objectMember, refuseUnknown, stringMember, type JsonObject } from '../../wire.js';
import { parseAllowlist, parseCheck, type Check } from './parse-checks.js';

/** One check set; without a scope it takes every Pod. */
export interface CheckSet {
  readonly displayName: string;
  readonly allowlist: readonly string[];
  readonly scope: Scope;
  readonly checks: readonly Check[];
}

/** Which Pods a check set takes; at most one is set. */
export interface Scope {
  readonly kubernetesNamespace?: string;
  /** `NAMESPACE:ACCOUNT` */
  readonly kubernetesServiceAccount?: string;
}

/** A `gkePolicy` that can be evaluated. */
export interface GkePolicy {
  readonly allowlist: readonly string[];
  readonly checkSets: readonly CheckSet[];
}

const AT = 'platform_policy.gke_policy';

/** Reads a `gkePolicy` in camelCase; INVALID_ARGUMENT for what the API refuses. */
export async function parseGkePolicy(value: unknown): Promise<GkePolicy> {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `${AT} is required.`);
  refuseUnknown(value, ['checkSets', 'imageAllowlist'], AT);
  const checkSets = await Promise.all(
    listMember(value, 'checkSets').map((checkSet, index) => parseCheckSet(checkSet, `${AT}.check_sets[${index}]`)),
  );
  requireOrder(checkSets.map(({ scope }) => scope));
  return { allowlist: parseAllowlist(value, AT), checkSets };
}

async function parseCheckSet(value: unknown, at: string): Promise<CheckSet> {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['displayName', 'imageAllowlist', 'scope', 'checks'], at);
  return {
    displayName: stringMember(value, 'displayName'),
    allowlist: parseAllowlist(value, at),
    scope: parseScope(objectMember(value, 'scope'), `${at}.scope`),
    checks: await Promise.all(listMember(value, 'checks').map((check, index) => parseCheck(check, `${at}.checks[${index}]`))),
  };
}

function parseScope(scope: JsonObject, at: string): Scope {
  refuseUnknown(scope, ['kubernetesNamespace', 'kubernetesServiceAccount'], at);
  const kubernetesNamespace = stringMember(scope, 'kubernetesNamespace');
  const kubernetesServiceAccount = stringMember(scope, 'kubernetesServiceAccount');
  if (kubernetesNamespace !== '' && kubernetesServiceAccount !== '')
    throw new ApiError('INVALID_ARGUMENT', `${at}: only one of kubernetes_namespace and kubernetes_service_account may be set.`);
  if (kubernetesServiceAccount !== '') {
    if (!/^[^:\s]+:[^:\s]+$/.test(kubernetesServiceAccount))
      throw new ApiError(
        'INVALID_ARGUMENT',
        `${at}.kubernetes_service_account must be NAMESPACE:ACCOUNT, not "${kubernetesServiceAccount}".`,
      );
    return { kubernetesServiceAccount };
  }
  return kubernetesNamespace === '' ? {} : { kubernetesNamespace };
}

/** Whether a scope is that of everything. */
export function isCatchAll(scope: Scope): boolean {
  return scope.kubernetesNamespace === undefined && scope.kubernetesServiceAccount === undefined;
}

/** "In order of decreasing specificity", each scope once, and a catch-all at the end and only there. */
function requireOrder(scopes: readonly Scope[]): void {
  const refuse = (why: string): ApiError => new ApiError('INVALID_ARGUMENT', `${AT}.check_sets: ${why}`);
  if (scopes.length > 0 && scopes.findIndex(isCatchAll) !== scopes.length - 1)
    throw refuse('the last check set, and no other, must have no scope.');
  const seen = new Set<string>();
  for (const scope of scopes) {
    const account = scope.kubernetesServiceAccount;
    const key = account ?? scope.kubernetesNamespace ?? '';
    if (seen.has(key)) throw refuse(`there is more than one check set for the scope "${key}".`);
    if (account !== undefined && seen.has(account.slice(0, account.indexOf(':'))))
      throw refuse(`the scope "${account}" must come before that of its namespace.`);
    seen.add(key);
  }
}
