// SPDX-License-Identifier: Apache-2.0
// Deterministic images for tests, and a push of them over the OCI distribution API that any registry understands.
import { createHash } from 'node:crypto';

/** A blob with its digest. */
export interface TestBlob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** An image manifest with everything it refers to, or an index with its children. */
export interface TestImage {
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly digest: string;
  /** The configuration first, then the layers; empty for an index. */
  readonly blobs: readonly TestBlob[];
  readonly children: readonly TestImage[];
}

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const IN_TOTO = 'application/vnd.in-toto+json';
const CREATED = '2026-01-02T03:04:05Z';

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function blob(bytes: Buffer): TestBlob {
  return { digest: digestOf(bytes), bytes };
}

function descriptor(mediaType: string, { digest, bytes }: TestBlob): Record<string, unknown> {
  return { mediaType, digest, size: bytes.length };
}

function platformOf(text: string): Record<string, string> {
  const [os = '', architecture = '', variant] = text.split('/');
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

/** A one-platform OCI image; the same seed gives the same bytes. `extra` adds members such as `subject` to the manifest. */
export function singleImage(seed: string, platform = 'linux/amd64', extra: Record<string, unknown> = {}): TestImage {
  const layer = blob(Buffer.from(`layer of ${seed} for ${platform}\n`));
  const config = blob(
    json({
      created: CREATED,
      ...platformOf(platform),
      config: { Cmd: ['/app', seed] },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
  );
  return image([config, layer], {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, config),
    layers: [descriptor(OCI_LAYER, layer)],
    ...extra,
  });
}

/** An index with one image per platform; with `provenance` also BuildKit's attestation manifest for each. */
export function imageIndex(seed: string, platforms: readonly string[], options: { readonly provenance?: boolean } = {}): TestImage {
  const images = platforms.map((platform) => ({
    image: singleImage(seed, platform),
    platform: platformOf(platform),
    annotations: undefined,
  }));
  const attestations = options.provenance
    ? images.map(({ image: subject }) => ({
        image: attestationManifest(seed, subject.digest),
        platform: { architecture: 'unknown', os: 'unknown' },
        annotations: { 'vnd.docker.reference.digest': subject.digest, 'vnd.docker.reference.type': 'attestation-manifest' },
      }))
    : [];
  const entries = [...images, ...attestations];
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: entries.map(({ image: child, platform, annotations }) => ({
      ...descriptor(child.mediaType, { digest: child.digest, bytes: child.manifest }),
      ...(annotations === undefined ? {} : { annotations }),
      platform,
    })),
  });
  return { manifest, mediaType: OCI_INDEX, digest: digestOf(manifest), blobs: [], children: entries.map((entry) => entry.image) };
}

function attestationManifest(seed: string, subject: string): TestImage {
  const statement = blob(
    json({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ name: seed, digest: { sha256: subject.slice('sha256:'.length) } }],
      predicate: {},
    }),
  );
  const config = blob(
    json({ architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: [statement.digest] } }),
  );
  return image([config, statement], {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, config),
    layers: [{ ...descriptor(IN_TOTO, statement), annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' } }],
  });
}

function image(blobs: readonly TestBlob[], content: Record<string, unknown>): TestImage {
  const manifest = json(content);
  return { manifest, mediaType: OCI_MANIFEST, digest: digestOf(manifest), blobs, children: [] };
}

/** Pushes an image (an index with its children first) as `name:reference` to the registry at `baseUrl`; answers its digest. */
export async function pushImage(
  baseUrl: string,
  name: string,
  reference: string,
  pushed: TestImage,
  options: { readonly headers?: Record<string, string> } = {},
): Promise<string> {
  const target: PushTarget = { base: new URL(baseUrl), name, headers: options.headers ?? {} };
  for (const child of pushed.children) await pushImage(baseUrl, name, child.digest, child, options);
  for (const part of pushed.blobs) await pushBlob(target, part);
  const headers = { ...target.headers, 'Content-Type': pushed.mediaType };
  const stored = await expectStatus(
    201,
    await fetch(urlOf(target, `manifests/${reference}`), { method: 'PUT', headers, body: body(pushed.manifest) }),
  );
  const digest = stored.headers.get('docker-content-digest');
  if (digest !== pushed.digest) throw new Error(`the registry stored ${String(digest)} instead of ${pushed.digest}`);
  return digest;
}

interface PushTarget {
  readonly base: URL;
  readonly name: string;
  readonly headers: Record<string, string>;
}

async function pushBlob(target: PushTarget, { digest, bytes }: TestBlob): Promise<void> {
  const known = await fetch(urlOf(target, `blobs/${digest}`), { method: 'HEAD', headers: target.headers });
  if (known.status === 200) return;
  const started = await expectStatus(202, await fetch(urlOf(target, 'blobs/uploads/'), { method: 'POST', headers: target.headers }));
  // A Location may be relative.
  const upload = new URL(started.headers.get('location') ?? '', target.base);
  upload.searchParams.set('digest', digest);
  const headers = { ...target.headers, 'Content-Type': 'application/octet-stream' };
  await expectStatus(201, await fetch(upload, { method: 'PUT', headers, body: body(bytes) }));
}

function urlOf({ base, name }: PushTarget, path: string): URL {
  return new URL(`/v2/${name}/${path}`, base);
}

function body(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

async function expectStatus(status: number, response: Response): Promise<Response> {
  const text = response.status === status ? '' : await response.text();
  if (response.status !== status)
    throw new Error(`${response.url} answered ${String(response.status)} instead of ${String(status)}: ${text}`);
  return response;
}
