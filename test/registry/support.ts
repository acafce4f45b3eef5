// SPDX-License-Identifier: Apache-2.0
// Servers that misbehave as a test plans, and a client with everything around it faked.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import type { ResolvedImage } from '../../src/core/image/platform.js';
import { parseImageReference, type ImageReference } from '../../src/core/image/reference.js';
import type { ImageRegistry } from '../../src/ports/image-registry.js';
import type { ProgramResult } from '../../src/ports/program.js';
import { createImageRegistry, type ImageRegistryDeps } from '../../src/registry/distribution.js';
import { fakePace } from '../support/fake-pace.js';
import type { TestImage } from '../support/images.js';

/** A request as it arrived. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a server does with a request. */
export type Behaviour = (seen: Seen, response: ServerResponse) => void;

/** A server on loopback that writes down what it is asked. */
export interface TestServer {
  readonly host: string;
  readonly seen: Seen[];
  /** `METHOD path` of each request, in order. */
  asked(): string[];
  close(): Promise<void>;
}

/** Starts a server with this behaviour. */
export async function startServer(behave: Behaviour): Promise<TestServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://server');
      const arrived = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(arrived);
      behave(arrived, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    asked: () => seen.map(({ method, path }) => `${method} ${path}`),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with a manifest as registries do. */
export function sendManifest(response: ServerResponse, image: TestImage, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': image.mediaType, 'docker-content-digest': image.digest, ...headers }).end(image.manifest);
}

/** Refuses in the form of the specification. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  options: { readonly message?: string; readonly headers?: Record<string, string> } = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...options.headers })
    .end(JSON.stringify({ errors: [{ code, message: options.message ?? code.toLowerCase() }] }));
}

/** A client with its surroundings. */
export interface TestClient {
  readonly registry: ImageRegistry;
  readonly pace: ReturnType<typeof fakePace>;
  /** Everything that was reported. */
  readonly lines: string[];
  /** The calls of credential programs: `PROGRAM ARGS < STDIN`. */
  readonly ran: string[];
  resolve(text: string): Promise<ResolvedImage>;
}

/** What a test may decide about its client. */
export interface ClientOptions extends Partial<Omit<ImageRegistryDeps, 'token'>> {
  /** The Google token, or the failure to get one; none by default. */
  readonly googleToken?: string | BinauthzError;
  readonly dockerConfig?: unknown;
  /** What credential programs answer, by program. */
  readonly helpers?: Readonly<Record<string, ProgramResult | BinauthzError>>;
}

/** A registry client with virtual time, no Google token and no Docker config unless given. */
export function testClient(options: ClientOptions = {}): TestClient {
  const { googleToken, dockerConfig, helpers = {}, ...deps } = options;
  const pace = fakePace(Date.parse('2026-01-02T03:04:05Z'));
  const lines: string[] = [];
  const ran: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const registry = createImageRegistry({
    token: { token: () => (googleToken instanceof BinauthzError ? Promise.reject(googleToken) : Promise.resolve(googleToken)) },
    program: {
      run: (command, args, stdin) => {
        ran.push(`${command} ${args.join(' ')} < ${stdin}`);
        const answer = helpers[command] ?? new BinauthzError('UNAVAILABLE', `cannot start ${command}`);
        return answer instanceof BinauthzError ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    loadDockerConfig: () => Promise.resolve(dockerConfig),
    pace,
    reporter: { step: say, info: say, warn: say, debug: say },
    ...deps,
  });
  return { registry, pace, lines, ran, resolve: async (text) => registry.resolve(reference(text)) };
}

/** The reference that a text means. */
export function reference(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.reference;
}

/** The error that a promise must fail with. */
export async function failure(code: ErrorCode, promise: Promise<unknown>): Promise<BinauthzError> {
  const error: unknown = await promise.then(
    (value) => ({ fulfilled: value }),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
  return error as BinauthzError;
}

/** Fails where a secret shows up in an error (with all its causes) or in what was reported. */
export function expectNoSecret(secrets: readonly string[], error: BinauthzError, lines: readonly string[] = []): void {
  const shown = [inspect(error, { depth: 10 }), error.hint, ...lines].join('\n');
  for (const secret of secrets) {
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
  }
}
