// SPDX-License-Identifier: Apache-2.0
// What every API of the emulator shares: time, IAM and the settings that tests change while it runs.
import type { Call } from './router.js';
import type { JsonObject } from './wire.js';

/** The emulator's own time, in milliseconds since the epoch. */
export interface EmulatorClock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Checks calls against the stored IAM policies. Implemented by iam.ts. */
export interface Iam {
  /**
   * Lets the call pass if its caller is the owner, or holds a role with `permission` on any of `resources` (most
   * specific first, e.g. `projects/p/notes/n`, `projects/p`); otherwise throws Google's 403, which names both. Parents are added by
   * itself: naming the most specific resource is enough.
   */
  require(call: Call, permission: string, resource: string): void;
  /** The same question for an identity that is not the caller, such as an attestor's service agent. */
  allows(identity: string, permission: string, resource: string): boolean;
  /** Forgets the policy of a deleted resource. */
  forget(resource: string): void;
  /** The stored policy in Google's JSON; `{"etag": "ACAB"}` where none was ever set. */
  read(resource: string): JsonObject;
  /**
   * Replaces the members of the policy that `mask` names (bindings where there is none) and answers the stored one;
   * ABORTED where an etag was sent that is not the current one.
   */
  write(resource: string, policy: JsonObject, mask?: readonly string[]): JsonObject;
}

/** Settings that `POST /_emulator/faults` changes; read at each call, never cached. */
export interface Settings {
  /**
   * How long a new occurrence stays invisible in listings (not in a get by name), a new log-based metric has no
   * descriptor in Cloud Monitoring, and a service that was switched on again still answers as if it were off.
   */
  propagationDelayMs: number;
  /** What counts as a duplicate occurrence: the identical one, or any second one of a note on a resource. */
  duplicates: 'identical' | 'note-resource';
}

/** What a handler may use besides its own state. */
export interface World {
  readonly clock: EmulatorClock;
  readonly iam: Iam;
  readonly settings: Settings;
  /** Throws Google's 403 where a project has switched a service, such as `logging.googleapis.com`, off. */
  requireService(service: string, project: string): void;
  /** The project's number, stable for a project id: Google's service agents and some names carry it. */
  projectNumber(project: string): string;
  /** The id of a project given by id or by a number that projectNumber has answered before. */
  projectId(project: string): string;
}
