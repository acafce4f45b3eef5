// SPDX-License-Identifier: Apache-2.0
// What people bring to the demo from elsewhere: a PGP key, as gpg makes one, and images, pushed as docker does.
import { createHash, randomBytes } from 'node:crypto';

/** A PGP key, armored, and the passphrase of its private half. They exist in memory only. */
export interface PgpKey {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly passphrase: string;
}

const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes an image with this content to `registry/repository`, as `docker push` would; its digest. */
export async function pushImage(url: string, repository: string, tag: string, content: string): Promise<string> {
  const registry = repository.slice(0, repository.indexOf('/'));
  const path = `/v2/${repository.slice(registry.length + 1)}`;
  const layer = Buffer.from(content);
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  );
  const push = (method: string, rest: string, type: string, body: Buffer): Promise<Response> =>
    send(`${url}${path}${rest}`, {
      method,
      headers: { 'content-type': type, 'x-binauthz-registry': registry },
      body: new Uint8Array(body),
    });
  for (const blob of [layer, config]) await push('POST', `/blobs/uploads/?digest=${digestOf(blob)}`, 'application/octet-stream', blob);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_IMAGE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
    }),
  );
  await push('PUT', `/manifests/${tag}`, OCI_IMAGE, manifest);
  return digestOf(manifest);
}

/** Makes a key that signs. */
export async function createPgpKey(): Promise<PgpKey> {
  const { generateKey } = await import('openpgp');
  const passphrase = randomBytes(18).toString('base64url');
  const keys = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'QA', email: 'qa@example.com' }],
    passphrase,
    format: 'armored',
  });
  return { ...keys, passphrase };
}

async function send(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
