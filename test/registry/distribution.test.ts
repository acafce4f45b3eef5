// SPDX-License-Identifier: Apache-2.0
// What a reference names, and everything that a registry may answer instead.
import { afterEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.js';
import { digestOf, imageIndex, singleImage } from '../support/images.js';
import { failure, refuse, sendManifest, startServer, testClient, type Behaviour, type TestServer } from './support.js';

const IMAGE = singleImage('app');
const OTHER = singleImage('other');
const INDEX = imageIndex('app', ['linux/amd64', 'linux/arm64'], { provenance: true });
const CONFIG = IMAGE.blobs[0]!;
const LAYER = IMAGE.blobs[1]!;

let servers: TestServer[] = [];

async function serve(behave: Behaviour): Promise<TestServer> {
  const server = await startServer(behave);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

describe('what a reference names', () => {
  it('a tag: one GET, whose bytes prove the digest', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    const image = await testClient().resolve(`${server.host}/team/app:v1`);
    expect(image).toMatchObject({
      reference: { digest: IMAGE.digest, tag: 'v1', repository: 'team/app' },
      mediaType: IMAGE.mediaType,
      isIndex: false,
      children: [],
    });
    expect(server.asked()).toEqual(['GET /v2/team/app/manifests/v1']);
  });

  it('asks for all four media types, plain bytes, and says nothing about itself', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    await testClient().resolve(`${server.host}/app:v1`);
    const { headers } = server.seen[0]!;
    expect(headers.accept?.split(', ').sort()).toEqual([
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
    ]);
    expect(headers).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'binauthz' });
    expect(headers.authorization).toBeUndefined();
  });

  it('tag and digest: the digest decides', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    const image = await testClient().resolve(`${server.host}/app:v1@${IMAGE.digest}`);
    expect(server.asked()).toEqual([`GET /v2/app/manifests/${IMAGE.digest}`]);
    expect(image.reference).toMatchObject({ digest: IMAGE.digest, tag: 'v1' });
  });

  it('an index: its runnable children, without provenance', async () => {
    const server = await serve((_seen, response) => sendManifest(response, INDEX));
    const image = await testClient().resolve(`${server.host}/app:v1`);
    expect(image).toMatchObject({ isIndex: true, reference: { digest: INDEX.digest } });
    expect(image.children).toEqual([
      { digest: INDEX.children[0]!.digest, platform: 'linux/amd64' },
      { digest: INDEX.children[1]!.digest, platform: 'linux/arm64' },
    ]);
  });

  it('needs no digest header', async () => {
    const server = await serve((_seen, response) => response.writeHead(200, { 'content-type': IMAGE.mediaType }).end(IMAGE.manifest));
    expect((await testClient().resolve(`${server.host}/app:v1`)).reference.digest).toBe(IMAGE.digest);
  });

  it('does not compare a header with another hash', async () => {
    const server = await serve((_seen, response) =>
      sendManifest(response, IMAGE, { 'docker-content-digest': `sha512:${'0'.repeat(128)}` }),
    );
    expect((await testClient().resolve(`${server.host}/app:v1`)).reference.digest).toBe(IMAGE.digest);
  });

  it('neither tag nor digest: refused without a call, "latest" is never assumed', async () => {
    const server = await serve((_seen, response) => sendManifest(response, IMAGE));
    const error = await failure('INVALID_INPUT', testClient().resolve(`${server.host}/app`));
    expect(error.message).toMatch(/expected a tag or a digest/);
    expect(server.seen).toEqual([]);
  });
});

