// SPDX-License-Identifier: Apache-2.0
// Every cause behind "No attestations found that were valid and signed by a key trusted by the attestor" that lies in the
// image, its attestations, the policy or the cluster: each planted, named by doctor, repaired by the command that it prints.
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { BLOCK, CLUSTER, entryOf, Patient, payloadOf, REPOSITORY, requiring } from '../support/doctor.js';
import { testFaults, type Fault, type Planted } from '../support/doctor-faults.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { Gpg, HAS_GPG } from '../support/gpg.js';
import { imageIndex } from '../support/images.js';
import { signingKey, type SigningKey } from '../support/keys.js';
import { PROJECT, Stage } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const gpg = HAS_GPG ? new Gpg() : undefined;
afterAll(() => gpg?.dispose());

/** Doctor and check of an image as it would be deployed. */
function deployed(patient: Patient, image: string): Planted {
  return { args: [image, '--cluster', CLUSTER], wanted: () => patient.check(image, '--cluster', CLUSTER) };
}

/** An attestor that trusts a local key beside the Cloud KMS key, so that a test can sign whatever it likes. */
async function withLocalKey(patient: Patient, id = 'ni:///local'): Promise<SigningKey> {
  const key = signingKey('ECDSA_P256_SHA256');
  const kms = { pem: patient.key.pem, algorithm: 'ECDSA_P256_SHA256' };
  await patient.stage.replaceKeys(patient.attestor, [
    entryOf(`//cloudkms.googleapis.com/v1/${patient.key.version}`, kms),
    entryOf(id, key),
  ]);
  return key;
}

