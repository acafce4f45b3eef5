// SPDX-License-Identifier: Apache-2.0
// The three API versions differ in one member's name; everything else is shared.
import { param, type Call } from '../router.js';

/** The path prefix that serves all three versions over one store. */
export const ANY_VERSION = '/{version=v1|v1beta1|v1alpha2}';

/** What v1 calls `userOwnedGrafeasNote`, the other two versions call `userOwnedDrydockNote`. */
export function noteMember(call: Call): 'userOwnedGrafeasNote' | 'userOwnedDrydockNote' {
  return param(call, 'version') === 'v1' ? 'userOwnedGrafeasNote' : 'userOwnedDrydockNote';
}
