// SPDX-License-Identifier: Apache-2.0
// Table-driven from facts/binary-authorization.md 1.1: what gcloud 528 makes of --artifact-url, and where we go further.
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/core/image/digest.js';
import { nameOf, parseImageReference, pin, pinnedName, type ImageReference } from '../../src/core/image/reference.js';

const HEX = '4a5e1f0c9b7d3e2a8c6f4b1d0e9a7c5b3f2d1e0c9b8a7f6e5d4c3b2a19080706';
const D = `sha256:${HEX}`;

function parsed(text: string): ImageReference {
  const result = parseImageReference(text);
  if (!result.ok) throw new Error(`refused: ${result.reason}`);
  return result.reference;
}

function reasonFor(text: string): string {
  const result = parseImageReference(text);
  return result.ok ? `accepted as ${nameOf(result.reference)}` : result.reason;
}

describe('references that gcloud takes, too: the same docker-reference', () => {
  it.each([
    ['plain', `gcr.io/p/x@${D}`, 'gcr.io/p/x'],
    ['https scheme', `https://gcr.io/p/x@${D}`, 'gcr.io/p/x'],
    ['http scheme', `http://gcr.io/p/x@${D}`, 'gcr.io/p/x'],
    ['a scheme in capitals', `HTTPS://gcr.io/p/x@${D}`, 'gcr.io/p/x'],
    ['oci scheme', `oci://gcr.io/p/x@${D}`, 'gcr.io/p/x'],
    ['tag and digest: the digest decides', `gcr.io/p/x:v1@${D}`, 'gcr.io/p/x'],
    ['nested names', `us-docker.pkg.dev/p/r/team/app@${D}`, 'us-docker.pkg.dev/p/r/team/app'],
    ['Docker Hub is not rewritten', `docker.io/library/nginx@${D}`, 'docker.io/library/nginx'],
    ['an IP with a port', `127.0.0.1:5000/a/b@${D}`, '127.0.0.1:5000/a/b'],
    ['localhost behind a scheme', `http://localhost:5000/a/b@${D}`, 'localhost:5000/a/b'],
  ])('%s: %s', (_name, text, dockerReference) => {
    const reference = parsed(text);
    expect(nameOf(reference)).toBe(dockerReference);
    expect(reference.digest).toBe(D);
    expect(reference.original).toBe(text);
  });
});

describe('references that gcloud refuses and a user of docker expects', () => {
  it.each([
    ['localhost with a port', `localhost:5000/a/b@${D}`, 'localhost:5000/a/b'],
    ['localhost without a port', `localhost/a@${D}`, 'localhost/a'],
    ['a host with a port', `registry.example.com:5000/a/b/c@${D}`, 'registry.example.com:5000/a/b/c'],
    ['a bare host name with a port', `registry:5000/a@${D}`, 'registry:5000/a'],
    ['IPv6', `[::1]:5000/a/b@${D}`, '[::1]:5000/a/b'],
    ['an upper-case host is the same host', `GCR.IO/p/x@${D}`, 'gcr.io/p/x'],
  ])('%s: %s', (_name, text, dockerReference) => {
    expect(nameOf(parsed(text))).toBe(dockerReference);
  });

  it('gives the payload name of the http:// form', () => {
    expect(nameOf(parsed(`localhost:5000/a/b@${D}`))).toBe(nameOf(parsed(`http://localhost:5000/a/b@${D}`)));
  });
});

describe('tags', () => {
  it.each([
    ['gcr.io/p/x:v1', 'v1'],
    ['gcr.io/p/x:1.2.3-rc.1_b', '1.2.3-rc.1_b'],
    ['127.0.0.1:5000/a/b:2', '2'],
    ['localhost:5000/a/b', undefined],
    [`gcr.io/p/x:${'a'.repeat(128)}`, 'a'.repeat(128)],
  ])('%s has tag %s', (text, tag) => {
    expect(parsed(text).tag).toBe(tag);
    expect(parsed(text).digest).toBeUndefined();
  });
});

