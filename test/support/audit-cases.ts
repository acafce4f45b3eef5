// SPDX-License-Identifier: Apache-2.0
// Every kind of event, and what only looks like one.
import type { AuditEventType } from '../../src/core/operation-results.js';
import {
  ANNOTATION,
  blocked,
  cut,
  denied,
  DENIAL,
  execution,
  FAILED_OPEN,
  FLEET_HOOK,
  GKE_HOOK,
  imageOf,
  LABEL,
  LOG_PROJECT,
  onDeployment,
  output,
  patchOfLabelled,
  pod,
  revision,
  RUN_ANNOTATION,
  type MakeEntry,
} from './log-entries.js';

const why = (index: number) =>
  `'${imageOf(index)}' : Image ${imageOf(index)} denied by attestor projects/${LOG_PROJECT}/attestors/ci: No attestations\n`;
const webhook = (index: number, what: string, hook = GKE_HOOK) => ({
  [`${hook}/${what}`]: 'true',
  [`${hook}/overridden-verification-result`]: why(index),
});
const ours = `admission webhook "${GKE_HOOK}" denied the request: Image x denied by Binary Authorization default admission rule.`;
const EXTERNAL = 'externalaudit.googleapis.com%2Factivity';

/** What is an event, of which kinds, and how it comes. */
export const EVENTS: readonly (readonly [what: string, types: readonly AuditEventType[], make: MakeEntry])[] = [
  [
    'a denial that a controller met',
    ['DENIED'],
    (i) => denied(i, { workload: 'web-7d4b9c', principal: 'system:serviceaccount:kube-system:replicaset-controller' }),
  ],
  ['a denial of an update', ['DENIED'], (i) => denied(i, { method: 'update' })],
  ['a denial of a patch', ['DENIED'], (i) => denied(i, { method: 'patch' })],
  [
    'a denial in the words of older clusters',
    ['DENIED'],
    (i) =>
      denied(i, {
        refusal: {
          reason: 'Forbidden',
          message: `pods "web-${i}" is forbidden: image policy webhook backend denied one or more images: Image ${imageOf(i)} ${DENIAL}`,
        },
      }),
  ],
  [
    'a denial without the name of a webhook',
    ['DENIED'],
    (i) =>
      denied(i, {
        refusal: {
          reason: 'VIOLATES_POLICY',
          message: `Image ${imageOf(i)} denied by Binary Authorization cluster admission rule for us-central1-a.prod.`,
        },
      }),
  ],
  [
    'a denial in words of the future',
    ['DENIED'],
    (i) => denied(i, { refusal: { reason: 'VIOLATES_POLICY', message: 'this image may not run here' } }),
  ],
  ['a denial too long to be logged', ['DENIED'], (i) => cut(denied(i))],
  ['the break-glass label on a Pod that was denied', ['DENIED'], (i) => denied(i, { podLabels: { [LABEL]: 'true' } })],
  [
    'a denial on Distributed Cloud',
    ['DENIED'],
    (i) =>
      denied(i, {
        log: EXTERNAL,
        refusal: {
          reason: 'VIOLATES_POLICY',
          message: `admission webhook "${FLEET_HOOK}" denied the request: Denied by default admission rule. Overridden by evaluation mode`,
        },
      }),
  ],
  ['break-glass by label', ['BREAK_GLASS'], (i) => pod(i, { podLabels: { [LABEL]: 'true' }, labels: webhook(i, 'break-glass') })],
  ['break-glass by label, with nothing from the webhook', ['BREAK_GLASS'], (i) => pod(i, { podLabels: { [LABEL]: 'true' } })],
  ['break-glass by label, in an update', ['BREAK_GLASS'], (i) => pod(i, { method: 'update', podLabels: { [LABEL]: 'true' } })],
  [
    'break-glass by the older annotation',
    ['BREAK_GLASS'],
    (i) => pod(i, { annotations: { [ANNOTATION]: 'true' }, labels: webhook(i, 'break-glass') }),
  ],
  [
    'break-glass by the older annotation with a reason',
    ['BREAK_GLASS'],
    (i) => pod(i, { annotations: { [ANNOTATION]: 'INC-1234' }, labels: webhook(i, 'break-glass') }),
  ],
  ['break-glass on a Pod too large to be logged', ['BREAK_GLASS'], (i) => cut(pod(i, { labels: webhook(i, 'break-glass') }))],
  [
    'break-glass on Distributed Cloud',
    ['BREAK_GLASS'],
    (i) => pod(i, { log: EXTERNAL, labels: { [`${FLEET_HOOK}/break-glass`]: 'true' } }),
  ],
  ['a dry run', ['DRY_RUN'], (i) => pod(i, { labels: webhook(i, 'dry-run') })],
  ['a dry run of an update', ['DRY_RUN'], (i) => pod(i, { method: 'update', labels: webhook(i, 'dry-run') })],
  ['a dry run on Distributed Cloud', ['DRY_RUN'], (i) => pod(i, { log: EXTERNAL, labels: { [`${FLEET_HOOK}/dry-run`]: 'true' } })],
  [
    'break-glass under a dry-run rule',
    ['BREAK_GLASS', 'DRY_RUN'],
    (i) => pod(i, { podLabels: { [LABEL]: 'true' }, labels: webhook(i, 'dry-run') }),
  ],
  ['fail-open', ['FAIL_OPEN'], (i) => pod(i, { labels: { [`${FAILED_OPEN}/round_0_index_2`]: GKE_HOOK } })],
  [
    'fail-open of two webhooks',
    ['FAIL_OPEN'],
    (i) =>
      pod(i, { labels: { [`${FAILED_OPEN}/round_0_index_0`]: 'validation.gatekeeper.sh', [`${FAILED_OPEN}/round_0_index_1`]: GKE_HOOK } }),
  ],
  ['fail-open as the webhook itself notes it', ['FAIL_OPEN'], (i) => pod(i, { labels: { [`${GKE_HOOK}/failed-open`]: 'true' } })],
  [
    'fail-open on Distributed Cloud',
    ['FAIL_OPEN'],
    (i) => pod(i, { log: EXTERNAL, labels: { [`${FAILED_OPEN}/round_0_index_0`]: FLEET_HOOK } }),
  ],
  [
    'fail-open of a Pod that asked for break-glass',
    ['BREAK_GLASS', 'FAIL_OPEN'],
    (i) => pod(i, { podLabels: { [LABEL]: 'true' }, labels: { [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK } }),
  ],
  ['a denial on Cloud Run', ['DENIED'], (i) => blocked(i)],
  ['a denial on Cloud Run although break-glass is in it', ['DENIED'], (i) => blocked(i, { annotations: { [RUN_ANNOTATION]: 'old' } })],
  ['a denial of a job’s execution', ['DENIED'], execution],
  [
    'break-glass on Cloud Run',
    ['BREAK_GLASS'],
    (i) => revision(i, { message: `Revision 'web-${i}' was deployed with breakglass: INC-7`, annotations: { [RUN_ANNOTATION]: 'INC-7' } }),
  ],
  [
    'break-glass on Cloud Run, by the status alone',
    ['BREAK_GLASS'],
    (i) => revision(i, { message: 'Binary Authorization was bypassed by breakglass.' }),
  ],
  [
    'break-glass on Cloud Run, by the annotation alone',
    ['BREAK_GLASS'],
    (i) => revision(i, { annotations: { [RUN_ANNOTATION]: 'a dry run of the emergency plan' } }),
  ],
  ['a dry run on Cloud Run', ['DRY_RUN'], (i) => revision(i, { message: `Container image '${imageOf(i)}' would be denied (dry run).` })],
];

const forbidden = (message: string) => ({ reason: 'Forbidden', message });
const elsewhere = (hook: string, text: string) => `admission webhook "${hook}" denied the request: ${text}`;

/** What is none, however much it looks like one. */
export const NEAR_MISSES: readonly (readonly [what: string, make: MakeEntry])[] = [
  [
    'an RBAC Forbidden',
    (i) =>
      pod(i, {
        isForbidden: true,
        refusal: forbidden('pods is forbidden: User "dev" cannot create resource "pods" in API group "" in the namespace "shop"'),
      }),
  ],
  [
    'an RBAC Forbidden that quotes us in a name',
    (i) => pod(i, { refusal: forbidden(`pods ${JSON.stringify(ours)} is forbidden: User "dev" cannot update resource "pods"`) }),
  ],
  [
    'an RBAC Forbidden of a Pod with the break-glass label',
    (i) =>
      pod(i, {
        isForbidden: true,
        podLabels: { [LABEL]: 'true' },
        refusal: forbidden('pods is forbidden: User "dev" cannot create resource "pods"'),
      }),
  ],
  [
    'a Pod that breaks Pod Security',
    (i) => pod(i, { refusal: forbidden(`pods "web-${i}" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`) }),
  ],
  ['a quota', (i) => pod(i, { refusal: forbidden(`pods "web-${i}" is forbidden: exceeded quota: compute, requested: pods=1`) })],
  [
    'another webhook’s denial with our reason',
    (i) =>
      pod(i, {
        refusal: {
          reason: 'VIOLATES_POLICY',
          message: elsewhere('validation.gatekeeper.sh', 'denied by Binary Authorization of the house'),
        },
      }),
  ],
  ['another webhook’s denial that quotes ours', (i) => pod(i, { refusal: forbidden(elsewhere('validate.kyverno.svc-fail', ours)) })],
  [
    'another webhook’s denial of a Pod with the break-glass label',
    (i) => pod(i, { podLabels: { [LABEL]: 'true' }, refusal: forbidden(elsewhere('validation.gatekeeper.sh', 'no')) }),
  ],
  [
    'another webhook’s denial of what a dry run admitted',
    (i) => pod(i, { labels: webhook(i, 'dry-run'), refusal: forbidden(elsewhere('validation.gatekeeper.sh', 'no')) }),
  ],
  [
    'another webhook’s denial of what failed open',
    (i) =>
      pod(i, { labels: { [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK }, refusal: forbidden(elsewhere('validation.gatekeeper.sh', 'no')) }),
  ],
  ['another webhook’s failed-open', (i) => pod(i, { labels: { [`${FAILED_OPEN}/round_0_index_0`]: 'validation.gatekeeper.sh' } })],
  [
    'another webhook’s failed-open, ours in an annotation',
    (i) =>
      pod(i, {
        annotations: { [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK },
        labels: { [`${FAILED_OPEN}/round_0_index_0`]: 'validation.gatekeeper.sh' },
      }),
  ],
  ['a webhook whose name begins like ours', (i) => pod(i, { labels: { [`${FAILED_OPEN}/round_0_index_0`]: `${GKE_HOOK}.example.com` } })],
  [
    'failed-open in a Pod’s own annotations',
    (i) =>
      pod(i, {
        annotations: {
          [`${FAILED_OPEN}/round_0_index_0`]: GKE_HOOK,
          [`${GKE_HOOK}/failed-open`]: 'true',
          'image-policy.k8s.io/failed-open': 'true',
        },
      }),
  ],
  [
    'what the webhook notes, in a Pod’s own labels',
    (i) => pod(i, { podLabels: { [`${GKE_HOOK}/dry-run`]: 'true', [`${GKE_HOOK}/break-glass`]: 'true' } }),
  ],
  ['break-glass switched off', (i) => pod(i, { podLabels: { [LABEL]: 'false' }, annotations: { [ANNOTATION]: 'false' } })],
  ['break-glass with a value that is not true', (i) => pod(i, { podLabels: { [LABEL]: 'True' } })],
  [
    'break-glass in an argument',
    (i) =>
      pod(i, {
        pod: { spec: { containers: [{ image: imageOf(i), args: [`--note=${LABEL}=true`, '"image-policy.k8s.io/break-glass":"true"'] }] } },
      }),
  ],
  [
    'break-glass in another annotation',
    (i) => pod(i, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"metadata":{"labels":{"${LABEL}":"true"}}}` } }),
  ],
  ['break-glass as an annotation, which is a label', (i) => pod(i, { annotations: { [LABEL]: 'true' } })],
  ['the older break-glass as a label, which is an annotation', (i) => pod(i, { podLabels: { [ANNOTATION]: 'true' } })],
  ['a Pod that says of itself that it failed', (i) => pod(i, { pod: { status: 'Failure', reason: 'VIOLATES_POLICY', message: ours } })],
  ['a patch of a Pod that has the label', (i) => patchOfLabelled(i)],
  ['break-glass on a Pod that is deleted', (i) => pod(i, { method: 'delete', podLabels: { [LABEL]: 'true' } })],
  ['break-glass in a status update', (i) => pod(i, { method: 'status.update', podLabels: { [LABEL]: 'true' } })],
  ['break-glass on a Deployment', (i) => onDeployment(i)],
  [
    'break-glass in a log of somebody’s own',
    (i) => pod(i, { log: 'my-cloudaudit.googleapis.com%2Factivity', podLabels: { [LABEL]: 'true' } }),
  ],
  ['a denial in the log of data access', (i) => denied(i, { log: 'cloudaudit.googleapis.com%2Fdata_access' })],
  [
    'a denial of another kind of resource',
    (i) => ({ ...denied(i), resource: { type: 'gce_instance', labels: { project_id: LOG_PROJECT } } }),
  ],
  [
    'a service that is called after breakglass',
    (i) => revision(i, { service: 'breakglass-demo', message: `Revision 'breakglass-demo-${i}' is not ready and cannot serve traffic.` }),
  ],
  [
    'a service that is called breakglass',
    (i) =>
      revision(i, {
        service: 'breakglass',
        revision: `r${i}`,
        message: `Ready condition status changed to False for Service 'breakglass' with message: gone`,
      }),
  ],
  ['an image that is called breakglass', (i) => revision(i, { message: `Image 'us-docker.pkg.dev/p/r/breakglass:breakglass' not found.` })],
  [
    'a variable that says breakglass and dry run',
    (i) => revision(i, { spec: { containers: [{ image: imageOf(i), env: [{ name: 'breakglass', value: 'dry run' }] }] } }),
  ],
  [
    'break-glass in what a service, not a revision, became',
    (i) => revision(i, { revision: '', annotations: { [RUN_ANNOTATION]: 'INC-7' } }),
  ],
  [
    'a revision that fails for another reason',
    (i) =>
      revision(i, {
        message: 'breakglass-demo: the container failed to start',
        conditions: [{ type: 'Ready', status: 'False', reason: 'ContainerMissing', message: 'not ContainerImageUnauthorized' }],
      }),
  ],
  ['breakglass in a container’s own log', (i) => output(i)],
  [
    'break-glass in the call that asked for it',
    (i) => revision(i, { log: 'cloudaudit.googleapis.com%2Factivity', annotations: { [RUN_ANNOTATION]: 'INC-7' } }),
  ],
  ['an image that was admitted', (i) => pod(i)],
  ['a revision that was admitted', (i) => revision(i)],
];
