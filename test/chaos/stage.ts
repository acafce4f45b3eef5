// SPDX-License-Identifier: Apache-2.0
// What every schedule plays on: keys, attestors and images are made once, occurrences are swept away in between.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createMessage, decryptKey, readPrivateKey, sign as signPgp, type PrivateKey } from 'openpgp';
import { makeCanaries, needlesOf, type Canaries, type Needle } from '../support/canaries.js';
import { pushImage } from '../support/images.js';
import { simpleSigningPayload } from '../support/keys.js';
import { makePgpKey } from '../support/pgp-keys.js';
import { pkixEntry, PROJECT, Stage, type StagedKey } from '../support/stage.js';
import { FIXTURES, type FixtureName } from './fixtures.js';
import type { Front } from './front.js';
import { SIGNERS, type Leftover, type Scenario, type SignerName } from './schedule.js';

/** An attestor of the stage, and the one key that it trusts. */
export interface StagedAttestor {
  readonly name: string;
  readonly note: string;
  readonly keyId: string;
  /** SPKI in PEM, or an armored PGP key. */
  readonly publicKey: string;
}

/** The occurrence of an attestation as Container Analysis shows it, as far as it is looked at. */
export interface Occurrence {
  readonly name: string;
  readonly kind: string;
  readonly noteName: string;
  readonly resourceUri: string;
  readonly attestation: {
    readonly serializedPayload: string;
    readonly signatures: readonly { readonly publicKeyId: string; readonly signature: string }[];
  };
}

type Sign = (payload: Buffer) => Promise<Buffer>;

const REPOSITORY = `${PROJECT}/shop`;

/** The stage, through Google's REST paths. */
export class ChaosStage {
  readonly #calls: Stage;
  readonly #bodies = new Map<string, Promise<unknown>>();

  private constructor(
    readonly front: Front,
    readonly canaries: Canaries,
    readonly needles: readonly Needle[],
    readonly kms: StagedKey,
    readonly attestors: Readonly<Record<SignerName, StagedAttestor>>,
    readonly signs: Readonly<Record<SignerName, Readonly<Record<Leftover['by'], Sign>>>>,
  ) {
    this.#calls = new Stage(front.emulator);
  }

  static async set(front: Front): Promise<ChaosStage> {
    const calls = new Stage(front.emulator);
    // Thousands of runs unlock the key.
    const canaries = await makeCanaries({ s2kIterationCountByte: 0 });
    const kms = await calls.kmsKey('signer');
    const ids = { kms: `//cloudkms.googleapis.com/v1/${kms.version}`, pkix: 'https://keys.example.com/pkix' };
    const entries = {
      kms: pkixEntry(kms, 'EC_SIGN_P256_SHA256'),
      pkix: { id: ids.pkix, pkixPublicKey: { publicKeyPem: canaries.pkixPublic, signatureAlgorithm: 'ECDSA_P256_SHA256' } },
      pgp: { asciiArmoredPgpPublicKey: canaries.pgpPublic },
    };
    const publicKeys = { kms: kms.pem, pkix: canaries.pkixPublic, pgp: canaries.pgpPublic };
    const made: [SignerName, StagedAttestor][] = [];
    for (const signer of SIGNERS) {
      const name = await calls.attestor(signer, [entries[signer]]);
      const { userOwnedGrafeasNote: owned } = await calls.call('GET', `/v1/${name}`);
      made.push([signer, { name, note: owned.noteReference, keyId: owned.publicKeys[0].id, publicKey: publicKeys[signer] }]);
    }
    for (const [name, image] of Object.entries(FIXTURES))
      await pushImage(front.emulator.url, `${REPOSITORY}/${name}`, 'v1', image, {
        headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
      });
    const attestors = Object.fromEntries(made) as Record<SignerName, StagedAttestor>;
    const signs = await signersOf(calls, kms, canaries);
    return new ChaosStage(front, canaries, await needlesOf(canaries), kms, attestors, signs);
  }

  /** What a user of this scenario calls the repository of an image. */
  repositoryOf(image: FixtureName, route: Scenario['route']): string {
    return `${route === 'emulator' ? 'us-docker.pkg.dev' : this.front.host}/${REPOSITORY}/${image}`;
  }

