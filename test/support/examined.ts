// SPDX-License-Identifier: Apache-2.0
// The doctor use case over ports in memory: a set-up that is sound, of which a test breaks what it is about.
import type { Attestor } from '../../src/core/attestation/attestor.js';
import type { ResolvedImage } from '../../src/core/image/platform.js';
import type { Digest } from '../../src/core/image/digest.js';
import { pin } from '../../src/core/image/reference.js';
import type { NoteName, ProjectId } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { doctor, type DoctorPorts, type DoctorRequest } from '../../src/usecases/doctor.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from './ports.js';

export const key = testKey('//trusted');
export const attestor = attestorOf('ci', key);
export const IMAGE = `gcr.io/p/app@${digest('app')}`;
export const project = 'p' as ProjectId;

/** What answers each question; an error stands for a call that fails. Each is called with what was asked. */
export interface Answers {
  readonly policy: unknown;
  readonly missing: (resource: string, permissions: readonly string[]) => readonly string[] | Error;
  readonly off: (project: string, services: readonly string[]) => readonly string[] | Error;
  readonly note: (name: string) => { isAttestation: boolean } | undefined | Error;
  readonly iam: (resource: string) => unknown;
  readonly number: string | Error;
  readonly cluster: unknown;
  readonly cloudRun: unknown;
  readonly opened: TestKey | Error;
  readonly state: string | Error;
  readonly kms: (name: string) => object | undefined | Error;
}

export interface Examined {
  readonly ports: DoctorPorts;
  readonly memory: Memory;
  /** Every question, as `what of whom`. */
  readonly asked: string[];
}

export const POLICY = {
  updateTime: '2026-01-01T00:00:00Z',
  globalPolicyEvaluationMode: 'ENABLE',
  defaultAdmissionRule: {
    evaluationMode: 'REQUIRE_ATTESTATION',
    enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
    requireAttestationsBy: [attestor.name],
  },
};

const SOUND: Answers = {
  policy: POLICY,
  missing: () => [],
  off: () => [],
  note: () => ({ isAttestation: true }),
  iam: () => ({
    bindings: [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: ['serviceAccount:agent@example.com'] }],
    etag: 'e',
    rest: {},
  }),
  number: '42',
  cluster: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE', enabled: false },
  cloudRun: { setting: { uses: 'project-policy' } },
  opened: key,
  state: 'ENABLED',
  kms: () => ({}),
};

type Images = Readonly<Record<string, Partial<ResolvedImage> & { digest: Digest }>>;

/** A sound set-up but for these answers. */
export function world(change: Partial<Answers> = {}, attestors: readonly Attestor[] = [attestor], images: Images = {}): Examined {
  const answers = { ...SOUND, ...change };
  const asked: string[] = [];
  const memory = memoryPorts(attestors, [], images);
  const tell = <T>(what: string, value: unknown): Promise<T> => (
    asked.push(what),
    value instanceof Error ? Promise.reject(value) : Promise.resolve(value as T)
  );
  const ports = {
    ...memory,
    permissions: {
      missing: (on: string, wanted: readonly string[]) => tell(`permissions on ${on}: ${wanted.join()}`, answers.missing(on, wanted)),
    },
    policies: {
      project: () => tell('the policy again', answers.policy),
      system: (region: string) => tell(`system policy of ${region}`, { admissionWhitelistPatterns: [] }),
      evaluatePlatform: () => tell('a platform policy', new Error('never asked')),
    },
    targets: { cluster: () => tell('the cluster', answers.cluster) },
    cloudRun: { state: () => tell('the service', answers.cloudRun) },
    openKey: () => tell('the key', answers.opened),
    keyStates: { state: (version: string) => tell(`state of ${version}`, answers.state) },
    provisioning: {
      policies: { read: () => tell('the policy', answers.policy) },
      services: {
        switchedOff: (of: string, wanted: readonly string[]) => tell(`services of ${of}: ${wanted.join()}`, answers.off(of, wanted)),
      },
      projects: { numberOf: (of: string) => tell(`number of ${of}`, answers.number) },
      notes: { read: (name: string) => tell(`note ${name}`, answers.note(name)) },
      iam: { read: (resource: string) => tell(`IAM policy of ${resource}`, answers.iam(resource)) },
      keys: { read: (name: string) => tell(`key ${name}`, answers.kms(name)) },
      keyRings: { read: (name: string) => tell(`key ring ${name}`, answers.kms(name)) },
    },
  };
  return { ports: ports as unknown as DoctorPorts, memory, asked };
}

/** Stores an attestation of the digest of a word. */
export async function attest({ memory }: Examined, word = 'app', by: TestKey = key, note: NoteName = attestor.note): Promise<string> {
  const payload = encodePayload(payloadFor(pin(reference('gcr.io/p/app:v1'), digest(word))));
  const [first] = by.signers;
  const signatures = [{ publicKeyId: by.entry.id, bytes: await first.sign(payload, first.publicKeys[0]) }];
  return memory.attestations.plant({ note, resourceUri: `https://gcr.io/p/app@${digest(word)}`, payload, signatures });
}

/** What doctor says of IMAGE on GKE, unless it is asked otherwise. */
export async function examine({ ports }: Examined, change: Partial<DoctorRequest> = {}) {
  const request: DoctorRequest = { project, attestors: [], keys: [], images: [reference(IMAGE)], platform: 'gke', ...change };
  const { result, errors } = await doctor(request, ports);
  return {
    ...result,
    errors,
    codes: result.findings.map(({ code }) => code),
    texts: result.findings.map(({ message }) => message).join('\n'),
  };
}
