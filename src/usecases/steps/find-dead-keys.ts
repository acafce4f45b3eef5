// SPDX-License-Identifier: Apache-2.0
import type { AttestorFacts, DeadKey } from '../../core/doctor/facts.js';
import type { KeyJudge } from '../../core/signing/verifier.js';

export interface DeadKeyPorts {
  readonly verifier: KeyJudge;
}

/** An attestor together with those of its keys that nothing verifies with. */
export async function withDeadKeys<Facts extends Pick<AttestorFacts, 'attestor'>>(
  facts: Facts,
  { verifier }: DeadKeyPorts,
): Promise<Facts & Pick<AttestorFacts, 'deadKeys'>> {
  const { attestor } = facts;
  if (!attestor.ok) return facts;
  const looked = await Promise.all(
    attestor.value.keys.map(async (key): Promise<DeadKey | undefined> => {
      const why = await verifier.whyDead(key);
      return why === undefined ? undefined : { id: key.id, why };
    }),
  );
  const deadKeys = looked.flatMap((dead) => dead ?? []);
  return deadKeys.length === 0 ? facts : { ...facts, deadKeys };
}
