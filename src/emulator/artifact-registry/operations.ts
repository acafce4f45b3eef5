// SPDX-License-Identifier: Apache-2.0
// Long-running operations. Everything here is done at once, but Google's clients still ask for the operation by name.
import { param, route, type Route } from '../router.js';
import { ApiError, type JsonObject } from '../wire.js';

const TYPES = 'type.googleapis.com';
const PACKAGE = `${TYPES}/google.devtools.artifactregistry.v1`;

/** The finished operations. */
export class Operations {
  private readonly finished = new Map<string, JsonObject>();

  /** A finished operation that made a repository. */
  created(parent: string, repository: JsonObject): JsonObject {
    return this.finish(parent, { '@type': `${PACKAGE}.Repository`, ...repository });
  }

  /** A finished operation that deleted something. */
  deleted(parent: string): JsonObject {
    return this.finish(parent, { '@type': `${TYPES}/google.protobuf.Empty` });
  }

  private finish(parent: string, response: JsonObject): JsonObject {
    const name = `${parent}/operations/ar-${String(this.finished.size + 1)}`;
    const operation = { name, metadata: { '@type': `${PACKAGE}.OperationMetadata` }, done: true, response };
    this.finished.set(name, operation);
    return operation;
  }

  /** The route that reads an operation. Only names made here match: other APIs have operations at the same path. */
  routes(): readonly Route[] {
    const template = '/v1/projects/{project}/locations/{location}/operations/{operation=ar-[0-9]+}';
    return [
      route('GET', template, (call) => {
        const name = `projects/${param(call, 'project')}/locations/${param(call, 'location')}/operations/${param(call, 'operation')}`;
        const operation = this.finished.get(name);
        if (!operation) throw new ApiError('NOT_FOUND', `Operation "${name}" not found.`);
        return { json: operation };
      }),
    ];
  }

  /** Forgets every operation. */
  reset(): void {
    this.finished.clear();
  }
}
