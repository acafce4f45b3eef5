// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { BinauthzError } from '../core/errors.js';
import { inputError } from './issues.js';

/** The JSON in a file that the user named; INVALID_INPUT where it cannot be read or is none. */
export async function readJsonFile(path: string, spelled: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw inputError(`${spelled}: cannot read ${path}: ${reasonOf(cause)}`, { resource: path });
  });
  return parseJson(text, (reason) => inputError(`${spelled}: expected JSON in ${path}, got ${reason}`, { resource: path }));
}

/** Docker's configuration; undefined where there is none. INVALID_INPUT where it cannot be read or is not JSON. */
export async function readDockerConfig(path: string): Promise<unknown> {
  const hint = 'repair the file, or point DOCKER_CONFIG at the folder of another config.json';
  try {
    const text = await readFile(path, 'utf8');
    // The parser's own words quote the text, which may hold registry passwords.
    return parseJson(
      text,
      () => new BinauthzError('INVALID_INPUT', `cannot read Docker's configuration ${path}: expected JSON`, { resource: path, hint }),
    );
  } catch (cause) {
    if (cause instanceof BinauthzError) throw cause;
    if (isMissing(cause)) return undefined;
    throw new BinauthzError('INVALID_INPUT', `cannot read Docker's configuration ${path}: ${reasonOf(cause)}`, { resource: path, hint });
  }
}

function parseJson(text: string, refuse: (reason: string) => BinauthzError): unknown {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return value;
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : 'other text');
  }
}

function isMissing(cause: unknown): boolean {
  const code = codeOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function reasonOf(cause: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'it may not be read',
    EISDIR: 'it is a folder',
  };
  const code = codeOf(cause);
  return reasons[code] ?? code;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
