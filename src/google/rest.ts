// SPDX-License-Identifier: Apache-2.0
import type { Transport } from './transport.js';

/** A JSON client for one API, for what has no client library. Errors are those of the transport: call it through a Caller. */
export interface Rest {
  /** The JSON of an answer. `path` follows the endpoint: `v1/projects/p/policy`. */
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown>;
}

/** The JSON client of the API at `base`. */
export function createRest(base: string, transport: Transport): Rest {
  return {
    async request(method, path, body) {
      const headers = new Headers({ accept: 'application/json' });
      if (body !== undefined) headers.set('content-type', 'application/json');
      const reply = await transport.send({
        method,
        url: base + path,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const json: unknown = JSON.parse(new TextDecoder().decode(reply.body));
      return json;
    },
  };
}

/** A resource name as a path: every segment escaped, so that a name can neither add segments nor a query. */
export function pathOf(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
