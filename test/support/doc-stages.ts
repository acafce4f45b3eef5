// SPDX-License-Identifier: Apache-2.0
// What a guide takes for granted, by the name of its stage: a project on a fresh emulator, and a shell in an empty folder.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import * as openpgp from 'openpgp';
import { DIST } from './cli.js';
import type { Block } from './doc-blocks.js';
import { startTestEmulator, type TestEmulator } from './emulator.js';
import { imageIndex, pushImage } from './images.js';
import { plantWeek } from './log-entries.js';
import { anyNode } from './nodes.js';
import { run, type Ended } from './spawn.js';
import { pkixEntry, PROJECT, Stage } from './stage.js';

const PASSPHRASE = 'swordfish';

type Setting = (stage: Stage) => Promise<Readonly<Record<string, string>>>;

/** The stages that a guide may name, each with the variables that its shell has besides. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  /** Nothing but the emulator. */
  empty: () => Promise.resolve({}),
  /** A project with a cluster, an image and somebody to tell, where nobody has set up Binary Authorization. */
  'new-project': async (stage) => {
    const made = await deployed(stage);
    const channel = await stage.call('POST', `/v3/projects/${PROJECT}/notificationChannels`, {
      type: 'email',
      displayName: 'on call',
      labels: { email_address: 'on-call@example.com' },
    });
    return { ...made, CHANNEL: channel.name };
  },
  shop,
  /** The shop, a week after its policy was first in dry run: with one event of each kind. */
  audited: async (stage) => {
    const made = await shop(stage);
    await plantWeek(stage);
    return made;
  },
  /** The shop, with the platform policy `attested`, which gcloud evaluates. */
  'shop-with-platform-policy': async (stage) => {
    const made = await shop(stage);
    const check = { attestationAuthenticators: [{ pkixPublicKeySet: { pkixPublicKeys: [await trustedKey(stage)] } }] };
    await stage.call('POST', `/v1/projects/${PROJECT}/platforms/gke/policies?policyId=attested`, {
      gkePolicy: {
        checkSets: [
          { checks: [{ simpleSigningAttestationCheck: { ...check, containerAnalysisAttestationProjects: [`projects/${PROJECT}`] } }] },
        ],
      },
    });
    return made;
  },
  /** The shop, with the Cloud Run service `europe-west1.web`, which runs the image and never asked the policy. */
  'shop-on-cloud-run': async (stage) => {
    const made = await shop(stage);
    await stage.call('POST', `/v2/projects/${PROJECT}/locations/europe-west1/services?serviceId=web`, {
      template: { containers: [{ image: `us-docker.pkg.dev/${PROJECT}/apps/web@${made['DIGEST'] ?? ''}` }] },
    });
    return made;
  },
  /** The shop, where the attestor of QA trusts no key yet. */
  'shop-without-qa-key': async (stage) => {
    const made = await shop(stage);
    await stage.replaceKeys(`projects/${PROJECT}/attestors/approved-by-qa`, []);
    return { DIGEST: made['DIGEST'] ?? '' };
  },
};

/** The key of `built-by-ci`, as a platform policy names keys. */
async function trustedKey(stage: Stage): Promise<Readonly<Record<string, unknown>>> {
  const { userOwnedGrafeasNote } = await stage.call('GET', `/v1/projects/${PROJECT}/attestors/built-by-ci`);
  const [{ id, pkixPublicKey }] = userOwnedGrafeasNote.publicKeys;
  return { ...pkixPublicKey, keyId: id };
}

/**
 * A shop: the attestors `built-by-ci` (Cloud KMS) and `approved-by-qa` (PGP), a policy that requires the first, the
 * cluster `us-central1-a.prod`, and the unattested multi-platform image `apps/web:1.2.3`.
 */
async function shop(stage: Stage): Promise<Readonly<Record<string, string>>> {
  const key = await stage.kmsKey('attest');
  const attestor = await stage.attestor('built-by-ci', [pkixEntry(key, 'EC_SIGN_P256_SHA256')]);
  const pgp = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'qa', email: 'qa@example.com' }],
    passphrase: PASSPHRASE,
    date: new Date(Date.now() - 3_600_000),
    format: 'armored',
  });
  await stage.attestor('approved-by-qa', [{ asciiArmoredPgpPublicKey: pgp.publicKey }]);
  await stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: [attestor],
    },
  });
  const made = await deployed(stage);
  return { ...made, QA_PGP_KEY: Buffer.from(pgp.privateKey).toString('base64'), QA_PGP_PASSPHRASE: PASSPHRASE };
}

