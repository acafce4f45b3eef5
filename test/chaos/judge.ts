// SPDX-License-Identifier: Apache-2.0
// Whether a stored attestation is one that the enforcer would accept: by node:crypto and openpgp, not by the product.
import { verify } from 'node:crypto';
import { readKey, readMessage, verify as verifyPgp } from 'openpgp';
import type { Target } from './fixtures.js';
import type { SignerName } from './schedule.js';
import type { ChaosStage, Occurrence, StagedAttestor } from './stage.js';

/** The valid attestations of one digest by one attestor that are listed. */
export interface Finding {
  readonly signer: SignerName;
  readonly digest: string;
  readonly occurrences: readonly string[];
}

/** Verifies what is stored, each signature once. */
export class Judge {
  readonly #verdicts = new Map<string, Promise<boolean>>();

  constructor(readonly stage: ChaosStage) {}

  /** What is listed now for each target and signer. */
  async look(targets: readonly Target[], signers: readonly SignerName[]): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const signer of signers) {
      const listed = await this.stage.listed(signer);
      for (const { digest } of targets) {
        const valid = await Promise.all(listed.map((occurrence) => this.#isValid(occurrence, digest, this.stage.attestors[signer])));
        findings.push({ signer, digest, occurrences: listed.filter((_, index) => valid[index]).map(({ name }) => name) });
      }
    }
    return findings;
  }

  async #isValid(occurrence: Occurrence, digest: string, attestor: StagedAttestor): Promise<boolean> {
    const { kind, noteName, resourceUri, attestation } = occurrence;
    if (kind !== 'ATTESTATION' || noteName !== attestor.note || !resourceUri.endsWith(`@${digest}`)) return false;
    const payload = Buffer.from(attestation.serializedPayload, 'base64');
    if (!namesDigest(payload, digest)) return false;
    const signature = attestation.signatures.find(({ publicKeyId }) => publicKeyId === attestor.keyId);
    if (!signature) return false;
    const key = `${attestor.name} ${attestation.serializedPayload} ${signature.signature}`;
    // What cannot even be read is signed by nobody.
    const judged = (): Promise<boolean> =>
      isSignedBy(attestor.publicKey, payload, Buffer.from(signature.signature, 'base64')).catch(() => false);
    const verdict = this.#verdicts.get(key) ?? judged();
    this.#verdicts.set(key, verdict);
    if (this.#verdicts.size > 2_000) this.#verdicts.clear();
    return verdict;
  }
}

function namesDigest(payload: Buffer, digest: string): boolean {
  const { critical } = jsonOf(payload) as { critical?: { image?: Record<string, unknown>; type?: unknown } };
  return critical?.image?.['docker-manifest-digest'] === digest && critical.type === 'Google cloud binauthz container signature';
}

function jsonOf(payload: Buffer): object {
  try {
    return Object(JSON.parse(payload.toString())) as object;
  } catch {
    return {};
  }
}

async function isSignedBy(publicKey: string, payload: Buffer, signature: Buffer): Promise<boolean> {
  if (!publicKey.includes('PGP')) return verify('sha256', payload, publicKey, signature);
  const verificationKeys = await readKey({ armoredKey: publicKey });
  const message = await readMessage({ armoredMessage: signature.toString() });
  // Without a date: who signed what is judged here, and a clock that is wrong does not change that.
  const { data, signatures } = await verifyPgp({ message, verificationKeys, format: 'binary', date: null as unknown as Date });
  const isGood = await Promise.all(signatures.map(({ verified }) => verified)).catch(() => [false]);
  return Buffer.from(data).equals(payload) && isGood.length > 0 && isGood.every(Boolean);
}
