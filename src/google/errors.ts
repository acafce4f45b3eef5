// SPDX-License-Identifier: Apache-2.0
// The only file that reads the `code` of a foreign error. Google's packages report one failure in several shapes; here
// each becomes what we called, on which resource, which permission, and what to do.
import { formatAge } from '../core/duration.js';
import { ERROR_CODES } from '../core/error-codes.js';
import { BinauthzError, type ErrorCode, type ErrorDetails, type Transient } from '../core/errors.js';
import { RETRY_BUDGET_MS } from '../core/retry.js';
import { CredentialFailure, HttpFailure, parseProblem, TimeoutFailure, type Need, type Problem } from './failures.js';
import { enableHint, grantHint } from './grants.js';
import { member, text } from './json.js';

/** What was being done, so that a failure can be told in its terms. */
export interface Call {
  /** As a sentence that the resource ends: "cannot read the attestor". */
  readonly what: string;
  /** Full resource name. */
  readonly resource: string;
  /** The permissions that the call needs. */
  readonly needs: readonly Need[];
  /** What a 404 means. */
  readonly notFound: ErrorCode;
  /** What a 400 means; INVALID_INPUT unless given. */
  readonly refused?: ErrorCode;
  /** What a 409 means; without it, a collision that may be over at the next attempt. */
  readonly conflict?: ErrorCode;
  /** The next step for a code, where the call knows a better one than this file. */
  readonly hint?: (code: ErrorCode, said: string) => string | undefined;
}

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);
const TRANSIENT_NETWORK: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'UND_ERR_SOCKET'],
]);
const LONGEST_QUOTE = 600;
/** The next step where an answer of success is not what Google's API would send. */
export const NOT_GOOGLE =
  'something other than the Google API may have answered: check the endpoint overrides (CLOUDSDK_API_ENDPOINT_OVERRIDES_…) and proxies';
const USUAL_HINT: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAVAILABLE: 'run again later; a re-run goes on where this one ended (https://status.cloud.google.com tells of outages)',
  QUOTA_EXHAUSTED: 'run again in a minute, or with fewer runs at a time; quotas are per minute and can be raised in the Cloud console',
  NOTE_NOT_FOUND:
    'make the note that the attestor names with the Container Analysis API (projects.notes.create; gcloud has no command for it)',
  PROJECT_NOT_FOUND: 'check the project id (not its number or name): gcloud projects list',
  RESPONSE_INVALID: NOT_GOOGLE,
  PERMISSION_DENIED: 'check that the identity of this run is the intended one, and which roles it holds there',
  NOT_FOUND: 'check the name, and that the identity of this run may see it',
  INVALID_INPUT: 'Google refused the request as it stands: check the names and locations in it',
};

/** Any failure of a call as our error. What is none of Google's or the network's doing is given back as it is. */
export function translate(thrown: unknown, call: Call, cancelled: boolean): unknown {
  if (thrown instanceof BinauthzError) return thrown;
  if (cancelled)
    return new BinauthzError('CANCELLED', `${call.what} ${call.resource}: cancelled`, {
      resource: call.resource,
      hint: 'run again: whatever was posted already is found and left alone',
      cause: thrown,
    });
  const chain = causes(thrown);
  const http = find(chain, HttpFailure);
  if (http) return ofAnswer(http, call);
  const proxy = ofProxy(chain, call);
  if (proxy) return proxy;
  const credential = find(chain, CredentialFailure);
  if (credential) return ofCredentials(credential, call);
  const timeout = find(chain, TimeoutFailure);
  if (timeout) return fail(call, 'UNAVAILABLE', timeout.message, { transient: { kind: 'unavailable' }, cause: thrown });
  return ofNetwork(chain, call) ?? ofContent(chain, call) ?? thrown;
}

/** A failure to get an access token, outside any call. */
export function translateCredentials(thrown: unknown): unknown {
  const call: Call = {
    what: 'cannot get an access token from',
    resource: 'the Google credentials',
    needs: [],
    notFound: 'UNAUTHENTICATED',
  };
  return translate(thrown instanceof BinauthzError ? thrown : new CredentialFailure(thrown), call, false);
}

