// SPDX-License-Identifier: Apache-2.0
// Attestors, their notes, and Google's own accounts: what is wrong with them, and the command that repairs it.
import { describe, expect, it, test } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type { AttestorFacts, DoctorFacts } from '../../src/core/doctor/facts.js';
import type { AttestorName, ProjectId } from '../../src/core/names.js';
import type { AttestorKey } from '../../src/core/signing/public-key.js';
import {
  AGENT,
  attesting,
  ATTESTOR,
  attestor,
  codesOf,
  DEPLOYER,
  expectFindings,
  failed,
  FINGERPRINT,
  iam,
  KEY,
  kmsKey,
  listed,
  NOTE,
  ok,
  opened,
  policy,
  PROJECT,
  requiring,
  sound,
  VERSION,
} from '../support/doctor-facts.js';

const QA = 'projects/trust/attestors/qa' as AttestorName;
const AUTH = `-H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json'`;
const POST = `curl -sS --fail-with-body -X POST ${AUTH}`;
const ANALYSIS = 'https://containeranalysis.googleapis.com/v1';
const ATTESTORS = 'gcloud container binauthz attestors';
const TRUSTED = `--public-key-id-override=//cloudkms.googleapis.com/v1/${VERSION}`;

const makeNote = (project: string, id: string): string =>
  `${POST} -d '{"attestation":{"hint":{"humanReadableName":"${id}"}}}' '${ANALYSIS}/projects/${project}/notes?noteId=${id}'`;
const letRead = (note: string, member: string): string =>
  [
    `${POST} -d '{"options": {"requestedPolicyVersion": 3}}' ${ANALYSIS}/${note}:getIamPolicy \\`,
    `  | jq --arg member0 ${member} '{policy: (.bindings += [{role: "roles/containeranalysis.notes.occurrences.viewer", members: [$member0]}] | .version = 3)}' \\`,
    `  | ${POST} -d @- ${ANALYSIS}/${note}:setIamPolicy`,
  ].join('\n');
const agentOf = (id: string): string =>
  `"serviceAccount:$(${ATTESTORS} describe ${id} --project=trust '--format=value(userOwnedGrafeasNote.delegationServiceAccountEmail)')"`;
const trustVersion = (id: string): string =>
  `${ATTESTORS} public-keys add --attestor=${id} --project=trust --keyversion-project=vault --keyversion-location=europe-west1 --keyversion-keyring=ring --keyversion-key=signing --keyversion=3 ${TRUSTED}`;

const withAttestor = (overrides: Partial<AttestorFacts>): Partial<DoctorFacts> => ({ attestors: [attestor(overrides)] });
const read = (overrides: Partial<Attestor>): AttestorFacts['attestor'] =>
  ok({ name: ATTESTOR, note: NOTE, keys: [listed()], serviceAgent: AGENT, ...overrides });
/** An attestor that does not name its own account. */
const nameless = ok({ name: ATTESTOR, note: NOTE, keys: [listed()] });
const noNote = { name: NOTE, found: ok(undefined) };

describe('an attestor that does not exist', () => {
  const gone = failed('ATTESTOR_NOT_FOUND', 'no such attestor', { resource: ATTESTOR });
  const create = `${ATTESTORS} create ci --project=trust --attestation-authority-note=ci-note --attestation-authority-note-project=notary`;
  // The policy requires it as well, which is a finding of its own.
  const found = (facts: DoctorFacts) => diagnose(facts).findings.filter(({ code }) => code === 'ATTESTOR_MISSING');
  const says = (eyes: string) =>
    expect.stringContaining(`there is no attestor ${ATTESTOR}, which ${eyes} needs: check its name, or make it`) as unknown;

  test.each([
    ['is there', { name: NOTE, found: ok({ isAttestation: true }) }],
    ['may be there', { name: NOTE, found: failed('PERMISSION_DENIED') }],
  ])('is made for the note that %s, and its own account let read it', (_title, note) =>
    expect(found(sound(withAttestor({ attestor: gone, note })))).toMatchObject([
      { resource: ATTESTOR, message: says('check'), error: 'UNDECIDED', fix: [create, letRead(NOTE, agentOf('ci'))].join('\n') },
    ]),
  );
  it('is made with its note, and trusts the first key that opens', () => {
    const other = kmsKey({ opened: ok(opened(VERSION.replace(/3$/, '4'))) });
    const keys = [kmsKey({ opened: failed('UNAVAILABLE') }), kmsKey(), other];
    const fix = [makeNote('notary', 'ci-note'), create, trustVersion('ci'), letRead(NOTE, agentOf('ci'))].join('\n');
    expect(found(attesting({ ...withAttestor({ attestor: gone, note: noNote }), keys }))).toMatchObject([
      { resource: ATTESTOR, message: says('attest'), error: 'ATTESTOR_NOT_FOUND', fix },
    ]);
  });
});

