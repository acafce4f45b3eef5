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
    ['nginx', true],
  ])('facts 5.1 row 6: is "%s" taken? %s', (pattern, isUsable) => {
    expect(isUsablePattern(pattern)).toBe(isUsable);
  });
});

describe('the nearest pattern (traps 4)', () => {
  it.each<[patterns: readonly string[], image: string, pattern: string | undefined, why?: RegExp]>([
    [['gcr.io/q/*', 'gcr.io/p/app'], 'gcr.io/p/app:1.2', 'gcr.io/p/app', /exact text/],
    [['gcr.io/p/app'], `gcr.io/p/app@${D}`, 'gcr.io/p/app', /a digest/],
    [['gcr.io/p/*'], 'gcr.io/p/team/app:1', 'gcr.io/p/*', /"\*\*" does/],
    [['gcr.io/p/app@*'], 'gcr.io/p/app:1', 'gcr.io/p/app@*', /the image has a tag/],
    [['gcr.io/p/app:v1.*'], `gcr.io/p/app@${D}`, 'gcr.io/p/app:v1.*', /another one/],
    [['gcr.io/p/app:v1.*'], 'gcr.io/p/app:v2', 'gcr.io/p/app:v1.*', /another one/],
    [['docker.io/library/*'], 'nginx', 'docker.io/library/*', /as written/],
    [['docker.io/library/nginx'], 'nginx', 'docker.io/library/nginx', /as written/],
    [['nginx'], 'docker.io/library/nginx', 'nginx', /as written/],
    [['gcr.io/p/app:latest'], 'gcr.io/p/app', 'gcr.io/p/app:latest', /as written/],
    [['docker.io/library/**'], 'gcr.io/p/app', undefined],
    [['gcr.io/p/app'], 'gcr.io/p/application:1', undefined],
    [[], 'gcr.io/p/app', undefined],
  ])('of %j to %s is %s', (patterns, image, pattern, why) => {
    const found = nearestPattern(patterns, image);
    expect(found?.pattern).toBe(pattern);
    if (why) expect(found?.why).toMatch(why);
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
