// SPDX-License-Identifier: Apache-2.0
// The emulator as a server on one loopback port, and the lines that point this CLI and gcloud at it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realClock } from './clock.js';
import { compose } from './compose.js';
import type { EmulatorClock } from './world.js';

/** Only loopback: the emulator takes every token, so nobody else may reach it. */
const LOOPBACK = '127.0.0.1';

/** How to start an emulator. */
export interface EmulatorOptions {
  /** 0, the default, picks a free port. */
  readonly port?: number;
  /** A wait before every request that is not to the admin paths. */
  readonly latencyMs?: number;
  /** How long a new occurrence stays invisible in listings, unless a fault document says otherwise. */
  readonly propagationDelayMs?: number;
  /** A fault document, as `POST /_emulator/faults` takes it. */
  readonly faults?: unknown;
  /** Another time than the machine's. */
  readonly clock?: EmulatorClock;
}

/** An emulator that listens. */
export interface RunningEmulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** `127.0.0.1:PORT`, the value of BINAUTHZ_EMULATOR_HOST. */
  readonly host: string;
  /** Failures that no handler meant: each is a bug of the emulator. */
  readonly lastErrors: readonly string[];
  /** The shell lines that point this CLI and gcloud at the emulator. */
  exportLines(): string[];
  /** Stops listening and drops every connection, idle or not. */
  close(): Promise<void>;
}

/** Starts an emulator with empty state; INVALID_ARGUMENT where the fault document is wrong. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<RunningEmulator> {
  const { dispatcher, faults } = compose({
    clock: options.clock ?? realClock,
    latencyMs: options.latencyMs ?? 0,
    propagationDelayMs: options.propagationDelayMs ?? 0,
  });
  if (options.faults !== undefined) faults.set(options.faults);
  const server = createServer((request, response) => {
    // What fails here is the connection itself, for example a client that left in the middle of its body.
    dispatcher.serve(request, response).catch(() => response.destroy());
  });
  // Clients reuse connections after pauses; the default of five seconds would cut them off between two calls.
  server.keepAliveTimeout = 60_000;
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const host = `${LOOPBACK}:${port}`;
  return {
    url: `http://${host}`,
    port,
    host,
    lastErrors: dispatcher.lastErrors,
    exportLines: () => exportLines(host),
    close: () => close(server),
  };
}

/** The APIs whose endpoint gcloud can be told, by the name of its property. */
const OVERRIDES = [
  'BINARYAUTHORIZATION',
  'CONTAINERANALYSIS',
  'CLOUDKMS',
  'ARTIFACTREGISTRY',
  'SERVICEUSAGE',
  'CLOUDRESOURCEMANAGER',
  'CONTAINER',
  'RUN',
  'LOGGING',
  'MONITORING',
];

function exportLines(host: string): string[] {
  return [
    `export BINAUTHZ_EMULATOR_HOST=${host}`,
    'export CLOUDSDK_CONFIG="$(mktemp -d)"',
    'export CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true',
    'export CLOUDSDK_CORE_PROJECT="${CLOUDSDK_CORE_PROJECT:-demo-project}"',
    'export CLOUDSDK_CORE_DISABLE_PROMPTS=1',
    'export CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true',
    'export CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true',
    'export CLOUDSDK_CORE_CHECK_GCE_METADATA=false',
    'export CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=true',
    'export CLOUDSDK_SURVEY_DISABLE_PROMPTS=true',
    ...OVERRIDES.map((api) => `export CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}=http://${host}/`),
    // gcloud puts a region before the host of Cloud Run's endpoint, and no name before 127.0.0.1 resolves: its own proxy
    // settings, which nobody else reads, bring it here whatever the host is.
    'export CLOUDSDK_PROXY_TYPE=http',
    `export CLOUDSDK_PROXY_ADDRESS=${LOOPBACK}`,
    `export CLOUDSDK_PROXY_PORT=${host.slice(host.lastIndexOf(':') + 1)}`,
    // Neither spelling may hide the other's exceptions: clients differ in which of the two they read first.
    'export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}${NO_PROXY:+,$NO_PROXY}"',
    'export NO_PROXY="$no_proxy"',
  ];
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
