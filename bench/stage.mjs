// SPDX-License-Identifier: Apache-2.0
// An emulator in a process of its own, set up over Google's REST paths, and images pushed over the OCI distribution API.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI } from './measure.mjs';

export const PROJECT = 'shop-prod';
const KEYS = `projects/${PROJECT}/locations/global/keyRings/ci/cryptoKeys`;
const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/apps`;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Starts an emulator, hands a stage on it to the work, and stops it. */
export async function onStage(options, work) {
  const child = spawn(process.execPath, [CLI, 'emulator', '--port', '0', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gcloudFolder = mkdtempSync(join(tmpdir(), 'binauthz-bench-gcloud-'));
  try {
    const lines = await readyLines(child);
    const exported = lines.flatMap((line) => /^export ([A-Z_0-9]+)='?([^']*)'?$/.exec(line)?.slice(1, 3) ?? []);
    const variables = Object.fromEntries(exported.flatMap((name, index) => (index % 2 === 0 ? [[name, exported[index + 1]]] : [])));
    const own = { CLOUDSDK_CONFIG: gcloudFolder, CLOUDSDK_CORE_PROJECT: PROJECT, CLOUDSDK_CORE_DISABLE_PROMPTS: '1' };
    const quiet = { CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1', CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1' };
    return await work(new Stage(lines[0].replace('listening on ', ''), { ...process.env, ...variables, ...own, ...quiet }));
  } finally {
    child.kill();
    rmSync(gcloudFolder, { recursive: true, force: true });
  }
}

function readyLines(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (/^listening on .*\n(export .*\n)+/.test(text)) resolve(text.trim().split('\n'));
    });
    child.on('exit', (code) => reject(new Error(`the emulator ended with ${code}`)));
  });
}

class Stage {
  constructor(url, env) {
    this.url = url;
    /** What points binauthz and gcloud at the emulator. */
    this.env = env;
  }

  async call(method, path, body) {
    const answer = await fetch(new URL(path, this.url), {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** An attestor that trusts a key of its own: the flags that name both. */
  async attestor(id) {
    await this.call('POST', `/v1/projects/${PROJECT}/locations/global/keyRings?keyRingId=ci`, {}).catch(() => undefined);
    await this.call('POST', `/v1/${KEYS}?cryptoKeyId=${id}`, {
      purpose: 'ASYMMETRIC_SIGN',
      versionTemplate: { algorithm: 'EC_SIGN_P256_SHA256', protectionLevel: 'SOFTWARE' },
    });
    const version = `${KEYS}/${id}/cryptoKeyVersions/1`;
    const { pem } = await this.call('GET', `/v1/${version}/publicKey`);
    const note = `projects/${PROJECT}/notes/${id}`;
    await this.call('POST', `/v1/projects/${PROJECT}/notes?noteId=${id}`, { attestation: { hint: { humanReadableName: id } } });
    const { name, userOwnedGrafeasNote } = await this.call('POST', `/v1/projects/${PROJECT}/attestors?attestorId=${id}`, {
      name: `projects/${PROJECT}/attestors/${id}`,
      userOwnedGrafeasNote: {
        noteReference: note,
        publicKeys: [
          {
            id: `//cloudkms.googleapis.com/v1/${version}`,
            pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm: 'ECDSA_P256_SHA256' },
          },
        ],
      },
    });
    await this.call('POST', `/v1/${note}:setIamPolicy`, {
      policy: {
        bindings: [
          {
            role: 'roles/containeranalysis.notes.occurrences.viewer',
            members: [`serviceAccount:${userOwnedGrafeasNote.delegationServiceAccountEmail}`],
          },
        ],
      },
    });
    return { id, name, version, flags: ['--attestor', name, '--kms-key-version', version] };
  }

  /** Pushes an image of its own under a tag: its name by tag and by digest. */
  async image(tag) {
    const config = Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: [tag] }, rootfs: { type: 'layers', diff_ids: [] } }),
    );
    const started = await fetch(new URL(`/v2/${PROJECT}/apps/web/blobs/uploads/`, this.url), { method: 'POST' });
    const upload = new URL(started.headers.get('location'), this.url);
    upload.searchParams.set('digest', digestOf(config));
    await fetch(upload, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: config });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
        layers: [],
      }),
    );
    const stored = await fetch(new URL(`/v2/${PROJECT}/apps/web/manifests/${tag}`, this.url), {
      method: 'PUT',
      headers: { 'content-type': MANIFEST, 'x-binauthz-registry': 'us-docker.pkg.dev' },
      body: manifest,
    });
    if (stored.status !== 201) throw new Error(`pushing ${tag}: ${stored.status} ${await stored.text()}`);
    return { tagged: `${REPOSITORY}/web:${tag}`, pinned: `${REPOSITORY}/web@${digestOf(manifest)}` };
  }

  async images(count, prefix) {
    const images = [];
    for (let index = 0; index < count; index += 1) images.push(await this.image(`${prefix}-${index}`));
    return images;
  }

  /** The policy of the project: attestations of these attestors are required. */
  require(...attestors) {
    return this.call('PUT', `/v1/projects/${PROJECT}/policy`, {
      name: `projects/${PROJECT}/policy`,
      defaultAdmissionRule: {
        evaluationMode: 'REQUIRE_ATTESTATION',
        enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
        requireAttestationsBy: attestors.map(({ name }) => name),
      },
    });
  }
}

function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