describe('the keys of an attestor', () => {
  const none = withAttestor({ attestor: read({ keys: [] }) });
  const expected = {
    code: 'ATTESTOR_WITHOUT_KEYS',
    resource: ATTESTOR,
    says: [`${ATTESTOR} trusts no key`, 'every image that needs it is denied'],
  } as const;
  it('are the given one where there are none', () => {
    expectFindings(attesting(none), { ...expected, error: 'KEY_NOT_TRUSTED', fix: trustVersion('ci') });
    expectFindings(sound(none), {
      ...expected,
      error: 'POLICY_DENIED',
      fix: `${ATTESTORS} public-keys add --attestor=ci --project=trust --keyversion=KEY_VERSION`,
    });
  });
  const remove = (id: string): string => `${ATTESTORS} public-keys remove ${id} --attestor=ci --project=trust`;
  it('are taken out where nobody can verify with them', () => {
    const keys = [
      listed(),
      listed(0, 'odd', 'ML_DSA_65'),
      { kind: 'pkix', id: 'broken', pem: 'PEM', algorithm: 'ECDSA_P256_SHA256' } as const,
    ];
    const unusable = { code: 'ATTESTOR_KEY_UNUSABLE', resource: ATTESTOR } as const;
    expectFindings(
      sound(withAttestor({ attestor: read({ keys }) })),
      { ...unusable, says: [`${ATTESTOR} lists the key odd (ML_DSA_65), which cannot be verified with`], fix: remove('odd') },
      { ...unusable, says: ['lists the key broken (ECDSA_P256_SHA256)'], fix: remove('broken') },
    );
  });
  const pgp = (id: string) => ({ kind: 'pgp', id, armored: 'A' }) as const;
  const why = 'the key is expired';
  const dying = (deadKeys: readonly string[], ...keys: readonly AttestorKey[]) => ({
    attestors: [attestor({ attestor: read({ keys }), deadKeys: deadKeys.map((id) => ({ id, why })) })],
  });
  const unusable = { code: 'ATTESTOR_KEY_UNUSABLE', resource: ATTESTOR } as const;
  const nothing = `(PGP), with which nothing verifies, whatever it signed: ${why}`;
  const lost = 'no key that anything verifies with, so that every image that needs it is denied';
  const rotate = `binauthz rotate --attestor ${ATTESTOR} --to-pgp-private-key-env NEW_PGP_PRIVATE_KEY --retire ${FINGERPRINT} --apply`;
  it('are taken out where nothing verifies with them, and others are left', () =>
    expectFindings(
      sound(dying([FINGERPRINT, 'F2'], pgp(FINGERPRINT), pgp('F2'), pgp('F3'))),
      {
        ...{ ...unusable, says: [`lists the key ${FINGERPRINT} ${nothing}`], fix: remove(FINGERPRINT) },
      },
      { ...unusable, says: [`lists the key F2 ${nothing}`], fix: remove('F2') },
    ));
  it('are an error where none is left that anything verifies with, and one takes their place', () => {
    const all = dying([FINGERPRINT, 'F2'], pgp(FINGERPRINT), pgp('F2'));
    const first = { ...unusable, says: [FINGERPRINT, lost], fix: rotate };
    const second = { ...unusable, says: ['F2', lost], fix: remove('F2') };
    expectFindings(sound(all), { ...first, error: 'POLICY_DENIED' }, { ...second, error: 'POLICY_DENIED' });
    const shut = { ...all, keys: [kmsKey({ opened: failed('KEY_NOT_FOUND') })] };
    const findings = diagnose(attesting(shut)).findings.filter(({ code }) => code === unusable.code);
    expect(findings).toMatchObject([
      { error: 'KEY_NOT_TRUSTED', fix: rotate },
      { error: 'KEY_NOT_TRUSTED', fix: remove('F2') },
    ]);
  });
  it('are an error of a key without an algorithm as well', () =>
    expectFindings(sound(withAttestor({ attestor: read({ keys: [listed(0, 'odd', 'ML_DSA_65')] }) })), {
      ...{ ...unusable, error: 'POLICY_DENIED', says: ['odd (ML_DSA_65)', lost] },
      fix: `${remove('odd')}\n${ATTESTORS} public-keys add --attestor=ci --project=trust --keyversion=KEY_VERSION`,
    }));
  it('make room where the given key is one that they do not hold', () => {
    const findings = diagnose(attesting(dying([FINGERPRINT], pgp(FINGERPRINT)))).findings;
    expect(findings).toMatchObject([
      { code: 'KEY_NOT_TRUSTED', fix: trustVersion('ci') },
      { code: unusable.code, error: 'KEY_NOT_TRUSTED', fix: remove(FINGERPRINT) },
    ]);
  });
  it('are listed anew where the given key is the one that is dead there', () => {
    const given = { ...kmsKey(), opened: ok(opened(FINGERPRINT, [{ kind: 'pgp', fingerprint: FINGERPRINT }])) };
    const fix = [
      remove(FINGERPRINT),
      `gpg --armor --output ${FINGERPRINT}.asc --export ${FINGERPRINT}`,
      `${ATTESTORS} public-keys add --attestor=ci --project=trust --pgp-public-key-file=${FINGERPRINT}.asc`,
    ].join('\n');
    const stale = `${FINGERPRINT} signs, and nothing that it signs verifies there`;
    const facts = (...keys: readonly AttestorKey[]) => attesting({ ...dying([FINGERPRINT], ...keys), keys: [given] });
    expectFindings(facts(pgp(FINGERPRINT)), { ...unusable, error: 'SIGNATURE_INVALID', says: [lost, stale], fix });
    expectFindings(facts(listed(), pgp(FINGERPRINT)), { ...unusable, error: 'SIGNATURE_INVALID', says: [why, stale], fix });
    expectFindings(attesting(dying([FINGERPRINT], listed(), pgp(FINGERPRINT))), { ...unusable, says: [why], fix: remove(FINGERPRINT) });
  });
  it('are told of an attestor that only the policy names, as an error where it decides', () => {
    const dead = { name: QA, attestor: ok({ name: QA, note: NOTE, keys: [pgp(FINGERPRINT)] }), deadKeys: [{ id: FINGERPRINT, why }] };
    const facts = { others: [dead], policy: policy({ defaultAdmissionRule: requiring(ATTESTOR, QA) }) };
    const fix = rotate.replace(ATTESTOR, QA);
    expectFindings(sound(facts), { ...unusable, resource: QA, error: 'POLICY_DENIED', says: [lost], fix });
    expect(diagnose(attesting(facts)).findings).toMatchObject([{ code: unusable.code, level: 'warning' }]);
  });
  it('may be PGP keys', () =>
    expect(codesOf(sound(withAttestor({ attestor: read({ keys: [{ kind: 'pgp', id: FINGERPRINT, armored: 'A' }] }) })))).toEqual([]));
});

