// SPDX-License-Identifier: Apache-2.0
// A whole run of doctor: what it looks at, with whose eyes, and what it tells. It writes nothing and signs nothing.
import { describe, expect, it } from 'vitest';
import { parseCloudRunRef, parseClusterRef, type TargetRef } from '../../src/core/deployment/target.js';
import type { AttestorName, ProjectId } from '../../src/core/names.js';
import { Secret } from '../../src/core/secret.js';
import type { KeySource } from '../../src/core/signing/given-key.js';
import { doctor, type DoctorRequest } from '../../src/usecases/doctor.js';
import { ATTESTOR, KEY, NOTE, PROJECT, VERSION } from '../support/doctor-facts.js';
import { APP, attest, failing, key, requiring, rule, stranger, world, writesIn, type World } from '../support/examine.js';
import { digest, reference } from '../support/ports.js';

const BA = 'binaryauthorization.googleapis.com';
const CA = 'containeranalysis.googleapis.com';
const KMS = 'cloudkms.googleapis.com';
const OTHER = 'projects/trust/attestors/other' as AttestorName;
const POLICY = `projects/${PROJECT}/policy`;
const AGENT = 'serviceAccount:agent@example.com';
const DEPLOYER = 'serviceAccount:service-42@gcp-sa-binaryauthorization.iam.gserviceaccount.com';
const version: KeySource = { kind: 'kms-key-version', version: VERSION };
const service = parseCloudRunRef('service', 'europe-west1.shop')!;
const cluster: TargetRef = { kind: 'cluster', ...parseClusterRef('us-central1-a.prod')! };
const CLUSTER = `projects/${PROJECT}/locations/us-central1-a/clusters/prod`;

/** Google's own accounts may read what they have to. */
const GRANTED = {
  [`iam ${NOTE}`]: bound('roles/containeranalysis.notes.occurrences.viewer', AGENT),
  [`iam ${ATTESTOR}`]: bound('roles/binaryauthorization.attestorsVerifier', DEPLOYER),
};

function bound(role: string, member: string) {
  return { bindings: [{ role, members: [member] }], etag: 'e', rest: {} };
}

async function run(made: World, request: Partial<DoctorRequest> = {}) {
  const signatures = [key, stranger].map((one) => one.signatures);
  const asked = { project: PROJECT, attestors: [], keys: [], images: [], platform: 'gke', ...request } as const;
  const { result, errors } = await doctor(asked, made.ports);
  expect([errors, writesIn(made), [key, stranger].map((one) => one.signatures)]).toEqual([[], [], signatures]);
  expect(result).toMatchObject({ schema: 'binauthz.doctor/v1', ok: result.findings.length === 0 });
  return { ...result, codes: result.findings.map(({ code }) => code) };
}

