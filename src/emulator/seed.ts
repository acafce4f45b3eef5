// SPDX-License-Identifier: Apache-2.0
// The stage of the demo: keys, notes, attestors, a policy and an image, made through the emulator's own REST paths,
// as gcloud, curl and docker push would.
import { createHash, randomBytes } from 'node:crypto';

/** What the demo plays with. The PGP secret exists in memory only. */
export interface Stage {
  readonly project: string;
  readonly kms: { readonly attestor: string; readonly keyVersion: string };
  readonly pgp: { readonly attestor: string; readonly privateKey: string; readonly passphrase: string };
  /** `registry/repository`, without tag or digest. */
  readonly repository: string;
}

/** A pushed image. */
export interface PushedImage {
  readonly digest: string;
}

const PROJECT = 'demo-project';
const REGISTRY = 'us-docker.pkg.dev';
const VIEWER = 'roles/containeranalysis.notes.occurrences.viewer';
const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';

/** Sets the stage on an empty emulator at `url`: two attestors, both required by the project's policy. */
export async function setStage(url: string): Promise<Stage> {
  const call = caller(url);
  const [keyVersion, pgp] = await Promise.all([createKmsKey(call), createPgpKey()]);
  const { pem } = (await call('GET', `/v1/${keyVersion}/publicKey`)) as { pem: string };
  const pkixKey = {
    id: `//cloudkms.googleapis.com/v1/${keyVersion}`,
    pkixPublicKey: { publicKeyPem: pem, signatureAlgorithm: 'ECDSA_P256_SHA256' },
  };
  const [built, approved] = await Promise.all([
    createAttestor(call, 'built-by-ci', pkixKey),
    createAttestor(call, 'approved-by-qa', { asciiArmoredPgpPublicKey: pgp.publicKey }),
  ]);
  await call('PUT', `/v1/projects/${PROJECT}/policy`, {
    defaultAdmissionRule: {
      evaluationMode: 'REQUIRE_ATTESTATION',
      enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
      requireAttestationsBy: [built, approved],
    },
    globalPolicyEvaluationMode: 'DISABLE',
  });
  return {
    project: PROJECT,
    kms: { attestor: built, keyVersion },
    pgp: { attestor: approved, privateKey: pgp.privateKey, passphrase: pgp.passphrase },
    repository: `${REGISTRY}/${PROJECT}/shop/frontend`,
  };
}

/** Pushes an image with this content to the stage's repository, as `docker push` would. */
export async function pushImage(url: string, stage: Stage, tag: string, content: string): Promise<PushedImage> {
  const path = `/v2/${stage.repository.slice(REGISTRY.length + 1)}`;
  const layer = Buffer.from(content);
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  );
  const push = (method: string, rest: string, type: string, body: Buffer): Promise<Response> =>
    send(`${url}${path}${rest}`, {
      method,
      headers: { 'content-type': type, 'x-binauthz-registry': REGISTRY },
      body: new Uint8Array(body),
    });
  for (const blob of [layer, config]) await push('POST', `/blobs/uploads/?digest=${digestOf(blob)}`, 'application/octet-stream', blob);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_IMAGE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
    }),
  );
  await push('PUT', `/manifests/${tag}`, OCI_IMAGE, manifest);
  return { digest: digestOf(manifest) };
}

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

function caller(url: string): Call {
  return async (method, path, body) => {
    const response = await send(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  };
}

async function send(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

async function createKmsKey(call: Call): Promise<string> {
  const ring = `projects/${PROJECT}/locations/global/keyRings`;
  await call('POST', `/v1/${ring}?keyRingId=ci`, {});
  const version = { algorithm: 'EC_SIGN_P256_SHA256', protectionLevel: 'SOFTWARE' };
  await call('POST', `/v1/${ring}/ci/cryptoKeys?cryptoKeyId=built-by-ci`, { purpose: 'ASYMMETRIC_SIGN', versionTemplate: version });
  return `${ring}/ci/cryptoKeys/built-by-ci/cryptoKeyVersions/1`;
}

async function createPgpKey(): Promise<{ privateKey: string; publicKey: string; passphrase: string }> {
  const { generateKey } = await import('openpgp');
  const passphrase = randomBytes(18).toString('base64url');
  const keys = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'QA', email: 'qa@example.com' }],
    passphrase,
    format: 'armored',
  });
  return { ...keys, passphrase };
}

/** An attestor with its note, and the grant without which its service agent could not read that note. */
async function createAttestor(call: Call, id: string, publicKey: unknown): Promise<string> {
  const note = `projects/${PROJECT}/notes/${id}`;
  const name = `projects/${PROJECT}/attestors/${id}`;
  await call('POST', `/v1/projects/${PROJECT}/notes?noteId=${id}`, { attestation: { hint: { humanReadableName: id } } });
  const attestor = (await call('POST', `/v1/projects/${PROJECT}/attestors?attestorId=${id}`, {
    name,
    userOwnedGrafeasNote: { noteReference: note, publicKeys: [publicKey] },
  })) as { userOwnedGrafeasNote: { delegationServiceAccountEmail: string } };
  const agent = `serviceAccount:${attestor.userOwnedGrafeasNote.delegationServiceAccountEmail}`;
  await call('POST', `/v1/${note}:setIamPolicy`, { policy: { bindings: [{ role: VIEWER, members: [agent] }] } });
  return name;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