describe('a note', () => {
  const missing = {
    code: 'NOTE_MISSING',
    error: 'UNDECIDED',
    resource: NOTE,
    says: [`the note ${NOTE} of ${ATTESTOR} does not exist: nothing can be attached`],
  } as const;
  it('that is missing is made, and its attestor’s account let in', () => {
    expectFindings(sound(withAttestor({ note: noNote })), {
      ...missing,
      fix: [makeNote('notary', 'ci-note'), letRead(NOTE, `serviceAccount:${AGENT}`)].join('\n'),
    });
    expectFindings(sound(withAttestor({ note: noNote, attestor: nameless })), { ...missing, fix: makeNote('notary', 'ci-note') });
    expect(diagnose(attesting(withAttestor({ note: noNote }))).findings).toMatchObject([{ error: 'NOTE_NOT_FOUND' }]);
  });
  it('of another kind is left alone: another attestor with another note takes its place', () => {
    const wrong = { name: NOTE, found: ok({ isAttestation: false }) };
    const made = [
      makeNote('notary', 'ci-attested'),
      `${ATTESTORS} create ci-attested --project=trust --attestation-authority-note=ci-attested --attestation-authority-note-project=notary`,
    ];
    const expected = {
      code: 'NOTE_NOT_ATTESTATION',
      resource: NOTE,
      says: [`the note ${NOTE} of ${ATTESTOR} is not for attestations`, 'make another attestor'],
    } as const;
    const granted = letRead('projects/notary/notes/ci-attested', agentOf('ci-attested'));
    const keys = [listed(1, 'local'), listed(), listed(2, `//cloudkms.googleapis.com/v1/${KEY}/cryptoKeyVersions/7`)];
    expectFindings(sound(withAttestor({ note: wrong, attestor: read({ keys }) })), {
      ...expected,
      error: 'POLICY_DENIED',
      fix: [...made, trustVersion('ci-attested'), granted].join('\n'),
    });
    expectFindings(sound(withAttestor({ note: wrong, attestor: read({ keys: keys.slice(0, 1) }) })), {
      ...expected,
      error: 'POLICY_DENIED',
      fix: [...made, granted].join('\n'),
    });
  });
  it('that could not be read is an assumption, for neither attest nor check reads it', () => {
    const facts = sound(withAttestor({ note: { name: NOTE, found: failed('PERMISSION_DENIED') } }));
    expect(diagnose(facts)).toEqual({
      findings: [],
      assumptions: [`the note ${NOTE} exists, and is one for attestations: it could not be read`],
    });
  });
  it('that could not be read for want of an API is a finding', () => {
    const found = failed('PERMISSION_DENIED', 'off', { disabledApi: 'containeranalysis.googleapis.com' });
    expectFindings(sound(withAttestor({ note: { name: NOTE, found } })), {
      ...{ code: 'API_DISABLED', error: 'UNDECIDED', resource: 'projects/notary/services/containeranalysis.googleapis.com' },
      says: ['containeranalysis.googleapis.com is switched off in notary'],
      fix: 'gcloud services enable containeranalysis.googleapis.com --project=notary',
    });
  });
});

