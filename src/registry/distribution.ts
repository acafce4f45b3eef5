// SPDX-License-Identifier: Apache-2.0
// The OCI distribution API, as far as it takes to learn what a reference names
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
import { asError, BinauthzError } from '../core/errors.js';
import { proveDigest, type Digest } from '../core/image/digest.js';
import { MANIFEST_MEDIA_TYPES, readManifest, type ResolvedImage } from '../core/image/platform.js';
import { pin, type ImageReference } from '../core/image/reference.js';
import { retry, type Pace } from '../core/retry.js';
import type { ImageRegistry } from '../ports/image-registry.js';
import type { Reporter } from '../ports/reporter.js';
import { createCredentials, type CredentialSources } from './credentials.js';
import { registryHost, type RegistryHost } from './hosts.js';
import { createHttpClient, type HttpOptions, type HttpRequest, type HttpResponse } from './http.js';
import { isImageConfig, MOST_CONFIG_BYTES } from './image-id.js';
import { refusalOf } from './refusal.js';
import { createSession, type Session, type SessionResponse } from './session.js';

/** What the registry client needs from its host. */
export interface ImageRegistryDeps extends CredentialSources {
  readonly pace: Pace;
  readonly reporter: Reporter;
  /** `127.0.0.1:PORT`: answers for Google's registries in their place. */
  readonly emulatorHost?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly agentFor?: HttpOptions['agentFor'];
  /** Why one of Google's registries answered 403 or 404, as a hint. */
  readonly explain?: ((reference: ImageReference, answer: 'missing' | 'refused') => Promise<string | undefined>) | undefined;
}

// The specification lets registries refuse larger manifests; all known ones do.
const MOST_MANIFEST_BYTES = 4 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 15_000;
// Registries may name a manifest by another hash, which neither proves nor refutes the sha256 of its bytes.
const OTHER_HASH = /^(?!sha256:)[a-z0-9]+:[0-9a-f]{32,}$/;

/** A client for any registry: Docker Hub, Google's, one on this machine, or the emulator. */
export function createImageRegistry(deps: ImageRegistryDeps): ImageRegistry {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, emulatorHost, agentFor } = deps;
  const http = createHttpClient({ timeoutMs, signal, emulatorHost, agentFor });
  const session = createSession({ http, credentials: createCredentials(deps), pace: deps.pace });
  return {
    async resolve(reference) {
      const image = new RemoteImage(reference, session, deps);
      return read(reference, await image.manifest(), deps.reporter);
    },
  };
}

/** One image at its registry. */
class RemoteImage {
  readonly #registry: RegistryHost;

  constructor(
    readonly reference: ImageReference,
    readonly session: Session,
    readonly deps: ImageRegistryDeps,
  ) {
    this.#registry = registryHost(reference.registry);
  }

