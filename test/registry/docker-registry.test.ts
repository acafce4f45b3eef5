// SPDX-License-Identifier: Apache-2.0
// Against Debian's docker-registry, which somebody else wrote: alone, and behind a proxy that wants bearer tokens.
import { request as forward } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestsToAttest } from '../../src/core/image/platform.js';
import { hasDockerRegistry, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { failure, refuse, startServer, testClient, type TestServer } from './support.js';

const SINGLE = singleImage('single');
const INDEX = imageIndex('multi', ['linux/amd64', 'linux/arm64'], { provenance: true });
const CHILDREN = INDEX.children.slice(0, 2).map(({ digest }) => digest);

describe.skipIf(!hasDockerRegistry)('docker-registry', () => {
  let registry: DockerRegistry;
  let tokens: TestServer;
  let guarded: TestServer;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushImage(`http://${registry.host}`, 'team/app', 'single', SINGLE);
    await pushImage(`http://${registry.host}`, 'team/app', 'multi', INDEX);
    tokens = await startServer((seen, response) => {
      const isKnown = seen.headers.authorization === `Basic ${Buffer.from('me:pass').toString('base64')}`;
      if (!isKnown || seen.query.get('scope') !== 'repository:team/app:pull') return refuse(response, 401, 'UNAUTHORIZED');
      response.end(JSON.stringify({ token: 'pull-token', expires_in: 300 }));
    });
    guarded = await startServer((seen, response) => {
      if (seen.headers.authorization !== 'Bearer pull-token') {
        const challenge = `Bearer realm="http://${tokens.host}/token",service="guarded",scope="repository:team/app:pull"`;
        return refuse(response, 401, 'UNAUTHORIZED', { headers: { 'www-authenticate': challenge } });
      }
      forward(`http://${registry.host}${seen.path}`, { method: seen.method, headers: { accept: seen.headers.accept } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }).end();
    });
  });

  afterAll(async () => {
    await Promise.all([registry, tokens, guarded].map((server) => server.close()));
  });

  const hosts = {
    open: () => ({ host: registry.host, client: testClient() }),
    guarded: () => ({
      host: guarded.host,
      client: testClient({ dockerConfig: { auths: { [guarded.host]: { auth: Buffer.from('me:pass').toString('base64') } } } }),
    }),
  };

  describe.each(['open', 'guarded'] as const)('%s', (kind) => {
    it('a tag of a single image gives its digest', async () => {
      const { host, client } = hosts[kind]();
      const image = await client.resolve(`${host}/team/app:single`);
      expect(image).toMatchObject({ isIndex: false, mediaType: SINGLE.mediaType, reference: { digest: SINGLE.digest } });
      expect(digestsToAttest(image, 'both')).toEqual([SINGLE.digest]);
    });

    it('a tag of an index gives its digest and its runnable children, which resolve to themselves', async () => {
      const { host, client } = hosts[kind]();
      const image = await client.resolve(`http://${host}/team/app:multi`);
      expect(image.children.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
      expect(digestsToAttest(image, 'both')).toEqual([INDEX.digest, ...CHILDREN]);
      for (const digest of CHILDREN) {
        expect((await client.resolve(`${host}/team/app@${digest}`)).reference.digest).toBe(digest);
      }
    });

    it('a tag together with a digest gives the digest', async () => {
      const { host, client } = hosts[kind]();
      expect((await client.resolve(`${host}/team/app:multi@${SINGLE.digest}`)).reference.digest).toBe(SINGLE.digest);
    });

    it('an image id given as a digest is recognised', async () => {
      const { host, client } = hosts[kind]();
      const error = await failure('IMAGE_ID_NOT_DIGEST', client.resolve(`${host}/team/app@${SINGLE.blobs[0]!.digest}`));
      expect(error.exitCode).toBe(6);
      expect(client.pace.pauses).toEqual([]);
    });

    it('a missing tag and a missing digest are not found', async () => {
      const { host, client } = hosts[kind]();
      expect((await failure('IMAGE_NOT_FOUND', client.resolve(`${host}/team/app:nothing`))).message).toContain('MANIFEST_UNKNOWN');
      await failure('IMAGE_NOT_FOUND', client.resolve(`${host}/team/app@sha256:${'0'.repeat(64)}`));
    });
  });

  it('guarded, without credentials: UNAUTHENTICATED', async () => {
    await failure('UNAUTHENTICATED', testClient().resolve(`${guarded.host}/team/app:single`));
  });
});
