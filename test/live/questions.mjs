// SPDX-License-Identifier: Apache-2.0
// What no document of Google's says and this product has to assume. Each question is asked of the attestor's own
// validation, and of nothing that stays.
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { createMessage, generateKey, sign as signPgp } from 'openpgp';
import { store, validate } from './google.mjs';

const TYPE = 'Google cloud binauthz container signature';
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pgp = await generateKey({ userIDs: [{ name: 'live' }], type: 'rsa', rsaBits: 3072, format: 'object' });

const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });

/** The private half of the first key, for the product itself. */
export const PKIX_PRIVATE_KEY = ec.privateKey.export({ type: 'pkcs8', format: 'pem' });

/** The keys that the attestor of the questions trusts. */
export const PUBLIC_KEYS = [
  { id: 'live:ec', pkixPublicKey: { publicKeyPem: pem(ec), signatureAlgorithm: 'ECDSA_P256_SHA256' } },
  { id: 'live:pss', pkixPublicKey: { publicKeyPem: pem(rsa), signatureAlgorithm: 'RSA_PSS_2048_SHA256' } },
  { asciiArmoredPgpPublicKey: pgp.publicKey.armor() },
];

/** Asks everything; each answer stands beside what the product assumes. */
export async function ask(project, attestor, image) {
  const at = image.indexOf('@');
  const [name, digest] = [image.slice(0, at), image.slice(at + 1)];
  const pgpId = attestor.keys.find((key) => key.asciiArmoredPgpPublicKey)?.id;
  const payload = (type = TYPE, { reference = name, spaces = 2, tail = '\n', more = {} } = {}) =>
    JSON.stringify(
      { critical: { identity: { 'docker-reference': reference }, image: { 'docker-manifest-digest': digest }, type }, ...more },
      null,
      spaces,
    ) + tail;
  const byEc = (text, signed = text) => ({
    payload: text,
    signature: sign('sha256', Buffer.from(signed), ec.privateKey),
    keyId: 'live:ec',
  });
  const byPss = (saltLength) => ({
    payload: payload(),
    signature: sign('sha256', Buffer.from(payload()), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }),
    keyId: 'live:pss',
  });
  const byPgp = async (text, signed = text) => ({
    payload: text,
    signature: await signPgp({
      message: await createMessage({ binary: Buffer.from(signed) }),
      signingKeys: pgp.privateKey,
      format: 'armored',
    }),
    keyId: pgpId,
  });
  const pae = (body, type = 'application/vnd.dev.cosign.simplesigning.v1+json') =>
    `DSSEv1 ${Buffer.byteLength(type)} ${type} ${Buffer.byteLength(body)} ${body}`;
  const ieee = sign('sha256', Buffer.from(payload()), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });

  const questions = [
    ['a plain payload, ECDSA in DER', 'VERIFIED', byEc(payload())],
    ['ECDSA as r and s', 'refused', { ...byEc(payload()), signature: ieee }],
    ['the signature is over the PAE of the payload', 'only with VERIFIED', byEc(payload(), pae(payload()))],
    ['type as Google’s continuous-validation guide spells it', 'VERIFIED', byEc(payload('Google Cloud BinAuthz container signature'))],
    ['type of the older tools (atomic container signature)', 'a doubt', byEc(payload('atomic container signature'))],
    ['a type of nobody', 'a doubt', byEc(payload('something else'))],
    ['the payload in one line, without a line feed', 'VERIFIED', byEc(payload(TYPE, { spaces: 0, tail: '' }))],
    ['a member beside critical', 'VERIFIED', byEc(payload(TYPE, { more: { optional: { a: 'b' } } }))],
    ['the name of another image, the same digest', 'VERIFIED', byEc(payload(TYPE, { reference: 'gcr.io/other/name' }))],
    ['RSA-PSS, salt as long as the digest', 'VERIFIED', byPss(32)],
    ['RSA-PSS, no salt', 'a doubt', byPss(0)],
    ['RSA-PSS, the longest salt', 'a doubt', byPss(constants.RSA_PSS_SALTLEN_MAX_SIGN)],
    ['PGP, attached', 'VERIFIED', await byPgp(payload())],
    ['PGP, the attached text differs from the stored payload by a space', 'refused', await byPgp(payload(), `${payload()} `)],
    ['PGP, the key id in lower case', 'refused', { ...(await byPgp(payload())), keyId: pgpId?.toLowerCase() }],
    ['an empty key id', 'refused', { ...byEc(payload()), keyId: '' }],
  ];
  const answers = [];
  for (const [question, assumed, attestation] of questions)
    answers.push({ question, assumed, answer: await validate(attestor, image, attestation) });

  const once = byEc(payload());
  const first = await store(project, attestor, image, once);
  const again = await store(project, attestor, image, once);
  const other = await store(project, attestor, image, byEc(payload()));
  answers.push({ question: 'an identical occurrence, stored twice', assumed: '200, 409', answer: `${first.status}, ${again.status}` });
  answers.push({ question: 'a second occurrence of the note on the image, signed anew', assumed: '200', answer: String(other.status) });
  return answers;
}
