// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import { clusterOf, type TargetFacts, type TargetState } from '../../src/core/doctor/facts.js';
import { needsOnTarget } from '../../src/core/doctor/needs.js';
import { apiOf, enforce, listTargets, nounOf, resourceOf } from '../../src/core/doctor/target-kinds.js';
import { parseClusterRef, parseCloudRunRef, type TargetRef } from '../../src/core/deployment/target.js';
import type { ErrorCode, ErrorDetails } from '../../src/core/errors.js';
import type { ProjectId } from '../../src/core/names.js';
import { ATTESTOR, attesting, codesOf, expectFindings, failed, lacks, ok, policy, requiring, sound } from '../support/doctor-facts.js';

const P = 'deploy' as ProjectId;
const AGAIN = `binauthz doctor --project deploy --attestor ${ATTESTOR}`;
const CLUSTER: TargetRef = { kind: 'cluster', ...parseClusterRef('us-central1-a.prod')! };
const FLEET: TargetRef = { kind: 'cluster', ...parseClusterRef('global.member')! };
const SERVICE = parseCloudRunRef('service', 'europe-west1.web')!;
const JOB = parseCloudRunRef('job', 'europe-west1.nightly')!;

const at = (ref: TargetRef, state: TargetFacts['state'], tested?: TargetFacts['tested']): Parameters<typeof sound> => [
  { target: { ref, state, ...(tested && { tested }) } },
  { target: ref },
];
const read = (isEnforced: boolean | undefined, because = 'because', more: Partial<TargetState> = {}) =>
  ok<TargetState>({ enforcement: { isEnforced, because }, ...more });

const unread = (code: ErrorCode, details?: ErrorDetails) => failed(code, `no ${code}`, details);

const UPDATE_CLUSTER =
  'gcloud container clusters update prod --location=us-central1-a --project=deploy --binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE';
const UPDATE_SERVICE = 'gcloud run services update web --region=europe-west1 --project=deploy --binary-authorization=default';
const UPDATE_JOB = 'gcloud run jobs update nightly --region=europe-west1 --project=deploy --binary-authorization=default';

