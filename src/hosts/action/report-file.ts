// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { renderJson } from '../../reports/json.js';
import type { Env } from '../context.js';

/**
 * Writes the result to a file of its own, so that several steps of a job keep theirs; the file's absolute path. Never
 * into the workspace unless told so: what lies there ends up in images and commits.
 */
export async function writeReport(result: object, command: string, env: Env): Promise<string> {
  const told = env['RUNNER_TEMP'] ?? '';
  const folder = resolve(told === '' ? tmpdir() : told);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `binauthz-${command}-${randomUUID()}.json`);
  await writeFile(path, renderJson(result));
  return path;
}