  /** The answer with the manifest. */
  manifest(): Promise<HttpResponse> {
    const { pace, reporter } = this.deps;
    const wanted = wantedOf(this.reference);
    return retry(
      async () => {
        const answer = await this.#send('GET', `manifests/${wanted}`, {
          accept: MANIFEST_MEDIA_TYPES.join(', '),
          maxBytes: MOST_MANIFEST_BYTES,
        });
        if (answer.response.status !== 200) throw await this.#refusal(answer);
        return answer.response;
      },
      pace,
      { onRetry: (error, delayMs) => reporter.info(`${error.message}; next attempt in ${String(delayMs)} ms`) },
    );
  }

  async #refusal({ response, identity }: SessionResponse): Promise<BinauthzError> {
    const error = refusalOf({ reference: this.reference, registry: this.#registry, response, identity, now: this.deps.pace.now() });
    const { digest } = this.reference;
    // docker-registry 2.8 finds the blob, fails to read it as a manifest, and answers 500 instead of 404.
    const mayBeImageId = error.code === 'IMAGE_NOT_FOUND' || response.status === 500;
    if (mayBeImageId && digest !== undefined && (await this.#isImageId(digest))) return imageIdError(this.reference, digest);
    if (!this.#registry.isGoogle || (response.status !== 403 && response.status !== 404)) return error;
    const hint = await this.#quietly(async () => this.deps.explain?.(this.reference, response.status === 404 ? 'missing' : 'refused'));
    if (hint === undefined) return error;
    return new BinauthzError(error.code, error.message, { resource: this.reference.original, hint, cause: error });
  }

  async #isImageId(digest: Digest): Promise<boolean> {
    const config = await this.#quietly(async () => {
      const path = `blobs/${digest}`;
      // A layer may be gigabytes, so its size is asked for first.
      const { response: head } = await this.#send('HEAD', path, { accept: '*/*', maxBytes: 0 });
      if (head.status !== 200 || Number(head.headers['content-length'] ?? 0) > MOST_CONFIG_BYTES) return undefined;
      const { response } = await this.#send('GET', path, { accept: '*/*', maxBytes: MOST_CONFIG_BYTES });
      return response.status === 200 ? response.body : undefined;
    });
    return config !== undefined && isImageConfig(config, digest);
  }

  /** For questions that only improve an error: their own failure must not take its place. */
  async #quietly<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      const error = asError(thrown);
      if (error.code === 'CANCELLED') throw thrown;
      this.deps.reporter.debug(`no further explanation for ${this.reference.original}: ${error.message}`);
      return undefined;
    }
  }

  async #send(
    method: 'GET' | 'HEAD',
    path: string,
    { accept, maxBytes }: { readonly accept: string; readonly maxBytes: number },
  ): Promise<SessionResponse> {
    const { registry, repository, original } = this.reference;
    const url = new URL(`v2/${repository}/${path}`, this.#registry.base);
    const request: HttpRequest = { method, url, resource: original, headers: { accept }, maxBytes };
    const answer = await this.session.send({ registry: this.#registry, repository }, request);
    this.deps.reporter.debug(`${method} ${registry}/v2/${repository}/${path}: HTTP ${String(answer.response.status)}`);
    return answer;
  }
}

function wantedOf({ digest, tag, original }: ImageReference): string {
  const wanted = digest ?? tag;
  if (wanted !== undefined) return wanted;
  throw new BinauthzError('INVALID_INPUT', `cannot resolve ${original}: expected a tag or a digest, got neither`, {
    resource: original,
    hint: 'write IMAGE:TAG or IMAGE@sha256:…; "latest" is never assumed',
  });
}

/** The image that a manifest's bytes prove. */
function read(reference: ImageReference, { body, headers }: HttpResponse, reporter: Reporter): ResolvedImage {
  const resource = reference.original;
  if (body === undefined) throw unreadable(resource, `it is larger than ${String(MOST_MANIFEST_BYTES)} bytes`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw unreadable(resource, `it came with content encoding ${encoding}, expected none, since the digest is that of the plain bytes`);
  const digest = proveDigest(body, claimsOf(reference, headers['docker-content-digest'], reporter), resource);
  const image = readManifest(body, headers['content-type'], pin(reference, digest));
  reporter.debug(`${resource} is ${digest} (${image.mediaType})`);
  return image;
}

function claimsOf(
  { digest, original }: ImageReference,
  header: string | string[] | undefined,
  reporter: Reporter,
): readonly { by: string; digest: string }[] {
  const claims = digest === undefined ? [] : [{ by: 'the reference', digest: String(digest) }];
  if (header === undefined) return claims;
  const claimed = String(header).slice(0, 200);
  if (!OTHER_HASH.test(claimed)) return [...claims, { by: 'the registry’s Docker-Content-Digest', digest: claimed }];
  reporter.debug(`${original}: the registry names the manifest ${claimed}, which is not compared`);
  return claims;
}

function unreadable(resource: string, problem: string): BinauthzError {
  return new BinauthzError('MANIFEST_INVALID', `cannot read the manifest of ${resource}: ${problem}`, {
    resource,
    hint: 'check the address of the registry, and what stands between it and this machine',
  });
}

function imageIdError({ original }: ImageReference, digest: Digest): BinauthzError {
  return new BinauthzError(
    'IMAGE_ID_NOT_DIGEST',
    `cannot find a manifest for ${original}: ${digest} is an image id (the digest of the image’s configuration), expected the digest of its manifest`,
    {
      resource: original,
      hint: 'use the digest that the push printed: the output "digest" of docker/build-push-action (not "imageid"), or: docker images --digests',
    },
  );
}
