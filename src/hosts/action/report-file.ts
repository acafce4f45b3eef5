// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderJson } from '../../reports/json.js';
import type { Env } from '../context.js';

/** Writes the result to a file of its own, so that several steps of a job keep theirs; the file's path. */
export async function writeReport(result: object, command: string, env: Env): Promise<string> {
  const folder = (env['RUNNER_TEMP'] ?? '') === '' ? process.cwd() : (env['RUNNER_TEMP'] ?? '');
  const path = join(folder, `binauthz-${command}-${randomUUID()}.json`);
  await writeFile(path, renderJson(result));
  return path;
}
