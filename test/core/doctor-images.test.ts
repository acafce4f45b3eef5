// SPDX-License-Identifier: Apache-2.0
// Images: what the registry says of them, and what hangs on the attestors' notes.
import { describe, expect, it, test } from 'vitest';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type { AttestationFacts, DoctorFacts, ImageFacts, Question } from '../../src/core/doctor/facts.js';
import type { FindingCode } from '../../src/core/doctor/findings.js';
import { judgeImages } from '../../src/core/doctor/images.js';
import type { ErrorCode, ErrorDetails } from '../../src/core/errors.js';
import type { Digest } from '../../src/core/image/digest.js';
import type { NoteName, OccurrenceName, ProjectId } from '../../src/core/names.js';
import {
  AGENT,
  APP,
  attesting,
  ATTESTOR,
  attestor,
  codesOf,
  DIGEST,
  expectFindings,
  failed,
  image,
  lacks,
  listed,
  NOTE,
  ok,
  sound,
  VERSION,
  type Expected,
} from '../support/doctor-facts.js';

const OTHER = `sha256:${'2'.repeat(64)}` as Digest;
const NAME = `${APP}@${DIGEST}`;
const AGAIN = `binauthz doctor --project deploy --attestor ${ATTESTOR}`;
const attest = (name: string, more = ''): string => `binauthz attest ${name} --attestor ${ATTESTOR} --kms-key-version ${VERSION}${more}`;

describe('an image that is not there', () => {
  const unread = (code: ErrorCode, details: ErrorDetails = {}, text = `${APP}:v1`): ImageFacts =>
    image({ resolved: failed(code, 'said so', { resource: 'r', ...details }) }, text);
  const asked = (one: ImageFacts, question: Partial<Question> = {}): DoctorFacts => sound({ images: [one] }, question);

  test.each<[string, FindingCode, ImageFacts, Pick<Expected, 'fix'> & Partial<Expected>]>([
    [
      'is pushed',
      'IMAGE_MISSING',
      unread('IMAGE_NOT_FOUND'),
      { says: ['said so; push it, or name what was pushed'], fix: `docker push ${APP}:v1` },
    ],
    ['is pushed without a tag', 'IMAGE_MISSING', unread('IMAGE_NOT_FOUND', {}, APP), { fix: `docker push ${APP}` }],
    [
      'is pushed rather than its local id',
      'IMAGE_MISSING',
      unread('IMAGE_ID_NOT_DIGEST', { hint: 'an id is none' }),
      { says: ['push it, or name what was pushed (an id is none)'], fix: `docker push ${APP}:v1` },
    ],
    [
      'for this identity is let be read',
      'IMAGE_UNREADABLE',
      unread('PERMISSION_DENIED'),
      {
        fix: 'gcloud artifacts repositories add-iam-policy-binding repo --location=europe --project=apps --condition=None --member=serviceAccount:ci@p --role=roles/artifactregistry.reader',
      },
    ],
    [
      'without credentials takes a login',
      'IMAGE_UNREADABLE',
      unread('UNAUTHENTICATED', {}, 'ghcr.io/p/x:v1'),
      { fix: 'docker login ghcr.io' },
    ],
    [
      'for want of the API has it switched on',
      'API_DISABLED',
      unread('PERMISSION_DENIED', { resource: 'projects/apps/x', disabledApi: 'artifactregistry.googleapis.com' }),
      {
        resource: 'projects/apps/services/artifactregistry.googleapis.com',
        says: ['artifactregistry.googleapis.com'],
        fix: 'gcloud services enable artifactregistry.googleapis.com --project=apps',
      },
    ],
    ['of that digest is looked at', 'IMAGE_BROKEN', unread('DIGEST_MISMATCH'), { fix: `docker buildx imagetools inspect ${APP}:v1` }],
    ['as an image is looked at', 'IMAGE_BROKEN', unread('MANIFEST_INVALID'), { fix: `docker buildx imagetools inspect ${APP}:v1` }],
    ['for now is asked for again', 'NOT_CHECKED', unread('UNAVAILABLE'), { resource: 'r', fix: `${AGAIN} --signer serviceAccount:ci@p` }],
  ])('%s', (_title, code, one, { fix, resource = one.asked.original, says = ['said so'] }) =>
    expectFindings(asked(one, { signer: 'serviceAccount:ci@p' }), { code, error: 'UNDECIDED', resource, says, fix }),
  );
  it('and told without a hint ends there', () =>
    expect(judgeImages(asked(unread('IMAGE_NOT_FOUND')))[0]?.message).toBe('said so; push it, or name what was pushed'));

  test.each<[ErrorCode, ErrorCode]>([
    ['IMAGE_NOT_FOUND', 'IMAGE_NOT_FOUND'],
    ['DIGEST_MISMATCH', 'DIGEST_MISMATCH'],
    ['MANIFEST_INVALID', 'MANIFEST_INVALID'],
    ['UNAUTHENTICATED', 'PERMISSION_DENIED'],
    ['QUOTA_EXHAUSTED', 'QUOTA_EXHAUSTED'],
  ])('ends attest: %s', (code, error) =>
    expect(diagnose(asked(unread(code), { eyes: 'attest' })).findings).toMatchObject([{ level: 'error', error }]),
  );

  const gone = unread('IMAGE_NOT_FOUND', {}, NAME);
  test.each<[string, ImageFacts, Partial<Question>, 'warning' | 'error']>([
    ['only a warning for check of a digest on GKE, which asks no registry', gone, {}, 'warning'],
    ['an error for check of a tag', unread('IMAGE_NOT_FOUND'), {}, 'error'],
    ['an error for check on Cloud Run, which has the tag resolved', gone, { platform: 'cloud-run' }, 'error'],
    ['an error for attest', gone, { eyes: 'attest' }, 'error'],
  ])('is %s', (_title, one, question, level) =>
    expect(judgeImages(asked(one, question)).map(({ code, error }) => [code, error === 'none' ? 'warning' : 'error'])).toEqual([
      ['IMAGE_MISSING', level],
    ]),
  );
});

