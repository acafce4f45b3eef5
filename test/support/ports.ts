// SPDX-License-Identifier: Apache-2.0
// Ports in memory, with virtual time and real signatures: for use cases, where the network would only be noise.
import type { Attestation, StoredAttestation } from '../../src/core/attestation/attestation.js';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { BinauthzError } from '../../src/core/errors.js';
import { digestOf, type Digest } from '../../src/core/image/digest.js';
import type { ResolvedImage } from '../../src/core/image/platform.js';
import { parseImageReference, pin, type ImageReference } from '../../src/core/image/reference.js';
import type { AttestorName, NoteName, OccurrenceName } from '../../src/core/names.js';
import { algorithmOfAttestor } from '../../src/core/signing/algorithm.js';
import type { GivenKey } from '../../src/core/signing/given-key.js';
import { spkiOf, type AttestorKey } from '../../src/core/signing/public-key.js';
import type { AttestationStore } from '../../src/ports/attestation-store.js';
import type { AttestorService, ValidationResult } from '../../src/ports/attestor-service.js';
import type { Reporter } from '../../src/ports/reporter.js';
import { createVerifier } from '../../src/signers/verifier.js';
import type { AttestPorts } from '../../src/usecases/attest.js';
import { fakePace } from './fake-pace.js';
import { signingKey } from './keys.js';
import { MemoryScans } from './memory-scans.js';

/** A reference that must parse. */
export function reference(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.reference;
}

/** A digest made of a word. */
export function digest(word: string): Digest {
  return digestOf(new TextEncoder().encode(word));
}

/** A key that signs, and the entry under which an attestor lists it. */
export interface TestKey extends GivenKey {
  readonly entry: AttestorKey;
  signatures: number;
}

export function testKey(id: string): TestKey {
  const key = signingKey('ECDSA_P256_SHA256');
  const algorithm = algorithmOfAttestor(key.algorithm);
  const spki = spkiOf(key.pem);
  if (!algorithm || !spki) throw new Error('a test key that is none');
  const made: TestKey = {
    name: id,
    signatures: 0,
    entry: { kind: 'pkix', id, pem: key.pem, algorithm: key.algorithm },
    signers: [
      {
        name: id,
        publicKeys: [{ kind: 'pkix', spki, algorithm }],
        sign: (payload) => {
          made.signatures += 1;
          return Promise.resolve(new Uint8Array(key.sign(Buffer.from(payload))));
        },
      },
    ],
  };
  return made;
}

export function attestorOf(id: string, ...keys: readonly TestKey[]): Attestor {
  return {
    name: `projects/p/attestors/${id}` as AttestorName,
    note: `projects/p/notes/${id}` as NoteName,
    keys: keys.map(({ entry }) => entry),
    serviceAgent: 'agent@example.com',
  };
}

/** A store that can be slow to show, refuse, fail or lose its answers. */
export class MemoryStore implements AttestationStore {
  readonly stored: (StoredAttestation & { visibleAt: number })[] = [];
  readonly created: Attestation[] = [];
  lists = 0;
  propagationMs = 0;
  /** What happens to the next calls of create, before or after the occurrence is stored. */
  readonly createFaults: { error: BinauthzError; commits: boolean }[] = [];
  readonly listFaults: BinauthzError[] = [];
  refuseSecondOnResource = false;
  /** Whether occurrences may be listed and created, but not read by name. */
  unreadable = false;

  constructor(private readonly now: () => number) {}

  create(_project: string, attestation: Attestation): Promise<OccurrenceName> {
    const fault = this.createFaults.shift();
    if (fault && !fault.commits) return Promise.reject(fault.error);
    const inTheWay = this.refuseSecondOnResource
      ? this.stored.find((other) => other.note === attestation.note && other.resourceUri === attestation.resourceUri)
      : undefined;
    if (inTheWay)
      return Promise.reject(
        new BinauthzError('ATTESTATION_CONFLICT', `occurrence ID "${inTheWay.occurrence.split('/').at(-1) ?? ''}" already exists`),
      );
    const occurrence = this.plant(attestation, this.now() + this.propagationMs);
    this.created.push(attestation);
    return fault ? Promise.reject(fault.error) : Promise.resolve(occurrence);
  }