describe('a sound set-up', () => {
  it('has nothing that is found, and says what was looked at', async () => {
    const made = world(GRANTED);
    await attest(made, 'app');
    const images = [reference(`${APP}:v1@${digest('app')}`)];
    expect(await run(made, { images, target: cluster })).toEqual({
      ...{ schema: 'binauthz.doctor/v1', ok: true, as: 'check', findings: [], codes: [], assumptions: [] },
      examined: [
        ...[POLICY, ATTESTOR, NOTE, CLUSTER, `${APP}@${digest('app')}`],
        ...[PROJECT, 'trust', 'notary'].map((project) => `projects/${project}`),
      ],
    });
    expect(made.ports.said).toEqual([
      'Reading the policy',
      'Reading attestors, notes, keys and permissions',
      'Reading images and their attestations',
    ]);
  });

  it('is looked at with the eyes of attest where a key is given', async () => {
    const made = world({ ...GRANTED, [`open ${VERSION}`]: { ...key, name: VERSION } });
    const done = await run(made, { attestors: [ATTESTOR], keys: [version], target: cluster });
    expect(done).toMatchObject({ as: 'attest', codes: [] });
    expect(done.examined).toEqual([
      ...[POLICY, ATTESTOR, NOTE, VERSION, CLUSTER],
      ...[PROJECT, 'trust', 'notary', 'vault'].map((project) => `projects/${project}`),
    ]);
    expect(made.asked('missing')).toContain('projects/trust: containeranalysis.occurrences.create');
  });

  it('names keys by what a person gave', async () => {
    const keys: readonly KeySource[] = [version, { kind: 'kms-key', key: KEY }, { kind: 'pgp', key: new Secret('x', 'PGP_KEY') }];
    expect((await run(world(), { keys })).examined.slice(3, 6)).toEqual([VERSION, KEY, 'PGP_KEY']);
  });

  it('names an image as it is written where no digest of it is known', async () => {
    const made = world({ [`resolve ${APP}:v2`]: failing('IMAGE_NOT_FOUND') });
    const done = await run(made, { images: [reference(`${APP}:v2`), reference(`${APP}:v1`)] });
    expect(done.examined.slice(3, 5)).toEqual([`${APP}:v2`, `${APP}@${digest('app')}`]);
    expect([done.ok, done.codes]).toEqual([false, expect.arrayContaining(['IMAGE_MISSING'])]);
  });
});

describe('the attestors', () => {
  it('are those that the policy requires where none is named', async () => {
    const made = world({ [`policy ${PROJECT}`]: requiring(ATTESTOR, OTHER, ATTESTOR) });
    expect((await run(made)).examined.filter((name) => name.includes('/attestors/'))).toEqual([ATTESTOR, OTHER]);
    expect(made.asked('note')).toEqual([NOTE, 'projects/trust/notes/other']);
  });

  it('are those of the rule for the cluster', async () => {
    const clusterAdmissionRules = { 'us-central1-a.prod': rule('REQUIRE_ATTESTATION', OTHER) };
    const made = world({ [`policy ${PROJECT}`]: { ...requiring(ATTESTOR), clusterAdmissionRules } });
    expect((await run(made, { target: cluster })).examined.slice(0, 3)).toEqual([POLICY, OTHER, 'projects/trust/notes/other']);
    // Both rules may decide where no cluster is named.
    const open = await run(world({ [`policy ${PROJECT}`]: { ...requiring(ATTESTOR), clusterAdmissionRules } }));
    expect(open.examined.filter((name) => name.includes('/attestors/'))).toEqual([ATTESTOR, OTHER]);
    // On Cloud Run the rules for clusters decide nothing.
    const serverless = await run(world({ [`policy ${PROJECT}`]: { ...requiring(ATTESTOR), clusterAdmissionRules } }), {
      platform: 'cloud-run',
    });
    expect(serverless.examined.filter((name) => name.includes('/attestors/'))).toEqual([ATTESTOR]);
  });

  it('that are named are looked at alone; the others only have to exist', async () => {
    const made = world({ [`policy ${PROJECT}`]: requiring(ATTESTOR, OTHER) });
    const done = await run(made, { attestors: [ATTESTOR] });
    expect(done.examined.filter((name) => name.includes('/attestors/'))).toEqual([ATTESTOR]);
    expect(made.asked('attestor').filter((name) => name === OTHER)).toEqual([OTHER]);
    expect(made.asked('note')).toEqual([NOTE]);
    expect(done.codes).toContain('POLICY_ATTESTOR_MISSING');
  });

  it('of others may hold the attestation that is missed', async () => {
    const other = { name: OTHER, note: 'projects/trust/notes/other', keys: [stranger.entry], serviceAgent: 'agent@example.com' };
    const made = world({ [`policy ${PROJECT}`]: requiring(ATTESTOR, OTHER), [`attestor ${OTHER}`]: other });
    await run(made, { attestors: [ATTESTOR], images: [reference(`${APP}@${digest('app')}`)] });
    expect(made.asked('list')).toContain(`projects/trust/notes/other ${digest('app')}`);
  });
});

