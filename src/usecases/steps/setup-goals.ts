// SPDX-License-Identifier: Apache-2.0
// The things that setup makes, as goals of a walk: how each is read, decided by core/provisioning, and written.
import type { Attestor } from '../../core/attestation/attestor.js';
import { BinauthzError } from '../../core/errors.js';
import type { KeyName, ProjectId } from '../../core/names.js';
import { agentAddress, agentOfAttestor, agentOfProject } from '../../core/provisioning/commands.js';
import {
  isDeployedElsewhere,
  ringOf,
  servedBy,
  SERVICES,
  type Desired,
  type KeyRingName,
  type NewKey,
  type NewNote,
  type PolicyDocument,
} from '../../core/provisioning/desired.js';
import type { Grant, IamPolicy } from '../../core/provisioning/grants.js';
import { attestorsOf, decidePolicy, isUnchanged, type PolicyWrite } from '../../core/provisioning/policy-change.js';
import * as decide from '../../core/provisioning/resources.js';
import type { AttestorKey } from '../../core/signing/public-key.js';
import type { AttestorKeys } from '../../ports/attestor-keys.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import type { Clock } from '../../ports/clock.js';
import type { Provisioning } from '../../ports/provisioning.js';
import type { Reporter } from '../../ports/reporter.js';
import { concurrently, errorsOf } from './concurrently.js';
import type { Goal } from './ensure.js';
import { grantRoles } from './grant-roles.js';
import { untilSettled } from './settling.js';

