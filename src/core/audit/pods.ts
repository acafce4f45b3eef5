// SPDX-License-Identifier: Apache-2.0
// Pods that a cluster admitted or refused. Two hands write such an entry. The API server and its webhooks write `labels`,
// `status` and the refusal in `response`; whoever creates Pods writes the rest, and must neither make an event nor hide one.
import type { AuditEvent, AuditEventType } from '../operation-results.js';
import { at, commitOf, firstText, imagesOf, listAt, textAt, type LogEntry } from './entry.js';
import { BREAK_GLASS_ANNOTATION, BREAK_GLASS_LABEL, FAILED_OPEN_PREFIX, WEBHOOK_LABELS } from './filters.js';
import { FLEET_WEBHOOK, GKE_WEBHOOK, OUR_DENIAL, SOME_WEBHOOK } from './texts.js';

const OURS = new RegExp(OUR_DENIAL);
const ANOTHERS = new RegExp(SOME_WEBHOOK);

/** The events of an entry about a Pod, at most one of each kind. */
export function podEvents(entry: LogEntry): readonly AuditEvent[] {
  const payload = at(entry, 'protoPayload');
  // The authorizer refused: no webhook was asked, whatever the Pod says.
  if (textAt(entry, 'labels', 'authorization.k8s.io/decision') === 'forbid') return [];
  if (isRefused(payload)) {
    const denial = denialOf(payload);
    return denial === undefined ? [] : [eventOf(entry, 'DENIED', denial)];
  }
  return [
    ...(isBreakGlass(entry) ? [breakGlassEvent(entry)] : []),
    ...(isTrue(entry, WEBHOOK_LABELS.dryRun) ? [eventOf(entry, 'DRY_RUN', overriddenResult(entry) || 'admitted by a dry-run rule')] : []),
    ...failOpenEvents(entry),
  ];
}

// A Pod's own status is an object, whatever its author writes.
function isRefused(payload: unknown): boolean {
  const code = at(payload, 'status', 'code');
  return textAt(payload, 'response', 'status') === 'Failure' || (typeof code === 'number' && code > 0);
}

function denialOf(payload: unknown): string | undefined {
  // An answer that was too long is not in the log; the status has its text.
  const message = firstText(textAt(payload, 'response', 'message'), textAt(payload, 'status', 'message'));
  if (OURS.test(message)) return message;
  // The reason is Binary Authorization's own, but a webhook may answer with any; its name is in the message.
  const isViolation = textAt(payload, 'response', 'reason') === 'VIOLATES_POLICY' && !ANOTHERS.test(message);
  return isViolation ? firstText(message, 'the policy was violated') : undefined;
}

// The webhook says so itself where it evaluated the Pod. Google counts a Pod that asks for it as well, and so is it here.
function isBreakGlass(entry: LogEntry): boolean {
  if (isTrue(entry, WEBHOOK_LABELS.breakGlass)) return true;
  // A patch of something else leaves the label where it is; the Pod has been counted when it got it.
  const [sent, became] = metadataOf(entry);
  const isPatch = textAt(entry, 'protoPayload', 'methodName').endsWith('.patch');
  return (isPatch ? [sent] : [sent, became]).some(
    (metadata) =>
      textAt(metadata, 'labels', BREAK_GLASS_LABEL) === 'true' || textAt(metadata, 'annotations', BREAK_GLASS_ANNOTATION) === 'true',
  );
}

function breakGlassEvent(entry: LogEntry): AuditEvent {
  const overridden = overriddenResult(entry);
  const message =
    overridden === '' ? 'admitted with break-glass; the log does not say whether the policy would have admitted it' : overridden;
  const said = metadataOf(entry).map((metadata) => textAt(metadata, 'annotations', BREAK_GLASS_ANNOTATION));
  const justification = said.find((text) => text !== '' && text !== 'true');
  return { ...eventOf(entry, 'BREAK_GLASS', message), ...(justification === undefined ? {} : { justification }) };
}

