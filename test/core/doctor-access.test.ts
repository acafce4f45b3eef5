// SPDX-License-Identifier: Apache-2.0
// APIs that are off, permissions that are missing, and what is made of a read that failed.
import { describe, expect, it, test } from 'vitest';
import { judgePermissions, judgeServices, unread } from '../../src/core/doctor/access.js';
import { diagnose } from '../../src/core/doctor/diagnose.js';
import type { DoctorFacts } from '../../src/core/doctor/facts.js';
import { BinauthzError, type ErrorCode, type ErrorDetails } from '../../src/core/errors.js';
import type { ProjectId } from '../../src/core/names.js';
import {
  ATTESTOR,
  attesting,
  attestor,
  codesOf,
  expectFindings,
  failed,
  KEY,
  kmsKey,
  lacks,
  NOTE,
  ok,
  PROJECT,
  sound,
} from '../support/doctor-facts.js';

const ATTACH = 'containeranalysis.notes.attachOccurrence';
const LIST = 'containeranalysis.notes.listOccurrences';
const GET = 'binaryauthorization.attestors.get';
const VERIFY = 'binaryauthorization.attestors.verifyImageAttested';
const POLICY = `projects/${PROJECT}/policy`;
const AGAIN = `binauthz doctor --project deploy --attestor ${ATTESTOR}`;

describe('a sound set-up', () => {
  test.each([
    ['check', sound()],
    ['attest', attesting()],
  ])('has no finding and no assumption with the eyes of %s', (_eyes, facts) =>
    expect(diagnose(facts)).toEqual({ findings: [], assumptions: [] }),
  );
});

describe('an API that is off', () => {
  it('is switched on in its project, each by itself', () => {
    const vault = 'vault' as ProjectId;
    const services = [
      { project: PROJECT, off: ok(['binaryauthorization.googleapis.com']) },
      { project: vault, off: ok(['cloudkms.googleapis.com', 'x.googleapis.com']) },
    ];
    expectFindings(
      attesting({ services }),
      ...(
        [
          ['deploy', 'binaryauthorization.googleapis.com'],
          ['vault', 'cloudkms.googleapis.com'],
          ['vault', 'x.googleapis.com'],
        ] as const
      ).map(([project, service]) => ({
        code: 'API_DISABLED' as const,
        error: 'PERMISSION_DENIED' as const,
        resource: `projects/${project}/services/${service}`,
        says: [`the API ${service} is switched off in ${project}`],
        fix: `gcloud services enable ${service} --project=${project}`,
      })),
    );
  });
  it('is assumed to be on where Service Usage could not be asked', () => {
    const facts = sound({ services: [{ project: PROJECT, off: failed('PERMISSION_DENIED', 'not you') }] });
    expect(judgeServices(facts)).toEqual([]);
    expect(diagnose(facts)).toEqual({
      findings: [],
      assumptions: ['every API that is called in deploy is on: Service Usage could not be asked (not you)'],
    });
  });
});

