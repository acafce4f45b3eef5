// SPDX-License-Identifier: Apache-2.0
// Sources: facts/binary-authorization.md 5.3 (docs policy-yaml-reference; kritis allowlist_test.go), traps.md 4.
import { describe, expect, it } from 'vitest';
import { exemptingPattern, isUsablePattern, matchesPattern, nearestPattern } from '../../src/core/policy/allowlist.js';

const D = `sha256:${'a'.repeat(64)}`;

describe('patterns (facts 5.3)', () => {
  it.each<[source: string, pattern: string, image: string, matches: boolean]>([
    ['5.3 row 3', 'gcr.io/my-project/nginx*', 'gcr.io/my-project/nginx:latest', true],
    ['5.3 row 3', 'gcr.io/my-project/nginx*', 'gcr.io/my-project/nginx-images/nginx', false],
    ['5.3 row 3', 'gcr.io/my-project/nginx**', 'gcr.io/my-project/nginx-1.14.2/image:latest', true],
    ['5.3 row 3', 'gcr.io/my-project/helloworld:v1.*', 'gcr.io/my-project/helloworld:v1.2', true],
    ['5.3 row 3', 'gcr.io/my-project/helloworld:v1.*', 'gcr.io/my-project/helloworld:v2.1', false],
    ['5.3 row 1, * stays inside a directory', 'gcr.io/p/*', 'gcr.io/p/app', true],
    ['5.3 row 1, * stays inside a directory', 'gcr.io/p/*', 'gcr.io/p/team/app', false],
    ['5.3 row 1, ** crosses directories', 'gcr.io/p/**', 'gcr.io/p/team/app', true],
    ['5.3 row 1, ** crosses directories', 'gcr.io/p/**', 'gcr.io/q/team/app', false],
    ['5.3 row 2, ** is a bare prefix', 'gcr.io/my-project**', 'gcr.io/my-project-exploit/nginx-exploit', true],
    ['5.3 row 2, with the slash', 'gcr.io/my-project/**', 'gcr.io/my-project-exploit/nginx-exploit', false],
    ['5.3 row 5, as written', 'loc-ref', 'loc-ref', true],
    ['5.3 row 5, nothing added', 'nginx', 'docker.io/library/nginx', false],
    ['5.3 row 5, nothing added', 'docker.io/library/nginx', 'nginx', false],
    ['5.3 row 5, nothing added', 'docker.io/library/*', 'nginx', false],
    ['5.3 row 5, no :latest added', 'gcr.io/p/app:latest', 'gcr.io/p/app', false],
    ['5.3 row 6, a bare name', 'gcr.io/p/app', 'gcr.io/p/app', true],
    ['5.3 row 6, a bare name', 'gcr.io/p/app', 'gcr.io/p/app:latest', false],
    ['5.3 row 6, a bare name', 'gcr.io/p/app', `gcr.io/p/app@${D}`, false],
    ['5.3 row 7, NAME@*', 'gcr.io/p/app@*', `gcr.io/p/app@${D}`, true],
    ['5.3 row 7, NAME@*', 'gcr.io/p/app@*', 'gcr.io/p/app:1', false],
    ['5.3 row 8, tag and digest', 'gcr.io/p/app:1', `gcr.io/p/app:1@${D}`, false],
    ['5.3 row 8, tag and digest', 'gcr.io/p/app@*', `gcr.io/p/app:1@${D}`, false],
    ['5.3 row 9, no brackets', 'gcr.io/p/app[@:]*', 'gcr.io/p/app:1', false],
    ['5.3, dots are literal', 'gcr.io/p/a.p', 'gcr.io/p/axp', false],
  ])('%s: %s against %s: %s', (_source, pattern, image, matches) => {
    expect(matchesPattern(pattern, image)).toBe(matches);
    expect(exemptingPattern(['other', pattern], image)).toBe(matches ? pattern : undefined);
  });

  it.each<[pattern: string, isUsable: boolean]>([
    ['gcr.io/my-project/n*x', false],
    ['gcr.io/p/***', false],
    ['gcr.io*', false],
    ['*', false],
    ['**', false],
    ['', false],
    ['g*r.io/p/app', false],
    ['gcr.io/p/*', true],
    ['gcr.io/**', true],
    ['gcr.io/p**', true],
    ['gcr.io/p/*/app', false],
    ['gcr.io/p/**/app*', false],
    ['nginx', true],
  ])('facts 5.1 row 6: is "%s" taken? %s', (pattern, isUsable) => {
    expect(isUsablePattern(pattern)).toBe(isUsable);
  });
});