/** The cluster `us-central1-a.prod`, which asks the policy, and the multi-platform image `apps/web:1.2.3`. */
async function deployed(stage: Stage): Promise<Readonly<Record<string, string>>> {
  await stage.call('POST', `/v1beta1/projects/${PROJECT}/locations/us-central1-a/clusters`, {
    cluster: { name: 'prod', binaryAuthorization: { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE' } },
  });
  const image = imageIndex('guide', ['linux/amd64', 'linux/arm64'], { provenance: true });
  const headers = { 'x-binauthz-registry': 'us-docker.pkg.dev' };
  const digest = await pushImage(stage.emulator.url, `${PROJECT}/apps/web`, '1.2.3', image, { headers });
  return { DIGEST: digest };
}

/** Programs that would change something that no emulator has: what they are given is kept as `deployed.yaml`. */
const STAND_INS: Readonly<Record<string, string>> = {
  kubectl: 'if [ "$1" = apply ]; then while [ $# -gt 1 ]; do shift; done; cat "$1" > deployed.yaml; else real "$@"; fi',
  // gcloud names a Cloud KMS key by the address that it was told of; told of Google's, it names it as in Google Cloud.
  gcloud: `if [ "$1 $2 $3" = "run services replace" ]; then cat "$4" > deployed.yaml; exit; fi
    unset NO_PROXY no_proxy; export HTTP_PROXY="http://$BINAUTHZ_EMULATOR_HOST"
    for name in $(compgen -e CLOUDSDK_API_ENDPOINT_OVERRIDES_); do
      api="\${name##*_}"; export "$name=http://\${api,,}.googleapis.com/"
    done
    real "$@"`,
};

/** A stage with a shell: blocks run in order, in one folder, and hand their variables on. */
export class GuideStage {
  private constructor(
    readonly emulator: TestEmulator,
    readonly stage: Stage,
    private readonly folder: string,
    private readonly variables: Readonly<Record<string, string>>,
  ) {}

  static async open(name: string): Promise<GuideStage> {
    const setting = SETTINGS[name];
    if (!setting) throw new Error(`there is no stage ${name}: expected one of ${Object.keys(SETTINGS).join(', ')}`);
    const emulator = await startTestEmulator();
    const stage = new Stage(emulator);
    const variables = await setting(stage);
    // Short, because the socket of gpg's agent lies below it.
    const folder = await mkdtemp(join(tmpdir(), 'bzg-'));
    await Promise.all(['bin', 'home', 'work'].map((part) => mkdir(join(folder, part))));
    await program(folder, 'binauthz', `exec '${anyNode.path}' '${DIST}/cli/index.js' "$@"`);
    const opened = new GuideStage(emulator, stage, folder, variables);
    for (const [command, body] of Object.entries(STAND_INS)) await opened.standIn(command, body);
    return opened;
  }

  /** Puts a stand-in for a program on the PATH, as lines of bash in which `real` calls the program itself. */
  standIn(name: string, body: string): Promise<void> {
    return program(this.folder, name, `real() { PATH="\${PATH#*${delimiter}}" command ${name} "$@"; }\n${body}`);
  }

  /** The image's digest. */
  get digest(): string {
    return this.variables['DIGEST'] ?? '';
  }

  /** Runs a shell block, or writes a block to the file that it is. */
  async play({ text, directions }: Block): Promise<Ended> {
    const filled = text.replaceAll('sha256:…', this.variables['DIGEST'] ?? 'sha256:…');
    const file = directions.get('file');
    if (file === undefined) return this.run(filled);
    await mkdir(dirname(join(this.folder, 'work', file)), { recursive: true });
    await writeFile(join(this.folder, 'work', file), filled);
    return { code: 0, signal: null, stdout: '', stderr: '' };
  }

  /** Lines of bash, after those before. */
  async run(script: string): Promise<Ended> {
    const state = join(this.folder, 'state.sh');
    const exports = this.emulator.exportLines().join('\n');
    // Where its input is a socket, as it is here, bash would take itself for a remote shell and read its user's start-up file.
    const lines = ['exec </dev/null', `if [ -f ${state} ]; then . ${state}; else ${exports}\nfi`, script, `export -p > ${state}`];
    return run('bash', ['--norc', '-euo', 'pipefail', '-c', lines.join('\n')], {
      cwd: join(this.folder, 'work'),
      env: {
        ...this.variables,
        HOME: join(this.folder, 'home'),
        TMPDIR: this.folder,
        CLOUDSDK_CORE_PROJECT: PROJECT,
        PATH: `${join(this.folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      },
    });
  }

  /** A file that the blocks left behind; empty where there is none. */
  read(file: string): Promise<string> {
    return readFile(join(this.folder, 'work', file), 'utf8').catch(() => '');
  }

  async close(): Promise<void> {
    await this.emulator.close();
    // An agent of gpg that a block started ends with its home.
    await run('gpgconf', ['--homedir', join(this.folder, 'work/gnupg'), '--kill', 'gpg-agent']).catch(() => undefined);
    await run('gpgconf', ['--homedir', join(this.folder, 'home/.gnupg'), '--kill', 'gpg-agent']).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function program(folder: string, name: string, body: string): Promise<void> {
  return writeFile(join(folder, 'bin', name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
}
