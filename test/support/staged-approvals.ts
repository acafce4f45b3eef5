// SPDX-License-Identifier: Apache-2.0
// A project whose policy wants two attestors, and three identities that may do their own part and nothing else.
import { type Stage, PROJECT } from './stage.js';

const account = (name: string): string => `${name}@${PROJECT}.iam.gserviceaccount.com`;
export const CI = account('ci');
export const APPROVER = account('approver');
export const DEPLOYER = account('deployer');

/** The roles that README names for an identity that attests: with one attestor, its note, and where it has one its key. */
export async function maySign(stage: Stage, who: string, attestor: string, key?: string): Promise<void> {
  const member = `serviceAccount:${who}`;
  const note = `projects/${PROJECT}/notes/${attestor}`;
  await stage.grant(`projects/${PROJECT}`, member, 'roles/artifactregistry.reader', 'roles/containeranalysis.occurrences.editor');
  await stage.grant(`projects/${PROJECT}/attestors/${attestor}`, member, 'roles/binaryauthorization.attestorsVerifier');
  await stage.grant(note, member, 'roles/containeranalysis.notes.occurrences.viewer', 'roles/containeranalysis.notes.attacher');
  if (key !== undefined) await stage.grant(key, member, 'roles/cloudkms.signerVerifier', 'roles/cloudkms.viewer');
}

/** The roles that README names for an identity that checks. */
export async function mayCheck(stage: Stage, who: string, attestors: readonly string[]): Promise<void> {
  const member = `serviceAccount:${who}`;
  await stage.grant(`projects/${PROJECT}`, member, 'roles/binaryauthorization.policyViewer', 'roles/container.clusterViewer');
  for (const attestor of attestors) {
    await stage.grant(`projects/${PROJECT}/attestors/${attestor}`, member, 'roles/binaryauthorization.attestorsVerifier');
    await stage.grant(`projects/${PROJECT}/notes/${attestor}`, member, 'roles/containeranalysis.notes.occurrences.viewer');
  }
}

/** A policy that requires all of these attestors, and a cluster `us-central1-a.prod` that enforces it. */
export async function requireAll(stage: Stage, attestors: readonly string[]): Promise<void> {
  await stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: attestors.map((attestor) => `projects/${PROJECT}/attestors/${attestor}`),
    },
  });
  await stage.call('POST', `/v1beta1/projects/${PROJECT}/locations/us-central1-a/clusters`, {
    cluster: { name: 'prod', binaryAuthorization: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' } },
  });
}

/** Asks until the emulator has answered, after the first `since` calls, one whose `METHOD PATH` matches: a run has come that far. */
export async function untilAsked(stage: Stage, call: RegExp, since = 0): Promise<void> {
  const isAsked = async (): Promise<boolean> => (await stage.requests()).slice(since).some((request) => call.test(request));
  while (!(await isAsked())) await new Promise((resolve) => setTimeout(resolve, 50));
}
