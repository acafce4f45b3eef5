// SPDX-License-Identifier: Apache-2.0
// Partial updates: which members of a resource an update replaces (https://google.aip.dev/134).
import type { Call } from './router.js';
import { camelCase, objectMember, type JsonObject } from './wire.js';

/** The paths of the call's updateMask in camelCase; none where there is no mask. */
export function maskOf(call: Call): string[] {
  const paths = (call.query.get('updateMask') ?? '').split(',').map((path) => path.trim());
  return paths.filter((path) => path !== '').map((path) => path.split('.').map(camelCase).join('.'));
}

/** What an update makes of a resource: the members of the mask, or everything where there is none. */
export function merged(current: JsonObject, sent: JsonObject, mask: readonly string[]): JsonObject {
  if (mask.length === 0 || mask.includes('*')) return sent;
  return mask.reduce<JsonObject>((content, path) => withPath(content, sent, path.split('.')), current);
}

function withPath(target: JsonObject, source: JsonObject, [first = '', ...rest]: readonly string[]): JsonObject {
  if (rest.length === 0) return { ...target, [first]: source[first] };
  return { ...target, [first]: withPath(objectMember(target, first), objectMember(source, first), rest) };
}
