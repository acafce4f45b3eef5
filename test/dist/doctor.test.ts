// SPDX-License-Identifier: Apache-2.0
// Doctor as it ships: text for people, JSON for programs, the exit code of the command that it looks for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { CLUSTER, Patient } from '../support/doctor.js';
import { PROJECT } from '../support/stage.js';

let patient: Patient;
beforeAll(async () => {
  patient = await Patient.sound();
});
afterAll(() => patient.end());

const doctor = (...args: readonly string[]) => cli(['doctor', '--project', PROJECT, ...args], { emulator: patient.emulator.host });

describe('binauthz doctor', () => {
  it('finds nothing in a sound set-up, and says what it looked at', async () => {
    const ended = await doctor(patient.image, ...patient.withKey(), '--cluster', CLUSTER);
    expect([ended.code, ended.stdout]).toEqual([
      0,
      'nothing is wrong: 7 resources looked at with the eyes of attest (on the emulator: nothing of this exists in Google Cloud)\n',
    ]);
  });

  it('ends with the code with which attest ends, and changes nothing itself', async () => {
    await patient.stage.call('PATCH', `/v1/${patient.key.version}?updateMask=state`, { state: 'DISABLED' });
    const before = (await patient.stage.requests()).length;
    const asJson = await doctor(...patient.withKey(), '--output', 'json');
    expect(asJson).toMatchObject({
      code: 7,
      json: {
        schema: 'binauthz.doctor/v1',
        ok: false,
        findings: [{ code: 'KEY_DISABLED', level: 'error', resource: patient.key.version, error: 'KEY_UNUSABLE' }],
      },
    });
    const asText = await doctor(...patient.withKey());
    expect([asText.code, asText.stdout]).toEqual([
      7,
      expect.stringContaining('    gcloud kms keys versions enable 1 --key=ci --keyring=ci'),
    ]);
    expect(asText.stderr).toContain('error[KEY_UNUSABLE]: doctor found what keeps the run from succeeding');
    const writes = (await patient.stage.requests())
      .slice(before)
      .filter((call) => !/^GET |:(?:testIamPermissions|getIamPolicy)$/.test(call));
    expect(writes).toEqual([]);
  });
});
