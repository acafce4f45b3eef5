// SPDX-License-Identifier: Apache-2.0
// Programs that interop tests use where they are installed, and skip visibly where they are not.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a program is on the PATH. */
export function found(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The title of a suite that needs a program: says why where it is skipped. */
export function titled(title: string, program: string): string {
  return found(program) ? title : `${title} (skipped: ${program} is not on the PATH)`;
}
