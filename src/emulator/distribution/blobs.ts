// SPDX-License-Identifier: Apache-2.0
// Blobs of the distribution API, read and deleted by digest. Uploads are in uploads.ts.
import { param, type Call, type Reply, type Route } from '../router.js';
import { requireDigest } from './digest.js';
import { findToDelete, imageToRead, type Registry } from './places.js';
import { RegistryError, registryRoute } from './registry-error.js';

/** The routes of stored blobs. */
export function blobRoutes(registry: Registry): readonly Route[] {
  const blob = '/v2/{name=**}/blobs/{digest=any}';
  const read = (call: Call): Reply => readBlob(registry, call);
  return [
    registryRoute('GET', blob, read),
    registryRoute('HEAD', blob, read),
    registryRoute('DELETE', blob, (call) => deleteBlob(registry, call)),
  ];
}

function readBlob(registry: Registry, call: Call): Reply {
  const digest = requireDigest(param(call, 'digest'));
  const bytes = imageToRead(registry, call, ({ blobs }) => blobs.has(digest))?.blobs.get(digest);
  if (!bytes) throw unknownBlob(digest);
  return {
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(bytes.length), 'Docker-Content-Digest': digest },
    bytes,
  };
}

function deleteBlob(registry: Registry, call: Call): Reply {
  const digest = requireDigest(param(call, 'digest'));
  const { image } = findToDelete(registry, call, ({ blobs }) => blobs.has(digest));
  if (!image?.blobs.delete(digest)) throw unknownBlob(digest);
  return { status: 202 };
}

function unknownBlob(digest: string): RegistryError {
  return new RegistryError(404, 'BLOB_UNKNOWN', `Blob "${digest}" unknown to the registry`);
}