describe('registries, paths and what is kept of them', () => {
  it.each([
    ['gcr.io/p/x', { registry: 'gcr.io', repository: 'p/x' }],
    ['gcr.io/p/x:v1', { registry: 'gcr.io', repository: 'p/x', tag: 'v1' }],
    [`GCR.IO:5000/p/x@${D}`, { registry: 'gcr.io:5000', repository: 'p/x', digest: D }],
    [`oci://gcr.io/p/x:v1@${D}`, { registry: 'gcr.io', repository: 'p/x', tag: 'v1', digest: D }],
  ])('%s', (text, kept) => {
    expect(parsed(text)).toStrictEqual({ original: text, ...kept });
  });

  it.each([
    'a.b',
    'a-b.c--d',
    'a.b.c',
    'a1.2b',
    'a:1',
    'a-b:1',
    'a1-2b:1',
    'LOCALHOST',
    '1.2.3.4',
    '[::1]',
    '[2001:DB8::1]:5000',
    'gcr.io:65535',
  ])('the registry %s', (registry) => {
    expect(parsed(`${registry}/p/x`).registry).toBe(registry.toLowerCase());
  });

  it.each(['a', '0', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'ab.cd-ef__gh_ij', '1.2.3'])('the path %s', (path) => {
    expect(parsed(`gcr.io/${path}/${path}`).repository).toBe(`${path}/${path}`);
  });

  it('a name of 255 characters', () => {
    expect(nameOf(parsed(`gcr.io/${'a'.repeat(248)}`))).toHaveLength(255);
  });
});

type Row = readonly [name: string, text: string, reason: string];

