// SPDX-License-Identifier: Apache-2.0
import type { Pace } from '../core/retry.js';
import type { KeyJudge, Verifier } from '../core/signing/verifier.js';
import { verifyPkix } from './pkix.js';

/** The verifier of every kind of key; it answers bad data with a reason, and never throws. */
export function createVerifier(pace: Pick<Pace, 'now'>): Verifier & KeyJudge {
  return {
    verify: async (payload, signature, key) => {
      if (key.kind === 'pkix') return verifyPkix(payload, signature, key);
      const { verifyPgp } = await import('./pgp.js');
      return verifyPgp(payload, signature, key, pace.now());
    },
    whyDead: async (key) => {
      if (key.kind === 'pkix') return undefined;
      const { whyPgpKeyDead } = await import('./pgp.js');
      return whyPgpKeyDead(key, pace.now());
    },
  };
}