describe('the APIs that are asked for', () => {
  const asked = async (request: Partial<DoctorRequest>): Promise<readonly string[]> => {
    const made = world();
    await run(made, request);
    return made.asked('services');
  };

  it.each<[string, Partial<DoctorRequest>, readonly string[]]>([
    ['of check', {}, [`${PROJECT}: ${BA}`, `trust: ${BA} ${CA}`, `notary: ${CA}`]],
    [
      'of an attestation project',
      { attestationProject: 'attic' as ProjectId },
      [`${PROJECT}: ${BA}`, `trust: ${BA}`, `notary: ${CA}`, `attic: ${CA}`],
    ],
    ['of a key’s version', { keys: [version] }, [`${PROJECT}: ${BA}`, `trust: ${BA} ${CA}`, `notary: ${CA}`, `vault: ${KMS}`]],
    ['of a key', { keys: [{ kind: 'kms-key', key: KEY }] }, [`${PROJECT}: ${BA}`, `trust: ${BA} ${CA}`, `notary: ${CA}`, `vault: ${KMS}`]],
    [
      'of no key of a file',
      { keys: [{ kind: 'pkix', key: new Secret('x', 'KEY') }] },
      [`${PROJECT}: ${BA}`, `trust: ${BA} ${CA}`, `notary: ${CA}`],
    ],
    ['of a cluster', { target: cluster }, [`${PROJECT}: ${BA} container.googleapis.com`, `trust: ${BA} ${CA}`, `notary: ${CA}`]],
    [
      'of Cloud Run',
      { target: service, platform: 'cloud-run' },
      [`${PROJECT}: ${BA} run.googleapis.com`, `trust: ${BA} ${CA}`, `notary: ${CA}`],
    ],
  ])('are those %s', async (_, request, expected) => expect(await asked(request)).toEqual(expected));

  it('are a finding where one is off, and an assumption where nobody says', async () => {
    const made = world({ [`services trust: ${BA} ${CA}`]: [CA], [`services notary: ${CA}`]: failing('PERMISSION_DENIED') });
    const done = await run(made);
    expect(done.findings).toContainEqual(expect.objectContaining({ code: 'API_DISABLED', resource: `projects/trust/services/${CA}` }));
    expect(done.assumptions).toContain(
      'every API that is called in notary is on: Service Usage could not be asked (cannot: PERMISSION_DENIED)',
    );
  });
});

describe('where attestations are stored', () => {
  const CREATE = 'containeranalysis.occurrences.create';
  it.each<[string, Partial<DoctorRequest>, readonly string[]]>([
    ['is each attestor’s own project, once', { attestors: [ATTESTOR, OTHER] }, ['trust']],
    ['may be another project', { attestors: [ATTESTOR], attestationProject: 'attic' as ProjectId }, ['attic']],
  ])('%s', async (_, request, projects) => {
    const made = world();
    await run(made, { keys: [version], ...request });
    const stores = made.asked('missing').filter((call) => call.endsWith(`: ${CREATE}`));
    expect(stores).toEqual(projects.map((project) => `projects/${project}: ${CREATE}`));
  });

  it('is where other attestations of an image are looked for', async () => {
    const made = world();
    await run(made, { attestationProject: 'attic' as ProjectId, images: [reference(`${APP}@${digest('app')}`)] });
    expect(made.asked('stored')).toEqual([`attic ${digest('app')}`]);
  });
});

