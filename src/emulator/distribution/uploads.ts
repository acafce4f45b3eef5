// SPDX-License-Identifier: Apache-2.0
// Blob uploads: in one POST, by mount, or as a session of POST, any number of PATCH, and PUT.
import { param, type Call, type Reply, type Route } from '../router.js';
import { requireDigest, requireMatch } from './digest.js';
import { authorize, imageToWrite, placesOfName, placeToWrite, repositoryAt, type Place, type Registry } from './places.js';
import { RegistryError, registryRoute } from './registry-error.js';

interface Session {
  readonly id: string;
  /** The name as the client spells it, and the place that it meant when the upload began. */
  readonly name: string;
  readonly place: Place;
  readonly chunks: Buffer[];
}

/** The upload sessions that are under way. */
export class Uploads {
  private readonly sessions = new Map<string, Session>();
  private started = 0;

  constructor(private readonly registry: Registry) {}

  /** Forgets every session. */
  reset(): void {
    this.sessions.clear();
  }

  /** The routes of uploads. */
  routes(): readonly Route[] {
    const session = '/v2/{name=**}/blobs/uploads/{id=any}';
    return [
      registryRoute('POST', '/v2/{name=**}/blobs/uploads', (call) => this.start(call)),
      registryRoute('GET', session, (call) => progress(call, this.session(call), 204)),
      registryRoute('PATCH', session, (call) => append(call, this.session(call))),
      registryRoute('PUT', session, (call) => this.finish(call)),
      registryRoute('DELETE', session, (call) => this.cancel(call)),
    ];
  }

  private start(call: Call): Reply {
    const place = placeToWrite(this.registry, call);
    const mount = call.query.get('mount');
    const mounted = mount === null ? undefined : this.mountable(call, requireDigest(mount));
    if (mount !== null && mounted) return this.store(call, place, { digest: mount, bytes: mounted });
    const digest = call.query.get('digest');
    if (digest !== null) {
      requireMatch(call.body, digest);
      return this.store(call, place, { digest, bytes: call.body });
    }
    this.started += 1;
    const session: Session = { id: `upload-${String(this.started)}`, name: param(call, 'name'), place, chunks: [] };
    this.sessions.set(session.id, session);
    return progress(call, session, 202);
  }

  // A blob that cannot be mounted, for whatever reason, is simply uploaded: the specification's fallback.
  private mountable(call: Call, digest: string): Buffer | undefined {
    const from = call.query.get('from');
    if (from === null) return undefined;
    const { world, images } = this.registry;
    for (const place of placesOfName(call, from, images)) {
      const bytes = repositoryAt(images, place)?.images.get(place.image)?.blobs.get(digest);
      if (bytes && isAllowed(() => authorize(world, call, 'artifactregistry.repositories.downloadArtifacts', place))) return bytes;
    }
    return undefined;
  }

  private session(call: Call): Session {
    const id = param(call, 'id');
    const session = this.sessions.get(id);
    // The permission first, even for an upload that does not exist.
    const place = session?.name === param(call, 'name') ? session.place : placeToWrite(this.registry, call);
    authorize(this.registry.world, call, 'artifactregistry.repositories.uploadArtifacts', place);
    if (session?.place === place) return session;
    throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', `Upload "${id}" unknown to the registry`);
  }

  private finish(call: Call): Reply {
    const session = this.session(call);
    const digest = requireDigest(call.query.get('digest') ?? '');
    requireInOrder(call, session);
    const bytes = Buffer.concat([...session.chunks, call.body]);
    // Wrong content ends the session: nothing could be added that makes it right.
    this.sessions.delete(session.id);
    requireMatch(bytes, digest);
    return this.store(call, session.place, { digest, bytes });
  }

  private cancel(call: Call): Reply {
    this.sessions.delete(this.session(call).id);
    return { status: 204 };
  }

  private store(call: Call, place: Place, blob: { readonly digest: string; readonly bytes: Buffer }): Reply {
    imageToWrite(this.registry.images, place).blobs.set(blob.digest, blob.bytes);
    return {
      status: 201,
      headers: { Location: `/v2/${param(call, 'name')}/blobs/${blob.digest}`, 'Docker-Content-Digest': blob.digest },
    };
  }
}

function append(call: Call, session: Session): Reply {
  requireInOrder(call, session);
  session.chunks.push(call.body);
  return progress(call, session, 202);
}

function requireInOrder(call: Call, session: Session): void {
  const start = /^(?:bytes )?(\d+)-/.exec(call.headers.get('content-range') ?? '')?.[1];
  const size = sizeOf(session);
  if (start === undefined || Number(start) === size) return;
  throw new RegistryError(
    416,
    'BLOB_UPLOAD_INVALID',
    `The chunk starts at ${start}, expected ${String(size)}`,
    sessionHeaders(call, session),
  );
}

function progress(call: Call, session: Session, status: number): Reply {
  return { status, headers: sessionHeaders(call, session) };
}

function sizeOf({ chunks }: Session): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function sessionHeaders(call: Call, session: Session): Record<string, string> {
  return {
    Location: `/v2/${param(call, 'name')}/blobs/uploads/${session.id}`,
    Range: `0-${String(Math.max(sizeOf(session) - 1, 0))}`,
    'Docker-Upload-UUID': session.id,
  };
}

function isAllowed(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}
