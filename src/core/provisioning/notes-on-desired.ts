// SPDX-License-Identifier: Apache-2.0
// What of a wish is rarely meant, told before anything is made.
import type { Desired } from './desired.js';
import { attestorsOf } from './policy-change.js';

/** A sentence for each such thing. */
export function notesOn({ attestor, policy, signers }: Desired): readonly string[] {
  const everybody = signers.filter((signer) => /^principalSet:.*\/(?:workloadIdentity|workforce)Pools\/[^/]+\/\*$/.test(signer));
  const isRequired = !policy || attestorsOf(policy.policy).includes(attestor);
  return [
    ...everybody.map(
      (signer) =>
        `${signer} is every identity of the pool, so that whoever it lets in may attest: name a repository instead, by attribute.…`,
    ),
    ...(isRequired ? [] : [`the policy in ${policy.file} does not require ${attestor}: its attestations admit nothing there`]),
  ];
}
