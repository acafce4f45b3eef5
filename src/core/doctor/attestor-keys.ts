// SPDX-License-Identifier: Apache-2.0
// What an attestor trusts: whether there is a key at all, and whether anything can be verified with it.
import type { Attestor } from '../attestation/attestor.js';
import type { ErrorCode } from '../errors.js';
import type { AttestorName } from '../names.js';
import { shellLine } from '../provisioning/gcloud.js';
import type { GivenKey } from '../signing/given-key.js';
import { pairKeys } from '../signing/pairing.js';
import { publicKeyOf, type AttestorKey } from '../signing/public-key.js';
import { distrust, rotateTo, trust, trustSome } from './commands.js';
import { known, type AttestorFacts, type DeadKey, type DoctorFacts } from './facts.js';
import type { Eyes, Finding } from './findings.js';

/** What is wrong with the keys that an attestor lists. */
export function judgeListedKeys(
  attestor: Attestor,
  { deadKeys = [] }: Pick<AttestorFacts, 'deadKeys'>,
  facts: DoctorFacts,
): readonly Finding[] {
  const given = known(facts.keys.map(({ opened }) => opened));
  if (attestor.keys.length === 0) return [withoutKeys(attestor.name, given)];
  const { eyes } = facts.question;
  const dead = attestor.keys.flatMap((listed) => {
    const why = whyUnusable(listed, deadKeys);
    return why === undefined ? [] : [{ listed, why }];
  });
  const isLost = dead.length === attestor.keys.length;
  const signing = eyes === 'attest' ? signingFor(attestor, given) : undefined;
  const areOpen = given.length > 0 && given.length === facts.keys.length;
  return dead.map(({ listed, why }, index) => {
    const signed = signing?.listed === listed ? signing.by : undefined;
    const error = signed ? 'SIGNATURE_INVALID' : isLost ? lostError(eyes) : undefined;
    return {
      code: 'ATTESTOR_KEY_UNUSABLE',
      resource: attestor.name,
      message: `${attestor.name} lists the key ${listed.id} ${why}${signed || isLost ? `; ${consequence(signed, isLost)}` : ''}`,
      fix: repair(attestor.name, listed, { signed, isFirstOfLost: isLost && !areOpen && index === 0 }),
      ...(error === undefined ? {} : { error }),
    };
  });
}

function withoutKeys(name: AttestorName, [key]: readonly GivenKey[]): Finding {
  return {
    code: 'ATTESTOR_WITHOUT_KEYS',
    resource: name,
    message: `${name} trusts no key: whatever is attested, it is never satisfied, and every image that needs it is denied`,
    fix: key ? trust(name, key) : trustSome(name),
  };
}

function whyUnusable(listed: AttestorKey, deadKeys: readonly DeadKey[]): string | undefined {
  if (publicKeyOf(listed) === undefined) {
    const algorithm = listed.kind === 'pkix' ? listed.algorithm : 'PGP';
    return `(${algorithm}), which cannot be verified with here; what Google does with it is not published`;
  }
  const dead = deadKeys.find(({ id }) => id === listed.id);
  return dead && `(PGP), with which nothing verifies, whatever it signed: ${dead.why}`;
}

/** The entry that attest would sign under, and the given key that it would sign with. */
function signingFor(attestor: Attestor, given: readonly GivenKey[]): { readonly listed: AttestorKey; readonly by: GivenKey } | undefined {
  const [pair] = pairKeys([attestor], given).pairs;
  const by = pair && given.find(({ signers }) => signers.includes(pair.signer));
  return by && { listed: pair.attestorKey, by };
}

function lostError(eyes: Eyes): ErrorCode {
  return eyes === 'attest' ? 'KEY_NOT_TRUSTED' : 'POLICY_DENIED';
}

function consequence(signed: GivenKey | undefined, isLost: boolean): string {
  const lost = 'the attestor has no key that anything verifies with, so that every image that needs it is denied';
  if (!signed) return lost;
  const stale = `${signed.name} signs, and nothing that it signs verifies there: the command lists that key as it is now`;
  return isLost ? `${lost}; ${stale}` : stale;
}

// A given key that the attestor does not trust is a finding of its own, which adds it: here the dead one is only taken out.
function repair(
  name: AttestorName,
  listed: AttestorKey,
  { signed, isFirstOfLost }: { readonly signed: GivenKey | undefined; readonly isFirstOfLost: boolean },
): string {
  if (signed) return [distrust(name, listed.id), trust(name, signed)].join('\n');
  if (!isFirstOfLost) return distrust(name, listed.id);
  return listed.kind === 'pgp' ? shellLine(rotateTo(name, listed.id)) : [distrust(name, listed.id), trustSome(name)].join('\n');
}
