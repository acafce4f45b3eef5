// SPDX-License-Identifier: Apache-2.0
// Notification channels: where alerts are sent. Nothing is sent here; a channel exists, so that policies can name it.
import { ApiError, refuseUnknown, stringMapMember, stringMember, type JsonObject } from '../wire.js';
import { invalidField, present, userLabelsOf } from './parse.js';

const AT = 'notification_channel';
const MEMBERS = ['type', 'name', 'displayName', 'description', 'labels', 'userLabels', 'verificationStatus', 'enabled'];
const OUTPUTS = ['creationRecord', 'mutationRecords'];

/** The types of channels with the labels that each must, and may, have. */
const TYPES: ReadonlyMap<string, { readonly must: readonly string[]; readonly may?: readonly string[] }> = new Map([
  ['email', { must: ['email_address'] }],
  ['google_chat', { must: ['space'] }],
  ['pagerduty', { must: ['service_key'] }],
  ['pubsub', { must: ['topic'] }],
  ['slack', { must: ['channel_name'], may: ['auth_token', 'team'] }],
  ['sms', { must: ['number'] }],
  ['webhook_basicauth', { must: ['url', 'username'], may: ['password'] }],
  ['webhook_tokenauth', { must: ['url'] }],
]);

/** Reads a channel; INVALID_ARGUMENT names what Google would refuse. */
export function parseChannel(body: JsonObject): JsonObject {
  refuseUnknown(body, [...MEMBERS, ...OUTPUTS], AT);
  const type = stringMember(body, 'type');
  const known = TYPES.get(type);
  if (!known) throw invalidField(`${AT}.type`, type, 'no such type of notification channel');
  const labels = stringMapMember(body, 'labels');
  const missing = known.must.find((label) => stringMember(labels, label) === '');
  if (missing !== undefined) throw invalidField(`${AT}.labels`, labels, `a channel of type "${type}" must have the label "${missing}"`);
  const stranger = Object.keys(labels).find((label) => !known.must.includes(label) && !known.may?.includes(label));
  if (stranger !== undefined) throw invalidField(`${AT}.labels`, labels, `a channel of type "${type}" has no label "${stranger}"`);
  if (type === 'email' && !/^[^@\s]+@[^@\s]+$/.test(stringMember(labels, 'email_address')))
    throw invalidField(`${AT}.labels["email_address"]`, labels['email_address'], 'must be an email address');
  const enabled = body['enabled'] ?? true;
  if (typeof enabled !== 'boolean') throw new ApiError('INVALID_ARGUMENT', `Invalid value at '${AT}.enabled' (google.protobuf.BoolValue)`);
  const texts = { displayName: stringMember(body, 'displayName'), description: stringMember(body, 'description') };
  return { type, ...present({ ...texts, labels, userLabels: userLabelsOf(body, `${AT}.user_labels`) }), enabled };
}
