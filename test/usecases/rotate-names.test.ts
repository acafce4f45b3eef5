// SPDX-License-Identifier: Apache-2.0
// What a rotation knows of names: which platform of an index a digest is, and who else trusts a key. Neither may fail it.
import { describe, expect, it } from 'vitest';
import { BinauthzError, BinauthzErrors, type ErrorCode } from '../../src/core/errors.js';
import type { ResolvedImage } from '../../src/core/image/platform.js';
import { pin } from '../../src/core/image/reference.js';
import type { ProjectId } from '../../src/core/names.js';
import type { Coverage } from '../../src/core/rotation/coverage.js';
import type { ImageRegistry } from '../../src/ports/image-registry.js';
import { namePlatforms } from '../../src/usecases/steps/name-platforms.js';
import { warnOfSharedKeys } from '../../src/usecases/steps/warn-of-shared-keys.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';
import { nameOf, old, plant, run, world } from '../support/rotate.js';

const failing = (code: ErrorCode): BinauthzError => new BinauthzError(code, `cannot: ${code}`);

describe('a digest of an index', () => {
  const covered = (word: string, repository = 'app'): Coverage => ({
    digest: digest(word),
    image: pin(reference(`gcr.io/p/${repository}@${digest(word)}`), digest(word)),
    keys: [],
  });
  const nameless: Coverage = { digest: digest('nameless'), keys: [] };

  /** A registry in which every image is an index of one platform, called by the number of its reading. */
  function registry(
    read: string[],
    fails: (name: string) => boolean = () => false,
  ): { registry: ImageRegistry; reporter: Memory['reporter'] } {
    const memory = memoryPorts([], []);
    const resolve = (wanted: Parameters<ImageRegistry['resolve']>[0]): Promise<ResolvedImage> => {
      read.push(wanted.original);
      if (fails(wanted.original)) return Promise.reject(failing('IMAGE_NOT_FOUND'));
      const children = [{ digest: digest(`child of ${wanted.original}`), platform: `linux/${read.length}` }];
      return Promise.resolve({ reference: pin(wanted, wanted.digest!), mediaType: 'index', children, isIndex: true });
    };
    return { registry: { resolve }, reporter: memory.reporter };
  }
  const original = (word: string, repository?: string): string => covered(word, repository).image!.original;

  it('is called by its platform, of the indexes in the same repository', async () => {
    const read: string[] = [];
    const attested = [covered('index'), nameless, covered('elsewhere', 'other'), covered('second')];
    const platforms = await namePlatforms([covered('arm'), nameless], attested, registry(read));
    expect(read).toEqual([original('index'), original('second')]);
    expect([...platforms]).toEqual([
      [digest(`child of ${original('index')}`), 'linux/1'],
      [digest(`child of ${original('second')}`), 'linux/2'],
    ]);
  });

  it('without a name has no repository to look in', async () => {
    const read: string[] = [];
    expect([[...(await namePlatforms([nameless], [covered('index'), nameless], registry(read)))], read]).toEqual([[], []]);
  });

  it('whose index cannot be read stays without a platform, and the others have theirs', async () => {
    const broken = registry([], (name) => name === original('index'));
    expect([...(await namePlatforms([covered('arm')], [covered('index'), covered('second')], broken))]).toEqual([
      [digest(`child of ${original('second')}`), 'linux/2'],
    ]);
  });

  it('is looked for in a hundred indexes at most', async () => {
    const read: string[] = [];
    const attested = Array.from({ length: 130 }, (_, index) => covered(`index ${index}`));
    expect((await namePlatforms([covered('arm')], attested, registry(read))).size).toBe(100);
    expect(read).toHaveLength(100);
  });
});

describe('a key that others trust', () => {
  const key = testKey('//key');
  const [ci, qa, own] = [attestorOf('ci', key), attestorOf('qa', key), attestorOf('own', testKey('//own'))];

  /** What is said at a person's and at a debugger's level, and which projects were listed. */
  async function told(list: () => Promise<readonly (typeof ci)[]>, entries = [key.entry]) {
    const [warnings, debug, projects]: [string[], string[], ProjectId[]] = [[], [], []];
    const ports = memoryPorts([], []);
    const reporter = { ...ports.reporter, warn: (text: string) => warnings.push(text), debug: (text: string) => debug.push(text) };
    const attestors = Object.assign(ports.attestors, { attestorsIn: (project: ProjectId) => (projects.push(project), list()) });
    await warnOfSharedKeys(ci.name, entries, { attestors, reporter });
    return { warnings, debug, projects };
  }

  it('is warned of, and its own attestor is none of them', async () => {
    expect(await told(() => Promise.resolve([ci, qa, own]))).toEqual({
      warnings: [expect.stringMatching(/^the key \/\/key is trusted by projects\/p\/attestors\/qa as well/)],
      debug: [],
      projects: ['p'],
    });
    expect((await told(() => Promise.resolve([ci, own]))).warnings).toEqual([]);
  });

  it('is not looked for where there is no key', async () =>
    expect(await told(() => Promise.resolve([ci, qa]), [])).toEqual({ warnings: [], debug: [], projects: [] }));

  it('is not known where attestors may not be listed, and only a debugger hears of it', async () =>
    expect(await told(() => Promise.reject(failing('PERMISSION_DENIED')))).toEqual({
      warnings: [],
      debug: ['whether other attestors trust the key is not known: cannot: PERMISSION_DENIED'],
      projects: ['p'],
    }));

  it('is not looked for any longer once the run is cancelled', async () =>
    await expect(told(() => Promise.reject(failing('CANCELLED')))).rejects.toMatchObject({ code: 'CANCELLED' }));
});

describe('an image whose platforms the registry does not tell', () => {
  it('is rotated by its digest, and only a debugger hears of it', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const debug: string[] = [];
    const reporter = { ...ports.reporter, debug: (text: string) => debug.push(text) };
    const registry = { resolve: () => Promise.reject(failing('UNAVAILABLE')) };
    const { codes, images } = await run({ ...ports, reporter, registry }, { images: [reference(nameOf('one'))] });
    expect([codes, images]).toEqual([[], { [nameOf('one')]: 'attested' }]);
    expect(debug).toContain(`the platforms of ${nameOf('one')} are not known: cannot: UNAVAILABLE`);
  });

  it('and says more than that, fails with all that it said', async () => {
    const ports = world();
    await plant(ports, 'one', old);
    const errors = new BinauthzErrors([failing('IMAGE_NOT_FOUND'), failing('RESPONSE_INVALID')]);
    const registry = { resolve: () => Promise.reject(errors) };
    const { codes, images } = await run({ ...ports, registry }, { images: [reference(nameOf('one'))] });
    expect([codes, images]).toEqual([['IMAGE_NOT_FOUND', 'RESPONSE_INVALID'], { [nameOf('one')]: 'failed' }]);
  });
});
