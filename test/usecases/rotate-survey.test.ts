// SPDX-License-Identifier: Apache-2.0
// The key to retire among the attestations of others: a single one that names it is enough to speak of it.
import { describe, expect, it } from 'vitest';
import { digest } from '../support/ports.js';
import { fresh, old, plant, retiring, run, stranger, world } from '../support/rotate.js';

const warningsOf = (said: readonly string[]): readonly string[] => said.filter((text) => text.startsWith('warning: '));

describe('a key to retire', () => {
  it('that is gone already is known by one attestation among those of others', async () => {
    const ports = world([fresh]);
    await plant(ports, 'one', fresh);
    await plant(ports, 'two', old);
    await plant(ports, 'two', fresh);
    const { codes, result } = await run(ports, retiring());
    expect([codes, ports.keys.writes]).toEqual([[], []]);
    expect(result.changes[1]).toMatchObject({ action: 'none', status: 'done', summary: `${old.entry.id} is not trusted any more` });
  });

  it('is warned of where one attestation of several names it and does not verify', async () => {
    const ports = world([old, fresh]);
    await plant(ports, 'one', fresh);
    await plant(ports, 'one', stranger, { id: old.entry.id });
    const { codes } = await run(ports, retiring());
    expect([codes, ports.keys.writes]).toEqual([[], [`remove ${old.entry.id}`]]);
    expect(warningsOf(ports.memory.said)).toEqual([
      expect.stringContaining(`${digest('one')}: an attestation names ${old.entry.id}, but does not verify here`),
    ]);
  });

  it('is not spoken of where only another attestation fails to verify', async () => {
    const ports = world([old, fresh]);
    await plant(ports, 'one', old);
    await plant(ports, 'one', fresh);
    await plant(ports, 'one', stranger);
    await run(ports, retiring());
    expect(warningsOf(ports.memory.said)).toEqual([]);
    expect(ports.keys.writes).toEqual([`remove ${old.entry.id}`]);
  });

  it('is only planned to go where nothing is applied', async () => {
    const ports = world([old, fresh]);
    await plant(ports, 'one', old);
    const { changes, result } = await run(ports, { ...retiring(), apply: false });
    expect([changes, ports.keys.writes, result.applied]).toEqual([['none done', 'update planned'], [], false]);
    expect(ports.memory.attestations.created).toEqual([]);
  });
});