  /** Puts everything where the scenario wants it to be. */
  async prepare(scenario: Scenario): Promise<void> {
    await this.sweep();
    if (scenario.check === 'enforce') await this.#require(scenario.signers);
    for (const leftover of scenario.leftovers) await this.post(leftover, scenario.route);
  }

  /** Stores an attestation as somebody else would; the signature over the same is always the same. */
  async post(leftover: Leftover, route: Scenario['route']): Promise<void> {
    const key = JSON.stringify([leftover, route]);
    const body = this.#bodies.get(key) ?? this.#sign(leftover, route);
    this.#bodies.set(key, body);
    await this.#store(await body);
  }

  /** Stores an attestation with a signature of its own. */
  async postAnew(leftover: Leftover, route: Scenario['route']): Promise<void> {
    await this.#store(await this.#sign(leftover, route));
  }

  async #store(occurrence: unknown): Promise<void> {
    await this.#calls.call('POST', `/v1/projects/${PROJECT}/occurrences`, occurrence);
  }

  async #sign({ signer, digest, by }: Leftover, route: Scenario['route']): Promise<unknown> {
    const { note, keyId } = this.attestors[signer];
    const repository = this.repositoryOf(imageWith(digest), route);
    const payload = simpleSigningPayload(repository, digest);
    const signature = await this.signs[signer][by](payload);
    return {
      kind: 'ATTESTATION',
      noteName: note,
      resourceUri: `https://${repository}@${digest}`,
      attestation: {
        serializedPayload: payload.toString('base64'),
        signatures: [
          { publicKeyId: by === 'trusted' ? keyId : 'https://keys.example.com/retired', signature: signature.toString('base64') },
        ],
      },
    };
  }

  /** What the enforcer would read of an attestor's note now. */
  async listed(signer: SignerName): Promise<readonly Occurrence[]> {
    const { note } = this.attestors[signer];
    const { occurrences = [] } = await this.#calls.call('GET', `/v1/${note}/occurrences?pageSize=1000`);
    return occurrences;
  }

  /** Deletes every occurrence that is visible. */
  async sweep(): Promise<void> {
    for (const name of await this.#calls.occurrences()) await this.#calls.call('DELETE', `/v1/${name}`);
  }

  async #require(signers: readonly SignerName[]): Promise<void> {
    await this.#calls.call('PUT', `/v1/projects/${PROJECT}/policy`, {
      defaultAdmissionRule: {
        evaluationMode: 'REQUIRE_ATTESTATION',
        enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
        requireAttestationsBy: signers.map((signer) => this.attestors[signer].name),
      },
      globalPolicyEvaluationMode: 'DISABLE',
    });
  }
}

function imageWith(digest: string): FixtureName {
  const found = Object.entries(FIXTURES).find(([, image]) => [image, ...image.children].some((one) => one.digest === digest));
  if (!found) throw new Error(`no fixture holds ${digest}`);
  return found[0] as FixtureName;
}

async function signersOf(calls: Stage, kms: StagedKey, canaries: Canaries): Promise<ChaosStage['signs']> {
  const trustedPgp = await decryptKey({
    privateKey: await readPrivateKey({ armoredKey: canaries.pgp }),
    passphrase: canaries.passphrase,
  });
  const retiredPgp = await readPrivateKey({ armoredKey: (await makePgpKey()).secret });
  const retired = pkix(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const withKms: Sign = async (payload) => {
    const digest = { sha256: (await hash(payload)).toString('base64') };
    const { signature } = await calls.call('POST', `/v1/${kms.version}:asymmetricSign`, { digest });
    return Buffer.from(signature, 'base64');
  };
  return {
    kms: { trusted: withKms, retired },
    pkix: { trusted: pkix(canaries.pkix), retired },
    pgp: { trusted: pgp(trustedPgp), retired: pgp(retiredPgp) },
  };
}

function pkix(key: KeyObject | string): Sign {
  return (payload) => Promise.resolve(sign('sha256', payload, key));
}

function pgp(signingKeys: PrivateKey): Sign {
  return async (payload) => Buffer.from(await signPgp({ message: await createMessage({ binary: payload }), signingKeys }));
}

async function hash(payload: Buffer): Promise<Buffer> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(payload)));
}
