// SPDX-License-Identifier: Apache-2.0
// Every example of the orb expands with the packed orb, and so do the migration guide's and our own configuration.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expandConfig, packOrb, ROOT, type Config, type FlatJob, type Orb } from '../support/orb.js';

let orb: Orb;
beforeAll(async () => {
  orb = await packOrb();
});

const usage = (name: string): Config => {
  const example = orb.examples[name];
  if (!example) throw new Error(`there is no example ${name}`);
  return example.usage;
};

/** The names of a job's steps, in order. */
const stepsOf = (job: FlatJob | undefined): readonly string[] => (job?.steps ?? []).map(({ type, keys }) => String(keys['name'] ?? type));

const INSTALL = 'Install binauthz';
const ATTEST = 'Attest images with binauthz';
const CHECK = 'Check images against Binary Authorization';
const AUDIT = 'Audit what Binary Authorization admitted';
const STORE = ['store_artifacts', 'store_test_results'];
const SET_UP = 'Set up credentials from the OIDC token';
const CLEAN_UP = 'Remove the OIDC credentials';
const OURS = { ours: [INSTALL, SET_UP, ATTEST, ...STORE, CLEAN_UP] };

const PUSHED = 'Push, and keep the digest';
/** Each example with what its jobs do. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  attest_after_build: {
    build: ['checkout', 'setup_remote_docker', 'Build', 'gcp-cli/setup', `${PUSHED} for the next steps`, INSTALL, ATTEST, ...STORE],
  },
  attest_with_pgp: { 'binauthz/attest': OURS.ours },
  audit_on_schedule: { 'binauthz/audit': [INSTALL, SET_UP, AUDIT, 'store_artifacts', CLEAN_UP] },
  setup_with_oidc: { attest: OURS.ours },
  approve_then_attest: {
    build: ['checkout', 'setup_remote_docker', 'Build', 'gcp-cli/setup', PUSHED, INSTALL, ATTEST, ...STORE, 'persist_to_workspace'],
    attest_as_qa: ['attach_workspace', 'Take the image that was built', ...OURS.ours],
    deploy: [
      ...['checkout', 'attach_workspace', 'Write the image into the manifest'],
      ...[INSTALL, SET_UP, CHECK, ...STORE, 'gcp-cli/setup', 'Deploy', CLEAN_UP],
    ],
  },
  check_before_deploy_gke: { deploy_to_gke: ['checkout', INSTALL, SET_UP, CHECK, ...STORE, 'gcp-cli/setup', 'Deploy', CLEAN_UP] },
  check_before_deploy_cloud_run: {
    deploy_to_cloud_run: ['checkout', INSTALL, SET_UP, CHECK, ...STORE, 'gcp-cli/setup', 'Deploy', CLEAN_UP],
  },
  several_projects: { 'binauthz/attest': OURS.ours, 'binauthz/check': ['checkout', INSTALL, SET_UP, CHECK, ...STORE, CLEAN_UP] },
};

describe('the examples', () => {
  it('are these', () => expect(Object.keys(orb.examples).sort()).toEqual(Object.keys(EXPECTED).sort()));

  it.each(Object.entries(EXPECTED))('%s expands', (name, jobs) => {
    const expanded = expandConfig(usage(name), orb);
    expect(Object.fromEntries(expanded.map((job) => [job.name, stepsOf(job)]))).toEqual(jobs);
  });

  it.each(Object.keys(EXPECTED))('%s names this version of the orb, pins every other, and holds no secret', (name) => {
    for (const [alias, reference] of Object.entries(usage(name).orbs ?? {})) {
      expect(reference).toMatch(/^[\w-]+\/[\w-]+@\d+\.\d+\.\d+$/);
      if (alias === 'binauthz') expect(reference).toMatch(/^[\w-]+\/binauthz@/);
    }
    expect(JSON.stringify(orb.examples[name])).not.toMatch(/PRIVATE KEY-----|eyJ|ya29\./);
  });

  it('write nothing into a shell but variables', () => {
    for (const name of Object.keys(EXPECTED))
      for (const { steps } of expandConfig(usage(name), orb))
        for (const { type, keys } of steps) {
          if (type !== 'run' || [INSTALL, SET_UP, ATTEST, CHECK, AUDIT, CLEAN_UP].includes(String(keys['name']))) continue;
          expect(keys['command']).not.toContain('<<');
          expect(keys['command']).not.toMatch(/\beval\b|\bsleep\b/);
        }
  });

  it('run credentials after the build, so that they never lie in its context', () => {
    for (const name of ['attest_after_build', 'approve_then_attest']) {
      const names = stepsOf(expandConfig(usage(name), orb)[0]);
      expect(names.indexOf('gcp-cli/setup')).toBeGreaterThan(names.indexOf('Build'));
    }
  });

  type Draft = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- a value to spoil, of no shape
  const gate = (draft: Draft): Draft => draft['workflows'].deploy.jobs[0]['binauthz/gate'];
  it.each<[string, string, (draft: Draft) => unknown, string]>([
    [
      'an unknown command',
      'setup_with_oidc',
      (draft) => draft['jobs'].attest.steps.push('binauthz/atest'),
      'there is no step binauthz/atest',
    ],
    [
      'our command without its prefix',
      'setup_with_oidc',
      (draft) => draft['jobs'].attest.steps.push('install'),
      'there is no step install',
    ],
    [
      'an unknown job',
      'attest_with_pgp',
      (draft) => draft['workflows'].release.jobs.push('binauthz/sign'),
      'there is no job binauthz/sign',
    ],
    ['an unknown parameter', 'check_before_deploy_gke', (draft) => (gate(draft)['manifest'] = 'k8s/'), 'unknown parameter manifest'],
    ['a parameter with dashes', 'check_before_deploy_gke', (draft) => (gate(draft)['deploy-steps'] = []), 'unknown parameter deploy-steps'],
    ['a missing parameter', 'check_before_deploy_gke', (draft) => delete gate(draft)['project'], 'the parameter project is required'],
    ['a list', 'check_before_deploy_gke', (draft) => (gate(draft)['manifests'] = ['k8s/']), 'manifests: expected string'],
    ['a text for a boolean', 'check_before_deploy_gke', (draft) => (gate(draft)['strict'] = 'true'), 'strict: expected boolean'],
    ['another choice', 'check_before_deploy_gke', (draft) => (gate(draft)['platform'] = 'anthos'), 'platform: expected one of'],
    ['a step for steps', 'check_before_deploy_gke', (draft) => (gate(draft)['deploy_steps'] = 'checkout'), 'deploy_steps: expected steps'],
    [
      'a secret for its name',
      'attest_with_pgp',
      (draft) => (draft['workflows'].release.jobs[0]['binauthz/attest'].pgp_passphrase_env = 'open sesame'),
      'expected env_var_name',
    ],
    ['an orb that is not declared', 'attest_with_pgp', (draft) => delete draft['orbs'].binauthz, 'does not declare the orb'],
    ['a step of one', 'check_before_deploy_gke', (draft) => delete draft['orbs']['gcp-cli'], 'there is no step gcp-cli/setup'],
    [
      'a job that none comes before',
      'several_projects',
      (draft) => (draft['workflows'].release.jobs[1]['binauthz/check'].requires = ['build']),
      'requires build',
    ],
    ['a job that nothing starts', 'setup_with_oidc', (draft) => (draft['jobs'].other = { steps: [] }), 'no workflow starts other'],
    [
      'a value of the pipeline that there is not',
      'setup_with_oidc',
      (draft) => draft['jobs'].attest.steps.push({ run: 'echo << pipeline.sha >>' }),
      '<< pipeline.sha >> is not known',
    ],
  ])('would be refused with %s', (_what, name, spoil, message) => {
    const draft = structuredClone(usage(name)) as unknown as Draft;
    spoil(draft);
    expect(() => expandConfig(draft as unknown as Config, orb)).toThrow(message);
  });
});

describe('docs/MIGRATION.md', () => {
  // Every parameter of the old orb's two jobs, 0.5.2 (facts/ecosystem.md, section 3).
  const OLD = `executor checkout attach-workspace workspace-root run-setup google-compute-zone multi-project-setup enable-apis
    google-project-id attestor-project-id deployer-project-id attestation-project-id google-service-account google-service-key
    deployer-service-account deployer-service-key attestor-service-account create-new-gke-cluster gke-cluster-name
    use-existing-keypair keypair-name keypair-email use-passphrase keypair-passphrase store-generated-keypair circle-token
    public-key private-key attestor attestor-hint note-id use-note-file note-description-short note-description-long
    note-related-url note-expiration-time related-note-names note-filepath configure-policy use-policy-file policy-filepath
    admission-whitelist-patterns default-evaluation-mode default-required-attestors cluster-specific-rules
    cluster-specific-specifier cluster-specific-eval-mode cluster-specific-required-attestors image-path image-tag
    payload-filepath deployment-steps`.split(/\s+/);
  let text: string;
  let rows: readonly (readonly string[])[];
  beforeAll(async () => {
    text = await readFile(join(ROOT, 'docs/MIGRATION.md'), 'utf8');
    const table = /### Parameters\n\n([\s\S]*?)\n\n/.exec(text)?.[1] ?? '';
    rows = table
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, 3),
      );
  });
  const words = (cell: string | undefined): readonly string[] => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '');

  it('has every parameter of the old orb, once', () => {
    expect(OLD).toHaveLength(52);
    expect(rows.flatMap(([old]) => words(old)).sort()).toEqual([...OLD].sort());
  });

  it('names parameters, commands and jobs that this orb has', () => {
    const known = new Set([
      ...Object.keys(orb.commands),
      ...Object.keys(orb.jobs),
      ...[...Object.values(orb.commands), ...Object.values(orb.jobs)].flatMap(({ parameters = {} }) => Object.keys(parameters)),
      ...['pre-steps', 'checkout', 'attach_workspace', 'gcp-cli/setup', 'binauthz/check', 'binauthz setup', '\\n', 'LOCATION.NAME'],
      ...['path:tag', 'path@sha256:…', 'projects/P/attestors/A', 'A'],
    ]);
    expect(rows.flatMap(([, ours]) => words(ours)).filter((word) => !known.has(word))).toEqual([]);
  });

  it('its configuration expands', () => {
    const block = /```yaml\n# after\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    const jobs = expandConfig(parse(block, { version: '1.1' }) as Config, orb);
    expect(jobs.map(stepsOf)).toEqual([OURS.ours, ['checkout', INSTALL, SET_UP, CHECK, ...STORE, 'run', CLEAN_UP]]);
  });
});

describe('.circleci', () => {
  const load = async (name: string): Promise<Config & { setup?: boolean }> =>
    parse(await readFile(join(ROOT, '.circleci', name), 'utf8'), { version: '1.1', merge: true }) as Config;

  it('pins its orbs exactly, and sets up', async () => {
    const config = await load('config.yml');
    expect(config).toMatchObject({ version: 2.1, setup: true });
    for (const reference of Object.values(config.orbs ?? {})) expect(reference).toMatch(/^circleci\/[\w-]+@\d+\.\d+\.\d+$/);
    expect((await load('test-deploy.yml')).orbs).toEqual({ binauthz: {}, 'orb-tools': config.orbs?.['orb-tools'] });
  });

  it('lints, packs, reviews and checks the orb where it lies', async () => {
    const jobs = (await load('config.yml')).workflows?.['lint-pack']?.jobs as readonly Record<string, Record<string, unknown>>[];
    expect(jobs.flatMap((job) => Object.keys(job))).toEqual([
      'orb-tools/lint',
      'orb-tools/pack',
      'orb-tools/review',
      'shellcheck/check',
      'orb-tools/continue',
    ]);
    const folders = jobs.flatMap((job) => Object.values(job)).map(({ source_dir: source, dir }) => source ?? dir);
    expect(folders).toEqual(['orb', 'orb', 'orb', 'orb/scripts', undefined]);
  });

  it('tests the packed orb, and publishes on a release’s tag only what pack_release has packed', async () => {
    const config = await load('test-deploy.yml');
    const [test, pack] = expandConfig(config, orb);
    expect(stepsOf(test).slice(-6)).toEqual([INSTALL, CHECK, ...STORE, 'The results are there', CLEAN_UP]);
    expect(JSON.stringify(pack?.steps)).toContain('scripts/orb-pack.mjs --release --tarball');
    const jobs = config.workflows?.['test-deploy']?.jobs as readonly Record<string, Record<string, unknown>>[];
    const release = { branches: { ignore: '/.*/' }, tags: { only: '/^v[0-9]+\\.[0-9]+\\.[0-9]+$/' } };
    for (const name of ['pack_release', 'orb-tools/publish'])
      expect(jobs.find((job) => name in job)?.[name]).toMatchObject({ filters: release });
    expect(jobs.at(-1)?.['orb-tools/publish']).toMatchObject({ requires: ['pack_release'], attach_workspace: false, orb_dir: 'build' });
  });
});
