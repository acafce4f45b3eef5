// SPDX-License-Identifier: Apache-2.0
// Project ids and their numbers. Every project exists: the emulator has no billing account to create one under.
import { createHash } from 'node:crypto';

/** Gives each project id a number that is the same in every run, and finds the id of a number again. */
export class Projects {
  private readonly ids = new Map<string, string>();

  /** The number of a project; a number stands for itself. */
  numberOf(project: string): string {
    if (/^\d+$/.test(project)) return project;
    const hash = createHash('sha256').update(project).digest().readUIntBE(0, 6);
    const number = String(100_000_000_000 + (hash % 900_000_000_000));
    this.ids.set(number, project);
    return number;
  }

  /** The id of a project given by id or by number; a number never handed out stands for itself. */
  idOf(project: string): string {
    return this.ids.get(project) ?? project;
  }
}
