// SPDX-License-Identifier: Apache-2.0
import { needsOnAttestor, type NeedsOn } from '../../core/doctor/needs.js';
import type { AttestorFacts, Fact, Question, ReadIamPolicy, TestedResource } from '../../core/doctor/facts.js';
import type { Attestor } from '../../core/attestation/attestor.js';
import { asError, type ErrorCode } from '../../core/errors.js';
import { idOf, projectOf, type AttestorName, type NoteName } from '../../core/names.js';
import { agentAddress } from '../../core/provisioning/commands.js';
import type { AttestorService } from '../../ports/attestor-service.js';
import type { Permissions } from '../../ports/permissions.js';
import type { Provisioning } from '../../ports/provisioning.js';

export interface ExaminePorts {
  readonly attestors: AttestorService;
  readonly permissions: Permissions;
  readonly provisioning: Pick<Provisioning, 'notes' | 'iam' | 'projects'>;
}

/** Reads an attestor, its note, and who may do what with both. */
export async function examineAttestor(name: AttestorName, question: Question, ports: ExaminePorts): Promise<AttestorFacts> {
  const attestor = await fact(ports.attestors.attestor(name));
  const note = attestor.ok ? attestor.value.note : (`projects/${projectOf(name)}/notes/${idOf(name)}` as NoteName);
  const found = await fact(ports.provisioning.notes.read(note));
  const isThere = (resource: string): boolean =>
    resource === name ? attestor.ok || attestor.error.code !== 'ATTESTOR_NOT_FOUND' : !found.ok || found.value !== undefined;
  const [tested, noteAccess, deployer] = await Promise.all([
    // A resource that does not exist grants nothing to anybody, which is no news about the identity.
    Promise.all(
      needsOnAttestor(name, note, question.eyes)
        .filter(({ resource }) => isThere(resource))
        .map((needs) => testPermissions(needs, ports.permissions)),
    ),
    attestor.ok && isThere(note) ? readPolicies([note, `projects/${projectOf(note)}`], ports) : [],
    attestor.ok && projectOf(name) !== question.project ? readDeployer(attestor.value, question, ports) : undefined,
  ]);
  return { name, attestor, note: { name: note, found }, tested, noteAccess, ...(deployer === undefined ? {} : { deployer }) };
}

/** The permissions on a resource that the identity of this run lacks. */
export async function testPermissions({ resource, needs }: NeedsOn, permissions: Permissions): Promise<TestedResource> {
  return {
    resource,
    missing: await fact(
      permissions.missing(
        resource,
        needs.map(({ permission }) => permission),
      ),
    ),
  };
}

async function readDeployer(
  { name }: Attestor,
  { project }: Question,
  ports: ExaminePorts,
): Promise<NonNullable<AttestorFacts['deployer']>> {
  const [number, access] = await Promise.all([
    fact(ports.provisioning.projects.numberOf(project)),
    readPolicies([name, `projects/${projectOf(name)}`], ports),
  ]);
  return { member: number.ok ? { ok: true, value: `serviceAccount:${agentAddress(number.value)}` } : number, access };
}

function readPolicies(resources: readonly string[], { provisioning }: ExaminePorts): Promise<readonly ReadIamPolicy[]> {
  return Promise.all(resources.map(async (resource) => ({ resource, policy: await fact(provisioning.iam.read(resource)) })));
}

// A bug is no finding, and a secret that is no key is bad input, as it is to attest.
const NO_FINDINGS: ReadonlySet<ErrorCode> = new Set(['CANCELLED', 'INTERNAL', 'SECRET_UNUSABLE', 'PASSPHRASE_REJECTED']);

/** A read as data: what fails is a fact too, unless the run was cancelled, which ends everything. */
export async function fact<Value>(work: Promise<Value>): Promise<Fact<Value>> {
  try {
    return { ok: true, value: await work };
  } catch (thrown) {
    const error = asError(thrown);
    if (NO_FINDINGS.has(error.code)) throw thrown;
    return { ok: false, error };
  }
}
