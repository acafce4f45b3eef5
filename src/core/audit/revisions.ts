// SPDX-License-Identifier: Apache-2.0
// Revisions and executions that Cloud Run judged. Google writes the status and the conditions; names of services, images and
// the justification are the user's, and stand in the same texts. Google's wording is not documented: what counts is a word
// of its own, outside every name.
import type { AuditEvent, AuditEventType } from '../operation-results.js';
import { at, commitOf, firstText, imagesOf, listAt, textAt, type LogEntry } from './entry.js';
import { CLOUD_RUN_BREAK_GLASS, UNAUTHORIZED_REASONS } from './filters.js';
import { BREAK_GLASS_WORD, DRY_RUN_WORDS } from './texts.js';

const BREAK_GLASS = new RegExp(BREAK_GLASS_WORD, 'i');
const DRY_RUN = new RegExp(DRY_RUN_WORDS, 'i');

/** The event of an entry about a revision or an execution. What was blocked is that, whatever else is said about it. */
export function revisionEvents(entry: LogEntry): readonly AuditEvent[] {
  const payload = at(entry, 'protoPayload');
  const unauthorized = conditionsOf(payload).find((condition) => isUnauthorized(condition));
  const message = textAt(payload, 'status', 'message');
  if (unauthorized !== undefined)
    return [
      eventOf(entry, 'DENIED', firstText(textAt(unauthorized, 'message'), message, 'the container image is not authorized by policy')),
    ];
  const justification = justificationOf(entry);
  const texts = [message, ...conditionsOf(payload).map((condition) => textAt(condition, 'message'))];
  const broken = texts.find((text) => BREAK_GLASS.test(text));
  if (broken !== undefined || justification !== '') {
    const event = eventOf(entry, 'BREAK_GLASS', firstText(broken ?? '', message, 'deployed with break-glass'));
    return [{ ...event, ...(justification === '' ? {} : { justification }) }];
  }
  const dry = texts.find((text) => DRY_RUN.test(text));
  return dry === undefined ? [] : [eventOf(entry, 'DRY_RUN', dry)];
}

function conditionsOf(payload: unknown): readonly unknown[] {
  return listAt(payload, 'response', 'status', 'conditions');
}

function isUnauthorized(condition: unknown): boolean {
  return UNAUTHORIZED_REASONS.some((reason) => reason === textAt(condition, 'reason')) && textAt(condition, 'status') !== 'True';
}

// The annotation stays on the service; only what is about a revision or an execution is a use of it.
function justificationOf(entry: LogEntry): string {
  const labels = at(entry, 'resource', 'labels');
  if (firstText(textAt(labels, 'revision_name'), textAt(labels, 'job_name')) === '') return '';
  const payload = at(entry, 'protoPayload');
  const said = ['response', 'request'].flatMap((half) => [
    textAt(payload, half, 'metadata', 'annotations', CLOUD_RUN_BREAK_GLASS),
    textAt(payload, half, 'binaryAuthorization', 'breakglassJustification'),
  ]);
  return firstText(...said);
}

function eventOf(entry: LogEntry, type: AuditEventType, message: string): AuditEvent {
  const payload = at(entry, 'protoPayload');
  const metadata = at(payload, 'response', 'metadata');
  const commit = commitOf(metadata, at(payload, 'response', 'spec', 'template', 'metadata'));
  return {
    type,
    time: firstText(textAt(entry, 'timestamp'), textAt(entry, 'receiveTimestamp')),
    platform: 'cloud-run',
    resource: resourceOf(entry),
    images: revisionImages(payload, message),
    // A system event is Cloud Run's own; who deployed is noted on what was deployed.
    principal: firstText(
      textAt(payload, 'authenticationInfo', 'principalEmail'),
      textAt(metadata, 'annotations', 'serving.knative.dev/lastModifier'),
      textAt(metadata, 'annotations', 'serving.knative.dev/creator'),
      'unknown',
    ),
    message,
    insertId: textAt(entry, 'insertId'),
    ...(commit === undefined ? {} : { commit }),
  };
}

// A service and an execution hold their Pod's spec in a template, a job in a template of a template.
function revisionImages(payload: unknown, message: string): readonly string[] {
  const spec = at(payload, 'response', 'spec');
  const template = at(spec, 'template', 'spec');
  const [found = []] = [
    imagesOf(spec),
    imagesOf(template),
    imagesOf(at(template, 'template', 'spec')),
    [...message.matchAll(/\bContainer image '([^'\s]+)'/g)].map(([, image = '']) => image),
  ].filter((images) => images.length > 0);
  return [...new Set(found)];
}

function resourceOf(entry: LogEntry): string {
  const labels = at(entry, 'resource', 'labels');
  const name = textAt(entry, 'protoPayload', 'resourceName');
  const parts = [
    ['projects', textAt(labels, 'project_id')],
    ['locations', textAt(labels, 'location')],
    ['services', textAt(labels, 'service_name')],
    ['revisions', textAt(labels, 'revision_name')],
    ['jobs', textAt(labels, 'job_name')],
    ['executions', /^namespaces\/[^/]+\/executions\/([^/]+)$/.exec(name)?.[1] ?? ''],
  ].filter(([, value]) => value !== '');
  return parts.flat().join('/');
}