/** DSSE's encoding of what is signed (https://github.com/secure-systems-lab/dsse). */
function pae(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

/** An attestor that trusts a PGP key of gpg, and an image whose attestation gpg signed in this way, under this spelling of the key. */
async function signedByGpg(patient: Patient, how: readonly string[], spell: (fingerprint: string) => string): Promise<Planted> {
  const fingerprint = gpg!.generate({ algorithm: 'rsa2048' });
  await patient.stage.replaceKeys(patient.attestor, [{ asciiArmoredPgpPublicKey: gpg!.exportPublic(fingerprint) }]);
  patient.secrets['PGP_PRIVATE_KEY'] = Buffer.from(gpg!.exportSecret(fingerprint)).toString('base64');
  const image = await patient.push('pgp');
  await patient.post(image, { keyId: spell(fingerprint), signature: Buffer.from(gpg!.sign(fingerprint, payloadOf(image), ...how)) });
  return deployed(patient, image);
}

const ATTESTATIONS: readonly Fault[] = [
  { code: 'NOT_ATTESTED', exit: 3, plant: async (patient) => deployed(patient, await patient.push('bare')) },
  {
    code: 'ATTESTED_BY_UNTRUSTED_KEY',
    title: 'the key was taken off the attestor',
    exit: 3,
    plant: async (patient) => {
      const { key, version, pem } = await patient.stage.kmsKey('next');
      expect(key).toContain('next');
      await patient.stage.replaceKeys(patient.attestor, [
        entryOf(`//cloudkms.googleapis.com/v1/${version}`, { pem, algorithm: 'ECDSA_P256_SHA256' }),
      ]);
      return deployed(patient, patient.image);
    },
  },
  {
    code: 'ATTESTED_UNDER_OTHER_KEY_ID',
    title: 'the bare resource name',
    exit: 3,
    plant: async (patient) => {
      const image = await patient.push('bare-id');
      const digest = createHash('sha256').update(payloadOf(image)).digest('base64');
      const { signature } = await patient.stage.call('POST', `/v1/${patient.key.version}:asymmetricSign`, { digest: { sha256: digest } });
      await patient.post(image, { keyId: patient.key.version, signature: Buffer.from(signature as string, 'base64') });
      return deployed(patient, image);
    },
  },
  {
    code: 'ATTESTATION_RESERIALISED',
    exit: 3,
    plant: async (patient) => {
      const key = await withLocalKey(patient);
      const image = await patient.push('compact');
      const payload = Buffer.from(JSON.stringify(JSON.parse(payloadOf(image).toString())));
      await patient.post(image, { payload, keyId: 'ni:///local', signature: key.sign(payloadOf(image)) });
      return deployed(patient, image);
    },
  },
  {
    code: 'ATTESTATION_PAE',
    exit: 3,
    plant: async (patient) => {
      const key = await withLocalKey(patient);
      const image = await patient.push('pae');
      const signature = key.sign(pae('application/vnd.dev.cosign.simplesigning.v1+json', payloadOf(image)));
      await patient.post(image, { keyId: 'ni:///local', signature });
      return deployed(patient, image);
    },
  },
  {
    code: 'ATTESTATION_OF_OTHER_DIGEST',
    exit: 3,
    plant: async (patient) => {
      const key = await withLocalKey(patient);
      const image = await patient.push('other');
      const payload = payloadOf(patient.image);
      await patient.post(image, { payload, keyId: 'ni:///local', signature: key.sign(payload) });
      return deployed(patient, image);
    },
  },
  {
    code: 'ATTESTATION_BROKEN',
    exit: 3,
    plant: async (patient) => {
      const key = await withLocalKey(patient);
      const image = await patient.push('broken');
      await patient.post(image, { keyId: 'ni:///local', signature: key.sign(Buffer.from('something else')) });
      return deployed(patient, image);
    },
  },
  {
    code: 'ATTESTED_UNDER_OTHER_NOTE',
    exit: 3,
    plant: async (patient) => {
      const key = await withLocalKey(patient);
      await patient.stage.attestor('other', []);
      const image = await patient.push('elsewhere');
      await patient.post(image, { keyId: 'ni:///local', signature: key.sign(payloadOf(image)) }, 'other');
      return deployed(patient, image);
    },
  },
  {
    code: 'CHILD_ATTESTED_ONLY',
    exit: 3,
    plant: async (patient) => {
      const image = await patient.push('multi', imageIndex('multi', ['linux/amd64', 'linux/arm64']));
      await patient.attest(image, [...patient.withKey(), '--multi-platform', 'children']);
      return deployed(patient, image);
    },
  },
  {
    code: 'INDEX_ATTESTED_ONLY',
    exit: 3,
    plant: async (patient) => {
      const image = await patient.push('multi', imageIndex('multi', ['linux/amd64', 'linux/arm64']));
      await patient.attest(image, [...patient.withKey(), '--multi-platform', 'index']);
      const where = ['--platform', 'cloud-run'];
      return { args: [image, ...where], wanted: () => patient.check(image, ...where) };
    },
  },
  {
    code: 'ATTESTOR_KEY_UNUSABLE',
    exit: 0,
    plant: async (patient) => {
      const oid = Buffer.from('0609608648016503040312', 'hex');
      const key = Buffer.concat([Buffer.from([0x30, oid.length + 2, 0x30, oid.length]), oid]);
      const pem = `-----BEGIN PUBLIC KEY-----\n${key.toString('base64')}\n-----END PUBLIC KEY-----\n`;
      await patient.stage.replaceKeys(patient.attestor, [
        entryOf(`//cloudkms.googleapis.com/v1/${patient.key.version}`, { pem: patient.key.pem, algorithm: 'ECDSA_P256_SHA256' }),
        entryOf('ni:///post-quantum', { pem, algorithm: 'ML_DSA_65' }),
      ]);
      return deployed(patient, patient.image);
    },
  },
  {
    code: 'AGENT_CANNOT_READ_NOTE',
    exit: 4,
    besides: ['GOOGLE_DISAGREES'],
    plant: async (patient) => {
      await patient.stage.call('POST', `/v1/projects/${PROJECT}/notes/ci:setIamPolicy`, { policy: {} });
      return deployed(patient, patient.image);
    },
  },
];

const PGP: readonly Fault[] = [
  {
    code: 'ATTESTATION_PGP_NOT_ATTACHED',
    title: 'clear-signed',
    exit: 3,
    plant: (patient) => signedByGpg(patient, ['--clear-sign'], (fingerprint) => fingerprint),
  },
  {
    code: 'ATTESTATION_PGP_NOT_ATTACHED',
    title: 'detached',
    exit: 3,
    plant: (patient) => signedByGpg(patient, ['--detach-sign'], (fingerprint) => fingerprint),
  },
  {
    code: 'ATTESTED_UNDER_PGP_SPELLING',
    title: 'in lower case',
    exit: 3,
    plant: (patient) => signedByGpg(patient, ['--sign'], (fingerprint) => fingerprint.toLowerCase()),
  },
  {
    code: 'ATTESTED_UNDER_PGP_SPELLING',
    title: 'the short id',
    exit: 3,
    plant: (patient) => signedByGpg(patient, ['--sign'], (fingerprint) => fingerprint.slice(-16)),
  },
];

const ALLOW = { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: BLOCK };

/** A fault of the policy, which check of the attested image sees so. */
function ofPolicy(code: string, exit: number, members: (patient: Patient) => Record<string, unknown>, more: Partial<Fault> = {}): Fault {
  const plant = async (patient: Patient): Promise<Planted> => {
    await patient.policy(members(patient));
    return {
      args: [patient.image, '--attestor', patient.attestor, '--cluster', CLUSTER],
      wanted: () => patient.check(patient.image, '--cluster', CLUSTER),
    };
  };
  return { code, exit, plant, ...more };
}

const POLICY: readonly Fault[] = [
  {
    code: 'POLICY_NEVER_SET',
    exit: 0,
    plant: async ({ emulator }) => {
      const { attestor } = await new Stage(emulator, 'never-set').kmsAttestor('ci');
      return { project: 'never-set', args: ['--attestor', attestor] };
    },
  },
  ofPolicy('POLICY_ALLOWS_ALL', 0, () => ({ defaultAdmissionRule: ALLOW })),
  ofPolicy('POLICY_DENIES_ALL', 3, () => ({ defaultAdmissionRule: { ...ALLOW, evaluationMode: 'ALWAYS_DENY' } })),
  ofPolicy('POLICY_DRY_RUN', 0, ({ attestor }) => ({
    defaultAdmissionRule: { ...requiring(attestor), enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' },
  })),
  ofPolicy('POLICY_ALLOWS_ALL', 0, () => ({ clusterAdmissionRules: { [CLUSTER]: ALLOW } }), { title: 'the rule of the cluster' }),
  {
    code: 'POLICY_WITHOUT_ATTESTOR',
    exit: 0,
    plant: async (patient) => {
      const { attestor, key } = await patient.stage.kmsAttestor('qa');
      await patient.attest(patient.image, patient.withKey(key.version, attestor));
      return { args: [patient.image, '--attestor', attestor], wanted: () => patient.check(patient.image) };
    },
  },
  {
    code: 'POLICY_ATTESTOR_MISSING',
    exit: 4,
    plant: async (patient) => {
      const gone = await patient.stage.attestor('gone', []);
      await patient.policy({ defaultAdmissionRule: requiring(patient.attestor, gone) });
      await patient.stage.call('DELETE', `/v1/${gone}`);
      return { ...deployed(patient, patient.image), args: [patient.image, '--attestor', patient.attestor, '--cluster', CLUSTER] };
    },
  },
  {
    code: 'POLICY_RULE_MAPS_CONFLICT',
    exit: 4,
    plant: async (patient) => {
      const rule = requiring(patient.attestor);
      await patient.policy({ clusterAdmissionRules: { [CLUSTER]: rule }, kubernetesNamespaceAdmissionRules: { prod: rule } }, 'v1beta1');
      return { ...deployed(patient, patient.image), args: [patient.image, '--attestor', patient.attestor, '--cluster', CLUSTER] };
    },
  },
  ofPolicy('POLICY_KEY_SIMILAR', 0, ({ attestor }) => ({ clusterAdmissionRules: { 'us-central1.prod': requiring(attestor) } })),
  ofPolicy('SYSTEM_POLICY_OFF', 0, () => ({ globalPolicyEvaluationMode: 'DISABLE' })),
  ofPolicy('ALLOWLIST_TOO_BROAD', 0, () => ({ admissionWhitelistPatterns: [{ namePattern: 'gcr.io/my-project**' }] }), {
    title: 'a prefix',
  }),
  ofPolicy('ALLOWLIST_TOO_BROAD', 0, () => ({ admissionWhitelistPatterns: [{ namePattern: 'us-docker.pkg.dev/**' }] }), {
    title: 'a whole registry',
    besides: ['IMAGE_EXEMPT'],
  }),
];

const CLUSTERS: readonly Fault[] = (['DISABLED', 'POLICY_BINDINGS', 'EVALUATION_MODE_UNSPECIFIED'] as const).map((mode): Fault => ({
  code: 'CLUSTER_NOT_ENFORCING',
  title: mode,
  exit: 0,
  plant: async (patient) => {
    const bare = await patient.push('unseen');
    await patient.cluster('europe-west4', 'open', mode);
    await patient.attest(bare);
    return { args: [bare, '--cluster', 'europe-west4.open'], wanted: () => patient.check(bare, '--cluster', 'europe-west4.open') };
  },
}));

const CAN_RUN = HAS_GCLOUD && found('jq') && found('curl');

describe.skipIf(!CAN_RUN)(titled('attestations', 'gcloud'), () => testFaults(ATTESTATIONS));
describe.skipIf(!CAN_RUN || !HAS_GPG)(titled('attestations with PGP', 'gpg'), () => testFaults(PGP));
describe.skipIf(!CAN_RUN)(titled('the policy', 'gcloud'), () => testFaults(POLICY));
describe.skipIf(!CAN_RUN)(titled('the cluster', 'gcloud'), () => testFaults(CLUSTERS));

describe('a secret that is no key', () => {
  it('is bad input, as it is to attest', async () => {
    const patient = await Patient.sound();
    patient.secrets['NOT_A_KEY'] = 'hello';
    const words = ['--attestor', patient.attestor, '--pkix-private-key-env', 'NOT_A_KEY'];
    const doctor = await patient.doctor(words);
    expect([doctor.code, doctor.json.schema]).toEqual([2, 'binauthz.error/v1']);
    expect((await patient.attest(patient.image, words)).code).toBe(2);
    await patient.end();
  });
});

/** Faults whose repair is somebody's choice: the command shows what there is, or is for another tool. */
describe('what no single command repairs', () => {
  it('is named all the same: a missing image, a tag, an exemption, a missing cluster, a listing that cannot be read', async () => {
    const patient = await Patient.sound();
    const missing = await patient.doctor([`${REPOSITORY}/nothing:v1`, ...patient.withKey()]);
    expect([missing.code, missing.findings.map(({ code }) => code)]).toEqual([6, ['IMAGE_MISSING']]);
    expect(missing.findings[0]!.fix).toBe(`docker push ${REPOSITORY}/nothing:v1`);

    const byTag = await patient.doctor([`${REPOSITORY}/app:v1`, '--cluster', CLUSTER]);
    expect([byTag.code, byTag.findings.map(({ code }) => code)]).toEqual([3, ['IMAGE_BY_TAG']]);
    expect(byTag.findings[0]!.fix).toBe(`sed -i 's|${REPOSITORY}/app:v1|${patient.image}|g' MANIFEST`);

    await patient.policy({ admissionWhitelistPatterns: [{ namePattern: `${REPOSITORY}/app@*` }] });
    const exempt = await patient.doctor([patient.image, '--cluster', CLUSTER]);
    expect([exempt.code, exempt.findings.map(({ code }) => code)]).toEqual([0, ['IMAGE_EXEMPT']]);
    await patient.policy({});

    const nowhere = await patient.doctor([patient.image, '--cluster', 'us-central1-a.prdo']);
    expect([nowhere.code, nowhere.findings.map(({ code }) => code)]).toEqual([4, ['CLUSTER_MISSING']]);

    const rules = [{ path: '/occurrences$', times: -1, do: 'status', status: 501, body: {} }];
    await patient.stage.call('POST', '/_emulator/faults', { rules });
    const unread = await patient.doctor([patient.image, '--cluster', CLUSTER]);
    expect([unread.code, unread.findings.map(({ code }) => code)]).toEqual([4, ['NOT_CHECKED', 'DEPLOYMENT_UNDECIDED']]);
    await patient.end();
  });
});
