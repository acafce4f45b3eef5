// SPDX-License-Identifier: Apache-2.0
// Google's REST APIs for the live suite: no code is shared with the product, so that it is a witness.
import { GoogleAuth } from 'google-auth-library';

const emulator = process.env['BINAUTHZ_EMULATOR_HOST'];
const auth = emulator ? undefined : new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });

/** One call: its status and its answer as JSON. */
export async function call(api, method, path, body) {
  const base = emulator ? `http://${emulator}` : `https://${api}.googleapis.com`;
  const token = await auth?.getAccessToken();
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, json: text.startsWith('{') ? JSON.parse(text) : undefined, text };
}

/** The same, and a failure throws with what Google said. */
export async function must(api, method, path, body) {
  const answer = await call(api, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 600)}`);
  return answer.json;
}

/** A note and an attestor that trusts these keys; both are deleted by `remove`, as is what hangs on the note. */
export async function makeAttestor(project, id, publicKeys) {
  const note = `projects/${project}/notes/${id}`;
  await must('containeranalysis', 'POST', `/v1/projects/${project}/notes?noteId=${id}`, {
    attestation: { hint: { humanReadableName: `${id} (made by the live suite of binauthz, safe to delete)` } },
  });
  const name = `projects/${project}/attestors/${id}`;
  const made = await must('binaryauthorization', 'POST', `/v1/projects/${project}/attestors?attestorId=${id}`, {
    name,
    userOwnedGrafeasNote: { noteReference: note, publicKeys },
  });
  const { delegationServiceAccountEmail: agent, publicKeys: keys } = made.userOwnedGrafeasNote;
  const policy = await must('containeranalysis', 'POST', `/v1/${note}:getIamPolicy`, {});
  const binding = { role: 'roles/containeranalysis.notes.occurrences.viewer', members: [`serviceAccount:${agent}`] };
  await must('containeranalysis', 'POST', `/v1/${note}:setIamPolicy`, {
    policy: { ...policy, bindings: [...(policy.bindings ?? []), binding] },
  });
  return { name, note, keys };
}

/** Deletes what `makeAttestor` made and every occurrence of the note; answers what is left, as commands. */
export async function remove({ name, note }) {
  const left = [];
  const listed = await call('containeranalysis', 'GET', `/v1/${note}/occurrences?pageSize=1000`);
  const resources = [
    ...(listed.json?.occurrences ?? []).map((occurrence) => ['containeranalysis', occurrence.name]),
    ['binaryauthorization', name],
    ['containeranalysis', note],
  ];
  for (const [api, resource] of resources) {
    const { status } = await call(api, 'DELETE', `/v1/${resource}`);
    if (status >= 300 && status !== 404) left.push(`curl -X DELETE https://${api}.googleapis.com/v1/${resource}`);
  }
  return left;
}

/** What validateAttestationOccurrence says of an attestation that is not stored: its result, or its error. */
export async function validate(attestor, image, { payload, signature, keyId }) {
  const { status, json, text } = await call('binaryauthorization', 'POST', `/v1/${attestor.name}:validateAttestationOccurrence`, {
    attestation: attestationOf(payload, signature, keyId),
    occurrenceNote: attestor.note,
    occurrenceResourceUri: `https://${image}`,
  });
  if (status >= 300) return `${status} ${json?.error?.status ?? text.slice(0, 80)}`;
  return json.result + (json.denialReason ? `: ${json.denialReason}` : '');
}

/** Stores an attestation. */
export function store(project, attestor, image, { payload, signature, keyId }) {
  return call('containeranalysis', 'POST', `/v1/projects/${project}/occurrences`, {
    resourceUri: `https://${image}`,
    noteName: attestor.note,
    attestation: attestationOf(payload, signature, keyId),
  });
}

function attestationOf(payload, signature, keyId) {
  return {
    serializedPayload: Buffer.from(payload).toString('base64'),
    signatures: [{ publicKeyId: keyId, signature: Buffer.from(signature).toString('base64') }],
  };
}
