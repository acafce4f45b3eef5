// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../core/errors.js';

/** Which exchange failed, and whether we ended it ourselves. */
export interface FailedExchange {
  readonly host: string;
  readonly resource: string;
  /** `cancelled`, or what a deadline says. */
  readonly ended?: string;
}

interface Explanation {
  readonly reason: string;
  readonly hint?: string;
  readonly transient: boolean;
}

const CERTIFICATE_CODES = /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|EPROTO$|HOSTNAME_MISMATCH)/;
const CERTIFICATE_HINT =
  'if the registry, or a proxy before it, uses an authority of your own, name its certificate in NODE_EXTRA_CA_CERTS; a registry without TLS is called on loopback only';

const PROXY_HINT = 'check https_proxy, its user and password, and what the proxy admits; no_proxy names the hosts that need none';

const USUAL_HINT = 'run again later; if it stays so, check the network, and proxies between this machine and the registry';

const KNOWN: Readonly<Record<string, Explanation>> = {
  ENOTFOUND: { reason: 'its name does not resolve', hint: 'check the spelling of the registry host', transient: false },
  EAI_AGAIN: { reason: 'its name does not resolve at the moment', transient: true },
  ECONNREFUSED: { reason: 'it refused the connection', hint: 'check that the registry runs there, and the port', transient: true },
  ECONNRESET: { reason: 'the connection broke before the answer was complete', transient: true },
  EPIPE: { reason: 'the connection broke before the answer was complete', transient: true },
  ERR_STREAM_PREMATURE_CLOSE: { reason: 'the connection broke before the answer was complete', transient: true },
  ETIMEDOUT: { reason: 'the connection timed out', transient: true },
  EHOSTUNREACH: { reason: 'there is no route to it', transient: true },
  ENETUNREACH: { reason: 'there is no network to reach it', transient: true },
  ERR_INVALID_CHAR: {
    reason: 'the credentials for it hold characters that a header cannot carry',
    hint: 'check the token for line breaks',
    transient: false,
  },
};

/** A failed exchange as an error: CANCELLED, or UNAVAILABLE, transient where another attempt may help. */
export function networkError(cause: unknown, { host, resource, ended }: FailedExchange): BinauthzError {
  if (ended === 'cancelled')
    return new BinauthzError('CANCELLED', `cancelled while reading ${resource}`, {
      resource,
      hint: 'run again: whatever was posted already is found and left alone',
      cause,
    });
  const {
    reason,
    hint = USUAL_HINT,
    transient,
  } = ended === undefined ? explain(cause) : { reason: ended, transient: true, hint: undefined };
  return new BinauthzError('UNAVAILABLE', `cannot reach ${host} for ${resource}: ${reason}`, {
    resource,
    cause,
    hint,
    ...(transient ? { transient: { kind: 'unavailable' } } : {}),
  });
}

function explain(cause: unknown): Explanation {
  const code = codeOf(cause);
  if (CERTIFICATE_CODES.test(code)) return { reason: `the TLS connection failed (${code})`, hint: CERTIFICATE_HINT, transient: false };
  if (/^EPROXY(?:DOWN)?$/.test(code) && cause instanceof Error)
    return { reason: cause.message, hint: PROXY_HINT, transient: code === 'EPROXYDOWN' };
  if (code.startsWith('HPE_'))
    return {
      reason: `its answer is not HTTP (${code})`,
      hint: 'check the port of the registry, and whether it expects https',
      transient: false,
    };
  return KNOWN[code] ?? { reason: code === '' ? 'the connection failed' : `the connection failed (${code})`, transient: true };
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
