// SPDX-License-Identifier: Apache-2.0
// Everything that doctor looks at, in memory: sound unless told otherwise, and every look is written down.
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { BinauthzError } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import type { ResolvedImage } from '../../src/core/image/platform.js';
import { pin, type ImageReference } from '../../src/core/image/reference.js';
import type { NoteName } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import type { GivenKey, KeySource } from '../../src/core/signing/given-key.js';
import type { DoctorPorts } from '../../src/usecases/doctor.js';
import { ATTESTOR, NOTE, PROJECT } from './doctor-facts.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from './ports.js';

export const key = testKey('//trusted');
export const stranger = testKey('//stranger');
export const attestor: Attestor = { ...attestorOf('ci', key), name: ATTESTOR, note: NOTE };
export const APP = 'gcr.io/p/app';
export const MULTI = 'gcr.io/p/multi';
const CHILDREN = ['amd64', 'arm64'].map((name) => ({ digest: digest(name), platform: `linux/${name}` }));
const INDEX: Pick<ResolvedImage, 'isIndex' | 'children'> & { digest: Digest } = {
  ...{ digest: digest('multi'), isIndex: true, children: CHILDREN },
};

/** A policy that requires these attestors by default. */
export const requiring = (...names: readonly string[]) => ({
  globalPolicyEvaluationMode: 'ENABLE',
  updateTime: '2026-01-01T00:00:00Z',
  defaultAdmissionRule: rule('REQUIRE_ATTESTATION', ...names),
});

