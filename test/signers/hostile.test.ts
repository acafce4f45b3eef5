// SPDX-License-Identifier: Apache-2.0
// PGP messages that mean harm, and texts that would make a parser slow.
import { deflateRawSync } from 'node:zlib';
import {
  armor,
  config,
  encrypt,
  createMessage,
  enums,
  LiteralDataPacket,
  PacketList,
  readPrivateKey,
  SignaturePacket,
  type PrivateKey,
} from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import type { Verification } from '../../src/core/signing/verifier.js';
import { dearmor, labelsIn, readKeyContent } from '../../src/signers/key-text.js';
import { verifyPgp } from '../../src/signers/pgp.js';
import { makePgpKey } from '../support/pgp-keys.js';

const PAYLOAD = new TextEncoder().encode('{"critical":{}}\n');
const OTHER = new TextEncoder().encode('{"critical":{"x":1}}\n');

let listed: Extract<AttestorKey, { kind: 'pgp' }>;
let key: PrivateKey;
let stranger: PrivateKey;

beforeAll(async () => {
  const [mine, foreign] = await Promise.all([makePgpKey(), makePgpKey()]);
  listed = { kind: 'pgp', id: mine.fingerprint, armored: mine.public };
  key = await readPrivateKey({ armoredKey: mine.secret });
  stranger = await readPrivateKey({ armoredKey: foreign.secret });
});

// What openpgp's types keep to themselves.
interface Fillable {
  setBytes(bytes: Uint8Array, format: enums.literal): void;
}

function literal(bytes: Uint8Array): LiteralDataPacket {
  const packet = new LiteralDataPacket();
  (packet as unknown as Fillable).setBytes(bytes, enums.literal.binary);
  return packet;
}

interface Made {
  readonly type?: number;
  readonly by?: PrivateKey;
  readonly change?: (packet: SignaturePacket) => void;
}

type Signable = SignaturePacket & {
  sign(key: unknown, data: LiteralDataPacket, date: Date, detached: boolean, config: unknown): Promise<void>;
};

async function signatureOver(bytes: Uint8Array, { type = enums.signature.binary, by = key, change }: Made = {}): Promise<SignaturePacket> {
  const packet = new SignaturePacket() as Signable;
  Object.assign(packet, { signatureType: type, publicKeyAlgorithm: by.keyPacket.algorithm, hashAlgorithm: enums.hash.sha512 });
  change?.(packet);
  await packet.sign(by.keyPacket, literal(bytes), new Date(Date.now() - 1_000), false, {
    ...config,
    nonDeterministicSignaturesViaNotation: false,
  });
  return packet;
}

function messageOf(...packets: readonly (SignaturePacket | LiteralDataPacket)[]): Uint8Array {
  const list = new PacketList<SignaturePacket | LiteralDataPacket>();
  list.push(...packets);
  return list.write();
}

function check(binary: Uint8Array): Promise<Verification> {
  return verifyPgp(PAYLOAD, new TextEncoder().encode(armor(enums.armor.message, binary)), listed, Date.now());
}

const compressed = (inner: Uint8Array): Buffer => Buffer.concat([Buffer.from([0xa3, enums.compression.zip]), deflateRawSync(inner)]);