describe('the nearest pattern (traps 4)', () => {
  const goesOn = (what: string): string => `it matches that exact text only, and the image goes on with ${what}`;
  const TAG = goesOn('a tag or digest');
  const SLASH = '"*" does not go beyond the next "/"; "**" does';
  const ANOTHER = 'it is compared as text, and the tag or digest is another one';
  const HAS_TAG = 'it is compared as text: "@" covers digests, and the image has a tag';
  const SPELT = 'names are compared as written: no registry, "library/" or ":latest" is added or taken away';

  it.each<[patterns: readonly string[], image: string, pattern: string, why: string]>([
    [['gcr.io/q/*', 'gcr.io/p/app'], 'gcr.io/p/app:1.2', 'gcr.io/p/app', TAG],
    [['gcr.io/p/app'], `gcr.io/p/app@${D}`, 'gcr.io/p/app', goesOn('a digest')],
    [['gcr.io/p/*', 'gcr.io/p/team/app'], 'gcr.io/p/team/app:1', 'gcr.io/p/team/app', TAG],
    [['gcr.io/p/*'], 'gcr.io/p/team/app:1', 'gcr.io/p/*', SLASH],
    [['gcr.io/p/team/app:2', 'gcr.io/p/*'], 'gcr.io/p/team/app:1', 'gcr.io/p/*', SLASH],
    [['gcr.io/p/*'], 'gcr.io/p/*:1/app', 'gcr.io/p/*', SLASH],
    [['gcr.io/p/app@*'], 'gcr.io/p/app:1', 'gcr.io/p/app@*', HAS_TAG],
    [['gcr.io/p/app:*'], `gcr.io/p/app@${D}`, 'gcr.io/p/app:*', ANOTHER],
    [['gcr.io/p/app@sha256:0*'], `gcr.io/p/app@${D}`, 'gcr.io/p/app@sha256:0*', ANOTHER],
    [['localhost:5000/app:1'], 'localhost:5000/app:2', 'localhost:5000/app:1', ANOTHER],
    [['gcr.io/p/app:v1.*'], `gcr.io/p/app@${D}`, 'gcr.io/p/app:v1.*', ANOTHER],
    [['gcr.io/p/app:v1.*'], 'gcr.io/p/app:v2', 'gcr.io/p/app:v1.*', ANOTHER],
    [['gcr.io/p/app:v1'], 'gcr.io/p/app:v2', 'gcr.io/p/app:v1', ANOTHER],
    [['docker.io/library/*'], 'nginx', 'docker.io/library/*', SPELT],
    [['docker.io/library/nginx'], 'nginx', 'docker.io/library/nginx', SPELT],
    [['index.docker.io/library/nginx:1'], 'nginx:1', 'index.docker.io/library/nginx:1', SPELT],
    [['index.docker.io/nginx'], 'docker.io/library/nginx', 'index.docker.io/nginx', SPELT],
    [['library/nginx'], 'index.docker.io/nginx', 'library/nginx', SPELT],
    [['docker.io/nginx'], 'nginx', 'docker.io/nginx', SPELT],
    [['docker.io/me/app'], 'me/app', 'docker.io/me/app', SPELT],
    [['index.docker.io/me/app:latest'], 'docker.io/me/app', 'index.docker.io/me/app:latest', SPELT],
    [['nginx'], 'docker.io/library/nginx', 'nginx', SPELT],
    [['nginx:latest'], 'docker.io/library/nginx', 'nginx:latest', SPELT],
    [['gcr.io/p/app:latest'], 'gcr.io/p/app', 'gcr.io/p/app:latest', SPELT],
    [['localhost/app:latest'], 'localhost/app', 'localhost/app:latest', SPELT],
    [['localhost:5000/app:latest'], 'localhost:5000/app', 'localhost:5000/app:latest', SPELT],
  ])('of %j to %s is %s', (patterns, image, pattern, why) => {
    expect(nearestPattern(patterns, image)).toEqual({ pattern, why });
  });

  it.each<[patterns: readonly string[], image: string]>([
    [[], 'gcr.io/p/app'],
    [['docker.io/library/**'], 'gcr.io/p/app'],
    [['gcr.io/p/app'], 'gcr.io/p/application:1'],
    [['gcr.io/p/app:1'], 'gcr.io/p/apq:1'],
    [['gcr.io/p/app:1'], 'gcr.io/p/app/x:1'],
    [['gcr.io/p/app:1'], 'gcr.io/q/app:1'],
    [['localhost:5000/app:1'], 'localhost:6000/app:1'],
    [['gcr.io/q/**'], 'gcr.io/p/app'],
    [['gcr.io/p/a**'], 'gcr.io/p/b/app'],
    // Docker Hub's spellings are those of Docker Hub only.
    [['docker.io/library/app'], 'localhost/app'],
    [['docker.io/localhost/app'], 'localhost/app'],
    [['docker.io/host:5000/app'], 'host:5000/app'],
    [['docker.io/gcr.io/app'], 'gcr.io/app'],
    [['docker.io/library/me/app'], 'me/app'],
    [['nginx', 'gcr.io/nginx'], 'gcr.io/docker.io/library/nginx'],
    // ":latest" is for a name without a tag or digest.
    [['docker.io/library/nginx:1:latest'], 'nginx:1'],
  ])('of %j to %s is none', (patterns, image) => {
    expect(nearestPattern(patterns, image)).toBeUndefined();
  });

  it('is found in time that grows with the text only: manifests are anybody’s', () => {
    const started = performance.now();
    for (const text of [':'.repeat(200_000), '.'.repeat(200_000), `${'@:'.repeat(100_000)}/`, '*'.repeat(200_000), 'a/'.repeat(100_000)]) {
      nearestPattern(['gcr.io/p/app@*', 'docker.io/library/*', text], `${text}x`);
      isUsablePattern(text);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
