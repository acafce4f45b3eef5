// SPDX-License-Identifier: Apache-2.0
// An attestor's PGP keys with which nothing verifies any more: an error where none is left, a warning beside one that lives, and
// gone once the printed command was run.
import { enums, readPrivateKey, revokeKey } from 'openpgp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER, entryOf, Patient, type Found } from '../support/doctor.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { Gpg, HAS_GPG } from '../support/gpg.js';
import { makePgpKey, type PgpKeyPair } from '../support/pgp-keys.js';
import { found, titled } from '../support/tools.js';

const HOUR_MS = 3_600_000;
const CODE = 'ATTESTOR_KEY_UNUSABLE';

async function revoked(): Promise<PgpKeyPair> {
  const pair = await makePgpKey();
  const { publicKey } = await revokeKey({
    key: await readPrivateKey({ armoredKey: pair.secret }),
    reasonForRevocation: { flag: enums.reasonForRevocation.keyCompromised },
    date: new Date(Date.now() - 1000),
    format: 'object',
  });
  return { ...pair, public: publicKey.armor() };
}

const expired = () =>
  makePgpKey({ type: 'ecc', curve: 'ed25519Legacy', date: new Date(Date.now() - 2 * HOUR_MS), keyExpirationTime: 3600 });

const DEAD: readonly (readonly [string, () => Promise<PgpKeyPair>, RegExp])[] = [
  ['revoked', revoked, /is not valid now: .*revoked/],
  ['expired', expired, /is not valid now: .*expired/],
];

let patient: Patient;
beforeEach(async () => {
  patient = await Patient.sound();
});
afterEach(() => patient.end());

const codes = (findings: readonly Found[]) => findings.map(({ code, level }) => [code, level]);
const trusting = (...keys: readonly unknown[]) => patient.stage.replaceKeys(patient.attestor, keys);
const listed = (pair: PgpKeyPair) => ({ asciiArmoredPgpPublicKey: pair.public });
const kms = () => entryOf(`//cloudkms.googleapis.com/v1/${patient.key.version}`, { pem: patient.key.pem, algorithm: 'ECDSA_P256_SHA256' });
const live = () => patient.doctor(['--attestor', patient.attestor, '--cluster', CLUSTER]);

describe.each(DEAD)('a PGP key that is %s', (_title, make, why) => {
  it('is an error where it is the only one, as check denies', async () => {
    const pair = await make();
    await trusting(listed(pair));
    const ended = await live();
    expect([ended.code, ended.json.ok, codes(ended.findings)]).toEqual([3, false, [[CODE, 'error']]]);
    expect(ended.findings[0]).toMatchObject({ resource: patient.attestor, error: 'POLICY_DENIED' });
    expect(ended.findings[0]!.message).toMatch(why);
    expect((await patient.check(patient.image)).code).toBe(3);
  });

  it('is a warning beside one that lives', async () => {
    const pair = await make();
    await trusting(kms(), listed(pair));
    const ended = await live();
    expect([ended.code, ended.json.ok, codes(ended.findings)]).toEqual([0, false, [[CODE, 'warning']]]);
    expect(ended.findings[0]!.message).toContain(pair.fingerprint);
  });
});

it('a PGP key that signs is no finding', async () => {
  await trusting(listed(await makePgpKey()));
  const ended = await live();
  expect([ended.code, ended.findings]).toEqual([0, []]);
});

it.skipIf(!HAS_GPG)(titled('a PGP key no part of which signs is one that nothing verifies with', 'gpg'), async () => {
  const gpg = new Gpg();
  try {
    const fingerprint = gpg.generate({ algorithm: 'rsa2048', usage: 'cert' });
    await trusting({ asciiArmoredPgpPublicKey: gpg.exportPublic(fingerprint) });
    const ended = await live();
    expect([ended.code, codes(ended.findings)]).toEqual([3, [[CODE, 'error']]]);
    expect(ended.findings[0]!.message).toContain(`${fingerprint} cannot sign now`);
    gpg.addSubkey(fingerprint, 'rsa2048');
    await trusting({ asciiArmoredPgpPublicKey: gpg.exportPublic(fingerprint) });
    expect((await live()).findings).toEqual([]);
  } finally {
    gpg.dispose();
  }
});

const CAN_RUN = HAS_GCLOUD && HAS_GPG && found('jq') && found('curl');

describe.skipIf(!CAN_RUN)(titled(titled('the printed command', 'gcloud'), 'gpg'), () => {
  const pasted = async (fix: string) => {
    const { code, stderr } = await patient.paste(fix);
    expect([code, code === 0 ? '' : `${fix}\n${stderr}`]).toEqual([0, '']);
  };

  it('rotates to another key where the last one is dead, and what is attested then is admitted', async () => {
    const [dead, next] = [await expired(), await makePgpKey()];
    await trusting(listed(dead));
    patient.secrets['NEW_PGP_PRIVATE_KEY'] = next.secret;
    await pasted((await live()).findings[0]!.fix);
    expect((await live()).findings).toEqual([]);
    const words = ['--attestor', patient.attestor, '--pgp-private-key-env', 'NEW_PGP_PRIVATE_KEY'];
    expect((await patient.attest(patient.image, words)).code).toBe(0);
    expect((await patient.check(patient.image)).code).toBe(0);
  });

  it('takes a dead key off beside one that lives', async () => {
    await trusting(kms(), listed(await revoked()));
    await pasted((await live()).findings[0]!.fix);
    expect((await live()).findings).toEqual([]);
  });

  it('lists a key anew that was prolonged since, without which attest fails', async () => {
    const gpg = new Gpg();
    try {
      const fingerprint = gpg.generate({ algorithm: 'rsa2048', at: '20240101T000000', expire: '2024-02-01' });
      const pair = { fingerprint, public: gpg.exportPublic(fingerprint), secret: '' };
      await trusting(listed(pair));
      gpg.run(['--quick-set-expire', fingerprint, '0']);
      patient.secrets['PGP_PRIVATE_KEY'] = gpg.exportSecret(fingerprint);
      patient.secrets['GNUPGHOME'] = gpg.home;
      const words = ['--attestor', patient.attestor, '--pgp-private-key-env', 'PGP_PRIVATE_KEY'];
      const image = await patient.push('fresh');
      const ended = await patient.doctor(words);
      expect([ended.code, codes(ended.findings)]).toEqual([7, [[CODE, 'error']]]);
      expect((await patient.attest(image, words)).code).toBe(7);
      await pasted(ended.findings[0]!.fix);
      expect((await patient.doctor(words)).findings).toEqual([]);
      expect((await patient.attest(image, words)).code).toBe(0);
    } finally {
      gpg.dispose();
    }
  });
});
