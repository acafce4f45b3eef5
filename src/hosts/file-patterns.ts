// SPDX-License-Identifier: Apache-2.0
// Files, folders and patterns → the paths of files. Our own matcher, because Node's glob is younger than Node 20.
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

/** The files that a user's pattern means, or why it means none. */
export type Expanded = { readonly paths: readonly string[] } | { readonly problem: string };

/** What a folder is searched for. */
const MANIFEST = /\.(?:ya?ml|json)$/i;

/**
 * The absolute paths of the files that a pattern means: the file itself; what a folder holds, at any depth; or what
 * `*`, `**`, `?` and `[…]` match. Folders that begin with a dot, and node_modules, are searched only where they are
 * named; a file that begins with a dot is one of its folder, as kubectl has it, but is no match for `*`.
 */
export async function expandPattern(pattern: string, cwd: string): Promise<Expanded> {
  try {
    const kind = await kindOf(resolve(cwd, pattern));
    if (kind === 'file' || kind === 'other') return { paths: [resolve(cwd, pattern)] };
    if (kind === 'folder') return found(await manifestsIn(resolve(cwd, pattern)), 'a folder without a .yaml, .yml or .json file');
    if (!isMagic(pattern)) return { problem: 'no such file' };
    const { folder, rest } = splitPattern(pattern, cwd);
    return found(await match(folder, rest), 'a pattern that no file matches');
  } catch (thrown) {
    return { problem: `something that cannot be read (${reasonOf(thrown)})` };
  }
}

/** A path as reports name it: relative to the working folder, with forward slashes. */
export function reportedPath(path: string, cwd: string): string {
  return relative(cwd, path).split(sep).join('/');
}

function found(paths: readonly string[], otherwise: string): Expanded {
  return paths.length === 0 ? { problem: otherwise } : { paths };
}

/** The leading folders that hold no pattern, and the segments from the first pattern on. */
function splitPattern(pattern: string, cwd: string): { readonly folder: string; readonly rest: readonly string[] } {
  const segments = (sep === '\\' ? pattern.replaceAll('\\', '/') : pattern).split('/');
  const first = segments.findIndex(isMagic);
  const lead = segments.slice(0, first).join('/');
  const isAbsolute = first > 0 && lead === '';
  return { folder: isAbsolute ? sep : resolve(cwd, lead), rest: segments.slice(first).filter((segment) => segment !== '') };
}

async function match(folder: string, segments: readonly string[]): Promise<readonly string[]> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [];
  if (segment === '**') return matchDeep(folder, rest);
  if (!isMagic(segment)) return matchLiteral(join(folder, segment), rest);
  const pattern = segmentPattern(segment);
  const entries = (await entriesOf(folder)).filter(({ name }) => isVisible(name, segment) && pattern.test(name));
  const paths = entries.map(({ name }) => join(folder, name));
  if (rest.length === 0) return filesAmong(paths);
  return flat(paths.map(async (path) => ((await kindOf(path)) === 'folder' ? match(path, rest) : [])));
}

/** Without the folders. A link that leads nowhere stays, for whoever reads it to say so; a pipe would be read for ever. */
async function filesAmong(paths: readonly string[]): Promise<readonly string[]> {
  const kinds = await Promise.all(paths.map(kindOf));
  const other = paths.find((_, index) => kinds[index] === 'other');
  if (other !== undefined) throw Object.assign(new Error(other), { code: `${nameOf(other)} is neither a file nor a folder` });
  return paths.filter((_, index) => kinds[index] !== 'folder');
}

async function matchLiteral(path: string, rest: readonly string[]): Promise<readonly string[]> {
  const kind = await kindOf(path);
  if (rest.length > 0) return kind === 'folder' ? match(path, rest) : [];
  return kind === 'file' ? [path] : [];
}

/** `**`: this folder and every one below it. */
async function matchDeep(folder: string, rest: readonly string[]): Promise<readonly string[]> {
  const folders = (await kindOf(folder)) === 'folder' ? await foldersFrom(folder) : [];
  return flat(folders.map((path) => match(path, rest.length === 0 ? ['*'] : rest)));
}

async function manifestsIn(folder: string): Promise<readonly string[]> {
  const namesIn = async (path: string) => (await entriesOf(path)).map(({ name }) => join(path, name));
  const all = await flat((await foldersFrom(folder)).map(namesIn));
  return filesAmong(all.filter((path) => MANIFEST.test(path)));
}

/** A folder and all below it. Links are followed, but never back to a folder that encloses them. */
async function foldersFrom(folder: string, above: readonly string[] = []): Promise<readonly string[]> {
  const real = await realpath(folder);
  if (above.includes(real)) return [];
  const names = (await entriesOf(folder)).map(({ name }) => name).filter((name) => isVisible(name, '*') && name !== 'node_modules');
  const paths = names.map((name) => join(folder, name));
  const below = await flat(paths.map(async (path) => ((await kindOf(path)) === 'folder' ? foldersFrom(path, [...above, real]) : [])));
  return [folder, ...below];
}

function isVisible(name: string, segment: string): boolean {
  return !name.startsWith('.') || segment.startsWith('.');
}

function isMagic(text: string): boolean {
  return /[*?]|\[[^\]]+\]/.test(text);
}

/** One segment of a pattern; it never matches a slash, because names hold none. */
function segmentPattern(segment: string): RegExp {
  const parts = segment.match(/\*+|\?|\[[^\]]+\]|[\s\S]/gu) ?? [];
  return new RegExp(`^${parts.map(partPattern).join('')}$`, 'su');
}

function partPattern(part: string): string {
  if (part.startsWith('*')) return '.*';
  if (part === '?') return '.';
  if (!/^\[[\s\S]/.test(part)) return part.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  const isNegated = /^\[[!^][^\]]/.test(part);
  const members = part.slice(isNegated ? 2 : 1, -1).replace(/[\\^[]/g, '\\$&');
  return `[${isNegated ? '^' : ''}${membersPattern(members)}]`;
}

// A range from high to low matches nothing, as in a shell, where a regular expression would throw.
function membersPattern(members: string): string {
  return members.replace(/(\\?.)-(\\?.)/gsu, (range, from: string, to: string) => (last(from) <= last(to) ? range : ''));
}

function last(text: string): number {
  return text.replace(/^\\/, '').codePointAt(0) ?? 0;
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'folder';
    return found.isFile() ? 'file' : 'other';
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE'].includes(reasonOf(thrown))) return undefined;
    throw thrown;
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return (await kindOf(folder)) === 'folder' ? readdir(folder, { withFileTypes: true }) : [];
}

async function flat(parts: readonly Promise<readonly string[]>[]): Promise<readonly string[]> {
  return (await Promise.all(parts)).flat();
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf(sep) + 1);
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
}
