// SPDX-License-Identifier: Apache-2.0
// The check use case over ports in memory.
import { expect } from 'vitest';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { BinauthzError } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import type { ProjectId } from '../../src/core/names.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { check, type CheckPorts } from '../../src/usecases/check.js';
import type { CheckRequest } from '../../src/usecases/requests.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory, type TestKey } from './ports.js';

export const key = testKey('//trusted');
export const attestor = attestorOf('ci', key);
export const second = attestorOf('qa', key);
export const sharing = { ...attestorOf('shares', testKey('//other')), note: attestor.note };
export const IMAGE = `gcr.io/p/app@${digest('app')}`;
export const project = 'p' as ProjectId;

/** A rule that enforces. */
export const rule = (evaluationMode: string, ...requireAttestationsBy: readonly string[]) => ({
  evaluationMode,
  enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
  requireAttestationsBy,
});
/** A policy that requires the attestor by default. */
export const policyWith = (members: Record<string, unknown> = {}) => ({
  globalPolicyEvaluationMode: 'DISABLE',
  updateTime: '2026-01-01T00:00:00Z',
  defaultAdmissionRule: rule('REQUIRE_ATTESTATION', attestor.name),
  ...members,
});

/** No check calls so often: one that reads the same again and again would never end. */
const MOST_CALLS = 100;
const endless = new BinauthzError('CANCELLED', `more than ${MOST_CALLS} calls`);

/** The ports of a check, and what was asked of them. */
export interface World {
  readonly ports: Memory & CheckPorts;
  readonly calls: string[];
}

/** Memory ports with a policy document, a system policy and a cluster setting; errors stand for failing calls. */
export function world(
  options: { policy?: unknown; system?: unknown; cluster?: unknown; images?: Parameters<typeof memoryPorts>[2] } = {},
): World {
  const calls: string[] = [];
  const answer = <T>(value: unknown): Promise<T> => (value instanceof Error ? Promise.reject(value) : Promise.resolve(value as T));
  const memory = memoryPorts([attestor, second, sharing], [], options.images);
  const read = memory.attestors.attestor.bind(memory.attestors);
  memory.attestors.attestor = (name) => (calls.push(`attestor ${name}`), read(name));
  const list = memory.attestations.listOfNote.bind(memory.attestations);
  memory.attestations.listOfNote = (note, of) => (calls.push(`list ${note} ${of}`), list(note, of));
  const ports = Object.assign(memory, {
    policies: {
      project: () => (calls.push('policy'), answer<unknown>(options.policy ?? policyWith())),
      system: (location: string) => (
        calls.push(`system ${location}`),
        answer<unknown>(calls.length > MOST_CALLS ? endless : (options.system ?? { admissionWhitelistPatterns: [] }))
      ),
      evaluatePlatform: () => (calls.push('platform'), answer<never>(new BinauthzError('PERMISSION_DENIED', 'not allowed'))),
    },
    targets: {
      cluster: () => (
        calls.push('cluster'),
        answer<never>(options.cluster ?? { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE', enabled: false })
      ),
    },
  });
  return { ports, calls };
}

/** A check of one image on GKE, unless it says otherwise. */
export function request(members: Partial<CheckRequest> = {}): CheckRequest {
  return { project, uses: [{ image: IMAGE, platform: 'gke' }], platformPolicies: [], workloads: [], waitTimeoutMs: 0, ...members };
}

/** Stores an attestation of the digest of a word. */
export async function attest(ports: Memory, word = 'app', by: TestKey = key, note = attestor.note): Promise<string> {
  const payload = encodePayload(payloadFor(pin(reference('gcr.io/p/app:v1'), digest(word))));
  const [first] = by.signers;
  return ports.attestations.plant({
    note,
    resourceUri: `https://gcr.io/p/app@${digest(word)}`,
    payload,
    signatures: [{ publicKeyId: by.entry.id, bytes: await first.sign(payload, first.publicKeys[0]) }],
  });
}

/** The result of a check that must not fail, with the codes of all reasons. */
export async function run({ ports }: World, members: Partial<CheckRequest> = {}) {
  const { result, errors } = await check(request(members), ports);
  expect(errors).toEqual([]);
  return { ...result, codes: result.images.flatMap(({ reasons }) => reasons.map(({ code }) => code)) };
}

export const denied = new BinauthzError('PERMISSION_DENIED', 'no permission');
export const missing = new BinauthzError('NOT_FOUND', 'no such cluster');
export const cluster = parseClusterRef('us-central1-a.prod')!;
