// SPDX-License-Identifier: Apache-2.0
// The entries of every project's logs, in the order of their times, each of them once.
import type { WrittenEntry } from './entry.js';
import { Searchable } from './query/texts.js';

/** A kept entry. */
export interface StoredEntry {
  /** Orders entries: time, then insertId, as Google lists those of one time. */
  readonly key: string;
  readonly logName: string;
  readonly searchable: Searchable;
}

/** The entries by project. */
export class EntryStore {
  private readonly projects = new Map<string, Map<string, StoredEntry>>();
  private sorted = new Map<string, readonly StoredEntry[]>();

  /**
   * Keeps an entry. Of entries of one project with the same timestamp and insertId only the first is kept: Google takes
   * them all and shows one.
   */
  add({ project, instant, insertId, json }: WrittenEntry): void {
    const entries = this.projects.get(project) ?? new Map<string, StoredEntry>();
    this.projects.set(project, entries);
    const key = `${instant} ${insertId} ${project}`;
    if (entries.has(key)) return;
    entries.set(key, { key, logName: String(json['logName']), searchable: new Searchable(json) });
    this.sorted.clear();
  }

  /** The entries of some projects, oldest first. */
  of(projects: readonly string[]): readonly StoredEntry[] {
    const name = JSON.stringify(projects);
    const known = this.sorted.get(name);
    if (known) return known;
    const entries = projects.flatMap((project) => [...(this.projects.get(project)?.values() ?? [])]);
    entries.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
    this.sorted.set(name, entries);
    return entries;
  }

  reset(): void {
    this.projects.clear();
    this.sorted = new Map();
  }
}
