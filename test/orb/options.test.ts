// SPDX-License-Identifier: Apache-2.0
// The option table and the orb say the same: every option of the CLI is a parameter of the command and of its jobs, under
// its name in snake_case, with its sentence, its type and its default; and nothing else is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/hosts/commands.js';
import { nameOn, optionsOf, type OptionRow } from '../../src/hosts/options.js';
import { packOrb, ROOT, type Component, type Orb, type Parameter } from '../support/orb.js';

/** What says how the CLI prints: run.sh decides that. */
const HOST_MATTERS = ['output', 'quiet', 'verbose', 'help', 'version'];
/** Parameters of the orb alone: where results go. */
const COMMAND_ONLY = ['results_dir', 'store_results'];
const RESULTS = ['results_dir'];
const OIDC = ['google_project_number', 'workload_identity_pool_id', 'workload_identity_pool_provider_id', 'service_account_email'];
const JOB_ONLY = ['executor', 'mirror', 'use_oidc', ...OIDC];
/** Without which every run is refused; the Action's metadata requires the same (test/hosts/action-metadata.test.ts). */
const REQUIRED: Readonly<Record<string, readonly string[]>> = { attest: ['images', 'attestors'], check: ['project'], audit: ['project'] };

const SECRET = 'Give the name of the variable that holds it, never the value; while the default variable is not set, nothing is given.';

type Verb = 'attest' | 'check' | 'audit';
const VERBS: readonly Verb[] = ['attest', 'check', 'audit'];
const JOBS: readonly (readonly [string, Verb, readonly string[]])[] = [
  ['attest', 'attest', JOB_ONLY],
  ['check', 'check', JOB_ONLY],
  ['audit', 'audit', JOB_ONLY],
  ['gate', 'check', ['executor', 'deploy_steps', ...JOB_ONLY.slice(1)]],
];

const snake = (word: string): string => word.replaceAll('-', '_');

/** An option's name in the orb: plural where it is a list, and with `env` where it is the name of a secret's variable. */
const orbName = (option: OptionRow): string => snake(option.kind === 'list' ? (option.plural ?? option.name) : nameOn(option, 'cli'));

function typed(option: OptionRow, isRequired: boolean): Partial<Parameter> {
  switch (option.kind) {
    case 'flag':
      return { type: 'boolean', default: option.default === 'true' };
    case 'choice': {
      const choices = option.choices ?? [];
      return { type: 'enum', enum: option.default === undefined ? ['', ...choices] : choices, default: option.default ?? '' };
    }
    case 'secret':
      return { type: 'env_var_name', default: `BINAUTHZ_${option.name.replaceAll('-', '_').toUpperCase()}` };
    case 'text':
    case 'list':
    case 'duration':
    case 'port':
      return { type: 'string', ...(isRequired ? {} : { default: option.default ?? '' }) };
  }
}

function expected(verb: Verb): readonly (readonly [string, Parameter])[] {
  return optionsOf(verb, 'cli')
    .filter(({ name }) => !HOST_MATTERS.includes(name))
    .map((option) => {
      const name = orbName(option);
      const more = option.kind === 'list' ? 'One per line.' : option.kind === 'secret' ? SECRET : '';
      const description = [option.help, more].filter(Boolean).join(' ');
      return [name, { description, ...typed(option, REQUIRED[verb]?.includes(name) ?? false) } as Parameter];
    });
}

const parametersOf = (component: Component | undefined): readonly (readonly [string, Parameter])[] =>
  Object.entries(component?.parameters ?? {});

let orb: Orb;
beforeAll(async () => {
  orb = await packOrb();
});

describe('the option table and the orb', () => {
  it.each(VERBS)('agree on the command %s', (verb) => {
    const parameters = parametersOf(orb.commands[verb]);
    const own = COMMAND_ONLY;
    expect(parameters.filter(([name]) => !own.includes(name))).toEqual(expected(verb));
    expect(parameters.map(([name]) => name).slice(-own.length)).toEqual(own);
  });

  it.each(JOBS)('agree on the job %s', (job, verb, own) => {
    const parameters = parametersOf(orb.jobs[job]);
    const names = [...own, ...RESULTS];
    expect(parameters.filter(([name]) => !names.includes(name))).toEqual(expected(verb));
    expect(parameters.map(([name]) => name).filter((name) => names.includes(name))).toEqual(names);
  });

  it('have a command and a job for each of the commands that the orb offers, and for no other', () => {
    const verbs = COMMANDS.map(({ name }) => name as string).filter((name) => ['attest', 'check', 'audit'].includes(name));
    expect(Object.keys(orb.commands)).toEqual([...verbs, 'cleanup_oidc', 'install', 'setup_oidc'].sort());
    expect(Object.keys(orb.jobs)).toEqual([...verbs, 'gate'].sort());
  });

  it('never take a secret but by the name of its variable', () => {
    const secrets = VERBS.flatMap((verb) => optionsOf(verb, 'cli').filter(({ kind }) => kind === 'secret'));
    expect(secrets.length).toBeGreaterThan(4);
    for (const component of [...Object.values(orb.commands), ...Object.values(orb.jobs)])
      for (const [name, { type }] of parametersOf(component))
        if (/_env$|(passphrase|private_key|token|secret|password)$/.test(name)) expect([name, type]).toEqual([name, 'env_var_name']);
  });
});

describe('the jobs', () => {
  it.each(JOBS)('%s describes what it hands on as the command does', (job, verb) => {
    const sources = [orb.commands[verb], orb.commands['setup_oidc']];
    const known = new Map(sources.flatMap(parametersOf));
    for (const [name, parameter] of parametersOf(orb.jobs[job]))
      if (known.has(name)) expect([name, parameter]).toEqual([name, known.get(name)]);
  });

  it.each(JOBS)('%s hands every option on under its own name', (job, verb) => {
    const call = orb.jobs[job]?.steps?.find((step) => typeof step === 'object' && verb in step) as Record<string, unknown>;
    const names = parametersOf(orb.commands[verb])
      .map(([name]) => name)
      .filter((name) => name !== 'store_results');
    expect(call[verb]).toEqual(Object.fromEntries(names.map((name) => [name, `<< parameters.${name} >>`])));
  });
});

describe('the other parameters', () => {
  it('of OIDC are those of the gcp-cli orb, with its defaults', () => {
    expect(parametersOf(orb.commands['setup_oidc']).map(([name, { type, default: value }]) => [name, type, value])).toEqual([
      ['google_project_number', 'env_var_name', 'GOOGLE_PROJECT_NUMBER'],
      ['workload_identity_pool_id', 'env_var_name', 'OIDC_WIP_ID'],
      ['workload_identity_pool_provider_id', 'env_var_name', 'OIDC_WIP_PROVIDER_ID'],
      ['service_account_email', 'env_var_name', 'OIDC_SERVICE_ACCOUNT_EMAIL'],
      ['gcp_cred_config_file_path', 'string', ''],
      // Ours alone.
      ['token_url', 'string', ''],
    ]);
  });

  it('pin the executor to an exact Node 24, which is new enough for the package', () => {
    const tag = String(orb.executors['default']?.parameters?.['tag']?.default);
    expect(tag).toMatch(/^24\.\d+\.\d+$/);
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.20');
    expect(JSON.stringify(orb)).toContain('Node 20.20');
  });
});
