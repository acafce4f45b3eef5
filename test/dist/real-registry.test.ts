// SPDX-License-Identifier: Apache-2.0
// A registry that somebody else wrote: tag → digest → attestation, for a single image and for an index.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { hasDockerRegistry, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { imageIndex, pushImage, singleImage } from '../support/images.js';
import { Stage, type StagedKey } from '../support/stage.js';

describe.skipIf(!hasDockerRegistry)(
  hasDockerRegistry ? 'Debian’s docker-registry' : 'Debian’s docker-registry (skipped: docker-registry is not installed)',
  () => {
    let emulator: TestEmulator;
    let registry: DockerRegistry;
    let attestor: string;
    let key: StagedKey;
    beforeAll(async () => {
      [emulator, registry] = await Promise.all([startTestEmulator(), startDockerRegistry()]);
      ({ attestor, key } = await new Stage(emulator).kmsAttestor('ci'));
    });
    afterAll(() => Promise.all([emulator.close(), registry.close()]));
    const attest = (image: string) =>
      cli(['attest', image, '--attestor', attestor, '--kms-key-version', key.version, '--output', 'json'], { emulator: emulator.host });

    it('single image: tag, digest, attestation', async () => {
      const digest = await pushImage(`http://${registry.host}`, 'team/app', 'v1', singleImage('real'));
      const { code, json } = await attest(`${registry.host}/team/app:v1`);
      expect([code, json.images, json.attestations]).toMatchObject([
        0,
        [{ digest, tag: 'v1' }],
        [{ image: `${registry.host}/team/app@${digest}`, status: 'created' }],
      ]);
    });

    it('index: the index and each runnable child', async () => {
      const index = imageIndex('real', ['linux/amd64', 'linux/arm64'], { provenance: true });
      const digest = await pushImage(`http://${registry.host}`, 'team/multi', 'v1', index);
      const { code, json } = await attest(`${registry.host}/team/multi:v1`);
      const attested = (json.attestations as { image: string }[]).map(({ image }) => image.split('@')[1]);
      expect([code, attested]).toEqual([0, [digest, index.children[0]!.digest, index.children[1]!.digest]]);
      const listed = await cli(['list', `${registry.host}/team/multi:v1`, '--attestor', attestor], { emulator: emulator.host });
      expect(listed.code).toBe(0);
    });

    it('missing tag: 6', async () => {
      expect((await attest(`${registry.host}/team/app:v9`)).code).toBe(6);
    });
  },
);
