// SPDX-License-Identifier: Apache-2.0
// npm run test:live -- --project P [--image REF] [--json FILE]: see README.md beside this file. Exit 1 where a line is not ok.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAttestor, remove } from './google.mjs';
import { ask, PKIX_PRIVATE_KEY, PUBLIC_KEYS } from './questions.mjs';

const { values } = parseArgs({
  options: {
    project: { type: 'string' },
    image: { type: 'string', default: 'us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0' },
    json: { type: 'string' },
  },
});
if (!values.project) {
  process.stderr.write('--project: expected a project to try things in, got none\n');
  process.exit(2);
}
const { project, image } = values;
const CLI = join(import.meta.dirname, '../../dist/cli/index.js');
const folder = mkdtempSync(join(tmpdir(), 'binauthz-live-'));
const id = `binauthz-live-${randomBytes(4).toString('hex')}`;
const tried = [];
let cancelled = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (cancelled = true));

/** Runs the shipped command line; the line is ok if it ends with this code. */
async function binauthz(what, expected, ...args) {
  if (cancelled) throw new Error('cancelled');
  const env = { ...process.env, LIVE_KEY: PKIX_PRIVATE_KEY };
  const ended = await new Promise((resolve) =>
    execFile(process.execPath, [CLI, ...args, '--output', 'json'], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    ),
  );
  tried.push({
    what,
    ok: ended.code === expected,
    said: ended.code === expected ? '' : `exit ${ended.code}, expected ${expected}: ${ended.stderr.trim()}`,
  });
  return ended.stdout.startsWith('{') ? JSON.parse(ended.stdout) : {};
}

async function story() {
  const attestor = await makeAttestor(project, id, PUBLIC_KEYS.slice(0, 1));
  const key = ['--attestor', attestor.name, '--pkix-private-key-env', 'LIVE_KEY'];
  const policy = join(folder, 'policy.yaml');
  const rule = `evaluationMode: REQUIRE_ATTESTATION, enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG, requireAttestationsBy: [${attestor.name}]`;
  writeFileSync(policy, `defaultAdmissionRule: { ${rule} }\n`);

  const resolved = await binauthz('a dry run resolves the image and posts nothing', 0, 'attest', image, ...key, '--dry-run');
  const pinned = resolved.images?.[0]?.image;
  if (!pinned) throw new Error(tried.at(-1)?.said ?? 'the image was not resolved');
  const check = ['check', pinned, '--project', project, '--policy', policy];
  await binauthz('check denies before there is an attestation', 3, ...check);
  const attested = await binauthz('attest posts, and Google validates first', 0, 'attest', image, ...key, '--multi-platform', 'index');
  const [first] = attested.attestations ?? [];
  tried.push({
    what: `visible after ${first?.visibleAfterMs} ms, validated by ${first?.validated}`,
    ok: first?.validated === 'google',
    said: '',
  });
  await binauthz('a second run posts nothing', 0, 'attest', image, ...key, '--multi-platform', 'index').then((result) =>
    tried.push({ what: 'and calls it existing', ok: result.attestations?.[0]?.status === 'existing', said: '' }),
  );
  await binauthz('list verifies it', 0, 'list', pinned, '--attestor', attestor.name);
  await binauthz('check allows', 0, ...check);
  return ask(project, await makeAttestor(project, `${id}-q`, PUBLIC_KEYS), pinned);
}

// Whatever is half made is deleted as well: the names are known before anything is.
const made = [
  { name: `projects/${project}/attestors/${id}`, note: `projects/${project}/notes/${id}` },
  { name: `projects/${project}/attestors/${id}-q`, note: `projects/${project}/notes/${id}-q` },
];

let answers = [];
try {
  answers = await story();
} catch (error) {
  tried.push({ what: 'the story comes to its end', ok: false, said: error.message });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const attestor of made) {
  const left = await remove(attestor).catch((error) => [`# ${error.message}`]);
  tried.push({ what: `${attestor.name} and its note are gone`, ok: left.length === 0, said: left.join('\n') });
}
console.log('\n| tried | |\n|---|---|');
for (const { what, ok, said } of tried) console.log(`| ${what} | ${ok ? 'ok' : `**failed** ${said}`} |`);
console.log('\n| question | assumed | Google’s answer |\n|---|---|---|');
for (const { question, assumed, answer } of answers) console.log(`| ${question} | ${assumed} | ${answer} |`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ project, image, tried, answers }, null, 2)}\n`);
process.exit(tried.every(({ ok }) => ok) ? 0 : 1);
