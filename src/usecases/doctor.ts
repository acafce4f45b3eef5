// SPDX-License-Identifier: Apache-2.0
import { diagnose } from '../core/doctor/diagnose.js';
import { known, type DoctorFacts, type Fact, type Question } from '../core/doctor/facts.js';
import { needsOnProjects } from '../core/doctor/needs.js';
import { choiceOf } from '../core/doctor/policy.js';
import { apiOf, resourceOf } from '../core/doctor/target-kinds.js';
import type { Platform, TargetRef } from '../core/deployment/target.js';
import { BinauthzError } from '../core/errors.js';
import { pinnedName, type ImageReference } from '../core/image/reference.js';
import { keyOf, projectOf, type AttestorName, type NoteName, type ProjectId } from '../core/names.js';
import type { DoctorResult } from '../core/operation-results.js';
import { parsePolicy } from '../core/policy/parse.js';
import type { Policy } from '../core/policy/policy.js';
import { SERVICES } from '../core/provisioning/desired.js';
import { attestorsOf } from '../core/provisioning/policy-change.js';
import type { KeySource } from '../core/signing/given-key.js';
import type { Provisioning } from '../ports/provisioning.js';
import type { Outcome } from './outcome.js';
import { examineAttestor, fact, testPermissions } from './steps/examine-attestor.js';
import { examineImages, type ExamineImagePorts } from './steps/examine-image.js';
import { examineKey, type ExamineKeyPorts } from './steps/examine-key.js';
import { examineTarget, type ExamineTargetPorts } from './steps/examine-target.js';
import { withVersions } from './steps/examine-versions.js';
import { withDeadKeys, type DeadKeyPorts } from './steps/find-dead-keys.js';

/** `binauthz doctor`: what keeps these attestors, keys, images and this place from working together? */
export interface DoctorRequest {
  /** The project whose policy is enforced. */
  readonly project: ProjectId;
  /** Those that the policy requires where none is named. */
  readonly attestors: readonly AttestorName[];
  /** With keys, doctor looks with the eyes of attest; else with those of check. */
  readonly keys: readonly KeySource[];
  readonly images: readonly ImageReference[];
  readonly platform: Platform;
  /** Where attestations are stored; each attestor's own project unless given. */
  readonly attestationProject?: ProjectId;
  /** Where the images run, as far as it was named. */
  readonly target?: TargetRef;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Who runs this, for the commands that give it roles. */
  readonly signer?: string;
}

export interface DoctorPorts extends ExamineImagePorts, ExamineKeyPorts, ExamineTargetPorts {
  readonly verifier: ExamineImagePorts['verifier'] & DeadKeyPorts['verifier'];
  readonly provisioning: Pick<Provisioning, 'services' | 'projects' | 'notes' | 'keys' | 'keyRings' | 'iam' | 'policies'>;
}

/**
 * Looks at everything that has to fit together for an image to be attested and admitted, and names what does not, each
 * with the command that repairs it. Writes nothing and signs nothing. What could not be read is a finding or an
 * assumption, never silence.
 */
export async function doctor(request: DoctorRequest, ports: DoctorPorts): Promise<Outcome<DoctorResult>> {
  const { reporter } = ports;
  reporter.step('Reading the policy');
  const policy = await fact(readPolicy(request.project, ports));
  const question = questionOf(request, policy);
  reporter.step('Reading attestors, notes, keys and permissions');
  const facts = await gather(question, policy, ports);
  reporter.step('Reading images and their attestations');
  const attestors = known([...facts.attestors, ...facts.others].map(({ attestor }) => attestor));
  const seen = facts.target?.state;
  const cloudRun = seen?.ok ? seen.value.cloudRun : undefined;
  const place = cloudRun && { cloudRun: cloudRun.setting };
  const images = await examineImages(request.images, attestors, { ...question, ...place }, ports);
  const { findings, assumptions } = diagnose({ ...facts, images });
  const result: DoctorResult = {
    schema: 'binauthz.doctor/v1',
    ok: findings.length === 0,
    as: question.eyes,
    examined: examinedOf({ ...facts, images }),
    findings,
    assumptions,
  };
  return { result, errors: [] };
}

