// SPDX-License-Identifier: Apache-2.0
import type { ContainerAnalysisClient } from '@google-cloud/containeranalysis/build/src/v1/container_analysis_client.js';
import type * as protos from '@google-cloud/grafeas/build/protos/protos.js';
import type { CallOptions } from 'google-gax';
import type { GrafeasClient } from '@google-cloud/grafeas/build/src/v1/grafeas_client.js';
import type { Attestation, StoredAttestation } from '../core/attestation/attestation.js';
import { BinauthzError } from '../core/errors.js';
import type { Digest } from '../core/image/digest.js';
import { parseNoteName, parseOccurrenceName, projectOf, type NoteName, type OccurrenceName, type ProjectId } from '../core/names.js';
import type { AttestationStore } from '../ports/attestation-store.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { allPages, type Page } from './pages.js';

type Occurrence = protos.grafeas.v1.IOccurrence;

const PAGE_SIZE = 1000;

/** Container Analysis through the Grafeas client library. */
export function createAttestationStore(google: Google): AttestationStore {
  const client = google.lazyClient(
    'containeranalysis',
    async () => (await import('@google-cloud/grafeas/build/src/v1/grafeas_client.js')).GrafeasClient,
  );
  const api: Api<GrafeasClient> = { call: google.call, client };
  return {
    create: (project, attestation) => create(api, project, attestation),
    listOfNote: (note, digest, deadline) => listOfNote(api, note, { digest, deadline }),
    read: (occurrence, deadline) => read(api, occurrence, deadline),
    listInProject: (project, digest) => listInProject(api, project, digest),
  };
}

interface Api<Client> extends Pick<Google, 'call'> {
  readonly client: () => Promise<Client>;
}

async function create(api: Api<GrafeasClient>, project: ProjectId, attestation: Attestation): Promise<OccurrenceName> {
  const call: Call = {
    what: 'cannot store an attestation for',
    resource: attestation.resourceUri,
    needs: [
      { permission: 'containeranalysis.notes.attachOccurrence', role: 'roles/containeranalysis.notes.attacher', on: attestation.note },
      { permission: 'containeranalysis.occurrences.create', role: 'roles/containeranalysis.occurrences.editor', on: `projects/${project}` },
    ],
    notFound: 'NOTE_NOT_FOUND',
    // No bad input, which is told before anything is posted: others of the same run may be stored.
    refused: 'CHANGE_REFUSED',
    conflict: 'ATTESTATION_CONFLICT',
    hint: (code) =>
      code === 'NOTE_NOT_FOUND'
        ? `check that the note ${attestation.note} and the project ${project} exist; a note is made with the Container Analysis API (projects.notes.create)`
        : undefined,
  };
  const name = await api.call.once(call, async (options) => {
    const [stored] = await (
      await api.client()
    ).createOccurrence({ parent: `projects/${project}`, occurrence: occurrenceOf(attestation) }, options);
    return stored.name ?? '';
  });
  const occurrence = parseOccurrenceName(name);
  if (occurrence) return occurrence;
  throw new BinauthzError(
    'RESPONSE_INVALID',
    `cannot store an attestation for ${attestation.resourceUri}: expected the occurrence’s name, got ${name === '' ? 'none' : JSON.stringify(name.slice(0, 200))}`,
    { resource: attestation.resourceUri, hint: `run again, for it may be stored: a re-run finds it; if this stays so, ${NOT_GOOGLE}` },
  );
}

function occurrenceOf(attestation: Attestation): Occurrence {
  const { note, resourceUri, payload, signatures } = attestation;
  return {
    kind: 'ATTESTATION',
    noteName: note,
    resourceUri,
    attestation: {
      serializedPayload: payload,
      signatures: signatures.map(({ publicKeyId, bytes }) => ({ publicKeyId, signature: bytes })),
    },
  };
}

function listOfNote(
  api: Api<GrafeasClient>,
  note: NoteName,
  bounds: { digest: Digest | undefined; deadline: number | undefined },
): Promise<readonly StoredAttestation[]> {
  const { digest, deadline } = bounds;
  const call: Call = {
    what: 'cannot list the attestations of',
    resource: note,
    needs: [{ permission: 'containeranalysis.notes.listOccurrences', role: 'roles/containeranalysis.notes.occurrences.viewer', on: note }],
    notFound: 'NOTE_NOT_FOUND',
  };
  return listAll(note, digest, (pageToken) => {
    const request = { name: note, filter: filterFor(digest), pageSize: PAGE_SIZE, pageToken };
    return api.call.repeat(call, async (options) => pageOf(await (await api.client()).listNoteOccurrences(request, options)), deadline);
  });
}

async function read(api: Api<GrafeasClient>, occurrence: OccurrenceName, deadline?: number): Promise<StoredAttestation | undefined> {
  const call: Call = {
    what: 'cannot read',
    resource: occurrence,
    needs: [
      {
        permission: 'containeranalysis.occurrences.get',
        role: 'roles/containeranalysis.occurrences.viewer',
        on: `projects/${projectOf(occurrence)}`,
      },
    ],
    notFound: 'ATTESTATION_CONFLICT',
  };
  const request = async (options: CallOptions): Promise<Occurrence> =>
    (await (await api.client()).getOccurrence({ name: occurrence }, options))[0];
  return storedOf(await api.call.repeat(call, request, deadline));
}

