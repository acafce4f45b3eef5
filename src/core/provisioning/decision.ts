// SPDX-License-Identifier: Apache-2.0
import type { BinauthzError } from '../errors.js';

/** What has to be done about one resource, given how it was found. */
export type Decision<Write> =
  | { readonly action: 'none'; readonly summary: string; readonly write?: undefined; readonly warnings?: readonly string[] }
  | {
      readonly action: 'create' | 'update';
      /** One sentence for people. */
      readonly summary: string;
      /** More of them. */
      readonly details?: readonly string[];
      /** The command that does the same by hand; may be several lines. */
      readonly gcloud: string;
      readonly write: Write;
      /** Why it may not be done all the same; nothing at all is done then. */
      readonly refusal?: BinauthzError;
      /** What should be known besides: nothing is done about it. */
      readonly warnings?: readonly string[];
    };
