// SPDX-License-Identifier: Apache-2.0
import type { Env } from './context.js';

/** Where this process works: also a folder that was deleted has a name, below which nothing is found. */
export function workingFolder(env: Env): string {
  try {
    return process.cwd();
  } catch {
    return env['PWD'] || '/';
  }
}
