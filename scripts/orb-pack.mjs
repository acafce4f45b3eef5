// SPDX-License-Identifier: Apache-2.0
// Packs orb/ into one file, build/orb.yml, by the rules of `circleci orb pack`: @orb.yml, the folders of components merged
// under their file names, and every `<<include(path)>>` replaced by its file. Same input, same bytes.
//
//   node scripts/orb-pack.mjs [--source DIR] [--out FILE] [--tarball FILE --url URL] [--release]
//
// --tarball and --url bake the package that `install` fetches: its URL and the SHA-256 of the file. --release refuses an
// orb without them, and one whose owner is still a placeholder.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Document, isScalar, parseDocument, Scalar, visit } from 'yaml';
import { PLACEHOLDER } from './owner.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['commands', 'jobs', 'executors', 'examples'];
const SCRIPTS = 'scripts';
/** As the CircleCI CLI finds it; a dash in a path is no include for it. */
const INCLUDE = /<<\s*include\(([\w/.]+)\)?\s*>>/g;
const ANY_INCLUDE = /<<\s*include\b/;

/** A mistake in the orb or in how it is packed, rather than in this program. */
class PackError extends Error {}

function fail(text) {
  throw new PackError(text);
}

/** The orb of a folder as one value, with every include resolved. */
function load(source) {
  if (!existsSync(join(source, '@orb.yml'))) fail(`${source} has no @orb.yml`);
  const known = new Set(['@orb.yml', SCRIPTS, ...FOLDERS]);
  const strangers = readdirSync(source).filter((name) => !known.has(name));
  if (strangers.length > 0) fail(`${strangers.join(', ')}: nothing packs this; an orb has @orb.yml, ${FOLDERS.join(', ')} and ${SCRIPTS}`);
  const orb = read(join(source, '@orb.yml'));
  const included = new Set();
  for (const folder of FOLDERS) {
    const components = loadFolder(join(source, folder));
    if (orb[folder] !== undefined) fail(`@orb.yml: ${folder} belongs into files of its own`);
    if (Object.keys(components).length === 0) continue;
    orb[folder] = folder === 'examples' ? components : withIncludes(components, source, included);
  }
  refuseLeftovers(orb, '@orb.yml');
  refuseUnused(source, included);
  return orb;
}

function read(path) {
  const document = parseDocument(readFileSync(path, 'utf8'), { uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) fail(`${path}: ${problem.message}`);
  const value = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(`${path}: expected a mapping`);
  return value;
}

function loadFolder(folder) {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder).sort();
  const strange = names.filter((name) => !/^[a-z][a-z0-9_-]*\.yml$/.test(name));
  if (strange.length > 0) fail(`${folder}: ${strange.join(', ')}: expected files NAME.yml`);
  return Object.fromEntries(names.map((name) => [name.slice(0, -'.yml'.length), read(join(folder, name))]));
}

/** The value with its texts mapped. */
function mapTexts(value, change) {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
}

function withIncludes(value, source, included) {
  return mapTexts(value, (text) => {
    const matches = [...text.matchAll(INCLUDE)];
    if (matches.length > 1) fail(`more than one include in one value: ${text}`);
    const [match] = matches;
    if (match === undefined) return text;
    if (match[0] !== text) fail(`an include must be the entire value: ${text}`);
    const path = resolve(source, match[1]);
    if (!path.startsWith(resolve(source) + sep)) fail(`${match[1]} is outside ${source}`);
    if (!existsSync(path) || !statSync(path).isFile()) fail(`could not open ${match[1]} for inclusion`);
    included.add(path);
    return escaped(readFileSync(path, 'utf8'));
  });
}

/** A script whose `<<`, such as those of here-documents, CircleCI takes literally. */
function escaped(script) {
  return script.replaceAll('<<', '\\<<');
}