describe('the kinds of places', () => {
  test.each([
    [
      CLUSTER,
      'projects/deploy/locations/us-central1-a/clusters/prod',
      'container.googleapis.com',
      'cluster us-central1-a.prod',
      UPDATE_CLUSTER,
      'gcloud container clusters list --project=deploy',
    ],
    [
      SERVICE,
      'projects/deploy/locations/europe-west1/services/web',
      'run.googleapis.com',
      'Cloud Run service europe-west1.web',
      UPDATE_SERVICE,
      'gcloud run services list --project=deploy',
    ],
    [
      JOB,
      'projects/deploy/locations/europe-west1/jobs/nightly',
      'run.googleapis.com',
      'Cloud Run job europe-west1.nightly',
      UPDATE_JOB,
      'gcloud run jobs list --project=deploy',
    ],
  ])('%j', (ref, resource, api, noun, update, list) => {
    expect([resourceOf(P, ref), apiOf(ref), nounOf(ref), enforce(P, ref), listTargets(P, ref)]).toEqual([
      resource,
      api,
      noun,
      update,
      list,
    ]);
  });

  test.each([
    [CLUSTER, 'container.clusters.get', 'roles/container.clusterViewer', 'the cluster enforces'],
    [SERVICE, 'run.services.get', 'roles/run.viewer', 'the service opted in'],
    [JOB, 'run.jobs.get', 'roles/run.viewer', 'the job opted in'],
  ])('%j is read with a permission that is only advised', (ref, permission, role, why) => {
    const { resource, needs } = needsOnTarget(P, ref);
    expect([resource, needs]).toEqual([
      'projects/deploy',
      [{ permission, role, for: ['attest', 'check'], isAdvice: true, why: expect.stringContaining(why) as string }],
    ]);
  });

  it('only clusters have rules of their own', () => {
    expect([clusterOf(CLUSTER), clusterOf(SERVICE), clusterOf(JOB), clusterOf(undefined)]).toEqual([
      CLUSTER,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a place that was read', () => {
  test.each([CLUSTER, SERVICE, JOB])('%j has no finding where it asks the policy', (ref) => {
    expect(diagnose(sound(...at(ref, read(true))))).toEqual({ findings: [], assumptions: [] });
  });

  test.each([
    [CLUSTER, 'CLUSTER_NOT_ENFORCING', UPDATE_CLUSTER],
    [SERVICE, 'CLOUD_RUN_NOT_ENFORCING', UPDATE_SERVICE],
    [JOB, 'CLOUD_RUN_NOT_ENFORCING', UPDATE_JOB],
  ] as const)('%j is a warning where it does not', (ref, code, fix) => {
    const says = [`the ${nounOf(ref)} does not ask the policy (its mode is X): every image runs there`];
    expectFindings(sound(...at(ref, read(false, 'its mode is X'))), { code, resource: resourceOf(P, ref), says, fix });
  });

  test.each([
    [CLUSTER, 'NOT_CHECKED', UPDATE_CLUSTER, 'UNDECIDED'],
    [SERVICE, 'CLOUD_RUN_PLATFORM_POLICY', UPDATE_SERVICE, undefined],
    [JOB, 'CLOUD_RUN_PLATFORM_POLICY', UPDATE_JOB, undefined],
  ] as const)('%j is undecided where nobody can tell', (ref, code, fix, ofAttest) => {
    const says = [`whether the ${nounOf(ref)} asks the project’s policy is not known: it is new`];
    const finding = { code, resource: resourceOf(P, ref), says, fix };
    expectFindings(sound(...at(ref, read(undefined, 'it is new'))), { ...finding, error: 'UNDECIDED' });
    expectFindings(attesting(...at(ref, read(undefined, 'it is new'))), { ...finding, ...(ofAttest && { error: ofAttest }) });
  });

  it('carries a break-glass justification, whatever stands in it', () => {
    const cloudRun = { setting: { uses: 'project-policy' }, breakGlass: 'incident\n::error::7' } as const;
    expectFindings(sound(...at(SERVICE, read(true, '', { cloudRun }))), {
      code: 'CLOUD_RUN_BREAK_GLASS',
      resource: resourceOf(P, SERVICE),
      says: ['the Cloud Run service europe-west1.web carries the break-glass justification "incident ::error::7"', 'judged again'],
      fix: UPDATE_SERVICE,
    });
    expect(codesOf(sound(...at(JOB, read(false, '', { cloudRun }))))).toEqual(['CLOUD_RUN_BREAK_GLASS', 'CLOUD_RUN_NOT_ENFORCING']);
    expect(codesOf(sound(...at(JOB, read(true, '', { cloudRun: { setting: { uses: 'project-policy' } } }))))).toEqual([]);
  });
});

describe('a place that does not exist', () => {
  test.each([
    [CLUSTER, 'CLUSTER_MISSING', ['there is no cluster us-central1-a.prod in deploy', 'write LOCATION.NAME']],
    [
      SERVICE,
      'CLOUD_RUN_MISSING',
      ['there is no Cloud Run service europe-west1.web in deploy', 'write REGION.NAME', '--binary-authorization=default'],
    ],
    [JOB, 'CLOUD_RUN_MISSING', ['there is no Cloud Run job europe-west1.nightly in deploy', 'write REGION.NAME']],
  ] as const)('%j stops both commands, and is no assumption', (ref, code, says) => {
    const finding = { code, resource: resourceOf(P, ref), says, fix: listTargets(P, ref), error: 'UNDECIDED' } as const;
    for (const missing of ['NOT_FOUND', 'PROJECT_NOT_FOUND'] as const) {
      expectFindings(sound(...at(ref, unread(missing))), finding);
      expectFindings(attesting(...at(ref, unread(missing))), finding);
      expect(diagnose(sound(...at(ref, unread(missing)))).assumptions).toEqual([]);
    }
  });

  it('is none of GKE’s where it is of a fleet, or the policy has its rule', () => {
    expect(codesOf(sound(...at(FLEET, unread('NOT_FOUND'))))).toEqual([]);
    const [facts, question] = at(CLUSTER, unread('NOT_FOUND'));
    const rules = { clusterAdmissionRules: { 'us-central1-a.prod': requiring('projects/trust/attestors/ci') } };
    expect(codesOf(sound({ ...facts, policy: policy(rules) }, question))).toEqual([]);
    const other = { clusterAdmissionRules: { 'us-east1.other': requiring('projects/trust/attestors/ci') } };
    expect(codesOf(sound({ ...facts, policy: policy(other) }, question))).toEqual(['CLUSTER_MISSING']);
    expect(codesOf(sound({ ...facts, policy: unread('UNAVAILABLE') }, question))).toEqual(['CLUSTER_MISSING', 'NOT_CHECKED']);
  });

  it('is one of Cloud Run’s whatever the policy has for clusters', () => {
    const [facts, question] = at(SERVICE, unread('NOT_FOUND'));
    const rules = { clusterAdmissionRules: { 'europe-west1.web': requiring('projects/trust/attestors/ci') } };
    expect(codesOf(sound({ ...facts, policy: policy(rules) }, question))).toEqual(['CLOUD_RUN_MISSING']);
  });
});

describe('a place that cannot be read', () => {
  const assumption = (ref: TargetRef) => [`the ${nounOf(ref)} asks the policy: it could not be read`];

  test.each([
    [CLUSTER, '--cluster us-central1-a.prod'],
    [SERVICE, '--cloud-run-service europe-west1.web'],
    [JOB, '--cloud-run-job europe-west1.nightly'],
  ])('%j is taken for one that asks, with a warning', (ref, words) => {
    const facts = sound(...at(ref, unread('UNAVAILABLE', { resource: resourceOf(P, ref), hint: 'run again later' })));
    const says = [`the ${nounOf(ref)} could not be checked: no UNAVAILABLE (run again later)`];
    expectFindings(facts, { code: 'NOT_CHECKED', resource: resourceOf(P, ref), says, fix: `${AGAIN} ${words}` });
    expect(diagnose(facts).assumptions).toEqual(assumption(ref));
  });

  test.each([
    [CLUSTER, 'container.clusters.get', 'roles/container.clusterViewer'],
    [SERVICE, 'run.services.get', 'roles/run.viewer'],
    [JOB, 'run.jobs.get', 'roles/run.viewer'],
  ] as const)('%j for want of a permission says how it is granted', (ref, permission, role) => {
    const error = unread('PERMISSION_DENIED', { resource: resourceOf(P, ref) });
    const [facts, question] = at(ref, error, lacks('projects/deploy', permission));
    expectFindings(sound(facts, { ...question, signer: 'serviceAccount:ci@p.com' }), {
      code: 'PERMISSION_ADVISED',
      resource: 'projects/deploy',
      says: [`lacks ${permission} (read whether`, `on projects/deploy; the role ${role} carries it`],
      fix: `gcloud projects add-iam-policy-binding deploy --condition=None --member=serviceAccount:ci@p.com --role=${role}`,
    });
    expect(diagnose(sound(facts, question)).assumptions).toEqual(assumption(ref));
  });

  it('although no permission is missing, because of a deny rule or a perimeter', () => {
    const [facts, question] = at(SERVICE, unread('PERMISSION_DENIED', { resource: resourceOf(P, SERVICE) }), lacks('projects/deploy'));
    expectFindings(sound(facts, question), {
      code: 'NOT_CHECKED',
      resource: resourceOf(P, SERVICE),
      says: ['the Cloud Run service europe-west1.web could not be checked'],
      fix: `${AGAIN} --cloud-run-service europe-west1.web`,
    });
    expect(codesOf(sound(...at(SERVICE, unread('PERMISSION_DENIED', { resource: resourceOf(P, SERVICE) }))))).toEqual(['NOT_CHECKED']);
  });

  it('because its API is off is told once, as a warning', () => {
    const off = unread('PERMISSION_DENIED', { resource: resourceOf(P, SERVICE), disabledApi: 'run.googleapis.com' });
    const [facts, question] = at(SERVICE, off, lacks('projects/deploy'));
    const enable = 'gcloud services enable run.googleapis.com --project=deploy';
    const finding = {
      code: 'API_DISABLED',
      resource: 'projects/deploy/services/run.googleapis.com',
      says: ['run.googleapis.com is switched off in deploy'],
      fix: enable,
    } as const;
    const services = [{ project: P, off: ok(['run.googleapis.com']) }];
    expectFindings(sound({ ...facts, services }, question), finding);
    expectFindings(sound(facts, question), finding);
    const others = [{ project: P, off: ok(['binaryauthorization.googleapis.com']) }];
    expect(diagnose(sound({ services: others }, question)).findings.map(({ level }) => level)).toEqual(['error']);
  });
});
