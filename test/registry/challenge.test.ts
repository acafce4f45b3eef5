// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.js';

function plain(header: string | undefined): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('parseChallenges', () => {
  it.each<[string, string | undefined, [string, Record<string, string>][]]>([
    ['no header', undefined, []],
    ['an empty header', '', []],
    [
      'Docker Hub',
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
      [['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:library/nginx:pull' }]],
    ],
    [
      'a comma in a quoted scope',
      'Bearer realm="https://a/t",scope="repository:a:pull,push"',
      [['bearer', { realm: 'https://a/t', scope: 'repository:a:pull,push' }]],
    ],
    ['spaces around everything', '  BEARER   Realm = "https://a/t" ,  Service = b ', [['bearer', { realm: 'https://a/t', service: 'b' }]]],
    ['an escaped quote', 'Basic realm="the \\"old\\" one"', [['basic', { realm: 'the "old" one' }]]],
    ['a bare token', 'Basic realm=registry', [['basic', { realm: 'registry' }]]],
    ['a scheme alone', 'Basic', [['basic', {}]]],
    [
      'several challenges',
      'Basic realm="a", Bearer realm="https://a/t",service="s", Digest nonce="n"',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'https://a/t', service: 's' }],
        ['digest', { nonce: 'n' }],
      ],
    ],
    [
      'a token68 before a bearer challenge',
      'Negotiate YWJj==, Bearer realm="https://a/t"',
      [
        ['negotiate', { ywjj: '=' }],
        ['bearer', { realm: 'https://a/t' }],
      ],
    ],
    ['an unclosed quote', 'Bearer realm="https://a/t', [['bearer', { realm: '' }]]],
    ['a parameter without a scheme', '="x"', []],
  ])('%s', (_name, header, expected) => {
    expect(plain(header)).toEqual(expected);
  });

  it('answers quickly for a hostile header', () => {
    const startedAt = performance.now();
    for (const hostile of [
      ' '.repeat(50_000),
      ','.repeat(50_000),
      'a '.repeat(25_000),
      `a="${'\\'.repeat(50_000)}`,
      `a${' '.repeat(50_000)}!`,
    ])
      parseChallenges(hostile);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
