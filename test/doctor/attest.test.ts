// SPDX-License-Identifier: Apache-2.0
// Faults that stop attest, or that it cannot see: each planted in a sound set-up, named by doctor, repaired by the command
// that doctor prints with Google's own client, and gone.
import { describe, expect, it } from 'vitest';
import { CI, CLUSTER, entryOf, Patient, requiring, type Told } from '../support/doctor.js';
import { testFaults, type Fault } from '../support/doctor-faults.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { signingKey } from '../support/keys.js';
import { PROJECT, Stage } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const NOTE = `projects/${PROJECT}/notes/ci`;
const SIGNER = ['--signer', `serviceAccount:${CI}`];
/** Warnings that another attestor with the same key brings with it, of which the policy knows nothing. */
const ANOTHER = ['POLICY_WITHOUT_ATTESTOR', 'KEYS_SHARED'];

/** Doctor in front of an attest of an image that nobody attested yet, as whoever. */
async function asked(patient: Patient, words = patient.withKey(), as?: string) {
  const image = await patient.push('fresh');
  const wanted = (): Promise<Told> => patient.attest(image, words, as);
  return { args: [...words, ...(as === undefined ? [] : SIGNER)], wanted, ...(as === undefined ? {} : { as }) };
}

/** The same as the identity of a pipeline that has every role but one. */
async function lacking(patient: Patient, resource: string, role: string) {
  await patient.grantAll();
  await patient.revoke(resource, role);
  return asked(patient, patient.withKey(), CI);
}

const ACCESS: readonly Fault[] = [
  {
    code: 'API_DISABLED',
    title: 'Cloud KMS',
    exit: 5,
    plant: async (patient) => {
      const given = await asked(patient);
      await patient.stage.call('POST', `/v1/projects/${PROJECT}/services/cloudkms.googleapis.com:disable`, {});
      return given;
    },
  },
  {
    code: 'API_DISABLED',
    title: 'Container Analysis',
    exit: 5,
    plant: async (patient) => {
      const given = await asked(patient);
      await patient.stage.call('POST', `/v1/projects/${PROJECT}/services/containeranalysis.googleapis.com:disable`, {});
      return given;
    },
  },
  {
    code: 'PERMISSION_MISSING',
    title: 'sign with the key',
    exit: 5,
    plant: async (patient) => {
      await patient.grantAll();
      const given = await asked(patient, patient.withKey(), CI);
      await patient.revoke(patient.key.key, 'roles/cloudkms.signerVerifier');
      return given;
    },
  },
  {
    code: 'PERMISSION_MISSING',
    title: 'attach to the note',
    exit: 5,
    plant: (patient) => lacking(patient, NOTE, 'roles/containeranalysis.notes.attacher'),
  },
  {
    code: 'PERMISSION_MISSING',
    title: 'store in the project',
    exit: 5,
    plant: (patient) => lacking(patient, `projects/${PROJECT}`, 'roles/containeranalysis.occurrences.editor'),
  },
  {
    code: 'PERMISSION_MISSING',
    title: 'read the attestor',
    exit: 5,
    besides: ['PERMISSION_ADVISED'],
    after: ['PERMISSION_ADVISED'],
    plant: async (patient) => {
      await patient.grantAll();
      const given = await asked(patient, patient.withKey(), CI);
      await patient.stage.call('POST', `/v1/${patient.attestor}:setIamPolicy`, { policy: {} });
      return given;
    },
  },
  {
    code: 'PERMISSION_ADVISED',
    title: 'have Google validate',
    exit: 0,
    plant: async (patient) => {
      await patient.grantAll();
      const given = await asked(patient, patient.withKey(), CI);
      const bindings = [{ role: 'roles/binaryauthorization.attestorsViewer', members: [`serviceAccount:${CI}`] }];
      await patient.stage.call('POST', `/v1/${patient.attestor}:setIamPolicy`, { policy: { bindings } });
      return given;
    },
  },
];

