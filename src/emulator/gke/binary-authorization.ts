// SPDX-License-Identifier: Apache-2.0
// `binaryAuthorization` of a cluster, in the two versions of the API.
import { ApiError, booleanMember, enumMember, isObject, listMember, refuseUnknown, stringMember, type JsonObject } from '../wire.js';

/** The versions of the GKE API that are served. */
export type GkeVersion = 'v1' | 'v1beta1';

const BINDING_MODES = ['POLICY_BINDINGS', 'POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE'];
const V1_MODES = ['EVALUATION_MODE_UNSPECIFIED', 'DISABLED', 'PROJECT_SINGLETON_POLICY_ENFORCE'];
// The last two are 5 and 6 in the proto (google/container/v1beta1/cluster_service.proto).
const V1 = new Map(V1_MODES.map((name, number) => [name, number]));
const V1BETA1 = new Map([...V1, ...BINDING_MODES.map((name, index): [string, number] => [name, index + 5])]);
const POLICY = /^projects\/[^/]+\/platforms\/gke\/policies\/[^/]+$/;
const BINDINGS_LIMIT = 10;
// gcloud 528's messages have it, the published proto does not.
const BINDING_ENFORCEMENT = new Map(
  ['ENFORCEMENT_MODE_UNSPECIFIED', 'AUDIT', 'AUDIT_AND_DRYRUN', 'AUDIT_AND_ENFORCE'].map((name, number) => [name, number]),
);

/** Reads what was sent; INVALID_ARGUMENT for what the version does not know. */
export function parseBinaryAuthorization(value: unknown, version: GkeVersion, at: string): JsonObject {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['enabled', 'evaluationMode', ...(version === 'v1' ? [] : ['policyBindings'])], at);
  const evaluationMode = enumMember(value['evaluationMode'], version === 'v1' ? V1 : V1BETA1, `${at}.evaluation_mode`);
  const policyBindings = listMember(value, 'policyBindings').map((binding) => parseBinding(binding, `${at}.policy_bindings`));
  if (policyBindings.length > BINDINGS_LIMIT)
    throw new ApiError('INVALID_ARGUMENT', `${at}: a cluster may have at most ${BINDINGS_LIMIT} policy bindings.`);
  return {
    ...(booleanMember(value, 'enabled') ? { enabled: true } : {}),
    ...(evaluationMode === '' || evaluationMode === 'EVALUATION_MODE_UNSPECIFIED' ? {} : { evaluationMode }),
    ...(policyBindings.length > 0 ? { policyBindings } : {}),
  };
}

/**
 * The setting as a version shows it. The published v1 proto knows neither the binding modes nor the bindings, and what
 * Google's v1 answers for such a cluster is not settled: here it is the least helpful answer, so that a client that
 * reads clusters through v1 and takes "unspecified" for "off" is found out.
 */
export function renderBinaryAuthorization(stored: JsonObject, version: GkeVersion): JsonObject {
  if (version === 'v1beta1' || !BINDING_MODES.includes(stringMember(stored, 'evaluationMode'))) return stored;
  return { ...(stored['enabled'] === true ? { enabled: true } : {}), evaluationMode: 'EVALUATION_MODE_UNSPECIFIED' };
}

function parseBinding(value: unknown, at: string): JsonObject {
  if (!isObject(value)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}' (message expected)`);
  refuseUnknown(value, ['name', 'enforcementMode'], at);
  const name = stringMember(value, 'name');
  if (!POLICY.test(name))
    throw new ApiError('INVALID_ARGUMENT', `${at}.name must be projects/PROJECT_NUMBER/platforms/gke/policies/POLICY, not "${name}".`);
  const enforcementMode = enumMember(value['enforcementMode'], BINDING_ENFORCEMENT, `${at}.enforcement_mode`);
  return { name, ...(enforcementMode === '' ? {} : { enforcementMode }) };
}