const TRUSTING = { name: ATTESTOR, note: NOTE, keys: [listed()], serviceAgent: AGENT };
const found = (overrides: Partial<AttestationFacts> = {}): AttestationFacts => ({
  ...{ attestor: TRUSTING, digest: DIGEST, isVerified: false, rejected: [], elsewhere: [], siblings: [] },
  ...overrides,
});
const hanging = (overrides: Partial<AttestationFacts> = {}, one: Partial<ImageFacts> = {}): Partial<DoctorFacts> => ({
  images: [image({ attestations: [ok(found(overrides))], ...one })],
});
const occurrence = (id: number): OccurrenceName => `projects/store/occurrences/${id}` as OccurrenceName;
const denied = { error: 'POLICY_DENIED', resource: NAME } as const;

describe('an image that nobody attested', () => {
  const none = {
    code: 'NOT_ATTESTED',
    says: [`the note ${NOTE} of ${ATTESTOR} holds no attestation of ${NAME}, and no other note does`],
  } as const;
  it('is attested', () => {
    expectFindings(sound(hanging()), { ...none, ...denied, fix: attest(NAME) });
    expectFindings(sound(hanging(), { attestationProject: 'store' as ProjectId }), {
      ...none,
      ...denied,
      fix: attest(NAME, ' --project store'),
    });
    expectFindings(attesting(hanging()), { ...none, resource: NAME, fix: attest(NAME) });
  });
  it('needs nothing where one verifies, or where the attestor trusts no key, which is told by itself', () => {
    expect(codesOf(sound(hanging({ isVerified: true })))).toEqual([]);
    expect(judgeImages(sound(hanging({ attestor: { ...TRUSTING, keys: [] } })))).toEqual([]);
  });
  it('may be attested elsewhere', () => {
    const note = 'projects/notary/notes/other' as NoteName;
    expectFindings(sound(hanging({ elsewhere: [{ occurrence: occurrence(1), note }], siblings: [{ digest: OTHER, what: 'index' }] })), {
      ...{ ...denied, code: 'ATTESTED_UNDER_OTHER_NOTE', fix: attest(NAME) },
      says: [`${occurrence(1)} attests ${NAME} under the note ${note}, but ${ATTESTOR} looks only at ${NOTE}`],
    });
  });
});