const KEYS: readonly Fault[] = [
  {
    code: 'KEY_NOT_TRUSTED',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.replaceKeys(patient.attestor, [entryOf('ni:///other', signingKey('ECDSA_P256_SHA256'))]);
      return asked(patient);
    },
  },
  {
    code: 'KEY_NOT_TRUSTED',
    title: 'a local key',
    exit: 7,
    plant: async (patient) => {
      const { generateKeyPairSync } = await import('node:crypto');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      patient.secrets['LOCAL_KEY'] = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return asked(patient, ['--attestor', patient.attestor, '--pkix-private-key-env', 'LOCAL_KEY']);
    },
  },
  {
    code: 'KEY_DECLARED_WRONG',
    exit: 7,
    plant: async (patient) => {
      const key = await patient.stage.kmsKey('rsa', 'RSA_SIGN_PSS_2048_SHA256');
      const entry = entryOf(`//cloudkms.googleapis.com/v1/${key.version}`, { pem: key.pem, algorithm: 'RSA_SIGN_PKCS1_2048_SHA256' });
      await patient.stage.replaceKeys(patient.attestor, [entry]);
      return asked(patient, patient.withKey(key.version));
    },
  },
  {
    code: 'KEY_DISABLED',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.call('PATCH', `/v1/${patient.key.version}?updateMask=state`, { state: 'DISABLED' });
      return asked(patient);
    },
  },
  {
    code: 'KEY_DISABLED',
    title: 'every version of the key',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.call('PATCH', `/v1/${patient.key.version}?updateMask=state`, { state: 'DISABLED' });
      return asked(patient, ['--attestor', patient.attestor, '--kms-key', patient.key.key]);
    },
  },
  {
    code: 'KEY_DESTRUCTION_SCHEDULED',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.call('POST', `/v1/${patient.key.version}:destroy`, {});
      return asked(patient);
    },
  },
  {
    code: 'KEY_DESTROYED',
    exit: 7,
    plant: async (patient) => {
      const key = `${patient.key.key.replace(/[^/]+$/, '')}short`;
      await patient.stage.call('POST', `/v1/${key.replace(/\/[^/]+$/, '')}?cryptoKeyId=short`, {
        purpose: 'ASYMMETRIC_SIGN',
        versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256' },
        destroyScheduledDuration: '0s',
      });
      await patient.stage.call('POST', `/v1/${key}/cryptoKeyVersions/1:destroy`, {});
      const given = await asked(patient, patient.withKey(`${key}/cryptoKeyVersions/1`));
      const next = patient.withKey(`${key}/cryptoKeyVersions/2`);
      return { ...given, argsAfter: next, wantedAfter: async () => patient.attest(await patient.push('next'), next) };
    },
  },
  {
    code: 'KEY_MISSING',
    title: 'a key that was never made',
    exit: 6,
    plant: (patient) =>
      asked(patient, patient.withKey(`projects/${PROJECT}/locations/global/keyRings/new/cryptoKeys/new/cryptoKeyVersions/1`)),
  },
  {
    code: 'KEY_MISSING',
    title: 'a version that was never made',
    exit: 6,
    plant: async (patient) => {
      const given = await asked(patient, patient.withKey(`${patient.key.key}/cryptoKeyVersions/2`));
      return given;
    },
  },
  {
    code: 'KEY_ALGORITHM_UNSUPPORTED',
    exit: 7,
    plant: async (patient) => {
      const { key, version } = await patient.stage.kmsKey('bitcoin', 'EC_SIGN_SECP256K1_SHA256');
      const given = await asked(patient, patient.withKey(version));
      const next = patient.withKey(`${key}-p256/cryptoKeyVersions/1`);
      return { ...given, argsAfter: next, wantedAfter: async () => patient.attest(await patient.push('next'), next) };
    },
  },
  {
    code: 'KEY_WRONG_PURPOSE',
    exit: 7,
    plant: async (patient) => {
      const keys = patient.key.key.replace(/\/[^/]+$/, '');
      await patient.stage.call('POST', `/v1/${keys}?cryptoKeyId=secrets`, { purpose: 'ENCRYPT_DECRYPT' });
      const given = await asked(patient, patient.withKey(`${keys}/secrets/cryptoKeyVersions/1`));
      const next = patient.withKey(`${keys}/secrets-sign/cryptoKeyVersions/1`);
      return { ...given, argsAfter: next, wantedAfter: async () => patient.attest(await patient.push('next'), next) };
    },
  },
  {
    code: 'KEY_ID_UNUSUAL',
    exit: 0,
    plant: async (patient) => {
      await patient.stage.replaceKeys(patient.attestor, [entryOf('', { pem: patient.key.pem, algorithm: 'ECDSA_P256_SHA256' })]);
      return asked(patient);
    },
  },
];

