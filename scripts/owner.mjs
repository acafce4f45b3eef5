// SPDX-License-Identifier: Apache-2.0
// Writes the owner, which only `repository` in package.json says, into the documents, the orb and all examples, and the
// version of package.json into the examples. Until there is a repository the owner is the placeholder OWNER.
//
//   node scripts/owner.mjs [--check | --release] [--root DIR]
//
// --check changes nothing and fails where a file says something else; --release fails for the placeholder as well.
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What stands for the owner until package.json names one. */
export const PLACEHOLDER = 'OWNER';
const NAME = 'binauthz';

/** The owner in package.json's `repository`, in any form that npm takes; the placeholder without one. */
export function ownerOf({ repository }) {
  const text = typeof repository === 'object' && repository !== null ? repository.url : repository;
  if (text === undefined || text === '') return PLACEHOLDER;
  const pattern =
    /^(?:github:|(?:git\+)?https:\/\/github\.com\/|git\+ssh:\/\/git@github\.com\/|git@github\.com:)?([^/:]+)\/([^/]+?)(?:\.git)?$/;
  const [, owner, name] = pattern.exec(String(text)) ?? [];
  if (owner === undefined || !/^[A-Za-z0-9](?:-?[A-Za-z0-9])*$/.test(owner) || owner.length > 39)
    throw new Error(`package.json: repository: expected github:OWNER/${NAME}, got ${String(text)}`);
  if (name !== NAME) throw new Error(`package.json: repository: the documents speak of ${PLACEHOLDER}/${NAME}, but its name is ${name}`);
  return owner;
}

/** A text with the owner in it, and in references to the orb the version as well. */
export function withOwner(text, owner, version) {
  // A namespace of CircleCI is in lower case, and so is the placeholder's.
  const namespace = owner === PLACEHOLDER ? owner : owner.toLowerCase();
  const who = '[A-Za-z0-9][A-Za-z0-9-]*';
  return text
    .replace(new RegExp(`((?:raw\\.githubusercontent|github)\\.com/)${who}(?=/${NAME}\\b)`, 'g'), `$1${owner}`)
    .replace(new RegExp(`(\\buses: )${who}(?=/${NAME}(?:/[a-z]+)?@)`, 'g'), `$1${owner}`)
    .replace(new RegExp(`(\\b${NAME}: )${who}(/${NAME}@)[0-9]+(?:\\.[0-9]+)*`, 'g'), `$1${namespace}$2${version}`)
    .replace(new RegExp(`(\\brepository: )${who}(?=/${NAME}$)`, 'gm'), `$1${owner}`)
    .replace(new RegExp(`(\\bnpm install (?:--[a-z-]+ )*${NAME}@)[0-9]+(?:\\.[0-9]+)*`, 'g'), `$1${version}`)
    .replace(new RegExp(`(\\borb_name: )${who}(?=/${NAME}\\b)`, 'g'), `$1${namespace}`);
}

function filesOf(root) {
  const inFolder = (folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .flatMap((entry) => (entry.isDirectory() ? inFolder(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
      .sort();
  const folders = ['orb/examples', 'docs/guides', 'examples'].flatMap(inFolder);
  return ['README.md', 'docs/MIGRATION.md', 'orb/@orb.yml', 'docs/FIRST-HOUR.md', ...folders, '.circleci/test-deploy.yml'];
}

function main() {
  const { values } = parseArgs({
    options: {
      root: { type: 'string', default: join(dirname(fileURLToPath(import.meta.url)), '..') },
      check: { type: 'boolean', default: false },
      release: { type: 'boolean', default: false },
    },
  });
  const manifest = JSON.parse(readFileSync(join(values.root, 'package.json'), 'utf8'));
  const owner = ownerOf(manifest);
  if (values.release && owner === PLACEHOLDER)
    throw new Error(`package.json: repository: expected github:${PLACEHOLDER}/${NAME} with the real owner; a release takes no placeholder`);
  const stale = filesOf(values.root).flatMap((path) => {
    const before = readFileSync(join(values.root, path), 'utf8');
    const after = withOwner(before, owner, manifest.version);
    return before === after ? [] : [{ path, after }];
  });
  if (values.check || values.release) {
    if (stale.length > 0)
      throw new Error(
        `${stale.map(({ path }) => path).join(', ')}: not of ${owner}/${NAME} ${manifest.version}; run node scripts/owner.mjs and commit`,
      );
    return;
  }
  for (const { path, after } of stale) writeFileSync(join(values.root, path), after);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`owner: ${error.message}\n`);
    process.exit(1);
  }
}
