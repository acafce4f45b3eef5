// SPDX-License-Identifier: Apache-2.0
// Servers get the access token, and some repeat in a refusal what they got. The runner's masker covers its own log only;
// a report, a summary and other CI systems have no masker at all.
import { BinauthzError } from '../core/errors.js';
import type { Secret } from '../core/secret.js';
import type { Reporter } from '../ports/reporter.js';
import type { Ending } from './outcome.js';

/** Takes secrets out of a text. */
export type Scrub = (text: string) => string;

/** What takes these secrets out of a text, also where they are encoded as part of a URL. */
export function scrubberOf(secrets: readonly Secret[]): Scrub {
  const forms = secrets.map((secret) => secret.reveal()).flatMap((value) => [value, encodeURIComponent(value)]);
  return (text) => forms.reduce((left, form) => left.replaceAll(form, '[access token]'), text);
}

/** A reporter that says the same without the secrets. */
export function scrubbedReporter(reporter: Reporter, scrub: Scrub): Reporter {
  return {
    step: (message) => reporter.step(scrub(message)),
    info: (message) => reporter.info(scrub(message)),
    warn: (message) => reporter.warn(scrub(message)),
    debug: (message) => reporter.debug(scrub(message)),
  };
}

/** An ending that tells the same without the secrets. */
export function scrubbedEnding({ result, errors, exitCode, refusal }: Ending, scrub: Scrub): Ending {
  return {
    result: scrubbed(result, scrub),
    errors: errors.map((error) => scrubbedError(error, scrub)),
    exitCode,
    ...(refusal === undefined ? {} : { refusal: scrubbedError(refusal, scrub) }),
  };
}

function scrubbedError(error: BinauthzError, scrub: Scrub): BinauthzError {
  const { code, message, resource, hint, transient, cause } = error;
  if (scrub(message) === message && scrub(hint ?? '') === (hint ?? '') && scrub(resource ?? '') === (resource ?? '')) return error;
  return new BinauthzError(code, scrub(message), {
    ...(resource === undefined ? {} : { resource: scrub(resource) }),
    ...(hint === undefined ? {} : { hint: scrub(hint) }),
    ...(transient === undefined ? {} : { transient }),
    cause,
  });
}

/** Any plain data with the secrets taken out of its texts. */
function scrubbed<T>(value: T, scrub: Scrub): T {
  if (typeof value === 'string') return scrub(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => scrubbed(item, scrub)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrubbed(item as unknown, scrub)])) as T;
}
