// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { accessOf, NOTE_READERS } from '../../src/core/doctor/agents.js';
import { grant, replaceVersion } from '../../src/core/doctor/commands.js';
import { refusalOf } from '../../src/core/doctor/diagnose.js';
import type { ReadIamPolicy } from '../../src/core/doctor/facts.js';
import { errorOf, FINDINGS, report, type Finding, type FindingRow } from '../../src/core/doctor/findings.js';
import { ERROR_CODES } from '../../src/core/error-codes.js';
import { BinauthzError } from '../../src/core/errors.js';
import { documentedRows } from '../support/doc-tables.js';
import type { AttestorName, KeyName } from '../../src/core/names.js';

const finding = (overrides: Partial<Finding>): Finding => ({ code: 'NOT_ATTESTED', resource: 'r', message: 'm', fix: 'f', ...overrides });

describe('a finding', () => {
  it('is an error only to the command that it stops', () => {
    expect(report(finding({}), 'check')).toMatchObject({ level: 'error', error: 'POLICY_DENIED' });
    expect(report(finding({}), 'attest')).toEqual({ code: 'NOT_ATTESTED', level: 'warning', resource: 'r', message: 'm', fix: 'f' });
    expect(report(finding({ code: 'KEY_DISABLED' }), 'attest').error).toBe('KEY_UNUSABLE');
  });
  it('may know its error better than its code does, but to check a failure is a failure to decide', () => {
    expect(errorOf(finding({ code: 'NOT_CHECKED', error: 'QUOTA_EXHAUSTED' }), 'attest')).toBe('QUOTA_EXHAUSTED');
    expect(errorOf(finding({ code: 'NOT_CHECKED', error: 'QUOTA_EXHAUSTED' }), 'check')).toBe('UNDECIDED');
    expect(errorOf(finding({ error: 'none' }), 'check')).toBeUndefined();
  });
  it('stays on its line, whoever named the resource', () => {
    expect(report(finding({ resource: 'a\n::error::b', message: 'c\r\nd' }), 'check')).toMatchObject({
      resource: 'a ::error::b',
      message: 'c d',
    });
  });
  it('is documented with its errors, each code and no other', () => {
    const cell = (error: string | undefined) => (error === undefined ? '' : `\`${error}\``);
    const table = (Object.entries(FINDINGS) as [string, FindingRow][]).map(([code, { meaning, attest, check }]) => [
      ...[`\`${code}\``, meaning, cell(attest), cell(check)],
    ]);
    expect(table).toEqual(documentedRows('docs/ERRORS.md', '# Findings of doctor'));
  });
  test.each(Object.entries(FINDINGS) as [string, FindingRow][])(
    '%s ends check with no other code than 3 or 4',
    (_code, { check, meaning }) => {
      expect(check === undefined ? 4 : ERROR_CODES[check].exit).toBeOneOf([3, 4]);
      expect(meaning).toMatch(/\.$/);
    },
  );
});

describe('the error that stands for all', () => {
  const reported = (...codes: readonly Finding['code'][]) => codes.map((code) => report(finding({ code, message: code }), 'attest'));
  it('is the one whose exit code wins', () => {
    expect(refusalOf(reported('KEY_MISSING', 'PERMISSION_MISSING', 'KEY_DISABLED', 'POLICY_DRY_RUN'))).toMatchObject({
      code: 'KEY_UNUSABLE',
      message: expect.stringContaining('KEY_DISABLED, and 2 more'),
    });
  });
  it('is none where there are only warnings', () => {
    expect(refusalOf(reported('POLICY_DRY_RUN', 'NOT_ATTESTED'))).toBeUndefined();
    expect(refusalOf([])).toBeUndefined();
  });
});

describe('the access of Google’s own accounts', () => {
  const AGENT = 'serviceAccount:Agent@example.iam.gserviceaccount.com';
  const VIEWER = 'roles/containeranalysis.notes.occurrences.viewer';
  const policy = (role: string, members: readonly string[], condition?: unknown): ReadIamPolicy => ({
    resource: 'r',
    policy: { ok: true, value: { etag: 'e', rest: {}, bindings: [{ role, members, ...(condition === undefined ? {} : { condition }) }] } },
  });
  const unread: ReadIamPolicy = { resource: 'p', policy: { ok: false, error: new BinauthzError('PERMISSION_DENIED', 'no') } };
  test.each([
    ['granted', policy(VIEWER, ['serviceAccount:agent@example.iam.gserviceaccount.com'])],
    ['granted', policy('roles/owner', [AGENT])],
    ['granted', policy(VIEWER, ['allUsers'])],
    ['missing', policy('roles/containeranalysis.notes.attacher', [AGENT])],
    ['missing', policy(VIEWER, ['serviceAccount:other@example.com', 'user:agent@example.iam.gserviceaccount.com'])],
    ['unknown', policy(VIEWER, [AGENT], { expression: 'false' })],
    ['unknown', policy(VIEWER, ['group:agents@example.com'])],
    ['unknown', policy('projects/p/roles/own', [AGENT])],
  ])('is %s by %j', (access, given) => expect(accessOf(AGENT, NOTE_READERS, [given])).toBe(access));

  it('is never called missing where a policy could not be read, and granted wherever one grants it', () => {
    expect(accessOf(AGENT, NOTE_READERS, [unread, policy('roles/browser', [AGENT])])).toBe('unknown');
    expect(accessOf(AGENT, NOTE_READERS, [unread, policy(VIEWER, [AGENT])])).toBe('granted');
    expect(accessOf(AGENT, NOTE_READERS, [])).toBe('missing');
  });
});

describe('commands', () => {
  it('grant a role where it belongs, and say so where nobody named the identity', () => {
    expect(grant('projects/p/locations/us/repositories/apps', 'roles/artifactregistry.reader', 'serviceAccount:ci@p.com')).toBe(
      'gcloud artifacts repositories add-iam-policy-binding apps --location=us --project=p --condition=None --member=serviceAccount:ci@p.com --role=roles/artifactregistry.reader',
    );
    expect(grant('projects/p', 'roles/browser', undefined)).toContain('--member=MEMBER ');
  });
  it('take a new version by the number that only making it tells', () => {
    const lines = replaceVersion('projects/p/locations/l/keyRings/r/cryptoKeys/k' as KeyName, [
      'projects/p/attestors/a' as AttestorName,
    ]).split('\n');
    expect(lines[0]).toMatch(/^VERSION="\$\(gcloud kms keys versions create .*\)"$/);
    expect(lines[1]).toContain('--keyversion="$VERSION" ');
    expect(lines[1]).toMatch(/cryptoKeyVersions\/"\$VERSION"$/);
  });
});