describe('the account of an attestor', () => {
  const shut = [iam(NOTE), iam('projects/notary', ['roles/containeranalysis.notes.occurrences.viewer', 'user:a@b'])];
  const denied = {
    code: 'AGENT_CANNOT_READ_NOTE',
    resource: NOTE,
    says: [`the account ${AGENT}, as which ${ATTESTOR} reads its note, holds no role on ${NOTE}`, 'not found at the deployment'],
    fix: letRead(NOTE, `serviceAccount:${AGENT}`),
  } as const;
  it('is let read the note', () => {
    expectFindings(sound(withAttestor({ noteAccess: shut })), { ...denied, error: 'UNDECIDED' });
    expectFindings(attesting(withAttestor({ noteAccess: shut })), { ...denied, error: 'ATTESTATION_NOT_VERIFIABLE' });
  });
  it('is let read a note that this run could not read', () => {
    const note = { name: NOTE, found: failed('PERMISSION_DENIED') };
    expectFindings(sound(withAttestor({ note, noteAccess: shut })), { ...denied, error: 'UNDECIDED' });
  });
  it('is no matter of its own where there is no note', () =>
    expect(codesOf(sound(withAttestor({ note: noNote, noteAccess: [] })))).toEqual(['NOTE_MISSING']));

  const may = `may read the note ${NOTE}: the IAM policies that would tell could not be read to the end`;
  const unread = { resource: 'folders/1', policy: failed('PERMISSION_DENIED') };
  test.each<[string, Partial<AttestorFacts>, RegExp]>([
    ['policies that could not be read', { noteAccess: [...shut, unread] }, new RegExp(`^the account ${AGENT} of ${ATTESTOR} ${may}$`)],
    ['an attestor that does not name it', { attestor: nameless, noteAccess: shut }, new RegExp(`^the account\\s+of ${ATTESTOR} ${may}$`)],
  ])('is taken for granted with %s', (_title, overrides, assumption) =>
    expect(diagnose(sound(withAttestor(overrides)))).toEqual({
      findings: [],
      assumptions: [expect.stringMatching(assumption) as unknown],
    }),
  );
  it('is no assumption where a policy that could be read lets it', () =>
    expect(diagnose(sound(withAttestor({ noteAccess: [unread, ...attestor().noteAccess] }))).assumptions).toEqual([]));
  it('is no assumption of an attestor that could not be read', () =>
    expect(diagnose(sound(withAttestor({ attestor: failed('UNAVAILABLE'), noteAccess: [] }))).assumptions).toEqual([]));
});

describe('the deploying project’s account', () => {
  it('is let verify with an attestor of another project, which neither command can see', () =>
    expectFindings(sound(withAttestor({ deployer: { member: ok(DEPLOYER), access: [iam(ATTESTOR), iam('projects/trust')] } })), {
      ...{ code: 'DEPLOYER_CANNOT_VERIFY', error: 'POLICY_DENIED', resource: ATTESTOR },
      says: [
        `${DEPLOYER}, as which the Binary Authorization of ${PROJECT} asks attestors, may not verify with ${ATTESTOR}: deployments to ${PROJECT} are denied`,
      ],
      fix: `${ATTESTORS} add-iam-policy-binding ci --project=trust --condition=None --member=${DEPLOYER} --role=roles/binaryauthorization.attestorsVerifier`,
    }));
  const open = [
    `the deploying project’s Binary Authorization may ask ${ATTESTOR}: the IAM policies that would tell could not be read to the end`,
  ];
  test.each([
    ['is assumed to be let where it is not known which it is', failed('PERMISSION_DENIED'), [], open],
    ['is assumed to be let by what could not be read', ok(DEPLOYER), [{ resource: 'r', policy: failed('UNAVAILABLE') }], open],
    ['is known to be let by what could be read', ok(DEPLOYER), [iam(ATTESTOR, ['roles/owner', DEPLOYER])], []],
  ])('%s', (_title, member, access, assumptions) =>
    expect(diagnose(sound(withAttestor({ deployer: { member, access } })))).toEqual({ findings: [], assumptions }),
  );
  it('needs nothing where the attestor lies in its own project', () => {
    expect(diagnose(sound(withAttestor({ deployer: undefined } as never), { project: 'trust' as ProjectId }))).toEqual({
      findings: [],
      assumptions: [],
    });
  });
});
