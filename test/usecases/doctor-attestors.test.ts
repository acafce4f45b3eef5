// SPDX-License-Identifier: Apache-2.0
// What doctor reads of an attestor, of its note, and of who may use both; and what of a failing read it keeps.
import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/core/doctor/facts.js';
import type { BinauthzError, ErrorCode } from '../../src/core/errors.js';
import type { ProjectId } from '../../src/core/names.js';
import { examineAttestor, fact } from '../../src/usecases/steps/examine-attestor.js';
import { ATTESTOR, NOTE, ok, PROJECT } from '../support/doctor-facts.js';
import { attestor, failing, QUESTION, world, writesIn, type World } from '../support/examine.js';

const GUESSED = 'projects/trust/notes/ci';
const GET = 'binaryauthorization.attestors.get binaryauthorization.attestors.verifyImageAttested';
const LIST = 'containeranalysis.notes.listOccurrences';
const ATTACH = `${LIST} containeranalysis.notes.attachOccurrence`;
const iam = (resource: string) => ({ resource, policy: ok({ bindings: [], etag: resource, rest: {} }) });
const refused = (code: ErrorCode) => ({ ok: false, error: { code } });

const examine = (made: World, question: Partial<Question> = {}) => examineAttestor(ATTESTOR, { ...QUESTION, ...question }, made.ports);

describe('an attestor that is there', () => {
  it('is read with its note, with what this run lacks on both, and with who may read them', async () => {
    const made = world();
    expect(await examine(made)).toEqual({
      name: ATTESTOR,
      attestor: ok(attestor),
      note: { name: NOTE, found: ok({ isAttestation: true }) },
      tested: [
        { resource: ATTESTOR, missing: ok([]) },
        { resource: NOTE, missing: ok([]) },
      ],
      noteAccess: [iam(NOTE), iam('projects/notary')],
      deployer: {
        member: ok('serviceAccount:service-42@gcp-sa-binaryauthorization.iam.gserviceaccount.com'),
        access: [iam(ATTESTOR), iam('projects/trust')],
      },
    });
    expect(made.asked('number')).toEqual([PROJECT]);
    expect(writesIn(made)).toEqual([]);
  });

  it.each<[Question['eyes'], string]>([
    ['check', LIST],
    ['attest', ATTACH],
  ])('is asked for what %s needs', async (eyes, onNote) => {
    const made = world();
    await examine(made, { eyes });
    expect(made.asked('missing')).toEqual([`${ATTESTOR}: ${GET}`, `${NOTE}: ${onNote}`]);
  });

  it('tells what is lacking, and which question could not be asked', async () => {
    const made = world({ [`missing ${ATTESTOR}: ${GET}`]: ['a.b'], [`missing ${NOTE}: ${LIST}`]: failing('UNAVAILABLE') });
    expect((await examine(made)).tested).toMatchObject([
      { resource: ATTESTOR, missing: ok(['a.b']) },
      { resource: NOTE, missing: refused('UNAVAILABLE') },
    ]);
  });

  it('needs no other account in its own project', async () => {
    const made = world();
    expect(await examine(made, { project: 'trust' as ProjectId })).not.toHaveProperty('deployer');
    expect(made.asked('number')).toEqual([]);
    expect(made.asked('iam')).toEqual([NOTE, 'projects/notary']);
  });

  it('keeps which policies, and which number, could not be read', async () => {
    const made = world({
      [`iam ${NOTE}`]: failing('PERMISSION_DENIED'),
      'iam projects/trust': undefined,
      [`number ${PROJECT}`]: failing('PROJECT_NOT_FOUND'),
    });
    expect(await examine(made)).toMatchObject({
      noteAccess: [{ resource: NOTE, policy: refused('PERMISSION_DENIED') }, iam('projects/notary')],
      deployer: {
        member: refused('PROJECT_NOT_FOUND'),
        access: [iam(ATTESTOR), { resource: 'projects/trust', policy: { ok: true, value: undefined } }],
      },
    });
  });
});

describe('what is not there grants nothing, which is no news about the identity', () => {
  it('as an attestor', async () => {
    const made = world({ [`attestor ${ATTESTOR}`]: failing('ATTESTOR_NOT_FOUND') });
    expect(await examine(made)).toMatchObject({
      attestor: refused('ATTESTOR_NOT_FOUND'),
      note: { name: GUESSED, found: ok({ isAttestation: true }) },
      tested: [{ resource: GUESSED }],
      noteAccess: [],
    });
    expect(made.asked('missing')).toEqual([`${GUESSED}: ${LIST}`]);
    expect([...made.asked('iam'), ...made.asked('number')]).toEqual([]);
  });

  it('as a note', async () => {
    const made = world({ [`note ${NOTE}`]: undefined });
    const facts = await examine(made);
    expect(facts).toMatchObject({ note: { name: NOTE, found: { ok: true, value: undefined } }, noteAccess: [] });
    expect(facts.deployer?.access).toHaveLength(2);
    expect(made.asked('missing')).toEqual([`${ATTESTOR}: ${GET}`]);
    expect(made.asked('iam')).toEqual([ATTESTOR, 'projects/trust']);
  });
});

describe('what may not be read may be there', () => {
  it('as an attestor, whose accounts are not known', async () => {
    const made = world({ [`attestor ${ATTESTOR}`]: failing('PERMISSION_DENIED') });
    const facts = await examine(made);
    expect(facts).toMatchObject({ attestor: refused('PERMISSION_DENIED'), note: { name: GUESSED }, noteAccess: [] });
    expect(facts).not.toHaveProperty('deployer');
    expect(made.asked('missing')).toEqual([`${ATTESTOR}: ${GET}`, `${GUESSED}: ${LIST}`]);
    expect(made.asked('iam')).toEqual([]);
  });

  it('as a note', async () => {
    const made = world({ [`note ${NOTE}`]: failing('PERMISSION_DENIED') });
    expect(await examine(made)).toMatchObject({ note: { found: refused('PERMISSION_DENIED') }, noteAccess: [iam(NOTE), {}] });
    expect(made.asked('missing')).toEqual([`${ATTESTOR}: ${GET}`, `${NOTE}: ${LIST}`]);
  });
});

describe('a read that fails', () => {
  it.each<ErrorCode>(['PERMISSION_DENIED', 'UNAVAILABLE', 'UNAUTHENTICATED', 'RESPONSE_INVALID', 'KEY_NOT_FOUND'])(
    'with %s is a fact',
    async (code) => {
      const error = failing(code);
      expect(await fact(Promise.reject(error))).toEqual({ ok: false, error });
    },
  );

  it.each<ErrorCode>(['CANCELLED', 'INTERNAL', 'SECRET_UNUSABLE', 'PASSPHRASE_REJECTED'])('with %s ends the run', async (code) => {
    const error = failing(code);
    await expect(fact(Promise.reject(error))).rejects.toBe(error);
  });

  it('by a mistake of this program ends the run as what it is', async () => {
    const mistake = new TypeError('x is not a function');
    await expect(fact(Promise.reject(mistake))).rejects.toBe(mistake);
  });

  it('anywhere by a cancelled run ends it', async () => {
    const calls = [`attestor ${ATTESTOR}`, `note ${NOTE}`, `missing ${NOTE}: ${LIST}`, `iam ${NOTE}`, `number ${PROJECT}`];
    for (const call of calls) {
      const ended: unknown = await examine(world({ [call]: failing('CANCELLED') })).catch((error: unknown) => error);
      expect((ended as BinauthzError).code, call).toBe('CANCELLED');
    }
  });
});
