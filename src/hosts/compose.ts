// SPDX-License-Identifier: Apache-2.0
// The composition root: a parsed request becomes ports, and one use case runs over them.
import { BinauthzError } from '../core/errors.js';
import type { ResultBase } from '../core/results.js';
import { createArtifactCatalog } from '../google/artifact-registry.js';
import { createAttestorKeys } from '../google/attestor-keys.js';
import { createAttestorService, createPolicyService } from '../google/binary-authorization.js';
import { createGoogle, type Google } from '../google/clients.js';
import { createCloudRunTargets } from '../google/cloud-run.js';
import { createAttestationStore } from '../google/container-analysis.js';
import { createDeployTargets } from '../google/gke.js';
import { createKeyStates } from '../google/key-states.js';
import { createKeyService } from '../google/kms.js';
import { createAuditLog } from '../google/logging.js';
import { createPermissions } from '../google/permissions.js';
import { createVulnerabilityStore } from '../google/vulnerabilities.js';
import type { Reporter } from '../ports/reporter.js';
import { createImageRegistry } from '../registry/distribution.js';
import { openKey, openKeys } from '../signers/given-keys.js';
import { openNewKey } from '../signers/new-key.js';
import { createVerifier } from '../signers/verifier.js';
import type { AttestPorts } from '../usecases/attest.js';
import type { AuditPorts } from '../usecases/audit.js';
import type { CheckPorts } from '../usecases/check.js';
import type { DoctorPorts } from '../usecases/doctor.js';
import type { Outcome } from '../usecases/outcome.js';
import type { RotatePorts } from '../usecases/rotate.js';
import type { SetupPorts } from '../usecases/setup.js';
import { systemClock, systemTimer } from './clock.js';
import type { RunContext } from './context.js';
import { detours, onEmulator } from './environment.js';
import { readDockerConfig } from './files.js';
import { provisioningOf } from './provisioning.js';
import { agentsOf } from './proxy.js';
import type { Common } from './request-readers.js';
import type { ParsedAttest } from './commands/attest/parse.js';
import type { ParsedRotate } from './commands/rotate/parse.js';

/** Everything that use cases reach the world through. */
export type Ports = Omit<AttestPorts, 'openKeys'> &
  CheckPorts &
  AuditPorts &
  DoctorPorts &
  SetupPorts &
  Omit<RotatePorts, 'openNewKey'> & {
    readonly openKeys: (keys: ParsedAttest['keys']) => ReturnType<typeof openKeys>;
    readonly openNewKey: (key: ParsedRotate['newKey']) => ReturnType<typeof openNewKey>;
  };

/** Makes the ports of a run. No package is loaded and nothing is called before a port is used. */
export function connect(common: Common, context: RunContext): Ports {
  const { environment, accessToken } = common;
  const { signal, reporter, program } = context;
  const { emulatorHost, endpointOverrides, quotaProject, proxy } = environment;
  const agentFor = agentsOf(proxy);
  const clock = context.clock ?? systemClock(signal);
  const emulator = emulatorHost === undefined ? {} : { emulatorHost };
  const identity = { ...(accessToken === undefined ? {} : { accessToken }), ...(quotaProject === undefined ? {} : { quotaProject }) };
  const told = tellingOf(emulatorHost);
  const google = telling(
    createGoogle({ ...emulator, ...identity, endpointOverrides, agentFor, pace: clock, timer: systemTimer, reporter, signal }),
    told,
  );
  const catalog = createArtifactCatalog(google);
  const keys = createKeyService(google);
  const loadDockerConfig = (): Promise<unknown> => readDockerConfig(environment.dockerConfigPath);
  const explain: typeof catalog.explain = (reference, answer) => catalog.explain(reference, answer);
  const identified = { token: google.accessToken, program, loadDockerConfig, explain };
  const registry = createImageRegistry({ ...emulator, ...identified, pace: clock, reporter, signal, agentFor });
  return {
    catalog,
    registry: { resolve: (reference) => told(registry.resolve(reference)) },
    repositories: catalog,
    attestors: createAttestorService(google),
    attestorKeys: createAttestorKeys(google),
    provisioning: provisioningOf(google, keys, clock),
    permissions: createPermissions(google),
    keyStates: createKeyStates(google),
    policies: createPolicyService(google),
    targets: createDeployTargets(google),
    cloudRun: createCloudRunTargets(google),
    auditLog: createAuditLog(google),
    attestations: createAttestationStore(google),
    vulnerabilities: createVulnerabilityStore(google),
    verifier: createVerifier(clock),
    openKey: (source) => openKey(source, { keys, pace: clock }),
    openKeys: (sources) => openKeys(sources, { keys, pace: clock }),
    openNewKey: (source) => openNewKey(source, { keys, pace: clock }),
    clock,
    reporter,
  };
}

/** Runs a use case over the ports of a run; its warnings, and the emulator's mark, are in its result. */
export async function runWith<Result extends ResultBase>(
  common: Common,
  context: RunContext,
  usecase: (ports: Ports) => Promise<Outcome<Result>>,
): Promise<Outcome<Result>> {
  const { emulatorHost } = common.environment;
  const warnings: string[] = [];
  const reporter = recordWarnings(context.reporter, warnings);
  for (const warning of detours(common.environment)) reporter.warn(warning);
  const { result, errors } = await usecase(connect(common, { ...context, reporter }));
  const marks = { ...(emulatorHost === undefined ? {} : { emulator: true as const }), ...(warnings.length > 0 ? { warnings } : {}) };
  return {
    result: { ...result, ...marks },
    errors: emulatorHost === undefined ? errors : errors.map((error) => onEmulator(error, emulatorHost)),
  };
}

/** Work whose failure is told as it fits where the emulator should have answered. */
type Told = <T>(work: Promise<T>) => Promise<T>;

// Told where calls fail, not only at the end of a run: a verdict keeps no more of a failure than its words.
function tellingOf(emulatorHost: string | undefined): Told {
  if (emulatorHost === undefined) return (work) => work;
  return (work) =>
    work.catch((thrown: unknown) => {
      throw thrown instanceof BinauthzError ? onEmulator(thrown, emulatorHost) : thrown;
    });
}

function telling(google: Google, told: Told): Google {
  const { call } = google;
  return {
    ...google,
    call: {
      repeat: (what, send, deadline) => told(call.repeat(what, send, deadline)),
      once: (what, send) => told(call.once(what, send)),
    },
  };
}

function recordWarnings(reporter: Reporter, warnings: string[]): Reporter {
  const warn = (message: string): void => {
    warnings.push(message);
    reporter.warn(message);
  };
  return {
    step: (message) => reporter.step(message),
    info: (message) => reporter.info(message),
    debug: (message) => reporter.debug(message),
    warn,
  };
}
