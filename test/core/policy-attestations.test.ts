// SPDX-License-Identifier: Apache-2.0
// What is said about the attestors of a rule, word for word (facts 5.2, step 6; 4.1, 4.2). The verdicts are in policy.test.ts.
import { describe, expect, it } from 'vitest';
import { parseDigest, type Digest } from '../../src/core/image/digest.js';
import type { AttestorName } from '../../src/core/names.js';
import { weigh, type Attestations } from '../../src/core/policy/attestations.js';
import type { Evidence } from '../../src/core/policy/context.js';
import type { Subject } from '../../src/core/policy/subject.js';
import type { Reason } from '../../src/core/policy/verdict.js';

const [A, B] = ['projects/p/attestors/a', 'projects/p/attestors/b'] as AttestorName[] as [AttestorName, AttestorName];
const [D, INDEX, OTHER] = ['d', 'e', 'f'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`)) as [Digest, Digest, Digest];
const NAME = 'gcr.io/p/app';
const PINNED: Subject = { text: `${NAME}@${D}`, name: NAME, digest: D, assumptions: [] };
const CHILD: Subject = { ...PINNED, index: INDEX };
const NONE = 'No attestations found that were valid and signed by a key trusted by the attestor';

const found = (attestor: AttestorName, what: Evidence['found'], digest = D): Evidence => ({
  attestor,
  digest,
  found: what,
  what: `it is ${what}`,
});

describe('one required attestor', () => {
  const oneOfOne = `(1 of 1 attestors required, missing: ${A})`;
  it.each<[Evidence['found'], Attestations['standing'], Omit<Reason, 'attestor'>]>([
    ['verified', 'satisfied', { code: 'ATTESTED', message: 'it is verified' }],
    [
      'none',
      'violated',
      {
        code: 'NO_TRUSTED_ATTESTATION',
        message: `${NONE}: it is none ${oneOfOne}`,
        hint: `attest the image: binauthz attest ${NAME}@${D} --attestor ${A} …`,
      },
    ],
    [
      'attestor-without-keys',
      'violated',
      {
        code: 'ATTESTOR_HAS_NO_KEY',
        message: `the attestor trusts no key, so no attestation of it is ever valid: it is attestor-without-keys ${oneOfOne}`,
        hint: `give the attestor a key: gcloud container binauthz attestors public-keys add --attestor=${A} …`,
      },
    ],
    ['no-answer', 'open', { code: 'EVIDENCE_MISSING', message: 'it is no-answer' }],
    [
      'disagreement',
      'open',
      {
        code: 'VALIDATION_DISAGREES',
        message: 'an attestation verifies here, and Google’s validation says that it does not: it is disagreement',
        hint: 'Google’s word counts at the deploy: let the attestor’s own account read its note (roles/containeranalysis.notes.occurrences.viewer), or attest the image again',
      },
    ],
    [
      'undecided',
      'open',
      {
        code: 'VALIDATION_UNDECIDED',
        message: 'it is undecided',
        hint: 'run again; if it stays so, the service may not know this kind of key yet',
      },
    ],
    [
      'attestor-missing',
      'open',
      {
        code: 'ATTESTOR_MISSING',
        message: 'the attestor does not exist, and what the enforcer does then is not published: it is attestor-missing',
        hint: 'create the attestor again, or take it out of the rule’s requireAttestationsBy',
      },
    ],
  ])('%s: %s', (what, standing, reason) => {
    // The evidence of other attestors and digests says nothing about this one.
    const evidence = [found(B, 'verified'), found(A, 'verified', OTHER), found(A, what)];
    expect(weigh([A], PINNED, evidence)).toEqual({
      standing,
      reasons: [{ ...reason, attestor: A }],
      denying: standing === 'violated' ? [A] : [],
    });
  });

  it('whose index is attested, and not the image that Cloud Run evaluates', () => {
    expect(weigh([A], CHILD, [found(A, 'none'), found(A, 'verified', INDEX)]).reasons).toEqual([
      {
        code: 'PLATFORM_CHILD_NOT_ATTESTED',
        attestor: A,
        message: `the index ${INDEX} is attested, but Cloud Run evaluates its linux/amd64 image ${D}: it is none ${oneOfOne}`,
        hint: `attest the index together with its images: binauthz attest IMAGE --attestor ${A} --multi-platform both …`,
      },
    ]);
  });

  it.each<[string, Subject, readonly Evidence[], Reason['code']]>([
    ['the index is not attested either', CHILD, [found(A, 'none'), found(A, 'none', INDEX)], 'NO_TRUSTED_ATTESTATION'],
    ['another digest is attested', CHILD, [found(A, 'none'), found(A, 'verified', OTHER)], 'NO_TRUSTED_ATTESTATION'],
    ['the index is attested by another', CHILD, [found(A, 'none'), found(B, 'verified', INDEX)], 'NO_TRUSTED_ATTESTATION'],
    ['the image could not be asked about', CHILD, [found(A, 'no-answer'), found(A, 'verified', INDEX)], 'EVIDENCE_MISSING'],
  ])('where %s', (_name, subject, evidence, code) => {
    expect(weigh([A], subject, evidence).reasons.map((reason) => reason.code)).toEqual([code]);
  });

  it('that nobody asked about this digest', () => {
    expect(weigh([A], PINNED, [found(A, 'verified', OTHER)])).toEqual({
      standing: 'open',
      reasons: [{ code: 'EVIDENCE_MISSING', message: 'it was not asked for this digest', attestor: A }],
      denying: [],
    });
  });

  it('with a hint of whoever knows more', () => {
    expect(weigh([A], PINNED, [{ ...found(A, 'none'), hint: 'use the key K' }]).reasons[0]?.hint).toBe('use the key K');
  });

  // Any one that verifies suffices; what is open may still become one, so it outweighs what does not verify.
  it.each<[readonly Evidence['found'][], Evidence['found']]>([
    [['none', 'no-answer', 'verified'], 'verified'],
    [['none', 'disagreement'], 'disagreement'],
    [['attestor-without-keys', 'none'], 'attestor-without-keys'],
  ])('with several answers %j is told %s', (answers, told) => {
    const single = weigh([A], PINNED, [found(A, told)]);
    expect(
      weigh(
        [A],
        PINNED,
        answers.map((answer) => found(A, answer)),
      ),
    ).toEqual(single);
  });
});

describe('several required attestors', () => {
  it('are each told where all are satisfied, once each', () => {
    expect(weigh([A, B, A], PINNED, [found(B, 'verified'), found(A, 'verified')])).toEqual({
      standing: 'satisfied',
      reasons: [A, B].map((attestor) => ({ code: 'ATTESTED', message: 'it is verified', attestor })),
      denying: [],
    });
  });

  it('are told without those that are satisfied where one is not, with the count', () => {
    const { standing, reasons, denying } = weigh([A, B], PINNED, [found(A, 'verified'), found(B, 'none')]);
    expect([standing, denying]).toEqual(['violated', [B]]);
    expect(reasons.map(({ message }) => message)).toEqual([`${NONE}: it is none (2 of 2 attestors required, missing: ${B})`]);
    expect(weigh([A, B], PINNED, [found(A, 'none'), found(B, 'none')]).reasons[0]?.message).toContain(`missing: ${A}, ${B})`);
  });

  it('are violated by one, whatever is open', () => {
    const { standing, reasons, denying } = weigh([A, B], PINNED, [found(A, 'no-answer'), found(B, 'none')]);
    expect([standing, denying, reasons.map(({ attestor }) => attestor)]).toEqual(['violated', [B], [A, B]]);
  });
});

it('nothing required is never allowed', () => {
  expect(weigh([], PINNED, [found(A, 'verified')])).toEqual({
    standing: 'open',
    denying: [],
    reasons: [{ code: 'EVIDENCE_MISSING', message: 'the rule requires attestations and names no attestor: there is nothing to decide by' }],
  });
});