describe('a PGP message', () => {
  it('counts with one good signature among others', async () => {
    expect(
      await check(
        messageOf(
          await signatureOver(OTHER),
          await signatureOver(PAYLOAD, { by: stranger }),
          await signatureOver(PAYLOAD),
          literal(PAYLOAD),
        ),
      ),
    ).toEqual({ verified: true });
    expect(await check(compressed(messageOf(await signatureOver(PAYLOAD), literal(PAYLOAD))))).toEqual({ verified: true });
  });

  it.each<[string, () => Promise<Uint8Array>]>([
    ['a signature over other bytes', async () => messageOf(await signatureOver(OTHER), literal(PAYLOAD))],
    ['a signature over other bytes, which it wraps', async () => messageOf(await signatureOver(OTHER), literal(OTHER))],
    // These sign nothing: they would be good for any content.
    ['a standalone signature', async () => messageOf(await signatureOver(PAYLOAD, { type: enums.signature.standalone }), literal(PAYLOAD))],
    ['a timestamp signature', async () => messageOf(await signatureOver(PAYLOAD, { type: enums.signature.timestamp }), literal(PAYLOAD))],
    ['a stranger’s signature', async () => messageOf(await signatureOver(PAYLOAD, { by: stranger }), literal(PAYLOAD))],
    [
      'a stranger’s signature that claims to be ours',
      async () =>
        messageOf(Object.assign(await signatureOver(PAYLOAD, { by: stranger }), { issuerKeyID: key.getKeyID() }), literal(PAYLOAD)),
    ],
    [
      'an unknown critical notation',
      async () =>
        messageOf(
          await signatureOver(PAYLOAD, {
            change: (packet) => packet.rawNotations.push({ name: 'a@b', value: new Uint8Array(), humanReadable: true, critical: true }),
          }),
          literal(PAYLOAD),
        ),
    ],
    ['two contents', async () => messageOf(await signatureOver(OTHER), literal(PAYLOAD), literal(OTHER))],
    ['no signature', () => Promise.resolve(messageOf(literal(PAYLOAD)))],
    ['no content', async () => messageOf(await signatureOver(PAYLOAD))],
    ['nothing', () => Promise.resolve(new Uint8Array())],
    [
      'a version 3 signature',
      async () => {
        const bytes = messageOf(await signatureOver(PAYLOAD), literal(PAYLOAD));
        bytes[bytes.indexOf(4)] = 3;
        return bytes;
      },
    ],
    ['a compressed message in another', async () => compressed(compressed(messageOf(await signatureOver(PAYLOAD), literal(PAYLOAD))))],
    ['a bomb', () => Promise.resolve(compressed(new Uint8Array(200_000_000)))],
    [
      'encryption',
      async () =>
        await encrypt({
          message: await createMessage({ binary: PAYLOAD }),
          encryptionKeys: [],
          passwords: ['x'],
          signingKeys: key,
          format: 'binary',
        }),
    ],
  ])('does not count with %s', async (_name, make) => {
    expect(await check(await make())).toMatchObject({ verified: false, reason: expect.any(String) as string });
  });

  it.each<[string, (message: string) => string]>([
    ['headers without end', () => `-----BEGIN PGP MESSAGE-----\n${'a: b\n'.repeat(150_000)}`],
    ['dashes', () => `-----BEGIN PGP MESSAGE-----\n\n${'-'.repeat(900_000)}`],
    ['BEGIN lines', () => '-----BEGIN PGP MESSAGE-----\n'.repeat(30_000)],
    ['checksums', () => `-----BEGIN PGP MESSAGE-----\n\n${'=\n'.repeat(400_000)}`],
    ['markers', () => armor(enums.armor.message, new Uint8Array(Buffer.from('ca03504750'.repeat(100_000), 'hex')))],
  ])('of %s is refused in time', async (_name, make) => {
    const startedAt = performance.now();
    expect(await verifyPgp(PAYLOAD, new TextEncoder().encode(make('')).subarray(0, 1_000_000), listed, Date.now())).toMatchObject({
      verified: false,
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('key texts', () => {
  const long = (part: string): string => part.repeat(Math.ceil(200_000 / part.length));
  it.each([' ', '\n', 'A', '-----BEGIN PGP A-----\nA:', 'A:-----BEGIN PGP A-----\n', '-----BEGIN PRIVATE KEY-----', '"', '\\n', '='])(
    'are read in linear time, also of many %j',
    (part) => {
      const startedAt = performance.now();
      for (const text of [long(part), `AAAA${long(part)}A`, `-----BEGIN PGP A-----\n${long(part)}`]) {
        readKeyContent(text);
        labelsIn(text);
        dearmor(text);
      }
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    },
  );
});