describe('answers that cannot be trusted', () => {
  it.each<[string, ErrorCode, RegExp, Behaviour]>([
    [
      'other bytes than the digest that was asked for',
      'DIGEST_MISMATCH',
      /the reference/,
      (_seen, response) => sendManifest(response, OTHER),
    ],
    [
      'a header that contradicts the bytes',
      'DIGEST_MISMATCH',
      /Docker-Content-Digest/,
      (_seen, response) => sendManifest(response, IMAGE, { 'docker-content-digest': OTHER.digest }),
    ],
    [
      'other bytes under the right header',
      'DIGEST_MISMATCH',
      /the reference/,
      (_seen, response) => sendManifest(response, OTHER, { 'docker-content-digest': IMAGE.digest }),
    ],
    [
      'a header that is no digest',
      'DIGEST_MISMATCH',
      /nonsense/,
      (_seen, response) => sendManifest(response, IMAGE, { 'docker-content-digest': 'nonsense' }),
    ],
    [
      'an encoded body',
      'MANIFEST_INVALID',
      /content encoding gzip/,
      (_seen, response) => sendManifest(response, IMAGE, { 'content-encoding': 'gzip' }),
    ],
    [
      'an image that is called an index',
      'MANIFEST_INVALID',
      /the registry says/,
      (_seen, response) => sendManifest(response, IMAGE, { 'content-type': INDEX.mediaType }),
    ],
  ])('%s', async (_name, code, message, behave) => {
    const server = await serve(behave);
    const client = testClient();
    const error = await failure(code, client.resolve(`${server.host}/app@${IMAGE.digest}`));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ exitCode: 7, resource: `${server.host}/app@${IMAGE.digest}` });
    // Not a hiccup: asking again would only give it another chance.
    expect(client.pace.pauses).toEqual([]);
  });

  it.each<[string, RegExp, Behaviour]>([
    [
      'a Docker schema 1 manifest',
      /schema 1/,
      (_seen, response) =>
        response
          .writeHead(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' })
          .end(JSON.stringify({ schemaVersion: 1, name: 'app', fsLayers: [] })),
    ],
    ['a login page', /not JSON/, (_seen, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['an empty answer', /not JSON/, (_seen, response) => response.writeHead(200, { 'content-type': IMAGE.mediaType }).end()],
    [
      'an index without an image',
      /no runnable image/,
      (_seen, response) =>
        response
          .writeHead(200, { 'content-type': INDEX.mediaType })
          .end(JSON.stringify({ schemaVersion: 2, mediaType: INDEX.mediaType, manifests: [] })),
    ],
  ])('by tag: %s', async (_name, message, behave) => {
    const server = await serve(behave);
    expect((await failure('MANIFEST_INVALID', testClient().resolve(`${server.host}/app:v1`))).message).toMatch(message);
  });

  it.each([
    ['announced', true],
    ['not announced', false],
  ])('a huge body, its length %s, is not read to its end', async (_name, isAnnounced) => {
    let sent = 0;
    const server = await serve((_seen, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      response.writeHead(200, {
        'content-type': IMAGE.mediaType,
        ...(isAnnounced ? { 'content-length': String(1024 * chunk.length) } : {}),
      });
      const more = (): void => {
        if (response.destroyed || sent >= 1024) return;
        sent++;
        response.write(chunk, more);
      };
      more();
    });
    const error = await failure('MANIFEST_INVALID', testClient().resolve(`${server.host}/app:v1`));
    expect(error.message).toMatch(/larger than 4194304 bytes/);
    expect(sent).toBeLessThan(64);
  });
});

describe('not found', () => {
  it('says whether the repository or the manifest is missing', async () => {
    const server = await serve((seen, response) =>
      refuse(response, 404, seen.path.includes('/nothing/') ? 'NAME_UNKNOWN' : 'MANIFEST_UNKNOWN'),
    );
    const tag = await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app:v1`));
    expect(tag.message).toMatch(/MANIFEST_UNKNOWN: manifest_unknown.*there is no manifest v1 in app/);
    expect(tag).toMatchObject({ exitCode: 6, hint: expect.stringContaining('tag') as string });
    const name = await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/nothing/app:v1`));
    expect(name.message).toMatch(/NAME_UNKNOWN.*the repository nothing\/app does not exist/);
    const digest = await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app@${IMAGE.digest}`));
    expect(digest.hint).toContain('digest');
  });

  it('takes a refused name for an image that cannot exist', async () => {
    const server = await serve((_seen, response) => refuse(response, 400, 'NAME_INVALID'));
    await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app:v1`));
  });

  it('explains an image id that was given as a digest', async () => {
    const server = await serve((seen, response) => {
      if (seen.path !== `/v2/app/blobs/${CONFIG.digest}`) return refuse(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200, { 'content-length': String(CONFIG.bytes.length) }).end(seen.method === 'HEAD' ? undefined : CONFIG.bytes);
    });
    const error = await failure('IMAGE_ID_NOT_DIGEST', testClient().resolve(`${server.host}/app@${CONFIG.digest}`));
    expect(error.message).toContain(`${CONFIG.digest} is an image id`);
    expect(error).toMatchObject({ exitCode: 6, hint: expect.stringMatching(/"digest".*imageid.*docker images --digests/) as string });
  });

  it.each<[string, Buffer, string?]>([
    ['a layer', LAYER.bytes],
    ['JSON that is no configuration', Buffer.from('{"rootfs":{}}')],
    ['something too large to be a configuration', CONFIG.bytes, String(5 * 1024 * 1024 * 1024)],
  ])('does not take %s for an image id', async (_name, bytes, length = String(bytes.length)) => {
    const digest = digestOf(bytes);
    const server = await serve((seen, response) => {
      if (!seen.path.includes('/blobs/')) return refuse(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200, { 'content-length': length }).end(seen.method === 'HEAD' ? undefined : bytes);
    });
    await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app@${digest}`));
  });

  it('does not believe a blob that is not what its name says', async () => {
    const server = await serve((seen, response) => {
      if (!seen.path.includes('/blobs/')) return refuse(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200).end(seen.method === 'HEAD' ? undefined : CONFIG.bytes);
    });
    await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app@${LAYER.digest}`));
  });

  it('stays with "not found" where the question about the image id fails', async () => {
    const server = await serve((seen, response) =>
      seen.path.includes('/blobs/') ? void response.destroy() : refuse(response, 404, 'MANIFEST_UNKNOWN'),
    );
    const client = testClient();
    await failure('IMAGE_NOT_FOUND', client.resolve(`${server.host}/app@${CONFIG.digest}`));
    expect(client.pace.pauses).toEqual([]);
  });
});