export interface SetupPorts {
  readonly provisioning: Provisioning;
  readonly attestors: AttestorService;
  readonly attestorKeys: AttestorKeys;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

/** What every goal has. */
export interface Site {
  readonly desired: Desired;
  readonly ports: SetupPorts;
  /** The APIs that are off, by project, once that is known; what they serve counts as not there. */
  readonly services: ReadonlyMap<ProjectId, Promise<readonly string[]>>;
  readonly isApplying: boolean;
}

/** How long the key pair of a new key may take to be generated. */
const KEY_PATIENCE_MS = 60_000;

/** The APIs of a project are on. Answers those that are off. */
export function servicesGoal(
  { provisioning }: SetupPorts,
  project: ProjectId,
  wanted: readonly string[],
): Goal<readonly string[], readonly string[]> {
  const { services } = provisioning;
  return {
    resource: `projects/${project}/services`,
    read: () => services.switchedOff(project, wanted),
    decide: (off) => decide.decideServices(project, wanted, off),
    write: (off) => services.switchOn(project, off),
  };
}

/** The note exists. */
export function noteGoal(site: Site): Goal<{ readonly isAttestation: boolean } | undefined, NewNote> {
  const { note } = site.desired;
  const { notes } = site.ports.provisioning;
  return {
    resource: note,
    read: () => whereOn(site, note, () => notes.read(note)),
    decide: (found) => decide.decideNote(note, found),
    write: (content) => notes.write(note, content),
  };
}

/** The key ring of the key exists. */
export function keyRingGoal(site: Site, key: KeyName): Goal<object | undefined, object> {
  const ring: KeyRingName = ringOf(key);
  const { keyRings } = site.ports.provisioning;
  return {
    resource: ring,
    read: () => whereOn(site, ring, () => keyRings.read(ring)),
    decide: (found) => decide.decideKeyRing(ring, found),
    write: (content) => keyRings.write(ring, content),
  };
}

/** The key exists and can sign. Answers its enabled versions as attestors list them, the newest first. */
export function keyGoal(site: Site, key: KeyName): Goal<readonly AttestorKey[] | undefined, NewKey> {
  const { keys, entries } = site.ports.provisioning;
  let isNew = false;
  const usable = (): Promise<readonly AttestorKey[]> => entries.enabled(key);
  return {
    resource: key,
    read: () =>
      whereOn(site, key, async () => {
        if ((await keys.read(key)) === undefined) return undefined;
        // A key pair takes a moment to be generated; in an old key nothing is about to change.
        if (!isNew) return usable();
        return untilSettled(usable, ({ code }) => code === 'KEY_UNUSABLE', { ...site.ports, patienceMs: KEY_PATIENCE_MS });
      }),
    decide: (found) => decide.decideKey(key, found),
    write: (content) => {
      isNew = true;
      return keys.write(key, content);
    },
  };
}

/** The attestor exists and trusts the key. `key`: its entries; none while planning a key that is still to be made. */
export function attestorGoal(
  site: Site,
  key: Promise<readonly AttestorKey[] | undefined>,
): Goal<{ readonly attestor: Attestor | undefined; readonly entries: readonly AttestorKey[] }, () => decide.AttestorWrite> {
  const { desired, ports } = site;
  const { attestor: name } = desired;
  const { attestors } = ports.provisioning;
  return {
    resource: name,
    read: async () => ({ attestor: await whereOn(site, name, () => attestors.read(name)), entries: (await key) ?? [] }),
    decide: ({ attestor, entries }) => decide.decideAttestor(desired, entries, attestor),
    write: async (content) => {
      const wanted = content();
      if (wanted.kind === 'create') await attestors.write(name, wanted.attestor);
      else await ports.attestorKeys.add(name, wanted.key);
    },
  };
}

/** Whether a resource's grants are also for accounts of Google's that only the attestor, once it is there, or a project tells. */
export function needsAgents({ note, attestor }: Desired, resource: string): boolean {
  return resource === note || resource === attestor;
}

/** The agents and the signers have their roles on a resource. */
export function grantsGoal(
  site: Site,
  resource: string,
  attestor: Promise<Attestor | undefined>,
): Goal<{ readonly on: decide.GrantsOn; readonly policy: IamPolicy | undefined }, readonly Grant[]> {
  const { ports, desired } = site;
  const { iam, services } = ports.provisioning;
  let agent: decide.GrantsOn['agent'];
  return {
    resource,
    read: async () => {
      const agents = needsAgents(desired, resource) ? await agentsOf(site, await attestor) : { attestor: '', deployer: '' };
      const all = decide.grantsFor(desired, agents);
      const on = all.find((grants) => grants.resource === resource) ?? { resource, why: '', grants: [] };
      agent = on.agent;
      return { on, policy: await whereOn(site, resource, () => iam.read(resource)) };
    },
    decide: ({ on, policy }) => decide.decideGrants(on, policy),
    write: (grants) => {
      if (agent === undefined) return grantRoles({ resource, grants }, { ...ports, iam });
      const { member, project } = agent;
      const make = (): Promise<void> => services.makeAgent(project, SERVICES.binaryAuthorization);
      return grantRoles({ resource, grants, agent: { member, make } }, { ...ports, iam });
    },
  };
}

/** The project’s policy is as wanted. What was planned is written, or nothing: never over somebody else’s change. */
export function policyGoal(site: Site): Goal<PolicyDocument, PolicyWrite> {
  const { desired, ports } = site;
  const { policies } = ports.provisioning;
  const resource = `projects/${desired.project}/policy`;
  return {
    resource,
    asPlanned: true,
    read: async () => {
      const [found] = await Promise.all([whereOn(site, resource, () => policies.read(desired.project)), requireAttestors(site)]);
      return found ?? NEVER_SET;
    },
    decide: (found) => decidePolicy(desired, found),
    write: async ({ document, found }) => {
      // A policy that was never set has no etag that could guard it.
      const now = await policies.read(desired.project);
      const isAsPlanned = found === NEVER_SET ? now['updateTime'] === undefined : isUnchanged(found, now);
      if (!isAsPlanned) throw changedMeanwhile(resource);
      await policies.write(desired.project, document);
    },
  };
}

// What the API answers where no policy was ever set: so it is, too, where Binary Authorization is not on yet.
const NEVER_SET: PolicyDocument = {
  globalPolicyEvaluationMode: 'ENABLE',
  defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
};

// The API takes no policy that names an attestor which does not exist; better told before anything is made.
async function requireAttestors({ desired, ports }: Site): Promise<void> {
  const named = desired.policy ? attestorsOf(desired.policy.policy) : [];
  const others = named.filter((name) => name !== desired.attestor);
  const [error] = errorsOf(await concurrently(others, (name) => ports.attestors.attestor(name)));
  if (error) throw error;
}

// While planning, an account that nobody can know yet is the shell's words for it.
async function agentsOf(site: Site, attestor: Attestor | undefined): Promise<{ readonly attestor: string; readonly deployer: string }> {
  const { desired, ports, isApplying } = site;
  const { project } = desired;
  if (isApplying && attestor?.serviceAgent === undefined) {
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot tell as whom ${desired.attestor} reads its note: expected delegationServiceAccountEmail, got none`,
      {
        resource: desired.attestor,
      },
    );
  }
  const own = attestor?.serviceAgent === undefined ? agentOfAttestor(desired.attestor) : `serviceAccount:${attestor.serviceAgent}`;
  if (!isDeployedElsewhere(desired)) return { attestor: own, deployer: '' };
  const number = await whereOn(site, `projects/${project}`, () => ports.provisioning.projects.numberOf(project));
  return { attestor: own, deployer: number === undefined ? agentOfProject(project) : `serviceAccount:${agentAddress(number)}` };
}

/** What is there, while planning only where the API that serves it is on. */
export async function whereOn<T>({ services, isApplying }: Site, resource: string, read: () => Promise<T>): Promise<T | undefined> {
  const { project, service } = servedBy(resource);
  const off = (await services.get(project)) ?? [];
  return !isApplying && off.includes(service) ? undefined : read();
}

function changedMeanwhile(resource: string): BinauthzError {
  return new BinauthzError('CHANGED_MEANWHILE', `cannot replace ${resource}: it was changed by somebody else since the plan was made`, {
    resource,
    hint: 'nothing was overwritten: run again, and the plan starts from what is there now',
  });
}
