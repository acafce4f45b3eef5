// SPDX-License-Identifier: Apache-2.0
// A Cloud KMS key none of whose versions is enabled: what is left of them decides the repair, which the printed command makes.
import { describe, expect, it } from 'vitest';
import { Patient, type Told } from '../support/doctor.js';
import { testFaults, type Fault } from '../support/doctor-faults.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { found, titled } from '../support/tools.js';

const disable = (patient: Patient, version: string) =>
  patient.stage.call('PATCH', `/v1/${version}?updateMask=state`, { state: 'DISABLED' });
const destroy = (patient: Patient, version: string) => patient.stage.call('POST', `/v1/${version}:destroy`, {});

/** A key of its own in the ring that is there, made as these members say. */
async function another(patient: Patient, id: string, query = '', members: object = {}): Promise<string> {
  const keys = patient.key.key.replace(/\/[^/]+$/, '');
  const template = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' }, ...members };
  await patient.stage.call('POST', `/v1/${keys}?cryptoKeyId=${id}${query}`, template);
  return `${keys}/${id}`;
}

/** Doctor in front of an attest by a key without a version. */
async function asked(patient: Patient, key = patient.key.key) {
  const image = await patient.push('fresh');
  const words = ['--attestor', patient.attestor, '--kms-key', key];
  const wanted = (): Promise<Told> => patient.attest(image, words);
  return { args: words, wanted };
}

const FAULTS: readonly Fault[] = [
  {
    code: 'KEY_DISABLED',
    title: 'the only version is disabled',
    exit: 7,
    plant: async (patient) => {
      await disable(patient, patient.key.version);
      return asked(patient);
    },
  },
  {
    code: 'KEY_DESTRUCTION_SCHEDULED',
    title: 'the only version is to be destroyed',
    exit: 7,
    plant: async (patient) => {
      await destroy(patient, patient.key.version);
      return asked(patient);
    },
  },
  {
    code: 'KEY_DISABLED',
    title: 'one version is disabled, and a newer one is to be destroyed',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.call('POST', `/v1/${patient.key.key}/cryptoKeyVersions`, {});
      await disable(patient, patient.key.version);
      await destroy(patient, `${patient.key.key}/cryptoKeyVersions/2`);
      return asked(patient);
    },
  },
  {
    code: 'KEY_DESTROYED',
    title: 'the only version is destroyed',
    exit: 7,
    plant: async (patient) => {
      const key = await another(patient, 'short', '', { destroyScheduledDuration: '0s' });
      await destroy(patient, `${key}/cryptoKeyVersions/1`);
      return asked(patient, key);
    },
  },
  {
    code: 'KEY_DISABLED',
    title: 'there is no version',
    exit: 7,
    plant: async (patient) => asked(patient, await another(patient, 'empty', '&skipInitialVersionCreation=true')),
  },
];

const CAN_RUN = HAS_GCLOUD && found('jq') && found('curl');

describe.skipIf(!CAN_RUN)(titled('a key without an enabled version', 'gcloud'), () => testFaults(FAULTS));

describe.skipIf(!CAN_RUN)(titled('what attest advises for a key without an enabled version', 'gcloud'), () => {
  it('brings back one that is to be destroyed, which cannot be enabled before', async () => {
    const patient = await Patient.sound();
    await destroy(patient, patient.key.version);
    const { wanted } = await asked(patient);
    const refused = await wanted();
    const [error] = refused.json.errors as readonly { readonly code: string; readonly hint: string }[];
    expect([refused.code, error!.code]).toEqual([7, 'KEY_UNUSABLE']);
    const command = (verb: string) =>
      new RegExp(`gcloud kms keys versions ${verb} N [^)]*`).exec(error!.hint)?.[0].replace(' N ', ' 1 ') ?? '';
    expect(error!.hint).toMatch(/DISABLED \(gcloud .* enable .*DESTROY_SCHEDULED before that \(gcloud .* restore .* or else make one/);
    expect((await patient.paste(command('enable'))).code).not.toBe(0);
    for (const verb of ['restore', 'enable']) expect(await patient.paste(command(verb))).toMatchObject({ code: 0 });
    expect((await wanted()).code).toBe(0);
    await patient.end();
  }, 60_000);
});
