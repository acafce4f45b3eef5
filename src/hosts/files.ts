// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BinauthzError } from '../core/errors.js';
import { expandPattern, reportedPath } from './file-patterns.js';
import { inputError } from './issues.js';

/** Where files are looked for, and what standard input holds; a host without one leaves that out. */
export interface FileWorld {
  readonly cwd: string;
  readonly readStdin?: () => Promise<string>;
}

/** A file's text, under the name that reports use: relative to the working folder, `-` for standard input. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** A text, or what there is instead of one. */
export type ReadText = SourceText | { readonly problem: string };

/** What patterns mean: every file once and sorted, and each pattern that means none, with the reason. */
export interface ExpandedFiles {
  readonly paths: readonly string[];
  readonly problems: readonly { readonly pattern: string; readonly problem: string }[];
}

/** Standard input as a user names it. */
export const STDIN = '-';

/** Expands files, folders, patterns and `-` into file names for `readText`. */
export async function expandFiles(patterns: readonly string[], world: FileWorld): Promise<ExpandedFiles> {
  const expanded = await Promise.all(patterns.map(async (pattern) => ({ pattern, found: await expandOne(pattern, world) })));
  const paths = expanded.flatMap(({ found }) => ('paths' in found ? found.paths : []));
  const problems = expanded.flatMap(({ pattern, found }) => ('problem' in found ? [{ pattern, problem: found.problem }] : []));
  return { paths: [...new Set(paths)].sort(), problems };
}

/** Whether two names are of one file, or both of standard input. */
export function isSameFile(one: string, other: string, { cwd }: FileWorld): boolean {
  return one === STDIN || other === STDIN ? one === other : resolve(cwd, one) === resolve(cwd, other);
}

/**
 * Whether a file is what google-github-actions/auth leaves in the workspace. The name alone does not say so, or it would
 * hide a manifest that kubectl deploys; without a kind there is none.
 */
export function isCredentials({ file, text }: SourceText): boolean {
  if (!/(?:^|\/)gha-creds-[^/]*\.json$/i.test(file)) return false;
  try {
    const value: unknown = JSON.parse(text);
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return keys.includes('type') && !keys.some((key) => /^(?:kind|items)$/i.test(key));
  } catch {
    return false;
  }
}

/** Reads a file, or standard input for `-`. */
export async function readText(file: string, world: FileWorld): Promise<ReadText> {
  if (file === STDIN && world.readStdin) return { file, text: withoutMark(await world.readStdin()) };
  const found = await readBytes(file, world);
  if ('problem' in found) return found;
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(found.bytes) };
  } catch {
    return { problem: 'it is not UTF-8 text' };
  }
}

/** Reads a file as it is. */
export async function readBytes(file: string, { cwd }: FileWorld): Promise<{ readonly bytes: Uint8Array } | { readonly problem: string }> {
  try {
    return { bytes: await readFile(resolve(cwd, file)) };
  } catch (cause) {
    return { problem: reasonOf(cause) };
  }
}

async function expandOne(pattern: string, { cwd, readStdin }: FileWorld): ReturnType<typeof expandPattern> {
  if (pattern === '') return { problem: 'nothing' };
  if (pattern !== STDIN) {
    const expanded = await expandPattern(pattern, cwd);
    return 'problem' in expanded ? expanded : { paths: expanded.paths.map((path) => reportedPath(path, cwd)) };
  }
  return readStdin ? { paths: [STDIN] } : { problem: 'standard input, which an Action does not have' };
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

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
    // Docker itself takes an empty file for no configuration.
    if (text.trim() === '') return undefined;
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
    const value: unknown = JSON.parse(withoutMark(text));
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