describe('a permission that is missing', () => {
  const SIGNER = 'serviceAccount:ci@build.example';
  it('is granted to the signer by the role that carries it', () =>
    expectFindings(attesting({ attestors: [attestor({ tested: [lacks(NOTE, ATTACH)] })] }, { signer: SIGNER }), {
      code: 'PERMISSION_MISSING',
      error: 'PERMISSION_DENIED',
      resource: NOTE,
      says: [`lacks ${ATTACH} (attach attestations to the note) on ${NOTE}`, 'the role roles/containeranalysis.notes.attacher carries it'],
      fix: [
        `curl -sS --fail-with-body -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json' -d '{"options": {"requestedPolicyVersion": 3}}' https://containeranalysis.googleapis.com/v1/${NOTE}:getIamPolicy \\`,
        `  | jq --arg member0 ${SIGNER} '{policy: (.bindings += [{role: "roles/containeranalysis.notes.attacher", members: [$member0]}] | .version = 3)}' \\`,
        `  | curl -sS --fail-with-body -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json' -d @- https://containeranalysis.googleapis.com/v1/${NOTE}:setIamPolicy`,
      ].join('\n'),
    }));
  it('leaves the member to be filled in where nobody said who runs this, and says how', () => {
    const facts = (signer: object) => sound({ tested: [lacks(POLICY, 'binaryauthorization.policy.get')] }, signer);
    const expected = (member: string, ...says: string[]) => ({
      code: 'PERMISSION_MISSING' as const,
      error: 'UNDECIDED' as const,
      resource: POLICY,
      says: ['binaryauthorization.policy.get (read the policy)', ...says],
      fix: `gcloud container binauthz policy add-iam-policy-binding --project=deploy --condition=None --member=${member} --role=roles/binaryauthorization.policyViewer`,
    });
    expectFindings(
      facts({}),
      expected('MEMBER', 'roles/binaryauthorization.policyViewer carries it; MEMBER in the command is', '--signer'),
    );
    expectFindings(facts({ signer: SIGNER }), expected(SIGNER));
    expect(diagnose(facts({ signer: SIGNER })).findings[0]?.message).toMatch(/ carries it$/);
  });
  it('is one finding for a role, and only advised where one can go on without all of it', () => {
    const key = kmsKey(
      {},
      {
        tested: lacks(
          KEY,
          'cloudkms.cryptoKeyVersions.viewPublicKey',
          'cloudkms.cryptoKeyVersions.list',
          'cloudkms.cryptoKeyVersions.useToSign',
        ),
      },
    );
    const binding = `gcloud kms keys add-iam-policy-binding signing --keyring=ring --location=europe-west1 --project=vault --condition=None --member=${SIGNER}`;
    expectFindings(
      attesting({ keys: [key] }, { signer: SIGNER }),
      {
        code: 'PERMISSION_MISSING',
        error: 'PERMISSION_DENIED',
        resource: KEY,
        says: [
          'cryptoKeyVersions.viewPublicKey (read the public key) and cloudkms.cryptoKeyVersions.useToSign (sign with the key) on ',
          'roles/cloudkms.signerVerifier',
        ],
        fix: `${binding} --role=roles/cloudkms.signerVerifier`,
      },
      {
        code: 'PERMISSION_MISSING',
        error: 'PERMISSION_DENIED',
        resource: KEY,
        says: ['cryptoKeyVersions.list (find the key’s newest enabled version) on ', 'roles/cloudkms.viewer'],
        fix: `${binding} --role=roles/cloudkms.viewer`,
      },
    );
    expectFindings(sound({ attestors: [attestor({ tested: [lacks(ATTESTOR, VERIFY)] })] }, { signer: SIGNER }), {
      code: 'PERMISSION_ADVISED',
      resource: ATTESTOR,
      says: [`${VERIFY} (have Google validate attestations`],
      fix: `gcloud container binauthz attestors add-iam-policy-binding ci --project=trust --condition=None --member=${SIGNER} --role=roles/binaryauthorization.attestorsVerifier`,
    });
  });
  it('is looked for on every resource that was tested', () => {
    const facts = attesting({
      tested: [lacks('projects/notary', 'containeranalysis.occurrences.create')],
      attestors: [attestor({ tested: [lacks(ATTESTOR, GET), lacks(NOTE, LIST)] })],
      keys: [kmsKey({}, { tested: lacks(KEY, 'cloudkms.cryptoKeyVersions.useToSign') }), { ...kmsKey(), kms: undefined } as never],
      target: {
        ref: { kind: 'cluster', key: 'l.c', location: 'l', name: 'c' },
        state: ok({ enforcement: { isEnforced: true, because: 'so' } }),
        tested: lacks('projects/deploy', 'container.clusters.get'),
      },
    });
    expect(judgePermissions(facts).map(({ code, resource }) => [code, resource])).toEqual([
      ['PERMISSION_MISSING', 'projects/notary'],
      ['PERMISSION_MISSING', ATTESTOR],
      ['PERMISSION_MISSING', NOTE],
      ['PERMISSION_MISSING', KEY],
      ['PERMISSION_ADVISED', 'projects/deploy'],
    ]);
  });
  it('is none that doctor did not ask for', () =>
    expect(codesOf(sound({ tested: [lacks(POLICY, 'resourcemanager.projects.get')] }))).toEqual([]));
  it('that could not be tested for is worth a warning, for neither attest nor check tests it', () => {
    const resource = POLICY;
    expectFindings(sound({ tested: [{ resource, missing: failed('UNAVAILABLE', 'asleep', { hint: 'sleep 60' }) }] }), {
      code: 'NOT_CHECKED',
      resource: `which permissions there are on ${POLICY}`,
      says: [`which permissions there are on ${POLICY} could not be checked: asleep (sleep 60)`],
      fix: AGAIN,
    });
  });
});

