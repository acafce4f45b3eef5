// SPDX-License-Identifier: Apache-2.0
// GKE's operations. Everything here is done at once, but gcloud still waits for the operation by name.
import { ApiError, timestamp, type JsonObject } from '../wire.js';
import type { World } from '../world.js';

/** What GKE calls the operations that are made here. */
export type OperationType = 'CREATE_CLUSTER' | 'UPDATE_CLUSTER' | 'DELETE_CLUSTER';

/** The finished operations, by full name. */
export class Operations {
  private readonly finished = new Map<string, JsonObject>();

  constructor(private readonly world: World) {}

  /** A finished operation on `target`, `projects/P/locations/L/clusters/C`. */
  done(operationType: OperationType, target: string): JsonObject {
    const [, project = '', , location = ''] = target.split('/');
    const id = `operation-${this.world.clock.now()}-${this.finished.size + 1}`;
    const parent = `https://container.googleapis.com/v1/projects/${this.world.projectNumber(project)}/locations/${location}`;
    const time = timestamp(this.world.clock.now());
    const operation = {
      name: id,
      zone: location,
      location,
      operationType,
      status: 'DONE',
      selfLink: `${parent}/operations/${id}`,
      targetLink: `${parent}/clusters/${target.slice(target.lastIndexOf('/') + 1)}`,
      startTime: time,
      endTime: time,
    };
    this.finished.set(`projects/${project}/locations/${location}/operations/${id}`, operation);
    return operation;
  }

  /** The operation of that name, `projects/P/locations/L/operations/ID`, or NOT_FOUND. */
  get(name: string): JsonObject {
    const operation = this.finished.get(name);
    if (!operation) throw new ApiError('NOT_FOUND', `Not found: ${name}.`);
    return operation;
  }

  /** Forgets every operation. */
  reset(): void {
    this.finished.clear();
  }
}
