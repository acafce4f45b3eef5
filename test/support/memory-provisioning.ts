// SPDX-License-Identifier: Apache-2.0
// Everything that setup makes, in memory and in virtual time: what was written, in which order, and what failed on the way.
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { BinauthzError } from '../../src/core/errors.js';
import type { Desired, PolicyDocument } from '../../src/core/provisioning/desired.js';
import type { IamPolicy } from '../../src/core/provisioning/grants.js';
import type { FoundAlert } from '../../src/core/provisioning/monitoring.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Provisioner, Provisioning } from '../../src/ports/provisioning.js';
import type { Reporter } from '../../src/ports/reporter.js';
import { setup, type SetupPorts } from '../../src/usecases/setup.js';
import { fakePace, type FakePace } from './fake-pace.js';
import { testKey } from './ports.js';

/** The account that reads the note of every attestor here. */
export const AGENT = 'reader@google.example';
export const ENTRY: AttestorKey = testKey('//cloudkms.googleapis.com/v1/the-key/cryptoKeyVersions/1').entry;

/** Google in memory. Calls are named as `calls` shows them: `read NAME`, `write NAME`. */
export class MemoryGoogle {
  readonly calls: string[] = [];
  readonly said: string[] = [];
  readonly clock: FakePace = fakePace(0);
  /** What is thrown by the next calls of a name, one for each. */
  readonly faults = new Map<string, Error[]>();
  /** What happens before a call of a name. */
  readonly before = new Map<string, () => void>();
  /** The APIs that are off, as `PROJECT SERVICE`. */
  readonly off = new Set<string>();
  readonly things = new Map<string, unknown>();
  readonly iam = new Map<string, IamPolicy>();
  readonly policies = new Map<string, PolicyDocument>();
  readonly attestors = new Map<string, Attestor>();
  readonly others: Attestor[] = [];
  /** The agent that an attestor answers to have; none is a broken answer. */
  agent: string | undefined = AGENT;

  /** Those of the calls that write. */
  get writes(): readonly string[] {
    return this.calls.filter((call) => !call.startsWith('read '));
  }

  ports(): SetupPorts {
    const said = (text: string): void => void this.said.push(text);
    const reporter: Reporter = { step: said, info: said, debug: () => undefined, warn: (text) => said(`warning: ${text}`) };
    const attestor = (name: string): Promise<Attestor> =>
      this.call(`read ${name}`, () => {
        const found = this.attestors.get(name);
        if (!found) throw new BinauthzError('ATTESTOR_NOT_FOUND', `no ${name}`);
        return found;
      });
    return {
      reporter,
      clock: this.clock,
      provisioning: this.provisioning(),
      attestors: {
        attestor,
        attestorsIn: (project) => this.call(`read attestors of ${project}`, () => [...this.attestors.values(), ...this.others]),
        validate: () => Promise.reject(new Error('setup validates nothing')),
      },
      attestorKeys: {
        add: (name, key) =>
          this.call(`add ${key.id} to ${name}`, () => {
            const found = this.attestors.get(name)!;
            this.attestors.set(name, { ...found, keys: [...found.keys, key] });
            return found;
          }),
        remove: () => Promise.reject(new Error('setup removes no key')),
      },
    };
  }

  /** Runs setup. */
  async run(desired: Desired, apply: boolean) {
    const { result, errors } = await setup({ desired, apply }, this.ports());
    return { result, errors, codes: errors.map(({ code }) => code) };
  }

  private provisioning(): Provisioning {
    const kind = <Found>(): Provisioner<string, Found, unknown> => ({
      read: (name) => this.call(`read ${name}`, () => this.things.get(name) as Found | undefined),
      write: (name, write) => this.call(`write ${name}`, () => void this.things.set(name, write)),
    });
    return {
      services: {
        switchedOff: (project, services) =>
          this.call(`read services of ${project}: ${services.join(' ')}`, () =>
            services.filter((one) => this.off.has(`${project} ${one}`)),
          ),
        switchOn: (project, services) =>
          this.call(`switch on ${services.join(' ')} in ${project}`, () => services.forEach((one) => this.off.delete(`${project} ${one}`))),
        makeAgent: (project, service) => this.call(`make the agent of ${service} for ${project}`, () => undefined),
      },
      projects: { numberOf: (project) => this.call(`read number of ${project}`, () => '42') },
      notes: {
        read: (name) => this.call(`read ${name}`, () => (this.things.has(name) ? { isAttestation: true } : undefined)),
        write: (name, write) => this.call(`write ${name}`, () => void this.things.set(name, write)),
      },
      keyRings: kind<object>(),
      keys: kind<object>(),
      entries: { enabled: (key) => this.call(`read versions of ${key}`, () => [ENTRY]) },
      attestors: {
        read: (name) => this.call(`read ${name}`, () => this.attestors.get(name)),
        write: (name, { note, key }) =>
          this.call(`write ${name}`, () => {
            const agent = this.agent === undefined ? {} : { serviceAgent: this.agent };
            this.attestors.set(name, { name, note, keys: [key], ...agent });
          }),
      },
      iam: {
        read: (resource) => this.call(`read iam of ${resource}`, () => this.iam.get(resource) ?? { bindings: [], etag: 'e', rest: {} }),
        write: (resource, policy) => this.call(`write iam of ${resource}`, () => void this.iam.set(resource, policy)),
      },
      policies: {
        read: (project) => this.call(`read policy of ${project}`, () => this.policies.get(project) ?? NEVER_SET),
        write: (project, document) =>
          this.call(`write policy of ${project}`, () => void this.policies.set(project, { ...document, updateTime: 'now', etag: 'new' })),
      },
      metrics: kind(),
      alerts: {
        read: (project, displayName) =>
          this.call(`read alert ${displayName}`, () => this.things.get(`${project} ${displayName}`) as FoundAlert | undefined),
        write: (project, write) =>
          this.call(`write alert ${write.kind === 'create' ? write.alert.displayName : write.name}`, () => {
            if (write.kind !== 'create') return;
            const found: FoundAlert = { name: 'alert', channels: write.alert.channels, isOn: true, filters: write.alert.metrics };
            this.things.set(`${project} ${write.alert.displayName}`, found);
          }),
        requireChannel: (name) => this.call(`read channel ${name}`, () => undefined),
      },
    };
  }

  private async call<Value>(name: string, work: () => Value): Promise<Value> {
    await Promise.resolve();
    this.calls.push(name);
    this.before.get(name)?.();
    const fault = this.faults.get(name)?.shift();
    if (fault) throw fault;
    return work();
  }
}

/** As the API answers where no policy was ever set. */
export const NEVER_SET: PolicyDocument = {
  globalPolicyEvaluationMode: 'ENABLE',
  defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
  etag: '"never"',
};

/** The members that hold a role on a resource. */
export function holders({ iam }: MemoryGoogle, resource: string, role: string): readonly string[] {
  return (iam.get(resource)?.bindings ?? []).flatMap((binding) => (binding.role === `roles/${role}` ? binding.members : []));
}
