// SPDX-License-Identifier: Apache-2.0
// Who is calling: the credential says it, and nothing is verified, because every token is accepted here.
import type { Caller } from './router.js';
import { ApiError } from './wire.js';

const PREFIX = 'as:';

/** `as:EMAIL`, as a bearer token or as the password of a basic credential, is that identity; everybody else is the owner. */
export function callerOf(headers: Headers): Caller {
  const [scheme = '', credential = ''] = (headers.get('authorization') ?? '').trim().split(/\s+/, 2);
  const token = scheme.toLowerCase() === 'basic' ? basicPassword(credential) : credential;
  if (!token.startsWith(PREFIX)) return 'owner';
  const email = token.slice(PREFIX.length);
  if (!/^[^@\s]+@[^@\s]+$/.test(email)) throw new ApiError('UNAUTHENTICATED', `The token as:EMAIL needs an email address, not '${email}'.`);
  return email;
}

function basicPassword(credential: string): string {
  const text = Buffer.from(credential, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
