// SPDX-License-Identifier: Apache-2.0
// Cloud Run services and jobs that do not ask the policy, or asked it in vain: each planted, named by doctor, and repaired by
// the command that doctor prints with Google's own client. What check says of the resource's own manifest is the measure.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CI, Patient } from '../support/doctor.js';
import { testFaults, type Fault, type Planted } from '../support/doctor-faults.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { imageIndex } from '../support/images.js';
import { PROJECT } from '../support/stage.js';
import { titled } from '../support/tools.js';

const PARENT = `projects/${PROJECT}/locations/europe-west1`;
const OPTED_IN = { useDefault: true };
const UNDER_PLATFORM = { policy: `projects/${PROJECT}/platforms/cloudRun/strict` };

const KINDS = {
  service: { collection: 'services', id: 'serviceId', apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
  job: { collection: 'jobs', id: 'jobId', apiVersion: 'run.googleapis.com/v1', kind: 'Job' },
} as const;
type Kind = keyof typeof KINDS;

/** Deploys the attested image as `web`, and asks doctor about both. */
async function deployed(patient: Patient, kind: Kind, binaryAuthorization?: object): Promise<Planted> {
  const { collection, id } = KINDS[kind];
  const template = { containers: [{ image: patient.image }] };
  const body = { template: kind === 'job' ? { template } : template, ...(binaryAuthorization && { binaryAuthorization }) };
  await patient.stage.call('POST', `/v2/${PARENT}/${collection}?${id}=web`, body);
  return { args: [patient.image, `--cloud-run-${kind}`, 'europe-west1.web'], wanted: () => checkManifest(patient, kind) };
}

/** Check of the manifest that somebody would have written for what is deployed. */
async function checkManifest(patient: Patient, kind: Kind) {
  const { collection, apiVersion, kind: type } = KINDS[kind];
  const { binaryAuthorization: setting = {} } = await patient.stage.call('GET', `/v2/${PARENT}/${collection}/web`);
  const policy = setting.useDefault ? 'default' : (setting.policy as string | undefined);
  const glass = setting.breakglassJustification as string | undefined;
  const annotations = {
    ...(policy && { 'run.googleapis.com/binary-authorization': policy }),
    ...(glass && { 'run.googleapis.com/binary-authorization-breakglass': glass }),
  };
  const pod = { spec: { containers: [{ image: patient.image }] } };
  const spec = kind === 'job' ? { template: { spec: { template: pod } } } : { template: pod };
  const manifest = join(patient.folder, 'web.json');
  await writeFile(manifest, JSON.stringify({ apiVersion, kind: type, metadata: { name: 'web', annotations }, spec }));
  return patient.checkFile(manifest);
}

const FAULTS: readonly Fault[] = (['service', 'job'] as const).flatMap((kind): readonly Fault[] => [
  { code: 'CLOUD_RUN_NOT_ENFORCING', title: `the ${kind}`, exit: 0, plant: (patient) => deployed(patient, kind) },
  { code: 'CLOUD_RUN_PLATFORM_POLICY', title: `the ${kind}`, exit: 4, plant: (patient) => deployed(patient, kind, UNDER_PLATFORM) },
  {
    code: 'CLOUD_RUN_BREAK_GLASS',
    title: `the ${kind}`,
    exit: 0,
    plant: (patient) => deployed(patient, kind, { ...OPTED_IN, breakglassJustification: 'incident 7' }),
  },
  {
    code: 'PERMISSION_ADVISED',
    title: `read the ${kind}`,
    exit: 0,
    plant: async (patient) => {
      await patient.grantAll();
      const { args } = await deployed(patient, kind, OPTED_IN);
      return { args: [...args, '--signer', `serviceAccount:${CI}`], as: CI };
    },
  },
  {
    code: 'API_DISABLED',
    title: `Cloud Run, before the ${kind}`,
    exit: 0,
    plant: async (patient) => {
      const { args } = await deployed(patient, kind, OPTED_IN);
      await patient.stage.call('POST', `/v1/projects/${PROJECT}/services/run.googleapis.com:disable`, {});
      return { args };
    },
  },
]);

describe.skipIf(!HAS_GCLOUD)(titled('Cloud Run', 'gcloud'), () => {
  testFaults(FAULTS);

  it.each(['service', 'job'] as const)('a %s that does not exist is named, and what there is listed', async (kind) => {
    const patient = await Patient.sound();
    const { args } = await deployed(patient, kind, OPTED_IN);
    const ended = await patient.doctor([...args.slice(0, 2), 'europe-west1.wbe']);
    expect([ended.code, ended.findings.map(({ code }) => code)]).toEqual([4, ['CLOUD_RUN_MISSING']]);
    const listed = await patient.paste(ended.findings[0]!.fix);
    expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('web')]);
    await patient.end();
  });
});

describe('a service on Cloud Run', () => {
  it('that asks the policy has no finding, and is examined; a job is judged when it is executed', async () => {
    const patient = await Patient.sound();
    const service = await patient.doctor((await deployed(patient, 'service', OPTED_IN)).args);
    expect([service.code, service.json.ok, service.findings]).toEqual([0, true, []]);
    expect(service.json.examined).toContain(`${PARENT}/services/web`);
    const job = await patient.doctor((await deployed(patient, 'job', OPTED_IN)).args);
    expect([job.code, job.findings]).toEqual([0, []]);
    expect(job.json.assumptions.join('\n')).toContain('Cloud Run checks a job when it is executed');
    await patient.end();
  });

  it('that is no service of its own is held to the policy’s default rule, whatever clusters there are', async () => {
    const patient = await Patient.sound();
    const { args } = await deployed(patient, 'service', OPTED_IN);
    const rule = { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
    await patient.policy({ clusterAdmissionRules: { 'europe-west1.web': rule } });
    expect((await patient.doctor(args)).findings).toEqual([]);
    await patient.end();
  });

  it('is assumed to ask where it was not named, or could not be read', async () => {
    const patient = await Patient.sound();
    const unnamed = await patient.doctor([patient.image, '--platform', 'cloud-run']);
    expect(unnamed.json.assumptions.join('\n')).toContain('has Binary Authorization on');
    const { args } = await deployed(patient, 'service');
    const rules = [{ path: '^/v2/projects/.*/services/web$', times: -1, do: 'status', status: 418, body: {} }];
    await patient.stage.call('POST', '/_emulator/faults', { rules });
    const unread = await patient.doctor(args);
    expect([unread.code, unread.findings.map(({ code, level }) => [code, level])]).toEqual([0, [['NOT_CHECKED', 'warning']]]);
    expect(unread.json.assumptions.join('\n')).toContain('the Cloud Run service europe-west1.web asks the policy: it could not be read');
    await patient.end();
  });

  it('needs the linux/amd64 image of an index attested', async () => {
    const patient = await Patient.sound();
    await deployed(patient, 'service', OPTED_IN);
    const index = imageIndex('multi', ['linux/amd64', 'linux/arm64']);
    const image = await patient.push('multi', index);
    const arm = index.children[1]!.digest;
    await patient.attest(`${image.split('@')[0]}@${arm}`);
    const ended = await patient.doctor([image, '--cloud-run-service', 'europe-west1.web']);
    expect([ended.code, ended.findings.map(({ code }) => code)]).toEqual([3, ['SIBLING_ATTESTED_ONLY']]);
    expect(ended.findings[0]!.message).toContain(arm);
    expect(ended.findings[0]!.fix).toMatch(new RegExp(`^binauthz attest ${image} .* --multi-platform both$`));
    await patient.end();
  });
});
