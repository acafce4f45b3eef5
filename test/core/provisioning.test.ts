// SPDX-License-Identifier: Apache-2.0
// The pure half of setup: which APIs and roles a layout needs, IAM policies with more in them, and the printed commands.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import * as commands from '../../src/core/provisioning/commands.js';
import { servedBy, servicesOf, type Principal } from '../../src/core/provisioning/desired.js';
import { missingGrants, withGrants, type IamPolicy } from '../../src/core/provisioning/grants.js';
import { alertsFor, decideMetric, metricsFor } from '../../src/core/provisioning/monitoring.js';
import { notesOn } from '../../src/core/provisioning/notes-on-desired.js';
import { grantsFor } from '../../src/core/provisioning/resources.js';
import { desired, scattered, SIGNER } from '../support/setup.js';

describe('a layout', () => {
  it('needs each API where its resources are', () => {
    expect(Object.fromEntries(servicesOf(scattered({ monitoring: { channels: [] } })))).toEqual({
      'deployer-prod': [
        'binaryauthorization.googleapis.com',
        'cloudresourcemanager.googleapis.com',
        'logging.googleapis.com',
        'monitoring.googleapis.com',
      ],
      'attestor-prod': ['binaryauthorization.googleapis.com'],
      'note-prod': ['containeranalysis.googleapis.com'],
      'attestation-prod': ['containeranalysis.googleapis.com', 'cloudresourcemanager.googleapis.com'],
      'key-prod': ['cloudkms.googleapis.com'],
    });
  });

  it('needs no more than it uses', () => {
    const pgp = { kind: 'pgp' as const, file: 'k.asc', armored: '', fingerprint: '' };
    expect(Object.fromEntries(servicesOf(desired({ key: pgp, signers: [] })))).toEqual({
      shop: ['binaryauthorization.googleapis.com', 'containeranalysis.googleapis.com'],
    });
  });

  it('grants the least: to the agents, and to signers', () => {
    const grants = grantsFor(scattered(), { attestor: 'serviceAccount:attestor', deployer: 'serviceAccount:deployer' });
    const said = grants.flatMap(({ resource, grants: all }) => all.map(({ role, member }) => `${member} ${role} ${resource}`));
    const key = 'projects/key-prod/locations/europe-west4/keyRings/ci/cryptoKeys/built';
    expect(said).toEqual([
      'serviceAccount:attestor roles/containeranalysis.notes.occurrences.viewer projects/note-prod/notes/built',
      `${SIGNER} roles/containeranalysis.notes.attacher projects/note-prod/notes/built`,
      `${SIGNER} roles/containeranalysis.notes.occurrences.viewer projects/note-prod/notes/built`,
      `${SIGNER} roles/cloudkms.signerVerifier ${key}`,
      `${SIGNER} roles/cloudkms.viewer ${key}`,
      `${SIGNER} roles/binaryauthorization.attestorsVerifier projects/attestor-prod/attestors/built`,
      'serviceAccount:deployer roles/binaryauthorization.attestorsVerifier projects/attestor-prod/attestors/built',
      `${SIGNER} roles/containeranalysis.occurrences.editor projects/attestation-prod`,
      `${SIGNER} roles/binaryauthorization.policyViewer projects/deployer-prod/policy`,
    ]);
  });

  it('knows who serves a resource, and nothing else', () => {
    expect(servedBy('projects/p/locations/l/keyRings/r')).toEqual({ project: 'p', service: 'cloudkms.googleapis.com' });
    expect(() => servedBy('projects/p/secrets/s')).toThrow('no API is known');
  });
});

const role = 'roles/x.y';
const policy = (...bindings: IamPolicy['bindings']): IamPolicy => ({ bindings, etag: 'e', rest: { auditConfigs: [1] } });

describe('what is rarely meant', () => {
  const pool = 'principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci';

  it('is a whole pool that may attest', () => {
    const signers = [`${pool}/*`, `${pool}/attribute.repository/o/r`].map((signer) => signer as Principal);
    expect(notesOn(desired({ signers }))).toEqual([expect.stringContaining(`${pool}/* is every identity of the pool`)]);
  });
});

describe('an IAM policy', () => {
  test.each<[string, IamPolicy | undefined, number]>([
    ['that is not there', undefined, 1],
    ['without bindings', policy(), 1],
    ['with the grant', policy({ role, members: ['user:a@b.c', 'serviceAccount:CI@p'] }), 0],
    ['with the role for others', policy({ role, members: ['user:a@b.c'] }), 1],
    ['with another role', policy({ role: 'roles/x.z', members: ['serviceAccount:ci@p'] }), 1],
    ['with the grant under a condition', policy({ role, members: ['serviceAccount:ci@p'], condition: { expression: 'false' } }), 1],
  ])('%s', (_, found, missing) => expect(missingGrants(found, [{ role, member: 'serviceAccount:ci@p' }])).toHaveLength(missing));

  it('compares the names of workload identities as they are', () => {
    const member = 'principal://iam.googleapis.com/projects/1/x/subject/Repo';
    expect(missingGrants(policy({ role, members: [member.toLowerCase()] }), [{ role, member }])).toHaveLength(1);
  });

  it('keeps all that it had, and holds the grants afterwards', () => {
    const members = fc.uniqueArray(fc.constantFrom('user:a@b.c', 'user:d@e.f', 'group:g@h.i', 'allUsers'), { minLength: 1 });
    const binding = fc.record({
      role: fc.constantFrom('r/1', 'r/2'),
      members,
      condition: fc.option(fc.constant({ title: 't' }), { nil: undefined }),
    });
    const grant = fc.record({ role: fc.constantFrom('r/1', 'r/2', 'r/3'), member: fc.constantFrom('user:a@b.c', 'user:new@b.c') });
    fc.assert(
      fc.property(fc.array(binding, { maxLength: 4 }), fc.array(grant, { maxLength: 4 }), (bindings, grants) => {
        const before = policy(...bindings.map(({ condition, ...rest }) => (condition ? { ...rest, condition } : rest)));
        const after = withGrants(before, grants);
        expect(missingGrants(after, grants)).toEqual([]);
        expect([after.etag, after.rest]).toEqual([before.etag, before.rest]);
        for (const [index, { role: was, members: had, condition }] of before.bindings.entries()) {
          expect(after.bindings[index]).toMatchObject({ role: was, ...(condition ? { condition, members: had } : {}) });
          for (const member of had) expect(after.bindings[index]?.members).toContain(member);
        }
      }),
    );
  });
});