function refuseLeftovers(value, where) {
  mapTexts(value, (text) => {
    // A script that speaks of includes is escaped, and so no include.
    if (ANY_INCLUDE.test(text.replaceAll('\\<<', ''))) fail(`${where}: an include that nothing replaces: ${text}`);
    return text;
  });
}

function refuseUnused(source, included) {
  const folder = join(source, SCRIPTS);
  const scripts = existsSync(folder) ? readdirSync(folder, { recursive: true }).map((name) => join(folder, name)) : [];
  const unused = scripts.filter((path) => statSync(path).isFile() && !included.has(resolve(path)));
  if (unused.length > 0) fail(`${unused.map((path) => relative(source, path)).join(', ')}: no component includes this`);
}

/** Writes the version of this orb, and the package that belongs to it, into the parameters of `install`. */
function bake(orb, { version, url, sha256 }) {
  const parameters = orb.commands?.install?.parameters ?? {};
  for (const [name, value] of Object.entries({ version, url, sha256 })) {
    if (value === undefined) continue;
    if (parameters[name]?.default !== '') fail(`commands/install.yml: expected a parameter ${name} with the default ""`);
    parameters[name] = { ...parameters[name], default: value };
  }
}

/** The orb as YAML that YAML 1.1 and 1.2 read alike: every text is quoted or, with several lines, a literal block. */
function render(orb) {
  const document = new Document(orb, { aliasDuplicateObjects: false });
  document.commentBefore = ' SPDX-License-Identifier: Apache-2.0\n Packed from orb/ by scripts/orb-pack.mjs: change it there.';
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      node.type = node.value.includes('\n') ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ lineWidth: 0 });
  if (JSON.stringify(parseDocument(text).toJS()) !== JSON.stringify(orb))
    throw new Error('the packed orb does not read back as it was written');
  return text;
}

function packageOf({ tarball, url }) {
  if ((tarball === undefined) !== (url === undefined))
    fail('--tarball and --url belong together: the hash of the one, the place of the other');
  if (tarball === undefined) return {};
  let address;
  try {
    address = new URL(url);
  } catch {
    fail(`--url: expected an address, got ${url}`);
  }
  const loopback = address.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(address.hostname);
  if (address.protocol !== 'https:' && !loopback) fail(`--url: expected https, got ${url}`);
  if (/[\s<>"'`$\\]/.test(url)) fail(`--url: expected no white space, quotes or $, got ${url}`);
  if (!existsSync(tarball)) fail(`--tarball: there is no file ${tarball}`);
  return { url, sha256: createHash('sha256').update(readFileSync(tarball)).digest('hex') };
}

function main() {
  const { values } = parseArgs({
    options: {
      source: { type: 'string', default: join(root, 'orb') },
      out: { type: 'string', default: join(root, 'build/orb.yml') },
      tarball: { type: 'string' },
      url: { type: 'string' },
      release: { type: 'boolean', default: false },
    },
  });
  const orb = load(values.source);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const baked = packageOf(values);
  bake(orb, { version, ...baked });
  const text = render(orb);
  if (values.release && baked.sha256 === undefined) fail('--release: expected --tarball and --url, the package that this orb installs');
  if (values.release && new RegExp(`\\b${PLACEHOLDER}/`).test(text))
    fail(`--release: the owner is still ${PLACEHOLDER}; set repository in package.json and run scripts/owner.mjs`);
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, text);
  const hash = createHash('sha256').update(text).digest('hex');
  process.stdout.write(`${relative(process.cwd(), values.out)} ${text.length} characters, sha256 ${hash}\n`);
  if (baked.sha256 === undefined)
    process.stdout.write('No package is baked in: install will say so and fail, unless it finds a binauthz.\n');
}

try {
  main();
} catch (error) {
  if (!(error instanceof PackError) && !String(error?.code).startsWith('ERR_PARSE_ARGS_')) throw error;
  process.stderr.write(`orb-pack: ${error.message}\n`);
  process.exit(1);
}