const ATTESTORS: readonly Fault[] = [
  {
    code: 'ATTESTOR_MISSING',
    exit: 6,
    after: ANOTHER,
    besides: ANOTHER,
    plant: (patient) => asked(patient, patient.withKey(patient.key.version, `projects/${PROJECT}/attestors/fresh`)),
  },
  {
    code: 'ATTESTOR_WITHOUT_KEYS',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.replaceKeys(patient.attestor, []);
      return asked(patient);
    },
  },
  {
    code: 'NOTE_MISSING',
    exit: 6,
    plant: async (patient) => {
      const given = await asked(patient);
      await patient.stage.call('DELETE', `/v1/${NOTE}`);
      return given;
    },
  },
  {
    code: 'NOTE_NOT_ATTESTATION',
    exit: 7,
    besides: ANOTHER,
    after: ANOTHER,
    plant: async (patient) => {
      const { stage, key } = patient;
      const id = `//cloudkms.googleapis.com/v1/${key.version}`;
      await stage.call('POST', `/v1/projects/${PROJECT}/notes?noteId=bill`, { build: { builderVersion: '1' } });
      const made = await stage.call('POST', `/v1/projects/${PROJECT}/attestors?attestorId=bill`, {
        userOwnedGrafeasNote: {
          noteReference: `projects/${PROJECT}/notes/bill`,
          publicKeys: [entryOf(id, { pem: key.pem, algorithm: 'ECDSA_P256_SHA256' })],
        },
      });
      const agent = made.userOwnedGrafeasNote.delegationServiceAccountEmail as string;
      const bindings = [{ role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${agent}`] }];
      await stage.call('POST', `/v1/projects/${PROJECT}/notes/bill:setIamPolicy`, { policy: { bindings } });
      await patient.policy({ defaultAdmissionRule: requiring(patient.attestor) });
      return {
        args: patient.withKey(key.version, `projects/${PROJECT}/attestors/bill`),
        argsAfter: patient.withKey(key.version, `projects/${PROJECT}/attestors/bill-attested`),
      };
    },
  },
  {
    code: 'AGENT_CANNOT_READ_NOTE',
    exit: 7,
    plant: async (patient) => {
      await patient.stage.call('POST', `/v1/${NOTE}:setIamPolicy`, { policy: {} });
      return asked(patient);
    },
  },
  {
    code: 'DEPLOYER_CANNOT_VERIFY',
    exit: 3,
    plant: async (patient) => {
      const deployer = new Stage(patient.emulator, 'deployer-prod');
      await deployer.call('PUT', '/v1/projects/deployer-prod/policy', {
        globalPolicyEvaluationMode: 'ENABLE',
        defaultAdmissionRule: requiring(patient.attestor),
      });
      return { project: 'deployer-prod', args: patient.withKey() };
    },
  },
  {
    code: 'KEYS_SHARED',
    exit: 0,
    plant: async (patient) => {
      const { stage, key } = patient;
      const id = `//cloudkms.googleapis.com/v1/${key.version}`;
      const second = await stage.attestor('qa', [entryOf(id, { pem: key.pem, algorithm: 'ECDSA_P256_SHA256' })]);
      await patient.policy({ defaultAdmissionRule: requiring(patient.attestor, second) });
      await patient.attest(patient.image, patient.withKey(key.version, second));
      return { args: [...patient.withKey(), '--cluster', CLUSTER], wanted: () => patient.check(patient.image) };
    },
  },
];

const CAN_RUN = HAS_GCLOUD && found('jq') && found('curl');

describe.skipIf(!CAN_RUN)(titled('what attest may and may reach', 'gcloud'), () => testFaults(ACCESS));
describe.skipIf(!CAN_RUN)(titled('keys', 'gcloud'), () => testFaults(KEYS));
describe.skipIf(!CAN_RUN)(titled('attestors and notes', 'gcloud'), () => testFaults(ATTESTORS));

describe('a sound set-up', () => {
  it('has no finding, for the owner and for a pipeline with just its roles', async () => {
    const patient = await Patient.sound();
    await patient.grantAll();
    for (const as of [undefined, CI])
      for (const eyes of [[...patient.withKey()], ['--attestor', patient.attestor], []]) {
        const ended = await patient.doctor([patient.image, ...eyes, '--cluster', CLUSTER], as);
        expect([ended.code, ended.json.ok, ended.findings]).toEqual([0, true, []]);
      }
    await patient.end();
  });
});