describe('monitoring', () => {
  it('has an alert for each kind of event, on metrics that it makes itself', () => {
    const metrics = metricsFor('p' as never).map(({ name }) => name.replace('projects/p/metrics/', ''));
    const filters = JSON.stringify(alertsFor([]));
    expect(metrics).toHaveLength(5);
    for (const metric of metrics) expect(filters).toContain(`user/${metric}\\"`);
    expect(alertsFor(['projects/p/notificationChannels/1'])[0]?.document).toMatchObject({
      notificationChannels: ['projects/p/notificationChannels/1'],
    });
  });

  it('takes a filter with other white space for the same', () => {
    const wanted = { description: 'd', filter: 'a="1"\nb="2"' };
    expect(decideMetric('m', wanted, { description: '', filter: 'a="1"\n      b="2"' }).summary).toBe('the metric exists');
    expect(decideMetric('m', wanted, { description: '', filter: 'a="1"' }).summary).toContain('left as it is');
  });
});

describe('printed commands', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'binauthz-commands-'));
    // Programs of these names that only write down their arguments.
    for (const name of ['gcloud', 'curl'])
      writeFileSync(join(folder, name), '#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done >> "$RECORD"\n', { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function argumentsOf(script: string): readonly string[] {
    const record = join(folder, 'record');
    writeFileSync(record, '');
    const env = { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`, RECORD: record };
    execFileSync('sh', ['-e', '-c', script], { cwd: folder, env });
    return readFileSync(record, 'utf8').split('\0').slice(0, -1);
  }

  it('carry a policy through the shell unharmed', () => {
    const texts = fc.string({ unit: fc.constantFrom("'", '"', '$', '`', '\\', '%', '\n', '!', 'é', ' ', 'EOF') });
    fc.assert(
      fc.property(texts, (description) => {
        const document = { description, defaultAdmissionRule: {} };
        const words = argumentsOf(commands.importPolicy('p' as never, document));
        expect(words).toEqual(['container', 'binauthz', 'policy', 'import', 'binauthz-policy.json', '--project=p']);
        expect(JSON.parse(readFileSync(join(folder, 'binauthz-policy.json'), 'utf8'))).toEqual(document);
      }),
      { numRuns: 40 },
    );
  });

  it('also as a terminal shows them, with every line moved to the right', () => {
    const metric = { description: 'it’s "blocked"', filter: 'a="1"\nb="$x"' };
    const moved = commands.createMetric('projects/p/metrics/m', metric).replaceAll('\n', '\n      ');
    expect(argumentsOf(moved)).toEqual([
      'logging',
      'metrics',
      'create',
      'm',
      '--project=p',
      `--description=${metric.description}`,
      '--log-filter=a="1"\n      b="$x"',
    ]);
    const policyCommand = commands.importPolicy('p' as never, { a: [1, 'x'] }).replaceAll('\n', '\n      ');
    argumentsOf(policyCommand);
    expect(JSON.parse(readFileSync(join(folder, 'binauthz-policy.json'), 'utf8'))).toEqual({ a: [1, 'x'] });
  });

  it('grant to members of any spelling', () => {
    const member = 'principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/attribute.repository/o/r';
    expect(argumentsOf(commands.grantRoles('projects/p', [{ role, member }])).slice(-2)).toEqual([`--member=${member}`, `--role=${role}`]);
    expect(argumentsOf(commands.grantRoles('projects/p/policy', [{ role, member }]))).toEqual([
      ...['container', 'binauthz', 'policy', 'add-iam-policy-binding', '--project=p'],
      ...['--condition=None', `--member=${member}`, `--role=${role}`],
    ]);
  });

  it('run nothing that a member says, and ask nothing where others’ bindings have conditions', () => {
    const member = 'principal://iam.googleapis.com/projects/1/subject/$(touch${IFS}owned)`id`"';
    for (const resource of [
      'projects/p',
      'projects/p/attestors/a',
      'projects/p/policy',
      'projects/p/locations/l/keyRings/r/cryptoKeys/k',
    ]) {
      const words = argumentsOf(commands.grantRoles(resource, [{ role, member }]));
      expect(words.slice(-3)).toEqual(['--condition=None', `--member=${member}`, `--role=${role}`]);
    }
    expect(commands.grantRoles('projects/p/notes/n', [{ role, member }])).toContain(`--arg member0 '${member}'`);
  });

  it('read an account that nobody can know yet from where it is told', () => {
    const words = argumentsOf(commands.grantRoles('projects/p/attestors/a', [{ role, member: commands.agentOfProject('q' as never) }]));
    expect(words.slice(0, 4)).toEqual(['projects', 'describe', 'q', '--format=value(projectNumber)']);
    expect(words.at(-2)).toBe('--member=serviceAccount:service-@gcp-sa-binaryauthorization.iam.gserviceaccount.com');
  });
});
