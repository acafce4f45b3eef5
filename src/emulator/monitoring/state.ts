// SPDX-License-Identifier: Apache-2.0
// The policies and channels of Cloud Monitoring, by names that the server makes up.
import { randomInt } from 'node:crypto';
import { ApiError, type JsonObject } from '../wire.js';

/** Resources of one kind, as they are shown, in the order in which they were made. */
export class Named {
  private readonly byName = new Map<string, JsonObject>();

  constructor(private readonly kind: string) {}

  /** The resource, or NOT_FOUND. */
  get(name: string): JsonObject {
    const resource = this.byName.get(name);
    if (!resource) throw new ApiError('NOT_FOUND', `${this.kind} not found: ${name}`);
    return resource;
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** The resources below `projects/P`. */
  list(parent: string): JsonObject[] {
    return [...this.byName].filter(([name]) => name.startsWith(`${parent}/`)).map(([, resource]) => resource);
  }

  put(name: string, resource: JsonObject): JsonObject {
    this.byName.set(name, resource);
    return resource;
  }

  delete(name: string): void {
    this.byName.delete(name);
  }

  reset(): void {
    this.byName.clear();
  }
}

/** An id as Cloud Monitoring makes them: a number of nineteen digits or so. */
export function newId(): string {
  return `${randomInt(1_000_000_000, 9_999_999_999)}${randomInt(100_000_000, 999_999_999)}`;
}