function listInProject(api: Api<GrafeasClient>, project: ProjectId, digest: Digest | undefined): Promise<readonly StoredAttestation[]> {
  const parent = `projects/${project}`;
  const call: Call = {
    what: 'cannot list the attestations in',
    resource: parent,
    needs: [{ permission: 'containeranalysis.occurrences.list', role: 'roles/containeranalysis.occurrences.viewer', on: parent }],
    notFound: 'PROJECT_NOT_FOUND',
  };
  return listAll(parent, digest, (pageToken) => {
    const request = { parent, filter: filterFor(digest), pageSize: PAGE_SIZE, pageToken };
    return api.call.repeat(call, async (options) => pageOf(await (await api.client()).listOccurrences(request, options)));
  });
}

function pageOf([occurrences, , reply]: [Occurrence[], unknown, { nextPageToken?: string | null }]): Page<Occurrence> {
  return { items: occurrences, nextPageToken: reply.nextPageToken };
}

// The filter's field is resourceUrl where the JSON says resourceUri. By suffix, because both `https://IMAGE` and a bare
// IMAGE are in use; the kind is left out, because filtering by kind is not implemented for notes.
function filterFor(digest: Digest | undefined): string {
  return digest === undefined ? '' : `has_suffix(resourceUrl, "${digest}")`;
}

async function listAll(
  resource: string,
  digest: Digest | undefined,
  page: (pageToken: string) => Promise<Page<Occurrence>>,
): Promise<readonly StoredAttestation[]> {
  const stored = (await allPages(resource, page)).flatMap((occurrence) => storedOf(occurrence) ?? []);
  // The filter is the service's to apply. The suffix of another name, such as `…/sha256:D`, is no image with this digest.
  return stored.filter(({ resourceUri }) => digest === undefined || resourceUri.endsWith(`@${digest}`));
}

function storedOf(occurrence: Occurrence): StoredAttestation | undefined {
  const { attestation, createTime } = occurrence;
  const note = parseNoteName(occurrence.noteName ?? '');
  const name = parseOccurrenceName(occurrence.name ?? '');
  if (!isAttestation(occurrence) || !attestation || !note || !name) return undefined;
  const time = createTime && timeOf(createTime);
  return {
    occurrence: name,
    note,
    resourceUri: occurrence.resourceUri ?? '',
    payload: bytesOf(attestation.serializedPayload),
    signatures: (attestation.signatures ?? []).map(({ publicKeyId, signature }) => ({
      publicKeyId: publicKeyId ?? '',
      bytes: bytesOf(signature),
    })),
    ...(time ? { createTime: time } : {}),
  };
}

// Other kinds come along in a note's listing. A missing kind counts where there is an attestation.
function isAttestation({ kind }: Occurrence): boolean {
  return kind === 'ATTESTATION' || kind === 'NOTE_KIND_UNSPECIFIED' || kind === undefined || kind === null;
}

/** IAM on notes, which only Container Analysis's own client library knows. */
export interface NotePermissions {
  /** Those of `permissions` that the caller lacks on a note. */
  missingOnNote(note: NoteName, permissions: readonly string[]): Promise<readonly string[]>;
  /** Who holds which role on a note. PERMISSION_DENIED is usual: CI identities may seldom read it. */
  noteIamPolicy(note: NoteName): Promise<NoteIamPolicy>;
}

/** An IAM policy, as far as checks read it. */
export interface NoteIamPolicy {
  readonly bindings: readonly { readonly role: string; readonly members: readonly string[] }[];
}

/** IAM on notes through the Container Analysis client library. */
export function createNotePermissions(google: Google): NotePermissions {
  const client = google.lazyClient<ContainerAnalysisClient>(
    'containeranalysis',
    async () => (await import('@google-cloud/containeranalysis/build/src/v1/container_analysis_client.js')).ContainerAnalysisClient,
  );
  return {
    async missingOnNote(note, permissions) {
      const call: Call = { what: 'cannot test permissions on', resource: note, needs: [], notFound: 'NOTE_NOT_FOUND' };
      return google.call.repeat(call, async (options) => {
        const [reply] = await (await client()).testIamPermissions({ resource: note, permissions: [...permissions] }, options);
        const held = new Set(reply.permissions ?? []);
        return permissions.filter((permission) => !held.has(permission));
      });
    },
    async noteIamPolicy(note) {
      const need = { permission: 'containeranalysis.notes.getIamPolicy', role: 'roles/containeranalysis.admin', on: note };
      const call: Call = { what: 'cannot read the IAM policy of', resource: note, needs: [need], notFound: 'NOTE_NOT_FOUND' };
      return google.call.repeat(call, async (options) => {
        const [policy] = await (await client()).getIamPolicy({ resource: note }, options);
        return { bindings: (policy.bindings ?? []).map(({ role, members }) => ({ role: role ?? '', members: members ?? [] })) };
      });
    },
  };
}

// protobuf's Timestamp as RFC 3339, without trailing zeros in the fraction.
function timeOf(timestamp: { seconds?: unknown; nanos?: number | null }): string | undefined {
  const seconds = Number(String(timestamp.seconds ?? ''));
  if (!Number.isSafeInteger(seconds) || seconds === 0) return undefined;
  const nanos = timestamp.nanos ?? 0;
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return new Date(seconds * 1000).toISOString().replace('.000Z', `${fraction}Z`);
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array {
  return typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : new Uint8Array(value ?? []);
}