function ofAnswer(failure: HttpFailure, call: Call): BinauthzError {
  const problem = parseProblem(failure.body);
  const said = whatItSaid(failure, problem);
  const { status } = failure;
  if (status === 429 || problem?.reason === 'RATE_LIMIT_EXCEEDED') return ofBusy(failure, call, said, pause('quota', failure, problem));
  if (TRANSIENT_STATUS.has(status)) return ofBusy(failure, call, `${status}: ${said}`, pause('unavailable', failure, problem));
  if (status === 401) return fail(call, 'UNAUTHENTICATED', said, { hint: SIGN_IN, cause: failure });
  if (status === 403) return isDisabled(said, problem) ? ofDisabledApi(failure, call, problem) : ofRefusal(failure, call, problem);
  if (problem === undefined) return notGoogle(failure, call, said);
  if (status === 404) return fail(call, call.notFound, said, { cause: failure });
  if (status === 409) return ofConflict(failure, call, said);
  if (status === 400) return ofBadRequest(failure, call, said);
  return fail(call, 'RESPONSE_INVALID', `HTTP status ${status}: ${said}`, { cause: failure });
}

// A pause longer than a call is retried is not waited for; a run before its end would be refused as this one was.
function ofBusy(failure: HttpFailure, call: Call, said: string, transient: Transient): BinauthzError {
  const code = transient.kind === 'quota' ? 'QUOTA_EXHAUSTED' : 'UNAVAILABLE';
  const { kind, retryAfterMs = 0 } = transient;
  if (retryAfterMs < RETRY_BUDGET_MS[kind]) return fail(call, code, said, { transient, cause: failure });
  const wait = formatAge(retryAfterMs);
  const hint = `run again in ${wait}, not sooner; a re-run goes on where this one ended`;
  const quote = said.slice(0, LONGEST_QUOTE).replace(/\.$/, '');
  return fail(call, code, `${quote}; the service asks to wait ${wait}`, { hint, transient, cause: failure });
}

function whatItSaid(failure: HttpFailure, problem: Problem | undefined): string {
  if (problem === undefined) return `HTTP status ${failure.status} with a body that is not Google’s`;
  return problem.message || `HTTP status ${failure.status} ${problem.status}`;
}

function ofBadRequest(failure: HttpFailure, call: Call, said: string): BinauthzError {
  // Cloud KMS compares the digest that it got with the checksum that was sent along.
  if (/crc32c/i.test(said)) return fail(call, 'CHECKSUM_MISMATCH', said, { cause: failure });
  return fail(call, call.refused ?? 'INVALID_INPUT', said, { cause: failure });
}

function ofConflict(failure: HttpFailure, call: Call, said: string): BinauthzError {
  if (call.conflict !== undefined) return fail(call, call.conflict, said, { cause: failure });
  return fail(call, 'UNAVAILABLE', said, { transient: { kind: 'unavailable' }, cause: failure });
}

function isDisabled(said: string, problem: Problem | undefined): boolean {
  return problem?.reason === 'SERVICE_DISABLED' || /has not been used in project/.test(said);
}

