// SPDX-License-Identifier: Apache-2.0
// Paths and resource names of Cloud KMS.
import { param, type Call } from '../router.js';
import { ApiError } from '../wire.js';

/** Path templates, each the parent of the next. */
export const LOCATION = '/v1/projects/{project}/locations/{location}';
export const RING = `${LOCATION}/keyRings/{ring}`;
export const KEY = `${RING}/cryptoKeys/{key}`;
export const VERSION = `${KEY}/cryptoKeyVersions/{version}`;

/** The location that a call names. */
export function locationName(call: Call): string {
  return `projects/${param(call, 'project')}/locations/${param(call, 'location')}`;
}

/** The key ring that a call names. */
export function ringName(call: Call): string {
  return `${locationName(call)}/keyRings/${param(call, 'ring')}`;
}

/** The key that a call names. */
export function keyName(call: Call): string {
  return `${ringName(call)}/cryptoKeys/${param(call, 'key')}`;
}

/** The key version that a call names. */
export function versionName(call: Call): string {
  return `${keyName(call)}/cryptoKeyVersions/${param(call, 'version')}`;
}

/** The id for a new resource, from the query. */
export function newId(call: Call, parameter: string): string {
  const id = call.query.get(parameter) ?? '';
  if (/^[a-zA-Z0-9_-]{1,63}$/.test(id)) return id;
  throw new ApiError('INVALID_ARGUMENT', `${parameter} "${id}" must match [a-zA-Z0-9_-]{1,63}.`);
}
