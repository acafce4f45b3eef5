// SPDX-License-Identifier: Apache-2.0
// Notes and occurrences as stored: duplicates, and when a new occurrence shows up in listings.
import { createHash } from 'node:crypto';
import { ApiError, type JsonObject } from '../wire.js';
import type { World } from '../world.js';

/** A note, `projects/P/notes/N`. */
export interface Note {
  readonly name: string;
  readonly kind: string;
  readonly createTime: number;
  /** Everything that the caller sent, in the form shown. */
  content: JsonObject;
  updateTime: number;
}

/** An occurrence, `projects/P/occurrences/ID`, of a note that may live in another project. */
export interface Occurrence {
  readonly name: string;
  readonly kind: string;
  readonly noteName: string;
  readonly resourceUri: string;
  readonly createTime: number;
  /** When it shows up in listings, as the delay stood at its creation. */
  readonly visibleFrom: number;
  /** The kind's details, in the form shown; changed by `changeDetails` alone. */
  details: JsonObject;
  content: JsonObject;
  updateTime: number;
}

/** Everything that this Container Analysis holds. */
export class ContainerAnalysisState {
  private readonly notes = new Map<string, Note>();
  private readonly occurrences = new Map<string, Occurrence>();
  /** By everything that makes two occurrences identical. */
  private readonly identical = new Map<string, Occurrence>();
  /** By kind, note and resource without its scheme. */
  private readonly neighbours = new Map<string, Set<Occurrence>>();

  constructor(private readonly world: World) {}

  note(name: string): Note {
    const note = this.notes.get(name);
    if (!note) throw new ApiError('NOT_FOUND', `note "${name}" not found`);
    return note;
  }

  addNote(note: Note): void {
    if (this.notes.has(note.name)) throw new ApiError('ALREADY_EXISTS', `note "${note.name}" already exists`);
    this.notes.set(note.name, note);
  }

  /** Its occurrences stay, as attestations outlive a note that is deleted by mistake. */
  deleteNote(name: string): void {
    this.note(name);
    this.notes.delete(name);
  }

  notesIn(project: string): Note[] {
    return [...this.notes.values()].filter(({ name }) => name.startsWith(`${project}/notes/`));
  }

  occurrence(name: string): Occurrence {
    const occurrence = this.occurrences.get(name);
    if (!occurrence) throw new ApiError('NOT_FOUND', `occurrence "${name}" not found`);
    return occurrence;
  }

  /** Stores all of them, or none. */
  addOccurrences(occurrences: readonly Occurrence[]): void {
    const added: Occurrence[] = [];
    try {
      for (const occurrence of occurrences) {
        this.addOccurrence(occurrence);
        added.push(occurrence);
      }
    } catch (error) {
      for (const { name } of added) this.deleteOccurrence(name);
      throw error;
    }
  }

  deleteOccurrence(name: string): void {
    const occurrence = this.occurrence(name);
    this.occurrences.delete(name);
    this.identical.delete(identityOf(occurrence));
    this.neighboursOf(occurrence).delete(occurrence);
  }

  /** Replaces the details of an occurrence, as a scanner does that reports its progress. */
  changeDetails(occurrence: Occurrence, details: JsonObject): void {
    const twin = this.identical.get(identityOf({ ...occurrence, details }));
    if (twin && twin !== occurrence) throw alreadyExists(twin.name, this.world);
    this.identical.delete(identityOf(occurrence));
    occurrence.details = details;
    this.identical.set(identityOf(occurrence), occurrence);
  }

  /** The occurrences that a listing of this project shows now. */
  occurrencesIn(project: string): Occurrence[] {
    return this.visible().filter(({ name }) => name.startsWith(`${project}/occurrences/`));
  }

  /** The occurrences of a note, of any project, that a listing shows now. */
  occurrencesOf(note: string): Occurrence[] {
    return this.visible().filter(({ noteName }) => noteName === note);
  }

  reset(): void {
    this.notes.clear();
    this.occurrences.clear();
    this.identical.clear();
    this.neighbours.clear();
  }

  private addOccurrence(occurrence: Occurrence): void {
    const twin = this.twinOf(occurrence);
    if (twin) throw alreadyExists(twin.name, this.world);
    this.occurrences.set(occurrence.name, occurrence);
    this.identical.set(identityOf(occurrence), occurrence);
    this.neighboursOf(occurrence).add(occurrence);
  }

  /** What Google takes for "the same" is not documented, hence the setting. */
  private twinOf(occurrence: Occurrence): Occurrence | undefined {
    const oneIsEnough = this.world.settings.duplicates === 'note-resource' && occurrence.kind === 'ATTESTATION';
    const [neighbour] = oneIsEnough ? this.neighboursOf(occurrence) : [];
    return neighbour ?? this.identical.get(identityOf(occurrence));
  }

  private neighboursOf({ kind, noteName, resourceUri }: Occurrence): Set<Occurrence> {
    const key = `${kind} ${noteName} ${resourceUri.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')}`;
    const known = this.neighbours.get(key);
    if (known) return known;
    const fresh = new Set<Occurrence>();
    this.neighbours.set(key, fresh);
    return fresh;
  }

  /** A delay that was lifted since, or shortened, counts for the occurrences that are still waiting too. */
  private visible(): Occurrence[] {
    const now = this.world.clock.now();
    const delay = this.world.settings.propagationDelayMs;
    return [...this.occurrences.values()].filter(({ createTime, visibleFrom }) => Math.min(visibleFrom, createTime + delay) <= now);
  }
}

function identityOf({ kind, noteName, resourceUri, details }: Occurrence): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, noteName, resourceUri, details]))
    .digest('base64');
}

/** Google's words as users have seen them (GoogleCloudPlatform/gke-binary-auth-tools#4). */
function alreadyExists(name: string, world: World): ApiError {
  const [, project = '', , id = ''] = name.split('/');
  return new ApiError('ALREADY_EXISTS', `occurrence ID "${id}" already exists in project "${world.projectNumber(project)}"`);
}