describe('refused, each with its reason', () => {
  const NO_HOST = 'a registry host must come first (for Docker Hub write docker.io/library/NAME)';
  const EMPTY = 'the repository has an empty path component ("//" or a slash at an end)';
  const quoted = (text: string): string => `"${text}"`;
  const notTag = (tag: string): string =>
    `${quoted(tag)} is not a tag (letters, digits, "_", "." and "-", at most 128, not starting with "." or "-")`;
  const notComponent = (component: string): string =>
    `${quoted(component)} is not a repository name component (lower-case letters, digits, and single ".", "_", "__" or "-" between them)`;
  const unknownScheme = (scheme: string): string => `${quoted(scheme)} before the name is not known: leave it out`;
  const notSha256 = (got: string): string => `the digest must be sha256, which is all that Binary Authorization knows; got ${quoted(got)}`;
  const wrongLength = (got: string, length: number): string =>
    `the digest must be "sha256:" and 64 hex digits, got ${quoted(got)} with ${length}`;
  const notLower = (got: string): string => `the digest must be lower-case hex, got ${quoted(got)}`;

  it.each<Row>([
    ['empty', '', 'it is empty'],
    ['no registry host', `nginx@${D}`, NO_HOST],
    ['no registry host, with a path', `library/nginx@${D}`, NO_HOST],
    ['no registry host, and a character that no tag has', 'ngi+nx', NO_HOST],
    ['an empty host', `/p/x@${D}`, NO_HOST],
    ['a host alone', 'gcr.io', NO_HOST],
    ['a digest alone', '@x', notSha256('x')],
    ...[
      '-a.b',
      'a-.b',
      'a.-b',
      'a.b-',
      'a..b',
      '.a',
      'a.',
      '_a.b',
      'a.b_',
      '-a:1',
      'a-:1',
      'a_b:1',
      '[]',
      '[g]',
      'x[::1]',
      'gcr.io:',
      'gcr.io:5000x',
      'gcr.io:123456',
    ].map((host): Row => [`the host ${host}`, `${host}/p/x@${D}`, NO_HOST]),
    ['an address that is none', `256.1.1.1/p/x@${D}`, '"256.1.1.1" is not an address'],
    ['an IPv6 address that is none', `[:::]/p/x@${D}`, '"[:::]" is not an address'],
    ['a long address that is none', `[${':'.repeat(200)}]/p/x@${D}`, `"[${':'.repeat(139)}" is not an address`],
    ['two schemes', `https://https://gcr.io/p/x@${D}`, unknownScheme('https://')],
    ['another scheme', `docker://gcr.io/p/x@${D}`, unknownScheme('docker://')],
    ['no scheme before its slashes', `://gcr.io/p/x@${D}`, unknownScheme('://')],
    ['a scheme in the path', `gcr.io/p/https://x@${D}`, notComponent('https:')],
    ['a port above 65535', `gcr.io:65536/p/x@${D}`, '"65536" is not a port'],
    ['port zero', `gcr.io:0/p/x@${D}`, '"0" is not a port'],
    ['port zero in disguise', `gcr.io:00/p/x@${D}`, '"0" is not a port'],
    ...['user:secret@gcr.io/p/x', `user@gcr.io/p/x@${D}`, `https://user:secret@gcr.io/p/x@${D}`].map((text): [string, string, string] => [
      'a user in the host',
      text,
      'it has a user or a password before the registry: docker login is the place for them',
    ]),
    ['leading space (gcloud takes it)', ` gcr.io/p/x@${D}`, 'it contains white space'],
    ['trailing line break', `gcr.io/p/x@${D}\n`, 'it contains white space'],
    ['// in the path (gcloud takes it)', `gcr.io//p/x@${D}`, EMPTY],
    ['// further in', `gcr.io/p//x@${D}`, EMPTY],
    ['trailing slash', `gcr.io/p/x/@${D}`, EMPTY],
    ...['P', '..', 'x?a=b', '%2e%2e', 'a___b', 'a..b', 'a._b', '-a', 'a-', '_a', 'a_', '.a', 'a.', 'aB', 'a+b'].map((component): Row => [
      `the component ${component}`,
      `gcr.io/p/${component}/x@${D}`,
      notComponent(component),
    ]),
    ...['', '-a', '.a', 'a+b', 'a'.repeat(129)].map((tag): Row => [`the tag ${quoted(tag)}`, `gcr.io/p/x:${tag}`, notTag(tag)]),
    ['a tag that fills the log', `gcr.io/p/x:${'a'.repeat(200)}`, notTag('a'.repeat(140))],
    ['two tags', 'gcr.io/p/x:v1:v2', notComponent('x:v1')],
    ['a name that is too long', `gcr.io/${'a'.repeat(249)}@${D}`, 'the name has 256 characters, at most 255 are allowed'],
    ['sha512', `gcr.io/p/x@sha512:${HEX}${HEX}`, notSha256(`sha512:${HEX}${HEX.slice(0, 29)}`)],
    ['a short digest', `gcr.io/p/x@sha256:${HEX.slice(1)}`, wrongLength(`sha256:${HEX.slice(1)}`, 63)],
    ['a long digest', `gcr.io/p/x@sha256:${HEX}0`, wrongLength(`sha256:${HEX}0`, 65)],
    ['an upper-case digest', `gcr.io/p/x@sha256:${HEX.toUpperCase()}`, notLower(`sha256:${HEX.toUpperCase()}`)],
    ['a digest that is not hex', `gcr.io/p/x@sha256:${HEX.slice(0, -1)}g`, notLower(`sha256:${HEX.slice(0, -1)}g`)],
    ['an empty digest', 'gcr.io/p/x@', notSha256('')],
    ['two digests', `gcr.io/p/x@${D}@${D}`, wrongLength(`${D}@sha256:${HEX.slice(0, 21)}`, 136)],
    ['a digest without its hash', `gcr.io/p/x@${HEX}`, notSha256(HEX)],
  ])('%s', (_name, text, reason) => {
    expect(reasonFor(text)).toBe(reason);
  });

  it('answers quickly for hostile texts', () => {
    const hostile = [
      `${'a'.repeat(50_000)}/p@${D}`,
      `${'a.'.repeat(25_000)}/p`,
      `gcr.io/${'a-'.repeat(50_000)}`,
      `gcr.io/p:${'a'.repeat(100_000)}`,
      '@'.repeat(100_000),
      `${'a+'.repeat(50_000)}:/`,
    ];
    const startedAt = performance.now();
    for (const text of hostile) expect(parseImageReference(text).ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('pinning', () => {
  it('keeps the tag and the text, and names the image by its digest', () => {
    const digest = parseDigest(D);
    expect(digest).toBeDefined();
    const pinned = pin(parsed('https://us-docker.pkg.dev/p/r/app:1.2.3'), digest!);
    expect(pinned).toMatchObject({ tag: '1.2.3', digest: D, original: 'https://us-docker.pkg.dev/p/r/app:1.2.3' });
    expect(pinnedName(pinned)).toBe(`us-docker.pkg.dev/p/r/app@${D}`);
  });
});
