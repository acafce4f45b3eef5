// SPDX-License-Identifier: Apache-2.0
import { config, generateKey, type enums } from 'openpgp';

/** What openpgp is asked for when it makes a key. */
export type PgpKeyOptions = Partial<Omit<Parameters<typeof generateKey>[0], 'format'>>;

export interface PgpKeyPair {
  readonly secret: string;
  readonly public: string;
  readonly fingerprint: string;
}

/** The ways in which openpgp makes the keys of these tests; the first is the fastest. */
export const PGP_KINDS: Readonly<Record<string, PgpKeyOptions>> = {
  ed25519Legacy: { type: 'ecc', curve: 'ed25519Legacy' },
  nistP256: { type: 'ecc', curve: 'nistP256' },
  rsa3072: { type: 'rsa', rsaBits: 3072 },
  rsa4096: { type: 'rsa', rsaBits: 4096 },
};

/** A key made by openpgp, an hour old unless told otherwise. */
export async function makePgpKey(options: PgpKeyOptions = PGP_KINDS['ed25519Legacy'] ?? {}): Promise<PgpKeyPair> {
  const key = await generateKey({
    userIDs: [{ name: 'Test', email: 'test@example.com' }],
    date: new Date(Date.now() - 3_600_000),
    ...options,
    format: 'object',
  });
  return { secret: key.privateKey.armor(), public: key.publicKey.armor(), fingerprint: key.publicKey.getFingerprint().toUpperCase() };
}

/** A configuration that makes keys which openpgp refuses on its own account. */
export const WEAK = { ...config, minRSABits: 1024, rejectPublicKeyAlgorithms: new Set<enums.publicKey>() };
