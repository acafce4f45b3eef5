// SPDX-License-Identifier: Apache-2.0
// docs/ARCHITECTURE.md as a test: who may import whom, where each package lives, where the process may be touched,
// and how large things may be. A failure prints the offending file.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

interface Import {
  readonly file: string;
  /** A path below src without extension, or a package's name. */
  readonly target: string;
  readonly kind: 'own' | 'package';
  readonly isType: boolean;
  readonly isLazy: boolean;
}

const files = sources(join(ROOT, 'src'));
const imports = files.flatMap(importsOf);

/** Folder → what it may import of src. `hosts` is split by its hosts. */
const MAY_IMPORT: Readonly<Record<string, readonly RegExp[]>> = {
  core: [/^core\//],
  documents: [/^documents\//, /^core\/errors$/],
  manifests: [/^manifests\//, /^documents\//, /^core\//],
  scans: [/^scans\//, /^core\//],
  reports: [/^reports\//, /^core\//],
  ports: [/^ports\//, /^core\//],
  usecases: [/^usecases\/(steps|outcome|requests)/, /^ports\//, /^core\//],
  signers: [/^signers\//, /^ports\//, /^core\//],
  registry: [/^registry\//, /^ports\//, /^core\//],
  google: [/^google\//, /^ports\//, /^core\//],
  'hosts/action': [
    /^hosts\/(action\/|commands\/|[^/]+$)/,
    /^(core|documents|manifests|scans|reports|ports|usecases|signers|registry|google)\//,
  ],
  'hosts/cli': [
    /^hosts\/(cli\/|commands\/|[^/]+$)/,
    /^(core|documents|manifests|scans|reports|ports|usecases|signers|registry|google|emulator)\//,
  ],
  hosts: [/^hosts\/(commands\/|[^/]+$)/, /^(core|documents|manifests|scans|reports|ports|usecases|signers|registry|google)\//],
  emulator: [/^emulator\//],
};

/** Package → the files that may import it. */
const PACKAGE_HOME: Readonly<Record<string, RegExp>> = {
  '@actions/core': /^hosts\/action\//,
  '@actions/exec': /^hosts\/action\/program\.ts$/,
  '@actions/github': /^hosts\/action\//,
  openpgp: /^(signers\/pgp[^/]*\.ts|emulator\/.*)$/,
  '@google-cloud/kms': /^google\/kms\.ts$/,
  '@google-cloud/grafeas': /^google\/(container-analysis|vulnerabilities)\.ts$/,
  '@google-cloud/containeranalysis': /^google\/[a-z-]+\.ts$/,
  '@google-cloud/artifact-registry': /^google\/artifact-registry\.ts$/,
  'google-auth-library': /^google\//,
  'google-gax': /^google\//,
  'https-proxy-agent': /^hosts\/proxy\.ts$/,
  yaml: /^documents\//,
};

/** Loaded only when used: nothing but types may be imported at the top of a file. */
const HEAVY = /^(@google-cloud\/|google-auth-library|google-gax|openpgp|yaml|https-proxy-agent|@actions\/github|@actions\/exec)/;

/** Modules that are heavy as a whole: they may import openpgp or the YAML parser as they like, and are themselves loaded lazily. */
const HEAVY_OWN = /^(signers\/pgp|documents\/|manifests\/)/;

describe('architecture', () => {
  it('imports point one way', () => {
    const wrong = imports
      .filter(({ file, target, kind }) => kind === 'own' && !isAllowed(file, target))
      .map(({ file, target }) => `${file} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it('has no circle', () => {
    expect(circles()).toEqual([]);
  });

  it('keeps each package at home', () => {
    const wrong = imports
      .filter(
        ({ kind, target, file }) => kind === 'package' && !target.startsWith('node:') && !PACKAGE_HOME[packageName(target)]?.test(file),
      )
      .map(({ file, target }) => `${file} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it.each(Object.keys(PACKAGE_HOME))('really uses %s', (name) => {
    expect(imports.filter(({ kind, target, isType }) => kind === 'package' && packageName(target) === name && !isType)).not.toEqual([]);
  });

  it('loads heavy packages only when they are used', () => {
    const isHeavy = ({ kind, target }: Import): boolean => (kind === 'package' ? HEAVY : HEAVY_OWN).test(target);
    const eager = imports
      .filter((entry) => isHeavy(entry) && !entry.isType && !entry.isLazy && !HEAVY_OWN.test(entry.file))
      .map(({ file, target }) => `${file} → ${target}`);
    expect(eager).toEqual([]);
  });

  it('uses node: modules only where the world is touched', () => {
    const pure = /^(core|documents|manifests|scans|reports|ports|usecases)\//;
    const crypto = /^core\/(image\/digest|signing\/public-key)\.ts$/;
    const wrong = imports
      .filter(({ file, target }) => target.startsWith('node:') && pure.test(file) && !(target === 'node:crypto' && crypto.test(file)))
      .map(({ file, target }) => `${file} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it('ports hold types only', () => {
    const statements = files
      .filter((file) => file.startsWith('ports/'))
      .filter((file) =>
        parse(file).statements.some(
          (statement) =>
            !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement) && !ts.isImportDeclaration(statement),
        ),
      );
    expect(statements).toEqual([]);
  });

  it('touches the process in hosts only, and time and chance through a clock', () => {
    const wrong = files.flatMap((file) => {
      const text = withoutComments(file);
      const touchesProcess = /\bprocess\.(env|exit|exitCode|stdout|stderr|stdin|argv|on)\b|\bconsole\./.test(text);
      const touchesTime = /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bMath\.random\(/.test(text);
      const problems = [];
      if (touchesProcess && !/^hosts\/|^emulator\/server\.ts$/.test(file)) problems.push(`${file}: process`);
      if (touchesTime && !/^hosts\/|^emulator\/clock\.ts$/.test(file)) problems.push(`${file}: time or chance`);
      return problems;
    });
    expect(wrong).toEqual([]);
  });

  it('has no grab bags, defaults or escapes', () => {
    const wrong = files.flatMap((file) => {
      const text = withoutComments(file);
      const problems = [];
      if (/(utils?|misc|common|helpers?)\.ts$/.test(file)) problems.push(`${file}: name`);
      if (/^export default/m.test(text)) problems.push(`${file}: default export`);
      if (/:\s*any\b|as any\b|@ts-ignore/.test(text)) problems.push(`${file}: any`);
      if (!readFileSync(join(ROOT, 'src', file), 'utf8').startsWith('// SPDX-License-Identifier: Apache-2.0\n'))
        problems.push(`${file}: licence line`);
      return problems;
    });
    expect(wrong).toEqual([]);
  });
});

describe('dist', () => {
  const shipped = existsSync(join(ROOT, 'dist')) ? walk(join(ROOT, 'dist')) : [];

  it('is at most 8 MB, its entry at most 200 kB', () => {
    expect(shipped.length).toBeGreaterThan(0);
    expect(shipped.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThanOrEqual(8_000_000);
    expect(statSync(join(ROOT, 'dist/main/index.js')).size).toBeLessThanOrEqual(200_000);
  });

  it('ships nothing twice', () => {
    const hashes = shipped.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
    expect(new Set(hashes).size).toBe(shipped.length);
  });

  it('keeps openpgp a chunk of its own, unmangled, and names it in NOTICE', () => {
    const chunks = shipped.filter((file) => file.endsWith('.js') && readFileSync(file, 'utf8').includes('OpenPGP.js v'));
    expect(chunks).toHaveLength(1);
    expect(readFileSync(chunks[0]!, 'utf8')).toContain('/*! OpenPGP.js v');
    const version = /"version": "([^"]+)"/.exec(readFileSync(join(ROOT, 'node_modules/openpgp/package.json'), 'utf8'))?.[1];
    expect(readFileSync(join(ROOT, 'NOTICE'), 'utf8')).toContain(`openpgp, version ${version}`);
  });

  it('has host stubs of one line', () => {
    for (const stub of ['action/index.js', 'check/index.js', 'cli/index.js']) {
      const lines = readFileSync(join(ROOT, 'dist', stub), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#!'));
      expect(lines).toHaveLength(1);
    }
  });
});

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { resolved?: string }> };

  it('holds one copy of google-gax and of google-auth-library', () => {
    for (const name of ['google-gax', 'google-auth-library']) {
      expect(Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`))).toEqual([`node_modules/${name}`]);
    }
  });

  it('names no registry', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
  });
});

function isAllowed(file: string, target: string): boolean {
  // The bundle's entry may reach both hosts, lazily; attest may call check.
  if (file === 'hosts/main.ts' && /^hosts\/(action|cli)\/main$/.test(target)) return true;
  if (file === 'usecases/attest.ts' && target === 'usecases/check') return true;
  const folder = Object.keys(MAY_IMPORT).find((name) => file.startsWith(`${name}/`));
  if (folder === undefined) return false;
  if (folder === 'google') return googleAllowed(file, target);
  return MAY_IMPORT[folder]!.some((pattern) => pattern.test(target));
}

/** One adapter never imports another; what several share is named here. */
function googleAllowed(file: string, target: string): boolean {
  if (!target.startsWith('google/')) return /^(ports|core)\//.test(target);
  const adapters =
    /^google\/(kms|container-analysis|vulnerabilities|artifact-registry|binary-authorization|gke|cloud-run|logging|monitoring|service-usage|resource-manager|iam|notes|attestors|attestor-keys|policies|kms-resources|log-metrics|alert-policies|permissions|key-states)$/;
  return !adapters.test(target) || file === `${target}.ts`;
}

function circles(): readonly string[] {
  const edges = new Map<string, Set<string>>();
  for (const { file, target, kind } of imports) {
    if (kind !== 'own') continue;
    const from = file.replace(/\.ts$/, '');
    edges.set(from, (edges.get(from) ?? new Set()).add(target));
  }
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) return void found.push([...path.slice(path.indexOf(node)), node].join(' → '));
    if (done.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return found;
}

function importsOf(file: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: string, isType: boolean, isLazy: boolean): void => {
    const own = specifier.startsWith('.');
    const target = own ? relative(join(ROOT, 'src'), resolve(ROOT, 'src', dirname(file), specifier)).replace(/\.js$/, '') : specifier;
    found.push({ file, target, kind: own ? 'own' : 'package', isType, isLazy });
  };
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      add(node.moduleSpecifier.text, isTypeOnly(node), false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      add(specifier && ts.isStringLiteralLike(specifier) ? specifier.text : `computed import in ${file}`, false, true);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      add(node.argument.literal.text, true, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  return (
    !clause.name &&
    clause.namedBindings !== undefined &&
    ts.isNamedImports(clause.namedBindings) &&
    clause.namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(ROOT, 'src', file), 'utf8'), ts.ScriptTarget.ES2022, true);
}

function withoutComments(file: string): string {
  return readFileSync(join(ROOT, 'src', file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function sources(folder: string): readonly string[] {
  return walk(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => relative(join(ROOT, 'src'), path));
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}
