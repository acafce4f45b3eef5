// SPDX-License-Identifier: Apache-2.0
// The attestors of all projects, in a form that no API version owns.
import { ApiError, etagOf, isObject, listMember, refuseUnknown, requireEtag, stringMember, timestamp, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { parseKey, renderKey, type AttestorKey } from './public-keys.js';

/** What the two note members of the API have in common. */
export type NoteMember = 'userOwnedGrafeasNote' | 'userOwnedDrydockNote';

/** An attestor as stored. */
export interface Attestor {
  readonly name: string;
  readonly description: string;
  readonly noteReference: string;
  readonly keys: readonly AttestorKey[];
  /** The service account as which Binary Authorization reads the note. */
  readonly agent: string;
  readonly updateTime: string;
  readonly etag: string;
}

/** What a caller may write of an attestor. */
export interface AttestorDraft {
  readonly description: string;
  readonly noteReference: string;
  readonly keys: readonly AttestorKey[];
  readonly etag: string;
}

const LIMITS = { attestors: 200, keys: 1000 };
const NOTE = /^projects\/([^/]+)\/notes\/[^/]+$/;

/** Reads the attestor of a create or update; INVALID_ARGUMENT names what the API would refuse. */
export async function parseAttestor(body: JsonObject, member: NoteMember): Promise<AttestorDraft> {
  refuseUnknown(body, ['name', 'description', member, 'updateTime', 'etag'], 'attestor');
  const note = body[member];
  if (!isObject(note)) throw new ApiError('INVALID_ARGUMENT', `attestor.${member} is required.`);
  refuseUnknown(note, ['noteReference', 'publicKeys', 'delegationServiceAccountEmail'], `attestor.${member}`);
  const noteReference = stringMember(note, 'noteReference');
  const project = NOTE.exec(noteReference)?.[1];
  if (project === undefined)
    throw new ApiError(
      'INVALID_ARGUMENT',
      `attestor.${member}.noteReference must be projects/PROJECT_ID/notes/NOTE, not "${noteReference}".`,
    );
  if (/^\d+$/.test(project))
    throw new ApiError(
      'INVALID_ARGUMENT',
      `attestor.${member}.noteReference must use the project ID, not the project number: "${noteReference}".`,
    );
  const entries = listMember(note, 'publicKeys');
  if (entries.length > LIMITS.keys) throw new ApiError('RESOURCE_EXHAUSTED', `An attestor may have at most ${LIMITS.keys} public keys.`);
  const keys = await Promise.all(entries.map((entry, index) => parseKey(entry, `attestor.${member}.public_keys[${index}]`)));
  const twice = keys.find((key, index) => keys.findIndex(({ id }) => id === key.id) !== index);
  if (twice) throw new ApiError('INVALID_ARGUMENT', `The public key id "${twice.id}" is used more than once.`);
  return { description: stringMember(body, 'description'), noteReference, keys, etag: stringMember(body, 'etag') };
}

/** An attestor in the JSON of the version that calls the note `member`. */
export function renderAttestor(attestor: Attestor, member: NoteMember): JsonObject {
  const { name, description, noteReference, keys, agent, updateTime, etag } = attestor;
  const publicKeys = keys.length > 0 ? { publicKeys: keys.map(renderKey) } : {};
  return {
    name,
    ...(description === '' ? {} : { description }),
    [member]: { noteReference, ...publicKeys, delegationServiceAccountEmail: agent },
    updateTime,
    etag,
  };
}

/** Keeps attestors by name. */
export class Attestors {
  private readonly byName = new Map<string, Attestor>();
  private revision = 0;

  constructor(private readonly world: World) {}

  /** Whether an attestor exists. */
  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** The attestor, or NOT_FOUND. */
  get(name: string): Attestor {
    const attestor = this.byName.get(name);
    if (!attestor) throw new ApiError('NOT_FOUND', `The attestor ${name} was not found.`);
    return attestor;
  }

  /** The attestors of a project, by name. */
  list(project: string): Attestor[] {
    const own = [...this.byName.values()].filter(({ name }) => name.startsWith(`projects/${project}/attestors/`));
    return own.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Stores a new attestor; ALREADY_EXISTS where the name is taken. */
  create(project: string, id: string, draft: AttestorDraft): Attestor {
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) throw new ApiError('INVALID_ARGUMENT', `Invalid attestor id: "${id}".`);
    const name = `projects/${project}/attestors/${id}`;
    if (this.byName.has(name)) throw new ApiError('ALREADY_EXISTS', `Requested entity already exists: ${name}`);
    if (this.list(project).length >= LIMITS.attestors)
      throw new ApiError('RESOURCE_EXHAUSTED', `A project may have at most ${LIMITS.attestors} attestors.`);
    const agent = `service-${this.world.projectNumber(project)}@gcp-sa-binaryauthorization.iam.gserviceaccount.com`;
    return this.store({ name, agent, ...draft });
  }

  /** Replaces an attestor; the etag is compared where one is sent, and the note can not be changed. */
  update(name: string, draft: AttestorDraft): Attestor {
    const current = this.get(name);
    requireEtag(draft.etag, current.etag);
    if (draft.noteReference !== current.noteReference) {
      throw new ApiError('INVALID_ARGUMENT', `The note reference of ${name} may not be updated: it is "${current.noteReference}".`);
    }
    return this.store({ name, agent: current.agent, ...draft });
  }

  /** Removes an attestor; NOT_FOUND where it is missing. */
  delete(name: string): void {
    this.get(name);
    this.byName.delete(name);
  }

  /** Forgets everything. */
  reset(): void {
    this.byName.clear();
  }

  private store(content: AttestorDraft & { readonly name: string; readonly agent: string }): Attestor {
    this.revision += 1;
    const updateTime = timestamp(this.world.clock.now());
    const { name, agent, description, noteReference, keys } = content;
    const etag = `"${etagOf({ name, description, keys }, this.revision)}"`;
    const attestor: Attestor = { name, description, noteReference, keys, agent, updateTime, etag };
    this.byName.set(name, attestor);
    return attestor;
  }
}