function ofDisabledApi(failure: HttpFailure, call: Call, problem: Problem | undefined): BinauthzError {
  const service = problem?.metadata['service'] ?? /\b([a-z]+\.googleapis\.com)\b/.exec(failure.body)?.[1] ?? 'SERVICE.googleapis.com';
  const project = problem?.metadata['consumer']?.replace(/^projects\//, '') ?? /projects\/([^/]+)/.exec(call.resource)?.[1] ?? 'PROJECT';
  return fail(call, 'PERMISSION_DENIED', `the API ${service} is not enabled in project ${project}`, {
    hint: enableHint(service, project),
    disabledApi: service,
    cause: failure,
  });
}

function ofRefusal(failure: HttpFailure, call: Call, problem: Problem | undefined): BinauthzError {
  const said = whatItSaid(failure, problem);
  // Not the resource but the project that pays for the call; granting a role on the resource would not help.
  if (problem?.reason === 'USER_PROJECT_DENIED') return fail(call, 'PERMISSION_DENIED', said, { hint: quotaHint(problem), cause: failure });
  const needs = missing(call.needs, said, problem);
  if (needs.length === 0) return fail(call, 'PERMISSION_DENIED', said, { cause: failure });
  const names = needs.map((need) => `${need.permission} on ${need.on} (role ${need.role})`).join(' and ');
  return fail(call, 'PERMISSION_DENIED', `missing permission ${names}; Google says: ${said}`, {
    hint: needs.map(grantHint).join('; '),
    cause: failure,
  });
}

function quotaHint(problem: Problem): string {
  const project = problem.metadata['consumer']?.replace(/^projects\//, '') ?? 'PROJECT';
  return grantHint({ permission: 'serviceusage.services.use', role: 'roles/serviceusage.serviceUsageConsumer', on: `projects/${project}` });
}

// The permission that Google names decides. One that the call did not foresee gets no role of ours, but a call that
// needs several is not told to grant all of them where one is known to be missing.
function missing(needs: readonly Need[], said: string, problem: Problem | undefined): readonly Need[] {
  const named = problem?.metadata['permission'];
  const known = needs.filter((need) => need.permission === named || said.includes(need.permission));
  return known.length > 0 ? known : needs;
}

function notGoogle(failure: HttpFailure, call: Call, said: string): BinauthzError {
  return fail(call, 'RESPONSE_INVALID', `${said}: "${failure.body.slice(0, 80)}"`, { cause: failure });
}

const CREDENTIALS_VARIABLE = 'GOOGLE_APPLICATION_CREDENTIALS';
const SIGN_IN =
  'give a Google identity: on GitHub put google-github-actions/auth before this step, in a job with "permissions: id-token: write"; ' +
  'on CircleCI run the gcp-cli orb’s setup before it; on a laptop run: gcloud auth application-default login; or pass an access token';

function ofCredentials(failure: CredentialFailure, call: Call): BinauthzError {
  const chain = causes(failure.cause);
  const status = chain.map((error) => member(member(error, 'response'), 'status')).find((found) => typeof found === 'number');
  const said = (chain.map(oauthText).find((found) => found !== undefined) ?? withoutContent(chain)).slice(0, LONGEST_QUOTE);
  const isTransient = status === undefined ? isNetwork(chain) : status === 429 || status >= 500;
  if (isTransient) return fail(call, 'UNAVAILABLE', `no credentials: ${said}`, { transient: { kind: 'unavailable' }, cause: failure });
  return fail(call, 'UNAUTHENTICATED', `no credentials: ${said}`, { hint: credentialHint(said), cause: failure });
}

// V8 quotes the text that is not JSON, which here is a secret.
function withoutContent(chain: readonly unknown[]): string {
  const said = messageOf(chain[0]);
  if (!chain.some((error) => error instanceof SyntaxError)) return said;
  return said.includes(CREDENTIALS_VARIABLE) ? `the file that ${CREDENTIALS_VARIABLE} names is not JSON` : 'their file is not JSON';
}

function credentialHint(said: string): string {
  if (said.includes(CREDENTIALS_VARIABLE)) return `mend the file that ${CREDENTIALS_VARIABLE} names, or unset the variable, and ${SIGN_IN}`;
  // What the token service says of a token that was signed by a clock that is minutes off.
  if (/reasonable timeframe|\biat\b/i.test(said))
    return 'the clock of this machine is wrong, so that Google takes what it signs for too old or for not valid yet: set it, e.g. sudo timedatectl set-ntp true';
  if (/expired|stale/i.test(said))
    return 'the GitHub OIDC token expired: move the auth step next to this one (on a laptop: gcloud auth application-default login)';
  if (/getAccessToken|impersonat/i.test(said))
    return 'the workload identity needs roles/iam.workloadIdentityUser on the service account that it acts as';
  return SIGN_IN;
}

// RFC 6749 section 5.2, as token services answer; and IAM's own error object where an account is impersonated.
function oauthText(error: unknown): string | undefined {
  const data = member(member(error, 'response'), 'data');
  const text = typeof data === 'string' ? data : JSON.stringify(data ?? null);
  const google = parseProblem(text)?.message;
  if (google) return google;
  const named = member(data, 'error');
  const description = member(data, 'error_description');
  return typeof named === 'string' ? `${named}${typeof description === 'string' ? `: ${description}` : ''}` : undefined;
}

function ofProxy(chain: readonly unknown[], call: Call): BinauthzError | undefined {
  const proxy = chain.find((error) => /^EPROXY(?:DOWN)?$/.test(text(member(error, 'code')) ?? ''));
  if (proxy === undefined) return undefined;
  return fail(call, 'UNAVAILABLE', messageOf(proxy), {
    hint: 'check https_proxy, its user and password, and what the proxy admits; no_proxy names the hosts that need none',
    ...(member(proxy, 'code') === 'EPROXYDOWN' ? { transient: { kind: 'unavailable' } as const } : {}),
    cause: chain[0],
  });
}

function ofNetwork(chain: readonly unknown[], call: Call): BinauthzError | undefined {
  const code = networkCode(chain);
  // node-fetch names the URL in its message; the host tells whether it was Google, an override or the emulator.
  const host = /\bhttps?:\/\/[^/\s]+/.exec(messageOf(chain[0]))?.[0];
  if (code !== undefined)
    return fail(call, 'UNAVAILABLE', `the connection${host === undefined ? '' : ` to ${host}`} failed (${code})`, {
      transient: { kind: 'unavailable' },
      cause: chain[0],
    });
  const tls = codes(chain).find((found) => /CERT|^EPROTO$|^ERR_TLS|^ERR_SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(found));
  if (tls === undefined) return undefined;
  // A handshake that broke says nothing of a certificate, also where OpenSSL names one: it is ours that was refused then.
  const [said, hint] = /^EPROTO$|^ERR_SSL|^ERR_TLS_(?!CERT)/.test(tls)
    ? ['the TLS connection failed', 'check https_proxy, and what else may answer in Google’s place']
    : ['the server’s certificate was not accepted', 'check proxies and NODE_EXTRA_CA_CERTS'];
  return fail(call, 'UNAVAILABLE', `${said} (${tls})`, { hint, cause: chain[0] });
}

// A success status with content that cannot be used. One that ends too early was cut off on the way and may be whole
// the next time; anything else will be the same again.
function ofContent(chain: readonly unknown[], call: Call): BinauthzError | undefined {
  const syntax = chain.find((error) => error instanceof SyntaxError);
  if (syntax && /end of JSON|Unterminated|premature/i.test(syntax.message)) {
    return fail(call, 'UNAVAILABLE', 'the answer was cut off', { transient: { kind: 'unavailable' }, cause: chain[0] });
  }
  const isTooLarge = chain.some((error) => /over (?:the )?limit/.test(messageOf(error)));
  const isHttp = !codes(chain).some((code) => code.startsWith('HPE_'));
  if (!syntax && !isTooLarge && isHttp && !isFromLibrary(chain[0])) return undefined;
  return fail(call, 'RESPONSE_INVALID', `the answer cannot be read: ${messageOf(chain[0]).slice(0, LONGEST_QUOTE)}`, { cause: chain[0] });
}

// Google's library gives each failure of a call a numeric gRPC status; what has none is a bug of ours.
function isFromLibrary(error: unknown): boolean {
  return error instanceof Error && typeof member(error, 'code') === 'number';
}

function isNetwork(chain: readonly unknown[]): boolean {
  return networkCode(chain) !== undefined;
}

function networkCode(chain: readonly unknown[]): string | undefined {
  return codes(chain).find((code) => TRANSIENT_NETWORK.has(code));
}

function codes(chain: readonly unknown[]): string[] {
  return chain.map((error) => member(error, 'code')).filter((code) => typeof code === 'string');
}

function pause(kind: Transient['kind'], failure: HttpFailure, problem: Problem | undefined): Transient {
  const retryAfterMs = failure.retryAfterMs ?? problem?.retryDelayMs;
  return retryAfterMs === undefined ? { kind } : { kind, retryAfterMs };
}

function fail(call: Call, code: ErrorCode, said: string, details: ErrorDetails): BinauthzError {
  // What is documented for the code is better than nothing.
  const hint = call.hint?.(code, said) ?? details.hint ?? USUAL_HINT[code] ?? ERROR_CODES[code].fix.replaceAll('`', '');
  return new BinauthzError(code, `${call.what} ${call.resource}: ${said.slice(0, 2 * LONGEST_QUOTE)}`, {
    ...details,
    resource: call.resource,
    hint,
  });
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && chain.length < 8; at = member(at, 'cause')) chain.push(at);
  return chain;
}

function find<T>(chain: readonly unknown[], kind: abstract new (...args: never[]) => T): T | undefined {
  return chain.find((error): error is T => error instanceof kind);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