  plant(attestation: Attestation, visibleAt = 0): OccurrenceName {
    const occurrence = `projects/p/occurrences/occurrence-${this.stored.length + 1}` as OccurrenceName;
    this.stored.push({ ...attestation, occurrence, visibleAt });
    return occurrence;
  }

  listOfNote(note: NoteName, of?: Digest): Promise<readonly StoredAttestation[]> {
    this.lists += 1;
    const fault = this.listFaults.shift();
    if (fault) return Promise.reject(fault);
    return Promise.resolve(
      this.stored.filter(
        (entry) => entry.note === note && entry.visibleAt <= this.now() && (of === undefined || entry.resourceUri.endsWith(of)),
      ),
    );
  }

  /** As the service does, also before it is listed. */
  read(occurrence: OccurrenceName): Promise<StoredAttestation | undefined> {
    return this.unreadable
      ? Promise.reject(new BinauthzError('PERMISSION_DENIED', `cannot read ${occurrence}: denied`))
      : Promise.resolve(this.stored.find((entry) => entry.occurrence === occurrence));
  }

  listInProject(_project: string, of?: Digest): Promise<readonly StoredAttestation[]> {
    return Promise.resolve(
      this.stored.filter((entry) => entry.visibleAt <= this.now() && (of === undefined || entry.resourceUri.endsWith(of))),
    );
  }
}

export class MemoryAttestors implements AttestorService {
  validations = 0;
  /** Answers to validate, in order; verified when they are used up. */
  readonly answers: (ValidationResult | BinauthzError)[] = [];

  constructor(private readonly known: readonly Attestor[]) {}

  attestor(name: AttestorName): Promise<Attestor> {
    const found = this.known.find((attestor) => attestor.name === name);
    return found ? Promise.resolve(found) : Promise.reject(new BinauthzError('ATTESTOR_NOT_FOUND', `cannot read ${name}: not found`));
  }

  attestorsIn(): Promise<readonly Attestor[]> {
    return Promise.resolve(this.known);
  }

  validate(): Promise<ValidationResult> {
    this.validations += 1;
    const answer = this.answers.shift() ?? { result: 'verified' };
    return answer instanceof BinauthzError ? Promise.reject(answer) : Promise.resolve(answer);
  }
}

export interface Memory extends AttestPorts {
  readonly verifier: ReturnType<typeof createVerifier>;
  readonly attestations: MemoryStore;
  readonly attestors: MemoryAttestors;
  readonly vulnerabilities: MemoryScans;
  readonly clock: ReturnType<typeof fakePace>;
  readonly said: string[];
}

/** All ports of attest over these attestors, keys and images (by their reference as written). */
export function memoryPorts(
  attestors: readonly Attestor[],
  keys: readonly TestKey[],
  images: Readonly<Record<string, Partial<ResolvedImage> & { digest: Digest }>> = {},
): Memory {
  const clock = fakePace();
  const said: string[] = [];
  const reporter: Reporter = {
    step: (text) => said.push(text),
    info: (text) => said.push(text),
    warn: (text) => said.push(`warning: ${text}`),
    debug: () => undefined,
  };
  return {
    clock,
    said,
    reporter,
    verifier: createVerifier(clock),
    attestations: new MemoryStore(() => clock.now()),
    attestors: new MemoryAttestors(attestors),
    vulnerabilities: new MemoryScans(),
    openKeys: () => Promise.resolve(keys),
    catalog: { covers: () => false, describe: () => Promise.resolve(undefined), explain: () => Promise.resolve(undefined) },
    registry: {
      resolve: (wanted) => {
        const found = images[wanted.original] ?? (wanted.digest === undefined ? undefined : { digest: wanted.digest });
        if (!found) return Promise.reject(new BinauthzError('IMAGE_NOT_FOUND', `cannot find ${wanted.original}`));
        return Promise.resolve({
          reference: pin(wanted, found.digest),
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          children: [],
          isIndex: false,
          ...found,
        });
      },
    },
  };
}
