// SPDX-License-Identifier: Apache-2.0
// How a registry answers: its version header on everything, and refusals in the distribution specification's form.
import { route, type Handler, type Reply, type Route } from '../router.js';
import { ApiError } from '../wire.js';

/** A refusal in the registry's form: `{"errors": [{"code", "message"}]}`. */
export class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

const VERSION_HEADER = { 'Docker-Distribution-Api-Version': 'registry/2.0' };

/** A route of the registry: what its handler throws leaves in the registry's form, never in Google's. */
export function registryRoute(method: string, template: string, handle: Handler): Route {
  return route(method, template, async (call) => {
    try {
      return withVersion(await handle(call));
    } catch (error) {
      return withVersion(refusal(error));
    }
  });
}

function withVersion(reply: Reply): Reply {
  return { ...reply, headers: { ...VERSION_HEADER, ...reply.headers } };
}

function refusal(error: unknown): Reply {
  if (error instanceof RegistryError) {
    return { status: error.status, headers: error.headers, json: { errors: [{ code: error.code, message: error.message }] } };
  }
  if (error instanceof ApiError) {
    return { status: error.httpStatus, json: { errors: [{ code: error.status, message: error.message }] } };
  }
  throw error;
}