/** A rule that enforces. */
export const rule = (evaluationMode: string, ...requireAttestationsBy: readonly string[]) => ({
  ...{ evaluationMode, enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG', requireAttestationsBy },
});

/** What stands for a failing call. */
export const failing = (code: BinauthzError['code']): BinauthzError => new BinauthzError(code, `cannot: ${code}`);

/** The ports of doctor, and what was asked of them. */
export interface World {
  readonly ports: DoctorPorts & Memory;
  /** One line for each call, such as `note projects/notary/notes/ci-note`. */
  readonly calls: string[];
  /** The calls of one kind, without its name. */
  readonly asked: (kind: string) => readonly string[];
}

/** A sound world. `answers` stand for calls as `calls` names them; errors are thrown. */
export function world(answers: Readonly<Record<string, unknown>> = {}): World {
  const calls: string[] = [];
  const answer = async <Value>(call: string, usual: () => Value | Promise<Value>): Promise<Value> => {
    calls.push(call);
    const given = Object.hasOwn(answers, call) ? answers[call] : await usual();
    if (given instanceof Error) throw given;
    return given as Value;
  };
  const memory = memoryPorts([attestor], []);
  const { attestations, attestors } = memory;
  const listOfNote = attestations.listOfNote.bind(attestations);
  const listInProject = attestations.listInProject.bind(attestations);
  const readAttestor = attestors.attestor.bind(attestors);
  attestations.listOfNote = (note, of) => answer(`list ${note} ${of}`, () => listOfNote(note, of));
  attestations.listInProject = (owner, of) => answer(`stored ${owner} ${of}`, () => listInProject(owner, of));
  attestors.attestor = (name) => answer(`attestor ${name}`, () => readAttestor(name));
  const policyOf = (owner: string) => answer(`policy ${owner}`, () => requiring(ATTESTOR));
  const ports: DoctorPorts & Memory = Object.assign(memory, {
    registry: { resolve: (wanted: ImageReference) => answer(`resolve ${textOf(wanted)}`, () => resolved(wanted)) },
    policies: {
      project: policyOf,
      system: (location: string) => answer(`system ${location}`, () => ({ admissionWhitelistPatterns: [] })),
      evaluatePlatform: () => Promise.reject(new Error('doctor asks no platform policy')),
    },
    targets: {
      cluster: (owner: string, { key: place }: { key: string }) =>
        answer(`cluster ${owner} ${place}`, () => ({ evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE', enabled: false })),
    },
    cloudRun: {
      state: (owner: string, { kind, key: place }: { kind: string; key: string }) =>
        answer(`${kind} ${owner} ${place}`, () => ({ setting: { uses: 'project-policy' as const } })),
    },
    openKey: (source: KeySource) => answer(`open ${nameOf(source)}`, (): GivenKey => key),
    keyStates: { state: (version: string) => answer(`state ${version}`, () => 'ENABLED') },
    permissions: {
      missing: (resource: string, wanted: readonly string[]) =>
        answer<readonly string[]>(`missing ${resource}: ${wanted.join(' ')}`, () => []),
    },
    provisioning: provisioningOf(answer, policyOf),
  });
  const asked = (kind: string): readonly string[] =>
    calls.filter((call) => call.startsWith(`${kind} `)).map((call) => call.slice(kind.length + 1));
  return { ports, calls, asked };
}

type Answer = <Value>(call: string, usual: () => Value | Promise<Value>) => Promise<Value>;

// Whatever would write or sign is a failure that no test expects.
function provisioningOf(answer: Answer, policyOf: (project: string) => Promise<Record<string, unknown>>): DoctorPorts['provisioning'] {
  const never = (what: string) => () => answer(`WRITE ${what}`, (): void => undefined);
  return {
    services: {
      switchedOff: (owner, services) => answer<readonly string[]>(`services ${owner}: ${services.join(' ')}`, () => []),
      switchOn: never('services'),
      makeAgent: never('agent'),
    },
    projects: { numberOf: (owner) => answer(`number ${owner}`, () => '42') },
    notes: { read: (name) => answer(`note ${name}`, () => ({ isAttestation: true })), write: never('note') },
    keys: { read: (name) => answer(`key ${name}`, () => ({})), write: never('key') },
    keyRings: { read: (name) => answer(`ring ${name}`, () => ({})), write: never('ring') },
    iam: { read: (resource) => answer(`iam ${resource}`, () => ({ bindings: [], etag: resource, rest: {} })), write: never('iam') },
    policies: { read: policyOf, write: never('policy') },
  };
}

/** Nothing was written, created or signed, and Google was asked to sign nothing. */
export function writesIn({ calls, ports }: World): readonly unknown[] {
  return [...calls.filter((call) => call.startsWith('WRITE ')), ...ports.attestations.created];
}

/** Stores an attestation of the digest of a word. */
export async function attest(
  { ports }: World,
  word: string,
  { by = key, note = NOTE, name = APP }: { readonly by?: TestKey; readonly note?: NoteName; readonly name?: string } = {},
): Promise<string> {
  const payload = encodePayload(payloadFor(pin(reference(`${name}:v1`), digest(word))));
  const [signer] = by.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  return ports.attestations.plant({
    note,
    payload,
    resourceUri: `https://${name}@${digest(word)}`,
    signatures: [{ publicKeyId: by.entry.id, bytes }],
  });
}

/** The index `MULTI`, its children by digest, and `APP`, a single image. */
function resolved(wanted: ImageReference): ResolvedImage {
  const base = { mediaType: 'application/vnd.oci.image.manifest.v1+json', children: [], isIndex: false };
  if (wanted.repository.endsWith('/multi') && [undefined, INDEX.digest].includes(wanted.digest)) {
    return { ...base, ...INDEX, reference: pin(wanted, INDEX.digest) };
  }
  return { ...base, reference: pin(wanted, wanted.digest ?? digest('app')) };
}

function textOf({ registry, repository, tag, digest: of }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${of === undefined ? '' : `@${of}`}`;
}

function nameOf(source: KeySource): string {
  if (source.kind === 'kms-key-version') return source.version;
  return source.kind === 'kms-key' ? source.key : source.key.source;
}

/** What doctor is asked in the tests of its parts. */
export const QUESTION = { eyes: 'check', project: PROJECT, attestors: [ATTESTOR], keys: [], platform: 'gke' } as const;
