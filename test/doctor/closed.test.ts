// SPDX-License-Identifier: Apache-2.0
// Whatever doctor cannot read is said, and its exit code is that of the command all the same: every call that any of the
// three makes is refused in turn, without a word about a permission, as a deny rule or a perimeter would.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTER, Patient } from '../support/doctor.js';

let patient: Patient;
let fresh = 0;
let usual: readonly string[];
beforeAll(async () => {
  patient = await Patient.sound();
  usual = (await everything()).json.assumptions;
});
afterAll(() => patient.end());

const CALLS: readonly (readonly [string, string])[] = [
  ['the attestor', '/attestors/ci$'],
  ['Google’s validation', ':validateAttestationOccurrence$'],
  ['the note', '/notes/ci$'],
  ['the note’s listing', '/notes/ci/occurrences$'],
  ['the project’s listing', '/projects/[^/]+/occurrences$'],
  ['IAM policies', ':getIamPolicy$'],
  ['permissions', ':testIamPermissions$'],
  ['the public key', '/publicKey$'],
  ['the policy', '/projects/[^/]+/policy$'],
  ['the cluster', '/clusters/prod$'],
  ['Service Usage', '/services:batchGet$'],
  ['the registry', '^/v2/.*/manifests/'],
];
const REFUSALS: readonly (readonly [number, object])[] = [
  [403, { error: { code: 403, message: 'Request is prohibited by organization’s policy.', status: 'PERMISSION_DENIED' } }],
  [418, { error: { code: 418, message: 'Not here.', status: 'UNKNOWN' } }],
];

/** Only a signature or a post would show these, and doctor makes neither. */
const UNTRIED = ['Google’s validation', 'the project’s listing'];

/** Doctor signs, attaches and stores nothing: whether attest may, the test of permissions alone tells. */
const UNTESTABLE = 'permissions';

const everything = () => patient.doctor([patient.image, ...patient.withKey(), '--cluster', CLUSTER]);

async function refusing(path: string, status: number, body: object): Promise<void> {
  await patient.stage.call('POST', '/_emulator/faults', { rules: [{ path, times: -1, do: 'status', status, body }] });
}

describe.each(CALLS)('%s', (title, path) => {
  it.each(REFUSALS)('refused with %i ends doctor as it ends check', async (status, body) => {
    await refusing(path, status, body);
    const doctor = await patient.doctor([patient.image, '--cluster', CLUSTER]);
    const check = await patient.check(patient.image, '--cluster', CLUSTER);
    await patient.stage.call('POST', '/_emulator/faults', {});
    expect(doctor.code, JSON.stringify(doctor.findings)).toBe(check.code);
    if (check.code !== 0) expect(doctor.findings.filter(({ level }) => level === 'error')).not.toEqual([]);
  });

  it.each(title === UNTESTABLE ? REFUSALS : [])(
    'refused with %i is an error to the eyes of attest, which may yet succeed',
    async (status, body) => {
      await refusing(path, status, body);
      const doctor = await patient.doctor([patient.image, ...patient.withKey(), '--cluster', CLUSTER]);
      await patient.stage.call('POST', '/_emulator/faults', {});
      expect(doctor.findings.filter(({ level }) => level === 'error').map(({ resource }) => resource)).toEqual([
        'projects/shop-prod',
        expect.stringContaining('/notes/'),
        expect.stringContaining('/cryptoKeys/'),
      ]);
      expect(doctor.code).not.toBe(0);
    },
  );

  it.each(title === UNTESTABLE || UNTRIED.includes(title) ? [] : REFUSALS)(
    'refused with %i ends doctor as it ends attest',
    async (status, body) => {
      const image = await patient.push(`image-${(fresh += 1)}`);
      await refusing(path, status, body);
      const doctor = await patient.doctor([image, ...patient.withKey()]);
      const attest = await patient.attest(image);
      await patient.stage.call('POST', '/_emulator/faults', {});
      expect(doctor.code, JSON.stringify([doctor.findings, attest.json.errors])).toBe(attest.code);
    },
  );

  it.each(REFUSALS)('refused with %i is never passed over in silence', async (status, body) => {
    const before = (await patient.stage.requests()).length;
    await refusing(path, status, body);
    const { json } = await everything();
    await patient.stage.call('POST', '/_emulator/faults', {});
    const wasAsked = (await patient.stage.requests()).slice(before).some((call) => new RegExp(path).test(call.split(' ')[1] ?? ''));
    expect(wasAsked).toBe(title !== 'the project’s listing');
    const said = (json.assumptions as readonly string[]).filter((text) => !usual.includes(text));
    if (wasAsked) expect([json.ok, said.length > 0]).not.toEqual([true, false]);
  });
});
