// SPDX-License-Identifier: Apache-2.0
// The one store of images that the registry API and Artifact Registry share: repositories hold images (Artifact
// Registry calls them packages), an image holds manifests (versions), tags and blobs.
import type { JsonObject } from '../wire.js';
import type { EmulatorClock } from '../world.js';
import { repositoryName, type RepositoryAddress } from './registry-hosts.js';

/** A manifest as it was pushed, with what the store knows about it. */
export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly content: JsonObject;
  readonly uploadTime: number;
  /** Moves with every tag that is set on it or taken from it. */
  updateTime: number;
}

/** What a push hands over; the store adds the times. */
export type PushedManifest = Pick<Manifest, 'digest' | 'mediaType' | 'bytes' | 'content'>;

/** One image name within a repository. Blobs are kept per image, as the distribution API sees them. */
export class Image {
  readonly manifests = new Map<string, Manifest>();
  readonly tags = new Map<string, string>();
  readonly blobs = new Map<string, Buffer>();
  readonly createTime: number;
  updateTime: number;

  constructor(
    readonly name: string,
    private readonly clock: EmulatorClock,
  ) {
    this.createTime = clock.now();
    this.updateTime = this.createTime;
  }

  /** The manifest of a tag or a digest. */
  manifest(reference: string): Manifest | undefined {
    return this.manifests.get(this.tags.get(reference) ?? reference);
  }

  /** Stores a manifest; pushing the same bytes again keeps the first upload time. */
  put(pushed: PushedManifest): void {
    const now = this.touch();
    const uploadTime = this.manifests.get(pushed.digest)?.uploadTime ?? now;
    this.manifests.set(pushed.digest, { ...pushed, uploadTime, updateTime: now });
  }

  /** Points a tag at a manifest, wherever it pointed before. */
  tag(name: string, digest: string): void {
    const now = this.touch();
    for (const changed of [this.manifest(name), this.manifests.get(digest)]) {
      if (changed) changed.updateTime = now;
    }
    this.tags.set(name, digest);
  }

  /** Removes a tag and leaves its manifest. */
  untag(name: string): void {
    const manifest = this.manifest(name);
    if (manifest) manifest.updateTime = this.touch();
    this.tags.delete(name);
  }

  /** Removes a manifest and every tag on it. */
  remove(digest: string): void {
    for (const tag of this.tagsOf(digest)) this.tags.delete(tag);
    this.manifests.delete(digest);
    this.touch();
  }

  /** The tags of a manifest, sorted. */
  tagsOf(digest: string): readonly string[] {
    return [...this.tags]
      .filter(([, target]) => target === digest)
      .map(([tag]) => tag)
      .sort();
  }

  private touch(): number {
    this.updateTime = this.clock.now();
    return this.updateTime;
  }
}

/** What the owner of a repository may set; kept as it was sent. */
export interface RepositorySettings {
  readonly format: string;
  readonly fields: JsonObject;
}

/** A repository, made by its API or by the first push. */
export class Repository {
  readonly images = new Map<string, Image>();
  readonly createTime: number;
  updateTime: number;
  fields: JsonObject;
  readonly format: string;

  constructor(
    public address: RepositoryAddress,
    settings: RepositorySettings,
    private readonly clock: EmulatorClock,
  ) {
    this.createTime = clock.now();
    this.updateTime = this.createTime;
    this.format = settings.format;
    this.fields = settings.fields;
  }

  /** The resource name `projects/P/locations/L/repositories/R`. */
  get name(): string {
    return repositoryName(this.address);
  }

  /** Whether a tag, once set, may never point elsewhere. */
  get immutableTags(): boolean {
    const config = this.fields['dockerConfig'];
    return typeof config === 'object' && config !== null && 'immutableTags' in config && config.immutableTags === true;
  }

  /** The image of that name, made where it is missing. */
  ensureImage(name: string): Image {
    const image = this.images.get(name) ?? new Image(name, this.clock);
    this.images.set(name, image);
    return image;
  }

  /** The images that hold at least one manifest, by name; an unfinished push is not a package yet. */
  packages(): readonly Image[] {
    const pushed = [...this.images.values()].filter((image) => image.manifests.size > 0);
    return pushed.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

const PUSHED: RepositorySettings = { format: 'DOCKER', fields: {} };

/** Every repository with its images. */
export class ImageStore {
  private readonly repositories = new Map<string, Repository>();
  /** Made by a push that named no location: `docker push 127.0.0.1:PORT/…` cannot. */
  private readonly unplaced = new Set<Repository>();

  constructor(private readonly clock: EmulatorClock) {}

  /** The repository at an address. One without a location of its own takes the first that somebody names. */
  find(address: RepositoryAddress, namesLocation = true): Repository | undefined {
    const found = this.repositories.get(repositoryName(address)) ?? (namesLocation ? this.moveHere(address) : undefined);
    if (found && namesLocation) this.unplaced.delete(found);
    return found;
  }

  private moveHere(address: RepositoryAddress): Repository | undefined {
    const found = [...this.unplaced].find(
      (repository) => repository.address.project === address.project && repository.address.repository === address.repository,
    );
    if (!found) return undefined;
    this.delete(found.address);
    found.address = address;
    this.repositories.set(found.name, found);
    return found;
  }

  /** Whether the repository at an address still waits for somebody to say where it is. */
  isUnplaced(address: RepositoryAddress): boolean {
    const found = this.repositories.get(repositoryName(address));
    return found !== undefined && this.unplaced.has(found);
  }

  /** The repositories of one name in a project, in any location; `us` first, then in order of creation. */
  findAnywhere(project: string, repository: string): readonly Repository[] {
    const found = [...this.repositories.values()].filter(({ address }) => address.project === project && address.repository === repository);
    return [...found.filter(({ address }) => address.location === 'us'), ...found.filter(({ address }) => address.location !== 'us')];
  }

  /** The repositories of a location, by name. */
  list(project: string, location: string): readonly Repository[] {
    const found = [...this.repositories.values()].filter(({ address }) => address.project === project && address.location === location);
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes a repository; the caller has made sure that there is none. */
  create(address: RepositoryAddress, settings: RepositorySettings): Repository {
    const repository = new Repository(address, settings, this.clock);
    this.repositories.set(repository.name, repository);
    return repository;
  }

  /** The repository at an address, made as a Docker repository where it is missing: pushing needs no set-up here. */
  ensure(address: RepositoryAddress, namesLocation = true): Repository {
    const found = this.find(address, namesLocation);
    if (found) return found;
    const made = this.create(address, PUSHED);
    if (!namesLocation) this.unplaced.add(made);
    return made;
  }

  /** Forgets a repository and everything in it. */
  delete(address: RepositoryAddress): void {
    const found = this.repositories.get(repositoryName(address));
    if (found) this.unplaced.delete(found);
    this.repositories.delete(repositoryName(address));
  }

  /** Forgets everything. */
  clear(): void {
    this.repositories.clear();
    this.unplaced.clear();
  }
}
