// SPDX-License-Identifier: Apache-2.0
// GnuPG as the judge of what we sign, and as the maker of keys and signatures that we must understand. Its status
// lines are read, because it exits 0 for expired and revoked keys.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Signer } from '../../src/core/signing/signer.js';
import { openPgpKey, readPublicKey, verifyPgp } from '../../src/signers/pgp.js';
import { PAYLOAD } from '../contracts/signer.js';
import { fakePace } from '../support/fake-pace.js';
import { Gpg, HAS_GPG } from '../support/gpg.js';
import { makePgpKey, PGP_KINDS } from '../support/pgp-keys.js';

const PASSPHRASE = 'a pass phrase';
const MINUTE_MS = 60_000;

// gpg's clock and ours agree, but a key made this second must not be newer than the signature.
function open(secret: string, passphrase?: string, nowMs = Date.now() + MINUTE_MS / 60): Promise<Signer> {
  return openPgpKey(
    new Secret(secret, 'PGP_KEY'),
    passphrase === undefined ? undefined : new Secret(passphrase, 'PGP_PASSPHRASE'),
    fakePace(nowMs),
  );
}

describe.skipIf(!HAS_GPG)('GnuPG (skipped where there is none)', () => {
  let gpg: Gpg;
  beforeAll(() => {
    gpg = new Gpg();
  });
  afterAll(() => {
    gpg.dispose();
  });

  async function expectGood(signer: Signer, fingerprint: string, by: 'primary' | 'subkey' = 'primary'): Promise<void> {
    const verdict = gpg.judge(await signer.sign(PAYLOAD, signer.publicKeys[0]));
    expect(verdict.words).toEqual(expect.arrayContaining(['GOODSIG', 'VALIDSIG']));
    expect(verdict.primary).toBe(fingerprint);
    expect(verdict.signer === fingerprint).toBe(by === 'primary');
    expect(Buffer.compare(verdict.data, PAYLOAD)).toBe(0);
    expect(signer.publicKeys).toEqual([{ kind: 'pgp', fingerprint }]);
  }

  function listed(fingerprint: string): Extract<AttestorKey, { kind: 'pgp' }> {
    return { kind: 'pgp', id: fingerprint, armored: gpg.exportPublic(fingerprint) };
  }

  describe('verifies what we sign', () => {
    const makers = Object.entries(PGP_KINDS).flatMap(([kind, options]) =>
      [undefined, PASSPHRASE].map(
        (passphrase) => [`${kind}, ${passphrase === undefined ? 'bare' : 'protected'}`, options, passphrase] as const,
      ),
    );

    it.each(makers)('with a key made by openpgp: %s', async (_name, options, passphrase) => {
      const key = await makePgpKey(passphrase === undefined ? options : { ...options, passphrase });
      gpg.import(key.public);
      await expectGood(await open(key.secret, passphrase), key.fingerprint);
    });

    // gpg takes seconds for an RSA key, so each size is made in one way only.
    it.each<[string, string, string | undefined]>([
      ['rsa4096, protected', 'rsa4096', PASSPHRASE],
      ['rsa3072, bare', 'rsa3072', undefined],
      ['ed25519, protected', 'ed25519', PASSPHRASE],
      ['ed25519, bare', 'ed25519', undefined],
      ['nistp256, protected', 'nistp256', PASSPHRASE],
      ['nistp256, bare', 'nistp256', undefined],
    ])('with a key made by gpg: %s', async (_name, algorithm, passphrase) => {
      const fingerprint = gpg.generate({ algorithm, ...(passphrase === undefined ? {} : { passphrase }) });
      const secret = gpg.exportSecret(fingerprint, passphrase);
      await expectGood(await open(secret, passphrase), fingerprint);
      await expectGood(await open(Buffer.from(secret).toString('base64'), passphrase), fingerprint);
      expect((await readPublicKey(gpg.exportPublic(fingerprint), new Date()))?.fingerprint).toBe(fingerprint);
      if (passphrase !== undefined) {
        await expect(open(secret, 'wrong')).rejects.toMatchObject({ code: 'PASSPHRASE_REJECTED' });
        await expect(open(secret)).rejects.toMatchObject({ code: 'PASSPHRASE_REJECTED' });
      }
    });

    it("with gpg's default kind of key, which has an encryption subkey", async () => {
      const fingerprint = gpg.generate({ algorithm: 'default', usage: 'default', passphrase: PASSPHRASE });
      await expectGood(await open(gpg.exportSecret(fingerprint, PASSPHRASE), PASSPHRASE), fingerprint);
    });

    it('with the primary where a subkey could sign as well, since attestors name the primary', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519' });
      gpg.addSubkey(fingerprint, 'ed25519');
      const signer = await open(gpg.exportSecret(fingerprint));
      await expectGood(signer, fingerprint);
      expect(
        await verifyPgp(PAYLOAD, await signer.sign(PAYLOAD, signer.publicKeys[0]), listed(fingerprint), Date.now() + MINUTE_MS),
      ).toEqual({ verified: true });
    });
  });

  describe('subkeys', () => {
    it('sign where the primary only certifies, under the fingerprint of the primary', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519', usage: 'cert', passphrase: PASSPHRASE });
      gpg.addSubkey(fingerprint, 'nistp256/ecdsa', { passphrase: PASSPHRASE });
      const signer = await open(gpg.exportSecret(fingerprint, PASSPHRASE), PASSPHRASE);
      await expectGood(signer, fingerprint, 'subkey');
      expect(
        await verifyPgp(PAYLOAD, await signer.sign(PAYLOAD, signer.publicKeys[0]), listed(fingerprint), Date.now() + MINUTE_MS),
      ).toEqual({ verified: true });
    });

    it('sign where the secret part of the primary was left at home', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519', passphrase: PASSPHRASE });
      gpg.addSubkey(fingerprint, 'ed25519', { passphrase: PASSPHRASE });
      await expectGood(await open(gpg.exportSecret(fingerprint, PASSPHRASE, '--export-secret-subkeys'), PASSPHRASE), fingerprint, 'subkey');
    });

    it('are refused when they have expired, and none else can sign', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519', usage: 'cert', at: '20240101T000000' });
      gpg.addSubkey(fingerprint, 'ed25519', { at: '20240101T000000', expire: '1m' });
      await expect(open(gpg.exportSecret(fingerprint))).rejects.toMatchObject({
        code: 'KEY_UNUSABLE',
        message: expect.stringMatching(/Subkey is expired/),
      });
      await expect(open(gpg.exportSecret(fingerprint), undefined, Date.UTC(2024, 0, 10))).resolves.toMatchObject({ name: fingerprint });
    });

    it('that expired after signing no longer verify', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519', usage: 'cert', at: '20240101T000000' });
      gpg.addSubkey(fingerprint, 'ed25519', { at: '20240101T000000', expire: '1m' });
      const signer = await open(gpg.exportSecret(fingerprint), undefined, Date.UTC(2024, 0, 10));
      const signature = await signer.sign(PAYLOAD, signer.publicKeys[0]);
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.UTC(2024, 0, 20))).toEqual({ verified: true });
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.now())).toEqual({
        verified: false,
        reason: expect.stringMatching(/Subkey is expired/),
      });
    });

    it('for encryption only, and certifying primaries, cannot sign', async () => {
      const fingerprint = gpg.generate({ algorithm: 'rsa2048', usage: 'cert' });
      gpg.addSubkey(fingerprint, 'rsa2048', { usage: 'encr' });
      await expect(open(gpg.exportSecret(fingerprint))).rejects.toMatchObject({
        code: 'KEY_UNUSABLE',
        resource: fingerprint,
        message: expect.stringMatching(/not for signing.*not for signing/),
      });
    });
  });

  describe('expired and revoked keys made by gpg', () => {
    it('expired: cannot be opened, and verify no more', async () => {
      const fingerprint = gpg.generate({ algorithm: 'rsa3072', at: '20240101T000000', expire: '1y' });
      await expect(open(gpg.exportSecret(fingerprint))).rejects.toMatchObject({
        code: 'KEY_UNUSABLE',
        message: expect.stringMatching(/expired since 2024-12-31T/),
      });
      const signer = await open(gpg.exportSecret(fingerprint), undefined, Date.UTC(2024, 5, 1));
      const signature = await signer.sign(PAYLOAD, signer.publicKeys[0]);
      expect(gpg.judge(signature).words).toContain('EXPKEYSIG');
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.now())).toEqual({
        verified: false,
        reason: expect.stringMatching(/expired/),
      });
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.UTC(2024, 6, 1))).toEqual({ verified: true });
    });

    it('revoked: cannot be opened, and verify no more', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519' });
      const signer = await open(gpg.exportSecret(fingerprint));
      const signature = await signer.sign(PAYLOAD, signer.publicKeys[0]);
      gpg.revoke(fingerprint);
      await expect(open(gpg.exportSecret(fingerprint))).rejects.toMatchObject({
        code: 'KEY_UNUSABLE',
        message: expect.stringMatching(/revoked/),
      });
      expect(gpg.judge(signature).words).toContain('REVKEYSIG');
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.now() + MINUTE_MS)).toEqual({
        verified: false,
        reason: expect.stringMatching(/revoked/),
      });
    });
  });

  describe('signs what we verify', () => {
    it.each(['rsa3072', 'ed25519', 'nistp256'])('%s: attached yes, clear-signed, detached and in text mode no', async (algorithm) => {
      const fingerprint = gpg.generate({ algorithm });
      const key = listed(fingerprint);
      const verify = (...how: readonly string[]): ReturnType<typeof verifyPgp> =>
        verifyPgp(PAYLOAD, gpg.sign(fingerprint, PAYLOAD, ...how), key, Date.now() + MINUTE_MS);
      expect(await verify('--sign')).toEqual({ verified: true });
      expect(await verify('--compress-algo', 'none', '--sign')).toEqual({ verified: true });
      expect(await verify('--clearsign')).toEqual({ verified: false, reason: expect.stringContaining('clear-signed') });
      expect(await verify('--detach-sign')).toEqual({ verified: false, reason: expect.stringContaining('detached') });
      expect(await verify('--textmode', '--sign')).toEqual({ verified: false, reason: expect.stringContaining('other bytes') });
      expect(await verifyPgp(PAYLOAD.slice(1), gpg.sign(fingerprint, PAYLOAD, '--sign'), key, Date.now() + MINUTE_MS)).toMatchObject({
        verified: false,
      });
    });

    it('but not with SHA-1', async () => {
      const fingerprint = gpg.generate({ algorithm: 'rsa2048' });
      const signature = gpg.sign(fingerprint, PAYLOAD, '--digest-algo', 'SHA1', '--sign');
      expect(await verifyPgp(PAYLOAD, signature, listed(fingerprint), Date.now() + MINUTE_MS)).toEqual({
        verified: false,
        reason: expect.stringMatching(/sha1/i),
      });
    });

    it('also where the attestor holds all that gpg exported', async () => {
      const [one, two] = [gpg.generate({ algorithm: 'ed25519' }), gpg.generate({ algorithm: 'ed25519' })];
      const key = { kind: 'pgp', id: two, armored: gpg.exportPublic(one, two) } as const;
      expect(await verifyPgp(PAYLOAD, gpg.sign(two, PAYLOAD, '--sign'), key, Date.now() + MINUTE_MS)).toEqual({ verified: true });
      expect(await verifyPgp(PAYLOAD, gpg.sign(one, PAYLOAD, '--sign'), key, Date.now() + MINUTE_MS)).toMatchObject({ verified: false });
    });

    it('and a message that unpacks to too much is refused', async () => {
      const fingerprint = gpg.generate({ algorithm: 'ed25519' });
      const bomb = gpg.sign(fingerprint, new Uint8Array(8 * 1024 * 1024), '--sign');
      expect(bomb.length).toBeLessThan(100_000);
      expect(await verifyPgp(PAYLOAD, bomb, listed(fingerprint), Date.now() + MINUTE_MS)).toEqual({
        verified: false,
        reason: expect.stringMatching(/cannot be read/),
      });
    });
  });
});
