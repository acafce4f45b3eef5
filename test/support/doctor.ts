// SPDX-License-Identifier: Apache-2.0
// A sound set-up into which one fault is planted; doctor over it, and the commands that doctor prints, run by a real shell.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run as runHere } from '../hosts/world.js';
import { DIST } from './cli.js';
import { startTestEmulator, type TestEmulator } from './emulator.js';
import { pushImage, singleImage, type TestImage } from './images.js';
import { simpleSigningPayload } from './keys.js';
import { anyNode } from './nodes.js';
import { run, type Ended } from './spawn.js';
import { PROJECT, Stage, type StagedKey } from './stage.js';

export const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/shop`;
export const CI = 'ci@shop.iam.gserviceaccount.com';
export const CLUSTER = 'us-central1-a.prod';
export const BLOCK = 'ENFORCED_BLOCK_AND_AUDIT_LOG';
const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };

/** What doctor found, in the shape of its JSON. */
export interface Found {
  readonly code: string;
  readonly level: string;
  readonly resource: string;
  readonly message: string;
  readonly fix: string;
  readonly error?: string;
}

/** How a command in this process ended. */
export interface Told {
  readonly code: number;
  readonly stderr: string;
  // Tests look into results of many shapes; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

/** One set-up on an emulator of its own. */
export class Patient {
  /** What is in the environment of every command, by variable. */
  readonly secrets: Record<string, string> = {};

  private constructor(
    readonly emulator: TestEmulator,
    readonly stage: Stage,
    readonly folder: string,
    readonly attestor: string,
    readonly key: StagedKey,
    /** By its digest, and attested. */
    readonly image: string,
  ) {}

  /** An attestor with a key, a policy that requires it, a cluster that enforces, and an image that is attested. */
  static async sound(): Promise<Patient> {
    const emulator = await startTestEmulator();
    const stage = new Stage(emulator);
    const folder = await mkdtemp(join(tmpdir(), 'binauthz-doctor-'));
    const shim = join(folder, 'binauthz');
    await writeFile(shim, `#!/bin/sh\nexec ${anyNode.path} ${resolve(DIST, 'cli/index.js')} "$@"\n`);
    await chmod(shim, 0o755);
    const { attestor, key } = await stage.kmsAttestor('ci');
    const digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('app'), { headers });
    const patient = new Patient(emulator, stage, folder, attestor, key, `${REPOSITORY}/app@${digest}`);
    await patient.policy({});
    await patient.cluster('us-central1-a', 'prod', 'PROJECT_SINGLETON_POLICY_ENFORCE');
    const attested = await patient.attest(patient.image);
    if (attested.code !== 0) throw new Error(attested.stderr);
    return patient;
  }

  async end(): Promise<void> {
    await this.emulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs doctor; `as` runs it as an identity. */
  async doctor(args: readonly string[], as?: string, project = PROJECT): Promise<Told & { readonly findings: readonly Found[] }> {
    const ended = await this.binauthz(['doctor', '--project', project, '--output', 'json', ...args], as);
    return { ...ended, findings: (ended.json?.findings ?? []) as readonly Found[] };
  }

  /** Attests an image with the key, or as these words say. */
  attest(image: string, words: readonly string[] = this.withKey(), as?: string): Promise<Told> {
    return this.binauthz(['attest', image, ...words, '--output', 'json'], as);
  }

  check(image: string, ...words: readonly string[]): Promise<Told> {
    return this.binauthz(['check', image, '--project', PROJECT, '--output', 'json', ...words]);
  }

  checkFile(manifest: string): Promise<Told> {
    return this.binauthz(['check', '-f', manifest, '--project', PROJECT, '--output', 'json']);
  }

  /** `--attestor A --kms-key-version K` */
  withKey(version = this.key.version, attestor = this.attestor): readonly string[] {
    return ['--attestor', attestor, '--kms-key-version', version];
  }

  /** Runs a printed command as a person would paste it; gcloud and binauthz go to the emulator, and so does curl. */
  async paste(fix: string): Promise<Ended> {
    const script = ['set -eo pipefail', ...this.emulator.exportLines(), fix].join('\n');
    const redirected = script.replaceAll('https://containeranalysis.googleapis.com/', `${this.emulator.url}/`);
    const home = { HOME: this.folder, TMPDIR: this.folder, PATH: `${this.folder}:${process.env['PATH'] ?? ''}` };
    return run('bash', ['-c', redirected], { cwd: this.folder, env: { ...home, ...this.secrets } });
  }

  /** Replaces the policy; without members it is the sound one. */
  policy(members: Record<string, unknown>, version = 'v1'): Promise<unknown> {
    return this.stage.call('PUT', `/${version}/projects/${PROJECT}/policy`, {
      globalPolicyEvaluationMode: 'ENABLE',
      defaultAdmissionRule: requiring(this.attestor),
      ...members,
    });
  }

  async cluster(location: string, name: string, evaluationMode: string): Promise<void> {
    await this.stage.call('POST', `/v1beta1/projects/${PROJECT}/locations/${location}/clusters`, {
      cluster: { name, binaryAuthorization: { evaluationMode } },
    });
  }

  /** Pushes an image; its name by digest. */
  async push(name: string, image: TestImage = singleImage(name), tag = 'v1'): Promise<string> {
    return `${REPOSITORY}/${name}@${await pushImage(this.emulator.url, `${PROJECT}/shop/${name}`, tag, image, { headers })}`;
  }

  /** Stores an attestation of whatever content for an image. */
  async post(
    image: string,
    attestation: { readonly payload?: Buffer; readonly keyId: string; readonly signature: Buffer },
    note = 'ci',
  ): Promise<void> {
    await this.stage.call('POST', `/v1/projects/${PROJECT}/occurrences`, {
      kind: 'ATTESTATION',
      noteName: `projects/${PROJECT}/notes/${note}`,
      resourceUri: `https://${image}`,
      attestation: {
        serializedPayload: (attestation.payload ?? payloadOf(image)).toString('base64'),
        signatures: [{ publicKeyId: attestation.keyId, signature: attestation.signature.toString('base64') }],
      },
    });
  }

  /** Everything that an identity needs to attest and check, and nothing more. */
  async grantAll(member = `serviceAccount:${CI}`): Promise<void> {
    const { stage, key, attestor } = this;
    const note = `projects/${PROJECT}/notes/ci`;
    await stage.grant(attestor, member, 'roles/binaryauthorization.attestorsVerifier');
    const read = await stage.call('POST', `/v1/${note}:getIamPolicy`, {});
    const roles = ['roles/containeranalysis.notes.attacher', 'roles/containeranalysis.notes.occurrences.viewer'];
    await stage.call('POST', `/v1/${note}:setIamPolicy`, {
      policy: { ...read, bindings: [...(read.bindings ?? []), ...roles.map((role) => ({ role, members: [member] }))] },
    });
    await stage.grant(key.key, member, 'roles/cloudkms.signerVerifier');
    await stage.grant(
      `projects/${PROJECT}`,
      member,
      ...[
        'containeranalysis.occurrences.editor',
        'binaryauthorization.policyViewer',
        'container.clusterViewer',
        'artifactregistry.reader',
      ].map((role) => `roles/${role}`),
    );
  }

  /** Takes a role from everybody on a resource. */
  async revoke(resource: string, role: string): Promise<void> {
    const isKey = resource.includes('/cryptoKeys/');
    const policy = await this.stage.call(isKey ? 'GET' : 'POST', `/v1/${resource}:getIamPolicy`, isKey ? undefined : {});
    const bindings = (policy.bindings as { role: string }[]).filter((binding) => binding.role !== role);
    await this.stage.call('POST', `/v1/${resource}:setIamPolicy`, { policy: { ...policy, bindings } });
  }

  private async binauthz(args: readonly string[], as?: string): Promise<Told> {
    const identity = as === undefined ? [] : ['--access-token-env', 'TOKEN'];
    const env = { BINAUTHZ_EMULATOR_HOST: this.emulator.host, ...this.secrets, ...(as === undefined ? {} : { TOKEN: `as:${as}` }) };
    const { status, stdout, stderr } = await runHere([...args, ...identity], env, { cwd: this.folder });
    return { code: status, stderr, json: JSON.parse(stdout) as unknown };
  }
}

/** A rule that requires these attestors. */
export function requiring(...names: readonly string[]): Record<string, unknown> {
  return { evaluationMode: 'REQUIRE_ATTESTATION', enforcementMode: BLOCK, requireAttestationsBy: names };
}

/** What gcloud would sign for an image. */
export function payloadOf(image: string): Buffer {
  const [name = '', digest = ''] = image.split('@');
  return simpleSigningPayload(name, digest);
}

/** What an attestor lists for a key of test/support/keys.ts. */
export function entryOf(id: string, key: { readonly pem: string; readonly algorithm: string }): Record<string, unknown> {
  return { id, pkixPublicKey: { publicKeyPem: key.pem, signatureAlgorithm: key.algorithm } };
}
