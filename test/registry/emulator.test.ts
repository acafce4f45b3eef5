// SPDX-License-Identifier: Apache-2.0
// Against the emulator in place of Artifact Registry and Container Registry.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { failure, testClient, type TestClient } from './support.js';

const SINGLE = singleImage('emulated');
const INDEX = imageIndex('emulated', ['linux/amd64', 'linux/arm64'], { provenance: true });

describe('the emulator', () => {
  let emulator: TestEmulator;
  const client = (googleToken?: string): TestClient =>
    testClient({ emulatorHost: new URL(emulator.url).host, ...(googleToken === undefined ? {} : { googleToken }) });

  beforeAll(async () => {
    emulator = await startTestEmulator();
    const headers = (registry: string): { headers: Record<string, string> } => ({ headers: { 'x-binauthz-registry': registry } });
    await pushImage(emulator.url, 'proj/repo/team/app', 'v1', SINGLE, headers('europe-west4-docker.pkg.dev'));
    await pushImage(emulator.url, 'proj/app', 'v2', INDEX, headers('gcr.io'));
  });

  afterAll(() => emulator.close());

  it('answers for Artifact Registry, in the location that the host names', async () => {
    expect((await client().resolve('europe-west4-docker.pkg.dev/proj/repo/team/app:v1')).reference.digest).toBe(SINGLE.digest);
    await failure('IMAGE_NOT_FOUND', client().resolve('us-docker.pkg.dev/proj/repo/team/app:v1'));
  });

  it('answers for Container Registry, with children', async () => {
    const image = await client().resolve('gcr.io/proj/app:v2');
    expect(image).toMatchObject({ isIndex: true, reference: { digest: INDEX.digest } });
    expect(image.children).toHaveLength(2);
  });

  it('recognises an image id', async () => {
    await failure('IMAGE_ID_NOT_DIGEST', client().resolve(`europe-west4-docker.pkg.dev/proj/repo/team/app@${SINGLE.blobs[0]!.digest}`));
  });

  it('refuses an identity without the permission', async () => {
    const error = await failure(
      'PERMISSION_DENIED',
      client('as:nobody@example.com').resolve('europe-west4-docker.pkg.dev/proj/repo/team/app:v1'),
    );
    expect(error.message).toContain('artifactregistry.repositories.downloadArtifacts');
  });
});
