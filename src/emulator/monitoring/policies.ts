// SPDX-License-Identifier: Apache-2.0
// Alerting policies as they are sent and shown (proto google/monitoring/v3/alert.proto).
import { ApiError, isObject, listMember, refuseUnknown, stringMember, stringsMember, type JsonObject } from '../wire.js';
import { parseCondition, type Condition } from './conditions.js';
import { choiceMember, durationMember, invalidField, messageMember, present, userLabelsOf } from './parse.js';

/** A policy as it was sent, without what Google assigns. */
export interface PolicyDraft {
  readonly content: JsonObject;
  readonly conditions: readonly Condition[];
  readonly notificationChannels: readonly string[];
}

const AT = 'alert_policy';
const MEMBERS = [
  'displayName',
  'documentation',
  'userLabels',
  'conditions',
  'combiner',
  'enabled',
  'notificationChannels',
  'alertStrategy',
  'severity',
];
const OUTPUTS = ['name', 'creationRecord', 'mutationRecord', 'validity'];
const COMBINERS = ['COMBINE_UNSPECIFIED', 'AND', 'OR', 'AND_WITH_MATCHING_RESOURCE'];
const SEVERITIES = ['SEVERITY_UNSPECIFIED', 'CRITICAL', 'ERROR', 'WARNING'];
const PROMPTS = ['NOTIFICATION_PROMPT_UNSPECIFIED', 'OPENED', 'CLOSED'];
const MOST_CONDITIONS = 6;
const SHORTEST_AUTO_CLOSE = 1800;

/** Reads a policy; INVALID_ARGUMENT names what Google would refuse. */
export function parsePolicy(body: JsonObject): PolicyDraft {
  refuseUnknown(body, [...MEMBERS, ...OUTPUTS], AT);
  const displayName = stringMember(body, 'displayName');
  if (displayName === '' || displayName.length > 512)
    throw invalidField(`${AT}.display_name`, displayName, 'must have 1 to 512 characters');
  const combiner = choiceMember(body, 'combiner', COMBINERS, `${AT}.combiner`);
  if (combiner === undefined) throw invalidField(`${AT}.combiner`, 'COMBINE_UNSPECIFIED', 'must be specified');
  const conditions = listMember(body, 'conditions').map((condition, index) => parseCondition(condition, `${AT}.conditions[${index}]`));
  if (conditions.length === 0 || conditions.length > MOST_CONDITIONS)
    throw invalidField(`${AT}.conditions`, String(conditions.length), `there must be 1 to ${MOST_CONDITIONS} conditions`);
  const content = present({
    displayName,
    documentation: documentationOf(body),
    userLabels: userLabelsOf(body, `${AT}.user_labels`),
    combiner,
    alertStrategy: strategyOf(body, conditions),
    severity: choiceMember(body, 'severity', SEVERITIES, `${AT}.severity`),
  });
  const notificationChannels = stringsMember(body, 'notificationChannels');
  return { content: { ...content, enabled: enabledOf(body) }, conditions, notificationChannels };
}

/** A google.protobuf.BoolValue: absent is true. */
function enabledOf(body: JsonObject): boolean {
  const enabled = body['enabled'] ?? true;
  if (typeof enabled !== 'boolean') throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${AT}.enabled' (google.protobuf.BoolValue)`);
  return enabled;
}

function documentationOf(body: JsonObject): JsonObject | undefined {
  const at = `${AT}.documentation`;
  const documentation = messageMember(body, 'documentation', at);
  if (!documentation) return undefined;
  refuseUnknown(documentation, ['content', 'mimeType', 'subject', 'links'], at);
  const content = stringMember(documentation, 'content');
  const mimeType = stringMember(documentation, 'mimeType');
  if (Buffer.byteLength(content) > 8192) throw invalidField(`${at}.content`, content, 'must have at most 8 KB');
  if (mimeType !== '' && mimeType !== 'text/markdown') throw invalidField(`${at}.mime_type`, mimeType, 'only "text/markdown" is supported');
  const links = listMember(documentation, 'links').map((link) => {
    if (!isObject(link)) throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${at}.links' (message expected)`);
    refuseUnknown(link, ['displayName', 'url'], `${at}.links`);
    return { displayName: stringMember(link, 'displayName'), url: stringMember(link, 'url') };
  });
  return present({
    content,
    mimeType: content === '' ? mimeType : 'text/markdown',
    subject: stringMember(documentation, 'subject'),
    links,
  });
}

/** A policy on log entries must limit its notifications; one on metrics must not. */
function strategyOf(body: JsonObject, conditions: readonly Condition[]): JsonObject | undefined {
  const at = `${AT}.alert_strategy`;
  const strategy = messageMember(body, 'alertStrategy', at) ?? {};
  refuseUnknown(strategy, ['autoClose', 'notificationRateLimit', 'notificationChannelStrategy', 'notificationPrompts'], at);
  const autoClose = durationMember(strategy, 'autoClose', `${at}.auto_close`);
  if (autoClose !== undefined && autoClose < SHORTEST_AUTO_CLOSE)
    throw invalidField('alertStrategy.autoClose', `${autoClose}s`, 'must be at least 30 minutes');
  const limit = messageMember(strategy, 'notificationRateLimit', `${at}.notification_rate_limit`);
  checkRateLimit(limit, conditions);
  const prompts = listMember(strategy, 'notificationPrompts').map((prompt) =>
    choiceMember({ prompt }, 'prompt', PROMPTS, `${at}.notification_prompts`),
  );
  if (prompts.includes(undefined) || (prompts.length === 1 && prompts[0] === 'CLOSED'))
    throw invalidField(`${at}.notification_prompts`, prompts, 'must be OPENED, or OPENED and CLOSED');
  return present({
    autoClose: autoClose === undefined ? undefined : `${autoClose}s`,
    notificationRateLimit: limit,
    notificationChannelStrategy: strategy['notificationChannelStrategy'],
    notificationPrompts: prompts,
  });
}

function checkRateLimit(limit: JsonObject | undefined, conditions: readonly Condition[]): void {
  const at = 'alertStrategy.notificationRateLimit';
  if (limit) refuseUnknown(limit, ['period'], at);
  const period = limit && durationMember(limit, 'period', `${at}.period`);
  if (!conditions.some(({ kind }) => kind === 'conditionMatchedLog')) {
    if (limit) throw invalidField(at, limit, 'metric-based alert policies must not specify a notification rate limit');
    return;
  }
  if (conditions.length > 1)
    throw new ApiError('INVALID_ARGUMENT', 'Alert policies with a log matching condition can only have a single condition.');
  if (period === undefined) throw invalidField(at, limit, 'log-based alert policies must specify a notification rate limit');
}
