// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NoteName } from '../../src/core/names.js';
import { createNotePermissions } from '../../src/google/container-analysis.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { Stage } from '../support/stage.js';
import { errorOf, googleOn } from './google.js';

const NOTE = 'projects/shop-prod/notes/built' as NoteName;
const ATTACHER = 'roles/containeranalysis.notes.attacher';

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
  const stage = new Stage(emulator);
  await stage.call('POST', '/v1/projects/shop-prod/notes?noteId=built', { attestation: { hint: { humanReadableName: 'built' } } });
  await stage.call('POST', `/v1/${NOTE}:setIamPolicy`, {
    policy: { bindings: [{ role: ATTACHER, members: ['serviceAccount:ci@example.com'] }] },
  });
});

afterAll(() => emulator.close());

it('tells which permissions on a note are missing', async () => {
  const wanted = ['containeranalysis.notes.attachOccurrence', 'containeranalysis.notes.listOccurrences'];
  const as = (email: string) => createNotePermissions(googleOn(emulator.host, { token: `as:${email}` }).google);
  expect(await as('ci@example.com').missingOnNote(NOTE, wanted)).toEqual(['containeranalysis.notes.listOccurrences']);
  expect(await as('nobody@example.com').missingOnNote(NOTE, wanted)).toEqual(wanted);
  expect(await createNotePermissions(googleOn(emulator.host).google).missingOnNote(NOTE, wanted)).toEqual([]);
});

it('reads who holds which role, or says what is missing to read it', async () => {
  expect((await createNotePermissions(googleOn(emulator.host).google).noteIamPolicy(NOTE)).bindings).toEqual([
    { role: ATTACHER, members: ['serviceAccount:ci@example.com'] },
  ]);
  const error = await errorOf(
    createNotePermissions(googleOn(emulator.host, { token: 'as:nobody@example.com' }).google).noteIamPolicy(NOTE),
  );
  expect(error.code).toBe('PERMISSION_DENIED');
  expect(error.message).toContain('containeranalysis.notes.getIamPolicy');
});
