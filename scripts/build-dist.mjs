// SPDX-License-Identifier: Apache-2.0
// Builds dist: one ncc bundle of hosts/main.ts, its chunks stripped of white space and comments (names are kept,
// because proto3-json-serializer compares constructor names), and a one-line stub per host. Same input, same bytes.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from 'rolldown/utils';
import { nameChunks } from './chunk-names.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'dist');
const STUBS = {
  'action/index.js': ['action', 'attest'],
  'check/index.js': ['action', 'check'],
  'audit/index.js': ['action', 'audit'],
  'cli/index.js': ['cli'],
};

const built = mkdtempSync(join(tmpdir(), 'binauthz-build-'));
try {
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js'),
      'build',
      join(root, 'src/hosts/main.ts'),
      '-o',
      built,
      '--license',
      'licenses.txt',
      '--no-cache',
      '--transpile-only',
    ],
    {
      cwd: root,
      stdio: ['ignore', 2, 'inherit'],
    },
  );
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'main'), { recursive: true });
  cpSync(join(built, 'licenses.txt'), join(out, 'main/licenses.txt'));
  // What else ncc emits (.proto files, type declarations) is never read at run time.
  const scripts = readdirSync(built).filter((name) => name.endsWith('.js'));
  const sources = new Map(scripts.map((name) => [name, readFileSync(join(built, name), 'utf8')]));
  for (const [name, source] of nameChunks(sources)) await ship(name, source);
  for (const [path, args] of Object.entries(STUBS)) writeStub(path, args);
} finally {
  rmSync(built, { recursive: true, force: true });
}

async function ship(name, source) {
  // openpgp is LGPL: its chunk stays as it was published, so that it can be read and replaced (NOTICE).
  const code = isOpenpgp(source)
    ? source
    : (await minify(name, source, { mangle: false, compress: false, codegen: { removeWhitespace: true }, module: false })).code;
  writeFileSync(join(out, 'main', name), code.endsWith('\n') ? code : `${code}\n`);
}

function isOpenpgp(source) {
  return source.includes('OpenPGP.js v');
}

function writeStub(path, args) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  const shebang = path.startsWith('cli/') ? '#!/usr/bin/env node\n' : '';
  const call = args.map((argument) => `'${argument}'`).join(', ');
  writeFileSync(join(out, path), `${shebang}require('../main/index.js').run(${call});\n`, { mode: 0o755 });
}
