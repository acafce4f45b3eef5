// SPDX-License-Identifier: Apache-2.0
// There is no client library for Binary Authorization; its v1 REST API is used as documented.
import type { Attestation } from '../core/attestation/attestation.js';
import type { Attestor } from '../core/attestation/attestor.js';
import { BinauthzError } from '../core/errors.js';
import { parseAttestorName, projectOf, type AttestorName, type ProjectId } from '../core/names.js';
import type { AttestorService, ValidationResult } from '../ports/attestor-service.js';
import type { PlatformEvaluation, PolicyService } from '../ports/policy-service.js';
import { attestorOf } from './attestor-json.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { list, member, text } from './json.js';
import { allPages } from './pages.js';
import { evaluationOf } from './platform-evaluation.js';
import { pathOf } from './rest.js';

// Never `.` or `..`, which URLs take for another resource.
const SEGMENT = '(?!\\.{1,2}(?:/|$))[^/\\s]+';
const PLATFORM_POLICY = new RegExp(`^projects/(${SEGMENT})/platforms/gke/policies/${SEGMENT}$`);

/** Binary Authorization's attestors through REST. */
export function createAttestorService(google: Google): AttestorService {
  return {
    attestor: (name) => readAttestor(google, name),
    attestorsIn: (project) => listAttestors(google, project),
    validate: (attestor, attestation) => validate(google, attestor, attestation),
  };
}

/** Binary Authorization's policies through REST. */
export function createPolicyService(google: Google): PolicyService {
  return {
    project: (project) => readPolicy(google, project),
    system: (location) => readSystemPolicy(google, location),
    evaluatePlatform: (policy, resource) => evaluatePlatform(google, policy, resource),
  };
}

/** A project's policy as the API answers, with everything that it holds. PROJECT_NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE. */
export function readPolicy(google: Google, project: ProjectId): Promise<unknown> {
  const resource = `projects/${project}/policy`;
  const need = { permission: 'binaryauthorization.policy.get', role: 'roles/binaryauthorization.policyViewer', on: `projects/${project}` };
  const call: Call = { what: 'cannot read the policy', resource, needs: [need], notFound: 'PROJECT_NOT_FOUND' };
  return google.call.repeat(call, () => google.rest('binaryauthorization').request('GET', `v1/${pathOf(resource)}`));
}

// No permission is documented for it.
function readSystemPolicy(google: Google, location: string): Promise<unknown> {
  const resource = `locations/${location}/policy`;
  const call: Call = {
    what: 'cannot read the system policy',
    resource,
    needs: [],
    notFound: 'NOT_FOUND',
    refused: 'NOT_FOUND',
    hint: (code) => (code === 'NOT_FOUND' ? 'check the location: a region such as europe-west1, or global' : undefined),
  };
  return google.call.repeat(call, () => google.rest('binaryauthorization').request('GET', `v1/${pathOf(resource)}`));
}

async function evaluatePlatform(google: Google, policy: string, resource: unknown): Promise<PlatformEvaluation> {
  const project = PLATFORM_POLICY.exec(policy)?.[1];
  if (project === undefined)
    throw new BinauthzError('INVALID_INPUT', `expected projects/PROJECT/platforms/gke/policies/POLICY, got ${JSON.stringify(policy)}`);
  const call: Call = {
    what: 'cannot evaluate with the platform policy',
    resource: policy,
    needs: [
      {
        permission: 'binaryauthorization.platformPolicies.evaluatePolicy',
        role: 'roles/binaryauthorization.policyEvaluator',
        on: `projects/${project}`,
      },
    ],
    notFound: 'NOT_FOUND',
    hint: (code) =>
      code === 'NOT_FOUND' ? `list what is there: gcloud beta container binauthz policy list gke --project=${project}` : undefined,
  };
  const path = `v1/${pathOf(policy)}:evaluate`;
  return evaluationOf(await google.call.repeat(call, () => google.rest('binaryauthorization').request('POST', path, { resource })));
}

async function readAttestor(google: Google, name: AttestorName): Promise<Attestor> {
  const call: Call = {
    what: 'cannot read the attestor',
    resource: name,
    needs: [{ permission: 'binaryauthorization.attestors.get', role: 'roles/binaryauthorization.attestorsViewer', on: name }],
    notFound: 'ATTESTOR_NOT_FOUND',
    hint: (code) =>
      code === 'ATTESTOR_NOT_FOUND'
        ? `list what is there: gcloud container binauthz attestors list --project=${projectOf(name)}`
        : undefined,
  };
  const reply = await google.call.repeat(call, () => google.rest('binaryauthorization').request('GET', `v1/${pathOf(name)}`));
  return attestorOf(name, reply);
}

async function listAttestors(google: Google, project: ProjectId): Promise<readonly Attestor[]> {
  const parent = `projects/${project}`;
  const need = { permission: 'binaryauthorization.attestors.list', role: 'roles/binaryauthorization.attestorsViewer', on: parent };
  const call: Call = { what: 'cannot list the attestors of', resource: parent, needs: [need], notFound: 'PROJECT_NOT_FOUND' };
  const listed = await allPages(parent, async (pageToken) => {
    const query = new URLSearchParams({ pageSize: '200', ...(pageToken === '' ? {} : { pageToken }) });
    const reply = await google.call.repeat(call, () =>
      google.rest('binaryauthorization').request('GET', `v1/${pathOf(parent)}/attestors?${query}`),
    );
    return { items: list(member(reply, 'attestors')), nextPageToken: text(member(reply, 'nextPageToken')) };
  });
  return listed.map((json) => {
    const name = parseAttestorName(text(member(json, 'name')) ?? '');
    if (name !== undefined) return attestorOf(name, json);
    throw new BinauthzError(
      'RESPONSE_INVALID',
      `cannot list the attestors of ${parent}: expected an attestor’s name, got ${JSON.stringify(member(json, 'name') ?? null)}`,
      { resource: parent, hint: NOT_GOOGLE },
    );
  });
}

async function validate(google: Google, attestor: AttestorName, attestation: Attestation): Promise<ValidationResult> {
  const call: Call = {
    what: 'cannot validate an attestation with',
    resource: attestor,
    needs: [
      {
        permission: 'binaryauthorization.attestors.verifyImageAttested',
        role: 'roles/binaryauthorization.attestorsVerifier',
        on: attestor,
      },
    ],
    notFound: 'ATTESTOR_NOT_FOUND',
  };
  const body = {
    attestation: {
      serializedPayload: base64(attestation.payload),
      signatures: attestation.signatures.map(({ publicKeyId, bytes }) => ({ publicKeyId, signature: base64(bytes) })),
    },
    occurrenceNote: attestation.note,
    occurrenceResourceUri: attestation.resourceUri,
  };
  const path = `v1/${pathOf(attestor)}:validateAttestationOccurrence`;
  return resultOf(await google.call.repeat(call, () => google.rest('binaryauthorization').request('POST', path, body)));
}

// An absent result is RESULT_UNSPECIFIED (proto3 JSON leaves a zero enum out), and neither good nor bad.
function resultOf(reply: unknown): ValidationResult {
  const result = text(member(reply, 'result')) ?? '';
  const reason = text(member(reply, 'denialReason')) ?? '';
  if (result === 'VERIFIED') return { result: 'verified' };
  if (result === 'ATTESTATION_NOT_VERIFIABLE') return { result: 'not-verifiable', reason };
  return { result: 'unspecified', reason: reason || `the result was "${result || 'absent'}"` };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