describe('attestations that do not count', () => {
  const rejected = (id: number, code: FindingCode): AttestationFacts['rejected'][0] => ({
    ...{ code, message: `reason ${id}` },
    attestation: { occurrence: occurrence(id), note: NOTE, resourceUri: '', payload: new Uint8Array(), signatures: [] },
  });
  it('are told by their kinds, each with its first', () => {
    const own = [
      rejected(1, 'ATTESTATION_PAE'),
      rejected(2, 'ATTESTED_BY_UNTRUSTED_KEY'),
      rejected(3, 'ATTESTATION_PAE'),
      rejected(4, 'ATTESTATION_PAE'),
    ];
    const says = (id: number, more: string): readonly string[] => [
      `${occurrence(id)}, which is to attest ${NAME} for ${ATTESTOR}, does not count: reason ${id}${more}; attest the image again`,
    ];
    expectFindings(
      sound(hanging({ rejected: own })),
      { ...denied, code: 'ATTESTATION_PAE', says: says(1, ' (and 2 more like it)'), fix: attest(NAME) },
      { ...denied, code: 'ATTESTED_BY_UNTRUSTED_KEY', says: says(2, ''), fix: attest(NAME) },
    );
    expect(judgeImages(sound(hanging({ rejected: own })))).toHaveLength(2);
  });
});

describe('an image whose index or relatives are attested', () => {
  const index = `${APP}@${OTHER}`;
  const THIRD = `sha256:${'3'.repeat(64)}` as Digest;
  const both = ' --multi-platform both';
  const run = { platform: 'cloud-run' } as const;
  test.each<[string, FindingCode, Partial<AttestationFacts>, Partial<Question>, string, string]>([
    [
      'an image of the deployed index',
      'CHILD_ATTESTED_ONLY',
      { index: DIGEST, siblings: [{ digest: OTHER, what: 'child' }] },
      {},
      `of the index ${DIGEST} the image ${OTHER} is attested for ${ATTESTOR}, but the index is what is deployed`,
      NAME,
    ],
    [
      'the index of the deployed image',
      'INDEX_ATTESTED_ONLY',
      {
        index: OTHER,
        siblings: [
          { digest: OTHER, what: 'index' },
          { digest: THIRD, what: 'child' },
        ],
      },
      {},
      `the index ${OTHER} is attested for ${ATTESTOR}, but what is deployed is its image ${DIGEST}, which is not`,
      index,
    ],
    [
      'the index of which Cloud Run takes one image',
      'INDEX_ATTESTED_ONLY',
      { index: OTHER, siblings: [{ digest: OTHER, what: 'index' }] },
      run,
      `the index ${OTHER} is attested for ${ATTESTOR}, but Cloud Run evaluates its linux/amd64 image ${DIGEST}, which is not`,
      index,
    ],
    [
      'another image of the same index',
      'SIBLING_ATTESTED_ONLY',
      { index: OTHER, siblings: [{ digest: THIRD, what: 'child' }] },
      run,
      `of the index ${OTHER} the image ${THIRD} is attested for ${ATTESTOR}, but Cloud Run evaluates its linux/amd64 image ${DIGEST}, which is not`,
      index,
    ],
  ])('%s', (_title, code, overrides, question, message, whole) => {
    const facts = sound(hanging(overrides), question);
    expectFindings(facts, { ...denied, code, says: [message], fix: attest(whole, both) });
  });
});

describe('a listing that could not be read', () => {
  const unread = (code: ErrorCode, missing: readonly string[] = []): DoctorFacts =>
    sound({
      attestors: [attestor({ tested: [lacks(NOTE, ...missing)] })],
      images: [image({ attestations: [failed(code, 'may not', { resource: NOTE }), ok(found({ isVerified: true }))] })],
    });
  it('is a finding, unless another one tells why', () => {
    expectFindings(unread('PERMISSION_DENIED'), {
      ...{ code: 'NOT_CHECKED', error: 'UNDECIDED', resource: NOTE },
      says: ['the listing of attestations could not be checked: may not'],
      fix: AGAIN,
    });
    expect(codesOf(unread('UNAVAILABLE'))).toEqual(['NOT_CHECKED']);
    expect(codesOf(unread('PERMISSION_DENIED', ['containeranalysis.notes.listOccurrences']))).toEqual(['PERMISSION_MISSING']);
    expect(judgeImages(unread('NOTE_NOT_FOUND'))).toEqual([]);
  });
});
