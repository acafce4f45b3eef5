// SPDX-License-Identifier: Apache-2.0
// What a registry's refusal means, as one of our errors.
import { BinauthzError } from '../core/errors.js';
import type { ImageReference } from '../core/image/reference.js';
import type { Identity } from './credentials.js';
import type { Credential } from './docker-config.js';
import { isDockerHub, type RegistryHost } from './hosts.js';
import type { HttpResponse } from './http.js';

/** A refused call and what was known when it was made. */
export interface Refusal {
  readonly reference: ImageReference;
  readonly registry: RegistryHost;
  readonly response: HttpResponse;
  /** Who we were; undefined where the registry never asked. */
  readonly identity: Identity | undefined;
  readonly now: number;
}

const READ_PERMISSION = 'artifactregistry.repositories.downloadArtifacts';
const READ_ROLE = 'roles/artifactregistry.reader';
const LONGEST_QUOTE = 200;
// The registry's way to say that what we asked for cannot exist there.
const NO_SUCH_NAME: ReadonlySet<string> = new Set(['NAME_INVALID', 'NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'TAG_INVALID']);

/** The error for a manifest that a registry refused to hand out. */
export function refusalOf(refusal: Refusal): BinauthzError {
  const { reference, registry, response, identity, now } = refusal;
  const resource = reference.original;
  const answered = `${registry.base.host} answered HTTP ${String(response.status)}${registryMessage(response, identity?.credential)}`;
  const what = `cannot read ${resource}: ${answered}`;
  const transient = transientRefusal(what, { resource, response, now });
  if (transient !== undefined) return transient;
  const isAnonymous = identity === undefined || identity.credential.kind === 'none';
  if (isMissing(response)) return missing(refusal, what);
  if (response.status === 401 || (response.status === 403 && isAnonymous)) {
    // A token that was given but covers less than was asked for is a matter of rights, not of logging in.
    if (!isAnonymous && challengeOf(response).includes('insufficient_scope')) return denied(refusal, what);
    const sent = isAnonymous ? 'no credentials were sent' : 'the credentials were not accepted';
    return new BinauthzError('UNAUTHENTICATED', `${what}; ${sent}`, { resource, hint: loginHint(registry, identity) });
  }
  if (response.status === 403) return denied(refusal, what);
  return new BinauthzError('RESPONSE_INVALID', `${what}, expected 200`, {
    resource,
    hint: `check that ${registry.base.host} is a container registry`,
  });
}

/** The error for an answer after which the same call may succeed later; undefined for any other answer. */
export function transientRefusal(
  what: string,
  call: { readonly resource: string; readonly response: HttpResponse; readonly now: number },
): BinauthzError | undefined {
  const { status, headers } = call.response;
  if (status !== 429 && status !== 408 && status < 500) return undefined;
  const retryAfterMs = retryAfter(headers['retry-after'], call.now);
  const kind = status === 429 ? 'quota' : 'unavailable';
  return new BinauthzError(status === 429 ? 'QUOTA_EXHAUSTED' : 'UNAVAILABLE', what, {
    resource: call.resource,
    transient: { kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    hint: status === 429 ? 'log in to the registry for a higher limit, or run again later' : 'run again later',
  });
}

/**
 * What the registry said, in brackets behind its status, without the credential that it was sent; empty where it said
 * nothing in the specification's form.
 */
export function registryMessage(response: HttpResponse, sent: Credential | undefined): string {
  const { code, message } = firstError(response) ?? {};
  const text = [code, message].filter((part): part is string => typeof part === 'string' && part !== '').join(': ');
  // What a server says may hold anything; control characters would move the terminal's cursor.
  const printable = withoutSecret(text, sent).replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
  return printable === '' ? '' : ` (${printable.slice(0, LONGEST_QUOTE)})`;
}

// Some servers repeat in a refusal what they got, as it came or decoded.
function withoutSecret(text: string, sent: Credential | undefined): string {
  if (sent === undefined || sent.kind === 'none') return text;
  const secret = sent.kind === 'password' ? sent.password.reveal() : sent.token.reveal();
  const pair = sent.kind === 'password' ? [Buffer.from(`${sent.username}:${secret}`).toString('base64')] : [];
  const forms = secret === '' ? [] : [...pair, secret, encodeURIComponent(secret)];
  return forms.reduce((left, form) => left.replaceAll(form, '[redacted]'), text);
}

/** How to get credentials for a registry. */
export function loginHint(registry: RegistryHost, identity: Identity | undefined): string {
  if (registry.isGoogle) {
    const why = identity?.whyNoGoogleToken;
    const reason = why === undefined ? '' : ` (no Google token: ${why.message}${why.hint === undefined ? '' : `; ${why.hint}`})`;
    return `give this run Google credentials (gcloud auth application-default login, or google-github-actions/auth in a workflow), or run: gcloud auth configure-docker ${registry.name}${reason}`;
  }
  const login = isDockerHub(registry.name) ? 'docker login' : `docker login ${registry.name}`;
  const scope = registry.name === 'ghcr.io' ? ', with a token that may read packages' : '';
  return `log in before this step, in the same job and with the same DOCKER_CONFIG: ${login}${scope}; a registry may also answer so for an image that does not exist`;
}

function isMissing(response: HttpResponse): boolean {
  if (response.status === 404 || response.status === 410) return true;
  const code = firstError(response)?.code;
  return response.status === 400 && typeof code === 'string' && NO_SUCH_NAME.has(code);
}

function missing({ reference, registry, response }: Refusal, what: string): BinauthzError {
  const isUnknownName = /^NAME_/.test(String(firstError(response)?.code));
  const asked = reference.digest ?? reference.tag ?? '';
  const expected = isUnknownName
    ? `the repository ${reference.repository} does not exist there`
    : `there is no manifest ${asked} in ${reference.repository}`;
  const hint = isUnknownName
    ? `check the registry host and the path of the image${registry.isGoogle ? ' (LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE)' : ''}`
    : `check that the push of ${asked} to ${registry.name} has finished, and that this is its ${reference.digest === undefined ? 'tag' : 'digest'}`;
  return new BinauthzError('IMAGE_NOT_FOUND', `${what}; ${expected}`, { resource: reference.original, hint });
}

function denied({ reference, registry }: Refusal, what: string): BinauthzError {
  const resource = reference.original;
  if (!registry.isGoogle) {
    return new BinauthzError('PERMISSION_DENIED', `${what}; expected the right to pull ${reference.repository}`, {
      resource,
      hint: `give the account that is logged in to ${registry.name} the right to pull ${reference.repository}`,
    });
  }
  return new BinauthzError('PERMISSION_DENIED', `${what}; expected the permission ${READ_PERMISSION} (${READ_ROLE})`, {
    resource,
    hint: `grant ${READ_ROLE} on the repository to the identity that runs this`,
  });
}

function challengeOf(response: HttpResponse): string {
  return response.headers['www-authenticate'] ?? '';
}

// RFC 9110 section 10.2.3: seconds or a date. Zero says nothing that our own delays do not, and would spin.
function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^[0-9]{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms > 0 ? ms : undefined;
}

function firstError({ body }: HttpResponse): { readonly code?: unknown; readonly message?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    const errors = typeof parsed === 'object' && parsed !== null && 'errors' in parsed ? parsed.errors : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    return typeof first === 'object' && first !== null ? first : undefined;
  } catch {
    // Proxies answer with pages in HTML; the status alone has to do then.
    return undefined;
  }
}
