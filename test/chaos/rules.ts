// SPDX-License-Identifier: Apache-2.0
// Faults on single requests, in the emulator's own notation (the interface contract, "The emulator's surface").
import type { Random } from './random.js';

/** A rule of `POST /_emulator/faults`. */
export interface Rule {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly after: number;
  readonly times: number;
  readonly do: 'status' | 'reset-before' | 'reset-after' | 'truncate' | 'corrupt' | 'delay';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bytes?: number;
  readonly field?: string;
  readonly delayMs?: number;
}

/** A kind of request, and the members of its answer that are worth corrupting. */
interface Place {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
}

export const LISTING: Place = {
  method: '^GET$',
  path: '/notes/[^/]+/occurrences$',
  fields: ['signature', 'serializedPayload', 'publicKeyId', 'resourceUri', 'noteName', 'name', 'kind', 'createTime', 'occurrences'],
};
export const POSTING: Place = { method: '^POST$', path: '/occurrences$', fields: ['name', 'signature', 'noteName', 'resourceUri'] };

const SIGNING: Place = {
  method: '^POST$',
  path: ':asymmetricSign$',
  fields: ['signature', 'signatureCrc32c', 'verifiedDigestCrc32c', 'name'],
};
const ANYTHING: Place = { method: '', path: '', fields: ['name', 'signature', 'digest', 'mediaType'] };

/** Where faults strike; what is named twice is struck twice as often. */
const PLACES: readonly Place[] = [
  { method: '^GET$', path: '/manifests/', fields: ['digest', 'mediaType', 'schemaVersion', 'size', 'platform', 'architecture'] },
  { method: '^GET$', path: '/(dockerImages|tags|packages|versions)(/|$)', fields: ['uri', 'version', 'name', 'tags', 'uploadTime'] },
  {
    method: '^GET$',
    path: '/attestors/[^/:]+$',
    fields: ['noteReference', 'id', 'publicKeyPem', 'asciiArmoredPgpPublicKey', 'signatureAlgorithm', 'publicKeys', 'name'],
  },
  { method: '^GET$', path: '/publicKey$', fields: ['pem', 'pemCrc32c', 'algorithm', 'name'] },
  { method: '^GET$', path: '/cryptoKeyVersions$', fields: ['name', 'state', 'algorithm'] },
  SIGNING,
  SIGNING,
  LISTING,
  LISTING,
  LISTING,
  { method: '^POST$', path: ':validateAttestationOccurrence$', fields: ['result', 'denialReason'] },
  POSTING,
  POSTING,
  POSTING,
  POSTING,
  {
    method: '^GET$',
    path: '/policy$',
    fields: ['evaluationMode', 'enforcementMode', 'requireAttestationsBy', 'globalPolicyEvaluationMode', 'defaultAdmissionRule'],
  },
  ANYTHING,
  ANYTHING,
];

type Action = Pick<Rule, 'do' | 'status' | 'headers' | 'body' | 'bytes' | 'field' | 'delayMs'>;

/** A Retry-After that is a date: so many seconds after the rules are armed. */
const DATE = 'date +20';
const RETRY_AFTER = ['0', '1', '5', '30', '65', '600', 'soon', DATE] as const;
/** Answers with a good status that are not what Google sends. */
const MALFORMED = [{}, [], 'a page of a proxy', null, 7, { name: 5 }, { error: 'no' }, { occurrences: {} }, { publicKeys: null }] as const;

/** How a request can go wrong; what is named twice is drawn twice as often. */
const ACTIONS: readonly ((random: Random, place: Place) => Action)[] = [
  (random) => ({ do: 'status', status: 429, headers: random.chance(0.8) ? { 'retry-after': random.pick(RETRY_AFTER) } : {} }),
  (random) => ({ do: 'status', status: 429, headers: { 'retry-after': random.pick(RETRY_AFTER) } }),
  (random) => ({ do: 'status', status: random.pick([500, 502, 503, 503, 504, 408]) }),
  (random) => ({ do: 'status', status: 503, headers: { 'retry-after': random.pick(RETRY_AFTER) } }),
  // Expired credentials, a role that was taken away, a resource that is gone, a collision.
  (random) => ({ do: 'status', status: random.pick([401, 401, 401, 403, 404, 409]) }),
  (random) => ({ do: 'status', status: random.pick([502, 503]), body: 'an error page of a proxy' }),
  (random) => ({ do: 'status', status: 200, body: random.pick(MALFORMED) }),
  () => ({ do: 'reset-before' }),
  () => ({ do: 'reset-after' }),
  () => ({ do: 'reset-after' }),
  (random) => ({ do: 'truncate', bytes: random.pick([0, 1, 5, 40, 200]) }),
  (random, place) => ({ do: 'corrupt', field: random.pick(place.fields) }),
  (random, place) => ({ do: 'corrupt', field: random.pick(place.fields) }),
  (random) => ({ do: 'delay', delayMs: random.pick([20, 300, 2_000, 5_000]) }),
];

/** The longest answer time that a rule can cause. */
export const LONGEST_DELAY_MS = 5_000;

/** None to four rules; most act once or a few times, some for good. */
export function drawRules(random: Random): readonly Rule[] {
  return Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3, 4]) }, (_, index) => {
    const place = random.pick(PLACES);
    return {
      id: `r${index + 1}`,
      method: place.method,
      path: place.path,
      after: random.pick([0, 0, 0, 1, 2, 3, 5]),
      times: random.pick([1, 1, 1, 2, 3, 6, -1]),
      ...random.pick(ACTIONS)(random, place),
    };
  });
}

/** The rules as the emulator takes them at this time. */
export function armed(rules: readonly Rule[], now: number): readonly Rule[] {
  const date = new Date(now + 20_000).toUTCString();
  return rules.map((rule) => (rule.headers?.['retry-after'] === DATE ? { ...rule, headers: { 'retry-after': date } } : rule));
}

/** Whether a rule can make a listing answer with success, and yet not say what is stored: no client could notice. */
export function liesAboutListings(rule: Rule): boolean {
  const isAboutListings = rule.path === LISTING.path || rule.path === '';
  return isAboutListings && (rule.do === 'corrupt' || (rule.do === 'status' && rule.status === 200));
}