describe('a read that was refused', () => {
  const unreadAttestor = (
    missing: readonly string[],
    code: ErrorCode = 'PERMISSION_DENIED',
    details: ErrorDetails = { resource: ATTESTOR },
  ) => sound({ attestors: [attestor({ attestor: failed(code, 'may not', details), tested: [lacks(NOTE), lacks(ATTESTOR, ...missing)] })] });
  const besides = ['NOT_CHECKED', 'PERMISSION_MISSING'];
  test.each<[string, DoctorFacts, readonly string[]]>([
    ['is told by the permission that is known to be missing', unreadAttestor([GET]), ['PERMISSION_MISSING']],
    [
      'is told by a permission on what is above it',
      unreadAttestor([GET], 'PERMISSION_DENIED', { resource: `${ATTESTOR}/keys` }),
      ['PERMISSION_MISSING'],
    ],
    ['is a finding where all permissions are there', unreadAttestor([]), ['NOT_CHECKED']],
    ['is a finding where another resource lacks permissions', unreadAttestor([GET], 'PERMISSION_DENIED', { resource: NOTE }), besides],
    [
      'is a finding where a resource of a like name lacks them',
      unreadAttestor([GET], 'PERMISSION_DENIED', { resource: `${ATTESTOR}-2` }),
      besides,
    ],
    ['is a finding where it is not known which resource', unreadAttestor([GET], 'PERMISSION_DENIED', {}), besides],
    ['is a finding where no permission is the reason', unreadAttestor([GET], 'UNAVAILABLE'), besides],
    [
      'is a finding where an API is off',
      unreadAttestor([GET], 'PERMISSION_DENIED', { resource: ATTESTOR, disabledApi: 'a.googleapis.com' }),
      ['API_DISABLED', 'PERMISSION_MISSING'],
    ],
    [
      'is a finding where the permissions could not be tested',
      sound({
        attestors: [
          attestor({
            attestor: failed('PERMISSION_DENIED', 'may not', { resource: ATTESTOR }),
            tested: [{ resource: ATTESTOR, missing: failed('UNAVAILABLE') }],
          }),
        ],
      }),
      ['NOT_CHECKED', 'NOT_CHECKED'],
    ],
  ])('%s', (_title, facts, codes) => expect(codesOf(facts)).toEqual(codes));

  it('says what was not read and what is advised, and has it tried again', () => {
    const expected = { code: 'NOT_CHECKED', says: [`the attestor ${ATTESTOR} could not be checked: may not`] } as const;
    expectFindings(unreadAttestor([], 'PERMISSION_DENIED', { hint: 'ask somebody' }), {
      ...{ ...expected, error: 'UNDECIDED', resource: `the attestor ${ATTESTOR}`, fix: AGAIN },
      says: [`the attestor ${ATTESTOR} could not be checked: may not (ask somebody)`],
    });
    const facts = unreadAttestor([], 'QUOTA_EXHAUSTED');
    const asAttest = { ...facts, question: { ...facts.question, eyes: 'attest' as const } };
    expectFindings(asAttest, { ...expected, error: 'QUOTA_EXHAUSTED', resource: ATTESTOR, fix: AGAIN });
  });
  it('switches the API on in the project of the resource, or leaves that to be filled in', () => {
    const off = (resource: object) => unreadAttestor([], 'PERMISSION_DENIED', { disabledApi: 'a.googleapis.com', ...resource });
    const expected = (project: string) => ({
      code: 'API_DISABLED' as const,
      error: 'UNDECIDED' as const,
      resource: `projects/${project}/services/a.googleapis.com`,
      says: ['a.googleapis.com'],
      fix: `gcloud services enable a.googleapis.com --project=${project}`,
    });
    expectFindings(off({ resource: 'projects/other/attestors/x' }), expected('other'));
    expectFindings(off({}), expected('trust'));
    expectFindings(off({ resource: 'somewhere' }), expected('PROJECT'));
  });
  it('for want of credentials is a matter of signing in, even where it would be advice', () => {
    const expected = {
      code: 'NOT_SIGNED_IN',
      resource: 'the Google credentials',
      says: ['Google takes no credentials of this run: who?'],
      fix: 'gcloud auth application-default login',
    } as const;
    const { question } = sound();
    const missing = failed('UNAUTHENTICATED', 'who?', { resource: ATTESTOR });
    expectFindings(sound({ attestors: [attestor({ attestor: missing })], tested: [{ resource: POLICY, missing }] }), {
      ...expected,
      error: 'UNDECIDED',
    });
    expectFindings(attesting({ tested: [{ resource: POLICY, missing }] }), { ...expected, error: 'UNAUTHENTICATED' });
    expect(unread(missing.error, 'it', question).message).toBe('Google takes no credentials of this run: who?');
    const hinted = new BinauthzError('UNAUTHENTICATED', 'who?', { hint: 'say so' });
    expect(unread(hinted, 'it', question).message).toBe('Google takes no credentials of this run: who? (say so)');
  });
});
