// SPDX-License-Identifier: Apache-2.0
import type { StoredAttestation } from '../core/attestation/attestation.js';
import type { Attestor } from '../core/attestation/attestor.js';
import { BinauthzError } from '../core/errors.js';
import { parseDigest, type Digest } from '../core/image/digest.js';
import { pin, pinnedName, type ImageReference, type PinnedReference } from '../core/image/reference.js';
import { oneLine } from '../core/redact.js';
import { reportOf, type ListedAttestation, type ListResult } from '../core/results.js';
import type { AttestationStore } from '../ports/attestation-store.js';
import type { AttestorService } from '../ports/attestor-service.js';
import type { ImageRegistry } from '../ports/image-registry.js';
import type { Outcome } from './outcome.js';
import type { ListRequest } from './requests.js';
import { concurrently, errorsOf, settle, valuesOf } from './steps/concurrently.js';
import { judge, type FindPorts } from './steps/find-attestations.js';
import { readAttestors } from './steps/pair-attestors.js';

export interface ListPorts extends FindPorts {
  readonly registry: ImageRegistry;
  readonly attestors: AttestorService;
  readonly attestations: AttestationStore;
}

/**
 * Lists attestations, each with its verification result: of the attestors' notes, or of what a project stores. For
 * images that are given, an attestor without a verified attestation is an error.
 */
export async function list(request: ListRequest, ports: ListPorts): Promise<Outcome<ListResult>> {
  const [images, attestors] = await Promise.all([pinImages(request.images, ports), settle(attestorsFor(request, ports))]);
  const errors = [...errorsOf(images), ...errorsOf([attestors])];
  const digests = request.images.length === 0 ? [undefined] : [...new Set(valuesOf(images).map(({ digest }) => digest))];
  const known = attestors.ok ? attestors.value : [];
  const scopes = digests.flatMap((digest) => scopesOf(request, known, digest));
  const listed = await concurrently(scopes, (scope) => readScope(scope, known, ports));
  const attestations = valuesOf(listed).flat();
  const all = [...errors, ...errorsOf(listed)];
  // What could not be read is no evidence of absence, so absences are only counted after a complete read.
  const absences = all.length > 0 ? [] : valuesOf(images).flatMap((image) => absencesOf(image, request, attestations));
  return outcome(attestations, [...all, ...absences]);
}

/** A listing call: the note of some attestors, or the attestations that a project stores. */
interface Scope {
  readonly attestors: readonly Attestor[];
  readonly digest: Digest | undefined;
  readonly read: (store: AttestationStore) => Promise<readonly StoredAttestation[]>;
}

function pinImages(images: readonly ImageReference[], ports: ListPorts): ReturnType<typeof concurrently<ImageReference, PinnedReference>> {
  return concurrently(images, async (image) => {
    if (image.digest !== undefined) return pin(image, image.digest);
    return (await ports.registry.resolve(image)).reference;
  });
}

async function attestorsFor(request: ListRequest, ports: ListPorts): Promise<readonly Attestor[]> {
  if (request.attestors.length === 0) return request.project === undefined ? [] : ports.attestors.attestorsIn(request.project);
  const { found, errors } = await readAttestors(request.attestors, ports.attestors);
  const [first] = errors;
  if (first) throw first;
  return found;
}

function scopesOf(request: ListRequest, attestors: readonly Attestor[], digest: Digest | undefined): readonly Scope[] {
  if (request.attestors.length > 0)
    return attestors.map((attestor) => ({ attestors: [attestor], digest, read: (store) => store.listOfNote(attestor.note, digest) }));
  const { project } = request;
  return project === undefined ? [] : [{ attestors, digest, read: (store) => store.listInProject(project, digest) }];
}