describe('trouble that may pass', () => {
  const once = (trouble: Behaviour, times = 1): Behaviour => {
    let left = times;
    return (seen, response) => (left-- > 0 ? trouble(seen, response) : sendManifest(response, IMAGE));
  };

  it.each<[string, Behaviour, number[]]>([
    ['500', (_seen, response) => void response.writeHead(500).end(), [150]],
    [
      '503 with Retry-After in seconds',
      (_seen, response) => refuse(response, 503, 'UNAVAILABLE', { headers: { 'retry-after': '7' } }),
      [7_000],
    ],
    [
      '429 with Retry-After in seconds',
      (_seen, response) => refuse(response, 429, 'TOOMANYREQUESTS', { headers: { 'retry-after': '31' } }),
      [31_000],
    ],
    [
      '429 with Retry-After as a date',
      (_seen, response) => refuse(response, 429, 'TOOMANYREQUESTS', { headers: { 'retry-after': 'Fri, 02 Jan 2026 03:04:15 GMT' } }),
      [10_000],
    ],
    [
      '429 with a date that is past',
      (_seen, response) => refuse(response, 429, 'TOOMANYREQUESTS', { headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT' } }),
      [750],
    ],
    [
      '429 with Retry-After 0, which must not spin',
      (_seen, response) => refuse(response, 429, 'TOOMANYREQUESTS', { headers: { 'retry-after': '0' } }),
      [750],
    ],
    [
      '429 with nonsense in Retry-After',
      (_seen, response) => refuse(response, 429, 'TOOMANYREQUESTS', { headers: { 'retry-after': 'soon' } }),
      [750],
    ],
    ['a reset before the answer', (_seen, response) => void response.destroy(), [150]],
    [
      'a body cut off',
      (_seen, response) =>
        void response
          .writeHead(200, { 'content-type': IMAGE.mediaType, 'content-length': String(IMAGE.manifest.length) })
          .write(IMAGE.manifest.subarray(0, 20), () => response.destroy()),
      [150],
    ],
    [
      'a chunked body cut off',
      (_seen, response) =>
        void response.writeHead(200, { 'content-type': IMAGE.mediaType }).write(IMAGE.manifest.subarray(0, 20), () => response.destroy()),
      [150],
    ],
  ])('%s: asks again', async (_name, trouble, slept) => {
    const server = await serve(once(trouble));
    const client = testClient();
    expect((await client.resolve(`${server.host}/app:v1`)).reference.digest).toBe(IMAGE.digest);
    expect(client.pace.pauses).toEqual(slept);
    expect(client.lines.join('\n')).toMatch(/next attempt in \d+ ms/);
  });

  it('a server that says nothing: times out and asks again', async () => {
    const server = await serve(once(() => undefined));
    expect((await testClient({ timeoutMs: 100 }).resolve(`${server.host}/app:v1`)).reference.digest).toBe(IMAGE.digest);
  });

  it('a server that drips: the deadline is for the whole answer', async () => {
    const server = await serve((_seen, response) => {
      response.writeHead(200, { 'content-type': IMAGE.mediaType });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const error = await failure('UNAVAILABLE', testClient({ timeoutMs: 100 }).resolve(`${server.host}/app:v1`));
    expect(error.message).toMatch(/no complete answer within 100 ms/);
  });

  it.each<[string, ErrorCode, number, number]>([
    ['503 that stays', 'UNAVAILABLE', 503, 30_000],
    ['429 that stays', 'QUOTA_EXHAUSTED', 429, 70_000],
  ])('%s: gives up within its budget', async (_name, code, status, budgetMs) => {
    const server = await serve((_seen, response) => refuse(response, status, 'NO'));
    const client = testClient();
    const error = await failure(code, client.resolve(`${server.host}/app:v1`));
    expect(error.exitCode).toBe(9);
    const total = client.pace.pauses.reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeGreaterThan(budgetMs / 2);
    expect(total).toBeLessThanOrEqual(budgetMs);
  });

  it('nobody there: UNAVAILABLE, naming host and image', async () => {
    const server = await serve(() => undefined);
    await server.close();
    servers = [];
    const error = await failure('UNAVAILABLE', testClient().resolve(`${server.host}/app:v1`));
    expect(error.message).toContain(`cannot reach ${server.host} for ${server.host}/app:v1: it refused the connection`);
  });

  it('a cancelled run: CANCELLED at once, without another attempt', async () => {
    const controller = new AbortController();
    const server = await serve(() => controller.abort());
    const client = testClient({ signal: controller.signal });
    await failure('CANCELLED', client.resolve(`${server.host}/app:v1`));
    await failure('CANCELLED', client.resolve(`${server.host}/app:v1`));
    expect(client.pace.pauses).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });
});

describe('other refusals', () => {
  it('an unexpected status is not taken for "not found"', async () => {
    const server = await serve((_seen, response) => void response.writeHead(418).end('<html>teapot</html>'));
    const error = await failure('RESPONSE_INVALID', testClient().resolve(`${server.host}/app:v1`));
    expect(error.message).toMatch(/HTTP 418, expected 200/);
  });

  it('what a registry says is quoted short, on one line and without control characters', async () => {
    const server = await serve((_seen, response) =>
      refuse(response, 404, 'MANIFEST_UNKNOWN', { message: `a\n::error::b\u001b[2J${'x'.repeat(10_000)}` }),
    );
    const { message } = await failure('IMAGE_NOT_FOUND', testClient().resolve(`${server.host}/app:v1`));
    expect(message).toMatch(/^[^\p{Cc}]{50,500}$/u);
  });
});
