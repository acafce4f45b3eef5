// SPDX-License-Identifier: Apache-2.0
// What a rotation does with each digest that it was told of.
import type { BinauthzError } from '../errors.js';
import type { Digest } from '../image/digest.js';
import type { PinnedReference } from '../image/reference.js';
import type { OccurrenceName } from '../names.js';
import { isCovered, type Coverage } from './coverage.js';

/** A digest of a rotation. */
export interface Task {
  readonly digest: Digest;
  /** As results name it. */
  readonly name: string;
  readonly platform?: string;
  readonly decision: Decision;
  /** What there is to say against it. */
  readonly error?: BinauthzError;
}

/** What becomes of a digest: it verifies under the new key already, or it verifies and is attested anew, or it is left alone. */
export type Decision =
  | { readonly kind: 'existing'; readonly occurrence: OccurrenceName }
  | { readonly kind: 'attest'; readonly image: PinnedReference }
  | { readonly kind: 'unattested'; readonly doubt?: string }
  | { readonly kind: 'nameless' };

/** Only what verifies beyond doubt is signed: a rotation never makes an image deployable that was not. */
export function decide(coverage: Coverage | undefined, newKeyId: string | undefined): Decision {
  if (!coverage || !isCovered(coverage)) {
    const doubt = coverage?.keys[0]?.doubt;
    return { kind: 'unattested', ...(doubt === undefined ? {} : { doubt }) };
  }
  const done = coverage.keys.find(({ id, doubt }) => id === newKeyId && doubt === undefined);
  if (done) return { kind: 'existing', occurrence: done.occurrence };
  return coverage.image ? { kind: 'attest', image: coverage.image } : { kind: 'nameless' };
}