// Kubernetes notes each webhook that did not answer under its round and index; the value names the webhook.
function failOpenEvents(entry: LogEntry): readonly AuditEvent[] {
  const labels = at(entry, 'labels');
  const names = Object.keys(typeof labels === 'object' && labels !== null ? labels : {})
    .filter((key) => key.startsWith(FAILED_OPEN_PREFIX))
    .map((key) => textAt(labels, key));
  const isOurs = names.includes(GKE_WEBHOOK) || names.includes(FLEET_WEBHOOK) || isTrue(entry, WEBHOOK_LABELS.failedOpen);
  return isOurs
    ? [eventOf(entry, 'FAIL_OPEN', 'admitted unchecked: Binary Authorization could not be asked, or did not answer in time')]
    : [];
}

function overriddenResult(entry: LogEntry): string {
  return firstText(...WEBHOOK_LABELS.overridden.map((label) => textAt(entry, 'labels', label))).trim();
}

function isTrue(entry: LogEntry, labels: readonly string[]): boolean {
  return labels.some((label) => textAt(entry, 'labels', label) === 'true');
}

/** The Pod's metadata as it was sent, and as it became. */
function metadataOf(entry: LogEntry): readonly [sent: unknown, became: unknown] {
  return [at(entry, 'protoPayload', 'request', 'metadata'), at(entry, 'protoPayload', 'response', 'metadata')];
}

function eventOf(entry: LogEntry, type: AuditEventType, message: string): AuditEvent {
  const payload = at(entry, 'protoPayload');
  const sent = at(payload, 'request', 'metadata');
  const workload = workloadOf(sent) ?? workloadOf(at(payload, 'response', 'metadata'));
  const commit = commitOf(...metadataOf(entry));
  return {
    type,
    time: firstText(textAt(entry, 'timestamp'), textAt(entry, 'receiveTimestamp')),
    platform: 'gke',
    resource: resourceOf(entry),
    images: podImages(payload, message),
    principal: firstText(
      textAt(payload, 'authenticationInfo', 'principalEmail'),
      textAt(payload, 'authenticationInfo', 'principalSubject'),
      'unknown',
    ),
    message,
    insertId: textAt(entry, 'insertId'),
    ...(workload === undefined ? {} : { workload }),
    ...(commit === undefined ? {} : { commit }),
  };
}

function workloadOf(metadata: unknown): string | undefined {
  const owner = listAt(metadata, 'ownerReferences').find((reference) => at(reference, 'controller') === true);
  return owner === undefined ? undefined : `${textAt(owner, 'kind')}/${textAt(owner, 'name')}`;
}

// What was sent; where it was too long to be logged, what came of it, or what the refusal names.
function podImages(payload: unknown, message: string): readonly string[] {
  const [found = []] = [
    imagesOf(at(payload, 'request', 'spec')),
    imagesOf(at(payload, 'response', 'spec')),
    [...message.matchAll(/\bImage (\S+) denied by /g)].map(([, image = '']) => image),
  ].filter((images) => images.length > 0);
  return [...new Set(found)];
}

// `core/v1/namespaces/NS/pods/NAME`; no name yet where it is to be generated.
function resourceOf(entry: LogEntry): string {
  const payload = at(entry, 'protoPayload');
  const [, namespace = '', name = ''] = /^core\/v1\/namespaces\/([^/]+)\/pods(?:\/([^/]+))?/.exec(textAt(payload, 'resourceName')) ?? [];
  const metadata = at(payload, 'request', 'metadata');
  const generated = textAt(metadata, 'generateName');
  const parts = [
    ['projects', textAt(entry, 'resource', 'labels', 'project_id')],
    ['locations', textAt(entry, 'resource', 'labels', 'location')],
    ['clusters', textAt(entry, 'resource', 'labels', 'cluster_name')],
    ['namespaces', firstText(namespace, textAt(metadata, 'namespace'))],
    [
      'pods',
      firstText(
        name,
        textAt(metadata, 'name'),
        textAt(payload, 'response', 'metadata', 'name'),
        textAt(payload, 'response', 'details', 'name'),
        generated === '' ? '' : `${generated}*`,
      ),
    ],
  ];
  return parts
    .filter(([, value]) => value !== '')
    .flat()
    .join('/');
}