function questionOf(request: DoctorRequest, policy: Fact<Policy>): Question {
  const { project, attestors, keys, platform, attestationProject, target, signer } = request;
  const choice = policy.ok ? choiceOf(request, policy.value) : undefined;
  const required = [...new Set((choice?.rules ?? []).flatMap(({ rule }) => rule.requireAttestationsBy))];
  return {
    eyes: keys.length > 0 ? 'attest' : 'check',
    attestors: attestors.length > 0 ? attestors : required,
    ...{ project, keys, platform },
    ...(attestationProject === undefined ? {} : { attestationProject }),
    ...(target === undefined ? {} : { target }),
    ...placeIn(request),
    ...(signer === undefined ? {} : { signer }),
  };
}

async function readPolicy(project: ProjectId, { provisioning }: DoctorPorts): Promise<Policy> {
  const parsed = parsePolicy(await provisioning.policies.read(project));
  if (parsed.policy) return parsed.policy;
  throw new BinauthzError('UNDECIDED', `the policy of ${project} is not understood: ${parsed.problems.join('; ')}`, {
    resource: `projects/${project}/policy`,
  });
}

/** Everything but the images, side by side. */
async function gather(question: Question, policy: Fact<Policy>, ports: DoctorPorts): Promise<Omit<DoctorFacts, 'images'>> {
  const { attestors: names, target: ref } = question;
  const required = policy.ok ? attestorsOf(policy.value).filter((name) => !names.includes(name)) : [];
  const [attestors, others, keys, tested, target] = await Promise.all([
    Promise.all(names.map(async (name) => withDeadKeys(await examineAttestor(name, question, ports), ports))),
    Promise.all(required.map(async (name) => withDeadKeys({ name, attestor: await fact(ports.attestors.attestor(name)) }, ports))),
    Promise.all(question.keys.map(async (source) => withVersions(await examineKey(source, ports), ports))),
    Promise.all(needsOnProjects(question, storesOf(question)).map((needs) => testPermissions(needs, ports.permissions))),
    ref && examineTarget(question.project, ref, ports),
  ]);
  const services = await readServices(
    question,
    attestors.map(({ note }) => note.name),
    ports,
  );
  return { question, services, tested, attestors, others, keys, policy, ...(target === undefined ? {} : { target }) };
}

function storesOf({ attestors, attestationProject }: Question): readonly ProjectId[] {
  return attestationProject === undefined ? [...new Set(attestors.map(projectOf))] : [attestationProject];
}

function readServices(question: Question, notes: readonly NoteName[], { provisioning }: DoctorPorts): Promise<DoctorFacts['services']> {
  const { project, attestors, keys, target } = question;
  const keyProjects = keys.flatMap((source) => {
    if (source.kind === 'kms-key-version') return [projectOf(keyOf(source.version))];
    return source.kind === 'kms-key' ? [projectOf(source.key)] : [];
  });
  const needs: readonly (readonly [ProjectId, string])[] = [
    [project, SERVICES.binaryAuthorization],
    ...(target ? [[project, apiOf(target)] as const] : []),
    ...attestors.map((name) => [projectOf(name), SERVICES.binaryAuthorization] as const),
    ...[...notes.map(projectOf), ...storesOf(question)].map((owner) => [owner, SERVICES.containerAnalysis] as const),
    ...keyProjects.map((owner) => [owner, SERVICES.kms] as const),
  ];
  const byProject = new Map<ProjectId, Set<string>>();
  for (const [owner, service] of needs) byProject.set(owner, (byProject.get(owner) ?? new Set()).add(service));
  return Promise.all(
    [...byProject].map(async ([owner, wanted]) => ({
      project: owner,
      off: await fact(provisioning.services.switchedOff(owner, [...wanted])),
    })),
  );
}

function placeIn({ namespace, serviceAccount }: DoctorRequest): { readonly namespace?: string; readonly serviceAccount?: string } {
  return { ...(namespace === undefined ? {} : { namespace }), ...(serviceAccount === undefined ? {} : { serviceAccount }) };
}

function examinedOf({ question, attestors, keys, images, services }: DoctorFacts): readonly string[] {
  const { project, target } = question;
  return [
    `projects/${project}/policy`,
    ...attestors.flatMap(({ name, note }) => [name, note.name]),
    ...keys.map(({ source }) => nameOfKey(source)),
    ...(target ? [resourceOf(project, target)] : []),
    ...images.map(({ asked, resolved }) => (resolved.ok ? pinnedName(resolved.value.reference) : asked.original)),
    ...services.map((service) => `projects/${service.project}`),
  ];
}

function nameOfKey(source: KeySource): string {
  if (source.kind === 'kms-key-version') return source.version;
  return source.kind === 'kms-key' ? source.key : source.key.source;
}
