// SPDX-License-Identifier: Apache-2.0

/** What the identity of this run may do; asking needs no permission itself. */
export interface Permissions {
  /**
   * Those of these permissions that it lacks on a resource: a project, attestor, policy, note or key by its full name. On
   * a resource that does not exist it lacks them all. UNAUTHENTICATED, PERMISSION_DENIED (an API that is off), UNAVAILABLE.
   */
  missing(resource: string, permissions: readonly string[]): Promise<readonly string[]>;
}