async function readScope(scope: Scope, known: readonly Attestor[], ports: ListPorts): Promise<readonly ListedAttestation[]> {
  const stored = await scope.read(ports.attestations);
  const listed = await concurrently(stored, async (attestation) => {
    const owners = (scope.attestors.length > 0 ? scope.attestors : known).filter(({ note }) => note === attestation.note);
    if (owners.length === 0) return [unowned(attestation)];
    return Promise.all(owners.map((owner) => listOne(attestation, owner, ports)));
  });
  const [error] = errorsOf(listed);
  if (error) throw error;
  return valuesOf(listed).flat();
}

async function listOne(attestation: StoredAttestation, attestor: Attestor, ports: ListPorts): Promise<ListedAttestation> {
  const digest = digestOfUri(attestation.resourceUri);
  const base = { ...describe(attestation), attestor: attestor.name };
  if (!digest)
    return {
      ...base,
      verified: false,
      reason: { code: 'OTHER_DIGEST', message: `its resource ${oneLine(attestation.resourceUri.slice(0, 300))} names no sha256 digest` },
    };
  const { verified, rejected } = await judge([attestation], digest, attestor, ports.verifier);
  const [good] = verified;
  if (!good) return { ...base, verified: false, ...(rejected[0] ? { reason: rejected[0].rejection } : {}) };
  return { ...base, publicKeyId: good.publicKeyId, verified: true, ...(good.warnings.length > 0 ? { warnings: good.warnings } : {}) };
}

function unowned(attestation: StoredAttestation): ListedAttestation {
  const message = `no attestor of the project uses the note ${attestation.note}; name the attestor with --attestor to have it verified`;
  return { ...describe(attestation), attestor: '', verified: false, reason: { code: 'NO_ATTESTOR', message } };
}

function describe(attestation: StoredAttestation): Omit<ListedAttestation, 'attestor' | 'verified'> {
  return {
    // Anyone's text: a line break in it could print a row that says "verified".
    image: oneLine(attestation.resourceUri.replace(/^https?:\/\//, '')),
    digest: digestOfUri(attestation.resourceUri) ?? '',
    occurrence: attestation.occurrence,
    publicKeyId: oneLine(attestation.signatures[0]?.publicKeyId ?? ''),
    ...(attestation.createTime === undefined ? {} : { createTime: attestation.createTime }),
  };
}

function digestOfUri(resourceUri: string): Digest | undefined {
  return parseDigest(resourceUri.slice(resourceUri.lastIndexOf('@') + 1));
}

function absencesOf(image: PinnedReference, request: ListRequest, listed: readonly ListedAttestation[]): readonly BinauthzError[] {
  const wanted: readonly (string | undefined)[] = request.attestors.length > 0 ? request.attestors : [undefined];
  return wanted.flatMap((attestor) => {
    const found = listed.filter((entry) => entry.digest === image.digest && (attestor === undefined || entry.attestor === attestor));
    return found.some(({ verified }) => verified)
      ? []
      : [absence(image, attestor === undefined ? `in project ${request.project ?? ''}` : `by ${attestor}`, found)];
  });
}

function absence(image: PinnedReference, whose: string, found: readonly ListedAttestation[]): BinauthzError {
  const name = pinnedName(image);
  const [first] = found;
  if (!first) {
    return new BinauthzError('ATTESTATION_NOT_FOUND', `cannot find an attestation of ${name} ${whose}: expected at least one, got none`, {
      resource: name,
      hint: `attest it: binauthz attest ${name} …`,
    });
  }
  return new BinauthzError(
    'ATTESTATION_NOT_VERIFIABLE',
    `cannot verify an attestation of ${name} ${whose}: ${first.occurrence}: ${first.reason?.message ?? 'it does not verify'}`,
    {
      resource: first.occurrence,
      hint:
        first.attestor === ''
          ? `name the attestor whose note it is: binauthz list ${name} --attestor NAME`
          : `attest it again with a key that the attestor trusts: binauthz attest ${name} …`,
    },
  );
}

function outcome(attestations: readonly ListedAttestation[], errors: readonly BinauthzError[]): Outcome<ListResult> {
  return { result: { schema: 'binauthz.list/v1', attestations, ...(errors.length > 0 ? { errors: errors.map(reportOf) } : {}) }, errors };
}
