// SPDX-License-Identifier: Apache-2.0
// How doctor tells a key with which nothing verifies from one that lives.
import { describe, expect, it } from 'vitest';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { KeyJudge } from '../../src/core/signing/verifier.js';
import { createVerifier } from '../../src/signers/verifier.js';
import { withDeadKeys } from '../../src/usecases/steps/find-dead-keys.js';
import { ATTESTOR, failed, listed, NOTE, ok } from '../support/doctor-facts.js';
import { makePgpKey } from '../support/pgp-keys.js';

const HOUR_MS = 3_600_000;
const pgp = (id: string, armored = 'A'): AttestorKey => ({ kind: 'pgp', id, armored });
const trusting = (...keys: readonly AttestorKey[]) => ({ name: ATTESTOR, attestor: ok({ name: ATTESTOR, note: NOTE, keys }) });

/** Says this of the keys with these ids. */
const saying = (why: Readonly<Record<string, string>>): KeyJudge => ({ whyDead: ({ id }) => Promise.resolve(why[id]) });

describe('a key with which nothing verifies', () => {
  it('is told with the reason', async () => {
    const facts = trusting(pgp('live'), pgp('dead'), pgp('too'));
    expect(await withDeadKeys(facts, { verifier: saying({ dead: 'the key is expired' }) })).toEqual({
      ...facts,
      deadKeys: [{ id: 'dead', why: 'the key is expired' }],
    });
  });

  it('is looked for in vain where there is none, or no attestor', async () => {
    for (const facts of [trusting(pgp('live')), { attestor: failed('UNAVAILABLE') }])
      expect(await withDeadKeys(facts, { verifier: saying({}) })).toBe(facts);
  });

  it('is no PKIX key, whatever it holds', async () => {
    const facts = trusting(listed(), listed(0, 'odd', 'ML_DSA_65'));
    expect(await withDeadKeys(facts, { verifier: createVerifier({ now: () => 0 }) })).toBe(facts);
  });

  it('is told by the verifier that attest and check have, once its time has come', async () => {
    const key = await makePgpKey({ type: 'ecc', curve: 'ed25519Legacy', keyExpirationTime: 2 * 3600 });
    const facts = trusting(pgp(key.fingerprint, key.public), pgp('none', 'no key'));
    const at = (now: number) => withDeadKeys(facts, { verifier: createVerifier({ now: () => now }) });
    const none = { id: 'none', why: expect.stringContaining('no readable armored PGP public key') as string };
    expect((await at(Date.now())).deadKeys).toEqual([none]);
    const expired = { id: key.fingerprint, why: expect.stringMatching(/is not valid now: .*expired/) as string };
    expect((await at(Date.now() + 2 * HOUR_MS)).deadKeys).toEqual([expired, none]);
  });
});
