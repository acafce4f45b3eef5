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

  it.each([`gcr.io/p/x:${'a'.repeat(129)}`, 'gcr.io/p/x:', 'gcr.io/p/x:-a', 'gcr.io/p/x:.a', 'gcr.io/p/x:a+b', 'gcr.io/p/x:v1:v2'])(
    '%s is refused',
    (text) => {
      expect(reasonFor(text)).toMatch(/is not a tag|is not a repository name component/);
    },
  );
});

describe('refused, each with its reason', () => {
  it.each([
    ['empty', '', /empty/],
    ['no registry host', `nginx@${D}`, /registry host must come first/],
    ['no registry host, with a path', `library/nginx@${D}`, /registry host must come first/],
    ['an empty host', `/p/x@${D}`, /registry host must come first/],
    ['a host alone', 'gcr.io', /registry host must come first/],
    ['two schemes', `https://https://gcr.io/p/x@${D}`, /"https:\/\/" before the name/],
    ['another scheme', `docker://gcr.io/p/x@${D}`, /"docker:\/\/" before the name is not known: leave it out/],
    ['a port above 65535', `gcr.io:65536/p/x@${D}`, /"65536" is not a port/],
    ['port zero', `gcr.io:0/p/x@${D}`, /"0" is not a port/],
    ['port zero in disguise', `gcr.io:00/p/x@${D}`, /"0" is not a port/],
    ['a user in the host', `user:secret@gcr.io/p/x`, /sha256/],
    ['upper case in the repository', `gcr.io/P/x@${D}`, /"P" is not a repository name component/],
    ['leading space (gcloud takes it)', ` gcr.io/p/x@${D}`, /white space/],
    ['trailing line break', `gcr.io/p/x@${D}\n`, /white space/],
    ['// in the path (gcloud takes it)', `gcr.io//p/x@${D}`, /empty path component/],
    ['// further in', `gcr.io/p//x@${D}`, /empty path component/],
    ['trailing slash', `gcr.io/p/x/@${D}`, /empty path component/],
    ['a path that climbs', `gcr.io/p/../x@${D}`, /"\.\." is not a repository name component/],
    ['a query', `gcr.io/p/x?a=b@${D}`, /not a repository name component/],
    ['an escape', `gcr.io/p/%2e%2e@${D}`, /not a repository name component/],
    ['a name that is too long', `gcr.io/${'a'.repeat(256)}@${D}`, /at most 255/],
    ['sha512', `gcr.io/p/x@sha512:${HEX}${HEX}`, /must be sha256/],
    ['a short digest', `gcr.io/p/x@sha256:${HEX.slice(1)}`, /64 hex digits.*with 63/],
    ['a long digest', `gcr.io/p/x@sha256:${HEX}0`, /64 hex digits.*with 65/],
    ['an upper-case digest', `gcr.io/p/x@sha256:${HEX.toUpperCase()}`, /lower-case hex/],
    ['a digest that is not hex', `gcr.io/p/x@sha256:${HEX.slice(0, -1)}g`, /lower-case hex/],
    ['an empty digest', 'gcr.io/p/x@', /must be sha256/],
    ['two digests', `gcr.io/p/x@${D}@${D}`, /64 hex digits/],
    ['a digest without its hash', `gcr.io/p/x@${HEX}`, /must be sha256/],
  ])('%s', (_name, text, reason) => {
    expect(reasonFor(text)).toMatch(reason);
  });

  it('answers quickly for hostile texts', () => {
    const hostile = [
      `${'a'.repeat(50_000)}/p@${D}`,
      `${'a.'.repeat(25_000)}/p`,
      `gcr.io/${'a-'.repeat(50_000)}`,
      `gcr.io/p:${'a'.repeat(100_000)}`,
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
