// SPDX-License-Identifier: Apache-2.0
// One request from the socket to the reply: log, latency, faults, route, errors.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { callerOf } from './caller.js';
import type { FaultRule } from './fault-rules.js';
import { corrupt, type Faults } from './faults.js';
import { headersOf, parametersOf, parseTarget, readBody, send, type Target } from './http.js';
import type { Call, Reply, Router } from './router.js';
import { ApiError } from './wire.js';
import type { EmulatorClock } from './world.js';

/** A line of the request log; status 0 where no answer was sent. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  status: number;
}

/** What a dispatcher works with. */
export interface Dispatching {
  readonly apis: Router;
  readonly admin: Router;
  readonly faults: Faults;
  readonly clock: EmulatorClock;
  readonly latencyMs: number;
}

/** Answers requests, remembers them, and keeps unexpected failures for tests to find. */
export class Dispatcher {
  /** Every request that is not to the admin paths, in order of arrival. */
  readonly log: LoggedRequest[] = [];
  /** Failures that no handler meant: each is a bug of the emulator. */
  readonly lastErrors: string[] = [];

  constructor(private readonly parts: Dispatching) {}

  /** Answers one request. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const target = parseTarget(request.url ?? '/');
    if (target.path.startsWith('/_emulator/')) {
      send(response, await this.reply(this.parts.admin, request, target), { headOnly: method === 'HEAD' });
      return;
    }
    const entry: LoggedRequest = { method, path: target.sent, query: target.query, status: 0 };
    this.log.push(entry);
    if (this.parts.latencyMs > 0) await this.parts.clock.sleep(this.parts.latencyMs);
    const rule = this.parts.faults.take(method, [target.path, target.sent]);
    if (rule) await this.serveFaulty(rule, { request, response, target, entry });
    else this.finish(entry, response, await this.reply(this.parts.apis, request, target));
  }

  /** Empties the log and the list of failures. */
  forget(): void {
    this.log.length = 0;
    this.lastErrors.length = 0;
  }

  private async serveFaulty(rule: FaultRule, exchange: Exchange): Promise<void> {
    const { request, response, target, entry } = exchange;
    if (rule.delayMs > 0) await this.parts.clock.sleep(rule.delayMs);
    if (rule.do === 'reset-before') {
      request.socket.destroy();
      return;
    }
    if (rule.do === 'status') {
      await readBody(request, target);
      this.finish(entry, response, plannedReply(rule));
      return;
    }
    const reply = await this.reply(this.parts.apis, request, target);
    if (rule.do === 'reset-after') request.socket.destroy();
    else
      this.finish(
        entry,
        response,
        rule.do === 'corrupt' ? corrupt(reply, rule.field) : reply,
        rule.do === 'truncate' ? rule.bytes : undefined,
      );
  }

  private finish(entry: LoggedRequest, response: ServerResponse, reply: Reply, truncateTo?: number): void {
    entry.status = reply.status ?? 200;
    send(response, reply, { headOnly: entry.method === 'HEAD', ...(truncateTo === undefined ? {} : { truncateTo }) });
  }

  private async reply(router: Router, request: IncomingMessage, target: Target): Promise<Reply> {
    try {
      const body = await readBody(request, target);
      const method = request.method ?? 'GET';
      const found = router.find(method, target.path) ?? (method === 'HEAD' ? router.find('GET', target.path) : undefined);
      if (!found) throw new ApiError('NOT_FOUND', `Method not found: ${method} ${target.path}`);
      const headers = headersOf(request);
      const call: Call = {
        method,
        path: target.path,
        params: found.params,
        query: parametersOf(target.query),
        headers,
        body,
        caller: callerOf(headers),
      };
      return await found.handle(call);
    } catch (error) {
      // A client that leaves in the middle of its body is nobody's bug.
      if (request.complete && !(error instanceof ApiError)) this.remember(error, `${request.method ?? ''} ${target.path}`);
      const refusal = error instanceof ApiError ? error : new ApiError('INTERNAL', 'Internal error encountered.');
      return { status: refusal.httpStatus, json: refusal.toJson() };
    }
  }

  private remember(error: unknown, what: string): void {
    this.lastErrors.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly entry: LoggedRequest;
}

/** The names that Google's APIs put beside the HTTP statuses that faults are usually made of. */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function plannedReply(rule: FaultRule): Reply {
  const body = rule.body ?? {
    error: { code: rule.status, message: `Planned by fault ${rule.id}.`, status: STATUS_NAMES[rule.status] ?? 'UNKNOWN' },
  };
  return { status: rule.status, headers: rule.headers, json: body };
}