describe('a policy that is not understood', () => {
  it('is a finding that says why, and how to look at it', async () => {
    const made = world({ [`policy ${PROJECT}`]: { defaultAdmissionRule: { evaluationMode: 'MAYBE' } } });
    const done = await run(made);
    expect([done.ok, done.examined]).toEqual([false, [POLICY, `projects/${PROJECT}`]]);
    expect(done.findings).toMatchObject([
      {
        ...{ level: 'error', resource: POLICY, error: 'UNDECIDED' },
        message: expect.stringMatching(new RegExp(`the policy of ${PROJECT} is not understood: .*MAYBE`)) as string,
        fix: `gcloud container binauthz policy export --project=${PROJECT}`,
      },
    ]);
  });

  it('tells every problem of it', async () => {
    const two = { evaluationMode: 'MAYBE', enforcementMode: 'SOMETIMES' };
    const { findings } = await run(world({ [`policy ${PROJECT}`]: { defaultAdmissionRule: two } }));
    expect(findings[0]?.message).toMatch(/MAYBE.*; .*SOMETIMES/);
  });

  it('hides no attestor that was named', async () => {
    const made = world({ ...GRANTED, [`policy ${PROJECT}`]: failing('PERMISSION_DENIED') });
    const done = await run(made, { attestors: [ATTESTOR] });
    expect(done.examined).toContain(NOTE);
    expect(made.asked('attestor')).toEqual([ATTESTOR]);
    expect([done.ok, done.findings.map(({ message }) => message)]).toEqual([false, [expect.stringContaining('PERMISSION_DENIED')]]);
  });

  it('ends the run only where that was cancelled', async () => {
    const made = world({ [`policy ${PROJECT}`]: failing('CANCELLED') });
    await expect(run(made)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('the place', () => {
  it('decides what is said of images', async () => {
    const setting = { [`service ${PROJECT} europe-west1.shop`]: { setting: { uses: 'nothing' } } };
    const made = world({ ...GRANTED, ...setting });
    const done = await run(made, { target: service, platform: 'cloud-run', images: [reference(`${APP}@${digest('app')}`)] });
    expect(done.codes).toEqual(['NOT_ATTESTED', 'CLOUD_RUN_NOT_ENFORCING']);
    expect(done.examined).toContain(`projects/${PROJECT}/locations/europe-west1/services/shop`);
    expect(done.assumptions).toEqual([]);
  });

  it('that cannot be read is taken for one that asks the policy', async () => {
    const made = world({ ...GRANTED, [`service ${PROJECT} europe-west1.shop`]: failing('UNAVAILABLE') });
    await attest(made, 'app');
    const done = await run(made, { target: service, platform: 'cloud-run', images: [reference(`${APP}@${digest('app')}`)] });
    expect(done.assumptions).toContain('the Cloud Run resource has Binary Authorization on, with the project’s policy');
  });

  it('is not looked at where none is named', async () => {
    const made = world();
    await run(made, { images: [reference(`${APP}@${digest('app')}`)] });
    expect([...made.asked('cluster'), ...made.asked('service'), ...made.asked('job')]).toEqual([]);
  });

  it('in a cluster is the namespace and service account that were named', async () => {
    const policy = {
      ...{ globalPolicyEvaluationMode: 'ENABLE', defaultAdmissionRule: rule('ALWAYS_DENY') },
      kubernetesServiceAccountAdmissionRules: { 'shop:web': rule('ALWAYS_ALLOW') },
    };
    const images = [reference(`${APP}@${digest('app')}`)];
    const assumed = async (place: Partial<DoctorRequest>): Promise<readonly string[]> =>
      (await run(world({ [`policy ${PROJECT}`]: policy }), { target: cluster, images, ...place })).assumptions;
    expect(await assumed({ namespace: 'shop', serviceAccount: 'web' })).toEqual([]);
    expect((await assumed({})).join()).toMatch(/default/);
  });
});

it('the commands that give roles name who runs this', async () => {
  const answers = { [`missing ${POLICY}: binaryauthorization.policy.get`]: ['binaryauthorization.policy.get'] };
  const named = await run(world(answers), { signer: 'serviceAccount:ci@shop.example' });
  const unnamed = await run(world(answers));
  const fixes = [named, unnamed].map(({ findings }) => findings.find(({ resource }) => resource === POLICY)?.fix ?? '');
  expect(fixes.map((fix) => fix.includes('--member=serviceAccount:ci@shop.example'))).toEqual([true, false]);
});
