// SPDX-License-Identifier: Apache-2.0
// What doctor finds out where all is well, to be spoilt in one place at a time. Every part lies in a project of its own and
// has an id of its own, so that no command can name one for the other unnoticed.
import { expect } from 'vitest';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type {
  AttestorFacts,
  DoctorFacts,
  Fact,
  ImageFacts,
  KeyFacts,
  Question,
  ReadIamPolicy,
  TestedResource,
} from '../../src/core/doctor/facts.js';
import type { FindingCode } from '../../src/core/doctor/findings.js';
import { BinauthzError, type ErrorCode, type ErrorDetails } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import { parseImageReference, pin, type ImageReference } from '../../src/core/image/reference.js';
import type { AttestorName, KeyName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import type { GivenKey, KeySource } from '../../src/core/signing/given-key.js';
import type { AttestorKey, PublicKey } from '../../src/core/signing/public-key.js';
import type { AlgorithmName } from '../../src/core/signing/algorithm.js';
import { algorithmNamed, keyPairFor, publicPem } from './pkix-keys.js';

export const PROJECT = 'deploy' as ProjectId;
export const ATTESTOR = 'projects/trust/attestors/ci' as AttestorName;
export const NOTE = 'projects/notary/notes/ci-note' as NoteName;
export const AGENT = 'agent@trust.example';
export const DEPLOYER = 'serviceAccount:binauthz@deploy.example';
export const KEY = 'projects/vault/locations/europe-west1/keyRings/ring/cryptoKeys/signing' as KeyName;
export const VERSION = `${KEY}/cryptoKeyVersions/3` as KeyVersionName;
export const FINGERPRINT = '0123456789ABCDEF0123456789ABCDEF01234567';
const P256 = algorithmNamed('ECDSA_P256_SHA256');

export const ok = <Value>(value: Value): Fact<Value> => ({ ok: true, value });
export const failed = (code: ErrorCode, message = `no ${code}`, details: ErrorDetails = {}) =>
  ({ ok: false, error: new BinauthzError(code, message, details) }) as const;

export const iam = (resource: string, ...bindings: readonly (readonly [role: string, ...members: string[]])[]): ReadIamPolicy => ({
  resource,
  policy: ok({ etag: 'e', rest: {}, bindings: bindings.map(([role, ...members]) => ({ role, members })) }),
});

/** What the identity of the run lacks on a resource. */
export const lacks = (resource: string, ...missing: readonly string[]): TestedResource => ({ resource, missing: ok(missing) });

/** A public key; `which` tells several apart. */
export function publicKey(which = 0, declared: AlgorithmName = P256.name): Extract<PublicKey, { kind: 'pkix' }> {
  const algorithm = algorithmNamed(declared);
  const spki = new Uint8Array(keyPairFor(P256, which).publicKey.export({ type: 'spki', format: 'der' }));
  return { kind: 'pkix', spki, algorithm };
}

/** The same key as an attestor lists it: under Cloud KMS's id unless given. */
export function listed(which = 0, id = `//cloudkms.googleapis.com/v1/${VERSION}`, algorithm: string = P256.name): AttestorKey {
  return { kind: 'pkix', id, pem: publicPem(keyPairFor(P256, which).publicKey), algorithm };
}

/** The key opened, with a signer for each public key. */
export function opened(name: string = VERSION, keys: readonly PublicKey[] = [publicKey()]): GivenKey {
  const signers = keys.map((key) => ({ name, publicKeys: [key] as const, sign: () => Promise.reject(new Error('never signs')) }));
  return { name, signers: signers as unknown as GivenKey['signers'] };
}

/** The Cloud KMS key that was given. */
export function kmsKey(overrides: Partial<KeyFacts> = {}, kms: Partial<NonNullable<KeyFacts['kms']>> = {}): KeyFacts {
  const source: KeySource = { kind: 'kms-key-version', version: VERSION };
  return { source, opened: ok(opened()), kms: { key: KEY, tested: lacks(KEY), ...kms }, ...overrides };
}

/** An attestor that trusts the key, and is trusted by both of Google's accounts. */
export function attestor(overrides: Partial<AttestorFacts> = {}): AttestorFacts {
  return {
    name: ATTESTOR,
    attestor: ok({ name: ATTESTOR, note: NOTE, keys: [listed()], serviceAgent: AGENT }),
    note: { name: NOTE, found: ok({ isAttestation: true }) },
    tested: [lacks(ATTESTOR), lacks(NOTE)],
    noteAccess: [iam(NOTE, ['roles/containeranalysis.notes.occurrences.viewer', `serviceAccount:${AGENT}`]), iam('projects/notary')],
    deployer: { member: ok(DEPLOYER), access: [iam(ATTESTOR, ['roles/binaryauthorization.attestorsVerifier', DEPLOYER])] },
    ...overrides,
  };
}

export const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
export const requiring = (...attestors: readonly string[]) => ({
  evaluationMode: 'REQUIRE_ATTESTATION',
  enforcementMode: BLOCK,
  requireAttestationsBy: attestors,
});

/** A policy that requires the attestor of everything, unless these members of its document say otherwise. */
export function policy(members: Readonly<Record<string, unknown>> = {}): DoctorFacts['policy'] {
  const required = { globalPolicyEvaluationMode: 'ENABLE', defaultAdmissionRule: requiring(ATTESTOR) };
  const read = parsePolicy({ ...required, updateTime: '2026-01-02T03:04:05Z', etag: '"e"', ...members });
  if (!read.policy) throw new Error(read.problems.join());
  return ok(read.policy);
}

export const DIGEST = `sha256:${'1'.repeat(64)}` as Digest;
export const APP = 'europe-docker.pkg.dev/apps/repo/app';
export function reference(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.reference;
}

/** An image that is there, which nothing hangs on and nobody judged. */
export function image(overrides: Partial<ImageFacts> = {}, text = `${APP}@${DIGEST}`): ImageFacts {
  const asked = reference(text);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const resolved = ok({ reference: pin(asked, DIGEST), mediaType, children: [], isIndex: false });
  return { asked, resolved, assumptions: [], attestations: [], ...overrides };
}

/** Everything in order, seen with the eyes of check; the question's members are given apart. */
export function sound(overrides: Partial<DoctorFacts> = {}, question: Partial<Question> = {}): DoctorFacts {
  return {
    question: { eyes: 'check', project: PROJECT, attestors: [ATTESTOR], keys: [], platform: 'gke', ...question },
    services: [{ project: PROJECT, off: ok([]) }],
    tested: [lacks(`projects/${PROJECT}/policy`)],
    attestors: [attestor()],
    others: [],
    keys: [],
    policy: policy(),
    images: [],
    ...overrides,
  };
}

/** The same with the key, and the eyes of attest. */
export function attesting(overrides: Partial<DoctorFacts> = {}, question: Partial<Question> = {}): DoctorFacts {
  return sound({ keys: [kmsKey()], ...overrides }, { eyes: 'attest', ...question });
}

/** A finding that is to come of facts. */
export interface Expected {
  readonly code: FindingCode;
  readonly resource: string;
  /** What its message holds, in this order. */
  readonly says: readonly string[];
  readonly fix: string;
  /** None where it is a warning. */
  readonly error?: ErrorCode;
}

/** These facts lead to these findings, and to no others. */
export function expectFindings(facts: DoctorFacts, ...expected: readonly Expected[]): void {
  const said = expected.map(({ code, resource, says, fix, error }) => ({
    ...{ code, resource, fix, message: expect.stringMatching(says.map(escaped).join('.*')) as unknown },
    ...(error === undefined ? { level: 'warning' } : { level: 'error', error }),
  }));
  expect(diagnose(facts).findings).toEqual(said);
}

/** The codes of what is found, sorted. */
export function codesOf(facts: DoctorFacts): readonly string[] {
  return diagnose(facts)
    .findings.map(({ code }) => code)
    .toSorted();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
