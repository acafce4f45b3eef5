// SPDX-License-Identifier: Apache-2.0
// A rotation of 200 images: killed and repeated, and as shards beside each other. Afterwards every image verifies under the
// new key, as node:crypto and the emulator's own validation say, and under it exactly once.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { digests, NAME, plant, signaturesBy, stageRotation, trusted, type Rotation } from '../support/rotation.js';
import { Stage } from '../support/stage.js';
import type { SpawnOptions } from '../support/spawn.js';

const IMAGES = digests('image', 200);
const [FIRST = ''] = IMAGES;

let emulator: TestEmulator;
let stage: Stage;
let rotation: Rotation;

beforeEach(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  rotation = await stageRotation(stage, 'ci');
  await plant(stage, rotation.note, rotation.old, IMAGES);
});
afterEach(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

function rotate(more: readonly string[], options: SpawnOptions = {}): Promise<CliEnded> {
  const argv = ['rotate', '--attestor', rotation.attestor, '--to-kms-key-version', rotation.fresh.version, '--output', 'json', '--apply'];
  return cli([...argv, ...more], { emulator: emulator.host, ...options });
}

const RETIRE = (): readonly string[] => ['--retire', rotation.old.id];
const fresh = (): Promise<ReadonlyMap<string, number>> =>
  signaturesBy(stage, rotation.note, { id: rotation.freshId, pem: rotation.fresh.pem });
const codes = ({ json }: CliEnded): readonly string[] => ((json.errors ?? []) as { code: string }[]).map(({ code }) => code);
const statuses = ({ json }: CliEnded): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { status } of json.images as { status: string }[]) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Every image is attested by the new key, and once. */
async function expectAllOnce(): Promise<void> {
  const found = await fresh();
  expect([...found.keys()].sort()).toEqual([...IMAGES].sort());
  expect([...found.values()].filter((times) => times !== 1)).toEqual([]);
}

/** What the attestor, by the keys that it trusts now, says about each image: the emulator's own judgement. */
async function validated(): Promise<ReadonlySet<string>> {
  const good = new Set<string>();
  const { occurrences } = await stage.call('GET', `/v1/${rotation.note}/occurrences?pageSize=1000`);
  for (const { attestation, resourceUri } of occurrences) {
    const body = { attestation, occurrenceNote: rotation.note, occurrenceResourceUri: resourceUri };
    const { result } = await stage.call('POST', `/v1/${rotation.attestor}:validateAttestationOccurrence`, body);
    if (result === 'VERIFIED') good.add((resourceUri as string).split('@')[1] ?? '');
  }
  return good;
}

describe('200 images', () => {
  it('killed half-way and repeated: nothing is lost, nothing is done twice, and only then the old key goes', async () => {
    const killed = await rotate([], {
      onStderr: (text, kill) => {
        if ((text.match(/^ *posted projects\//gm) ?? []).length > 60) kill('SIGKILL');
      },
    });
    const half = await fresh();
    expect([killed.signal, half.size > 60, half.size < IMAGES.length]).toEqual(['SIGKILL', true, true]);
    expect(await trusted(stage, rotation.attestor)).toEqual([rotation.old.id, rotation.freshId]);

    // A run that is told to look at one image only must not take the key from the others.
    const refused = await rotate([`${NAME}@${FIRST}`, ...RETIRE()]);
    expect([refused.code, codes(refused)]).toEqual([3, ['KEY_STILL_NEEDED']]);
    const left = IMAGES.length - (await fresh()).size;
    expect([left > 0, refused.json.dependents.length]).toEqual([true, left]);
    expect(await trusted(stage, rotation.attestor)).toEqual([rotation.old.id, rotation.freshId]);

    const repeated = await rotate([]);
    expect([repeated.code, codes(repeated), repeated.json.dependents]).toEqual([0, [], []]);
    expect(statuses(repeated)).toEqual({ existing: IMAGES.length - left, attested: left });
    await expectAllOnce();

    const retired = await rotate(RETIRE());
    expect([retired.code, statuses(retired)]).toEqual([0, { existing: IMAGES.length }]);
    expect(await trusted(stage, rotation.attestor)).toEqual([rotation.freshId]);
    expect([...(await validated())].sort()).toEqual([...IMAGES].sort());
  });

  it('as four shards beside each other: they share the work, and an image that comes late keeps the old key', async () => {
    const shards = await Promise.all([1, 2, 3, 4].map((index) => rotate(['--shard', `${String(index)}/4`])));
    expect(shards.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const counts = shards.map((shard) => statuses(shard)['attested'] ?? 0);
    expect([counts.reduce((sum, count) => sum + count, 0), Math.min(...counts) > 20]).toEqual([IMAGES.length, true]);
    await expectAllOnce();
    expect(await trusted(stage, rotation.attestor)).toEqual([rotation.old.id, rotation.freshId]);

    const [late = ''] = digests('late', 1);
    await plant(stage, rotation.note, rotation.old, [late]);
    const refused = await rotate([`${NAME}@${FIRST}`, ...RETIRE()]);
    expect([refused.code, refused.json.dependents]).toEqual([3, [{ image: `${NAME}@${late}`, keys: [rotation.old.id] }]]);
    const retired = await rotate(RETIRE());
    expect([retired.code, statuses(retired)]).toEqual([0, { existing: IMAGES.length, attested: 1 }]);
    expect(await trusted(stage, rotation.attestor)).toEqual([rotation.freshId]);
    expect([...(await validated())].sort()).toEqual([...IMAGES, late].sort());
  });
});
