// SPDX-License-Identifier: Apache-2.0
// The deploy examples: valid files, whose shell runs against the emulator. What it does not have, stand-ins play.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Ajv from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { GuideStage } from '../support/doc-stages.js';
import { ROOT } from '../support/orb.js';
import { run, type Ended } from '../support/spawn.js';
import { PROJECT } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

const EXAMPLES = join(ROOT, 'examples');
const text = (path: string): string => readFileSync(join(EXAMPLES, path), 'utf8');
const REPOSITORY = `us-docker.pkg.dev/${PROJECT}/apps/web`;
const ATTEST = `binauthz attest "$IMAGE" --attestor projects/${PROJECT}/attestors/built-by-ci \
  --kms-key projects/${PROJECT}/locations/global/keyRings/ci/cryptoKeys/attest`;

let stage: GuideStage;
let image: string;
beforeEach(async () => {
  stage = await GuideStage.open('shop');
  image = `${REPOSITORY}@${stage.digest}`;
  await stage.standIn('docker', `if [ "$1" = inspect ]; then echo '${image}'; fi`);
  // Nothing is installed: binauthz is there, and it is this one.
  await stage.standIn('npm', `[ "$*" = "install --global --ignore-scripts binauthz@${version}" ]`);
});
afterEach(() => stage.close());

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** Lines of bash that stop at the first failure. */
const bash = (script: string, variables: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  stage.run(
    `${Object.entries({ IMAGE: image, ...variables })
      .map(([name, value]) => `export ${name}='${value}'`)
      .join('\n')}\n${script}`,
  );

async function expectCode(code: number, ended: Promise<Ended>): Promise<void> {
  const { code: got, stdout, stderr } = await ended;
  expect(got, stdout + stderr).toBe(code);
}

/** The policy wants the word of both attestors. */
async function requireBoth(): Promise<void> {
  const policy = await stage.stage.call('GET', `/v1/projects/${PROJECT}/policy`);
  const both = ['built-by-ci', 'approved-by-qa'].map((attestor) => `projects/${PROJECT}/attestors/${attestor}`);
  await stage.stage.call('PUT', `/v1/projects/${PROJECT}/policy`, {
    ...policy,
    defaultAdmissionRule: { ...policy.defaultAdmissionRule, requireAttestationsBy: both },
  });
}

function problemsBySchema(schema: string, value: unknown): readonly string[] {
  const path = createRequire(import.meta.url).resolve(`schemastore/schemas/json/${schema}.json`);
  const ajv = new Ajv({ schemaId: 'auto', unknownFormats: 'ignore', logger: false });
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')) as object);
  return validate(value) ? [] : (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ''}`);
}

const DEPLOYMENT = (written: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: [{ name: web, image: "${written}" }] } } }\n`;
const write = (file: string, content: string): Promise<Ended> =>
  bash(`mkdir -p "$(dirname ${file})" && cat > ${file} <<'END'\n${content}END`);

describe('the scripts', () => {
  it.skipIf(!found('shellcheck'))(titled('are clean to shellcheck', 'shellcheck'), async () => {
    const scripts = ['kubectl/deploy.sh', 'cloud-run/deploy.sh', 'cloud-deploy/check-release.sh'].map((path) => join(EXAMPLES, path));
    expect(await run('shellcheck', scripts)).toMatchObject({ code: 0, stdout: '' });
  });
});

describe.skipIf(!found('kubectl'))(titled('kubectl/deploy.sh', 'kubectl'), () => {
  it('applies what it has checked, and nothing before the image is attested', async () => {
    await write('k8s/deployment.yaml', DEPLOYMENT(image));
    await write('k8s/kustomization.yaml', 'resources: [deployment.yaml]\nnamePrefix: shop-\n');
    const deploy = `bash ${EXAMPLES}/kubectl/deploy.sh k8s ${PROJECT} us-central1-a.prod`;
    await expectCode(3, bash(deploy));
    expect(await stage.read('deployed.yaml')).toBe('');
    await expectCode(0, bash(`${ATTEST}\n${deploy}`));
    expect(await stage.read('deployed.yaml')).toContain(`image: ${image}\n`);
    expect(await stage.read('deployed.yaml')).toContain('name: shop-web\n');
    await expectCode(2, bash(`bash ${EXAMPLES}/kubectl/deploy.sh k8s`));
  });
});

describe('cloud-run/deploy.sh', () => {
  // As gcloud would, by Cloud Run's API, of which the emulator has v2.
  const RUN_DEPLOY = `[ "$1 $2 $3 $4 $6 $7" = "run deploy web --image --binary-authorization default" ]
    curl --fail --silent --show-error --header 'content-type: application/json' \
      "http://$BINAUTHZ_EMULATOR_HOST/v2/projects/$9/locations/\${11}/services?serviceId=web" \
      --data '{"template":{"containers":[{"image":"'"$5"'"}]},"binaryAuthorization":{"useDefault":true}}'`;

  it('deploys an attested digest with Binary Authorization on, and nothing else', async () => {
    await stage.standIn('gcloud', RUN_DEPLOY);
    const services = (): Promise<{ services?: readonly unknown[] }> =>
      stage.stage.call('GET', `/v2/projects/${PROJECT}/locations/europe-west1/services`);
    const deploy = `bash ${EXAMPLES}/cloud-run/deploy.sh web "$IMAGE" ${PROJECT} europe-west1`;
    await expectCode(3, bash(deploy));
    await expectCode(2, bash(deploy, { IMAGE: `${REPOSITORY}:1.2.3` }));
    expect((await services()).services ?? []).toEqual([]);
    await expectCode(0, bash(`${ATTEST}\n${deploy}`));
    expect((await services()).services).toMatchObject([
      { template: { containers: [{ image }] }, binaryAuthorization: { useDefault: true } },
    ]);
  });
});

describe('cloud-build/cloudbuild.yaml', () => {
  interface Build {
    readonly steps: readonly {
      readonly id: string;
      readonly name: string;
      readonly entrypoint?: string;
      readonly args: readonly string[];
    }[];
    readonly substitutions: Readonly<Record<string, string>>;
  }
  const build = parse(text('cloud-build/cloudbuild.yaml')) as Build;

  it('is valid by its schema', () => {
    expect(problemsBySchema('cloudbuild', build)).toEqual([]);
    expect(problemsBySchema('cloudbuild', { ...build, steps: [{ name: 'docker', args: 'not a list' }] })).not.toEqual([]);
  });

  it('attests what was pushed, checks and deploys it', async () => {
    await stage.standIn('gcloud', 'echo "$@" > deployed.yaml');
    for (const { entrypoint = 'docker', args } of build.steps) {
      const words = args.map((word) => `'${substituted(word).replaceAll("'", `'\\''`)}'`);
      await expectCode(0, bash(`unset IMAGE\n${entrypoint} ${words.join(' ')}`));
    }
    expect(await stage.read('deployed.yaml')).toContain(`--image ${image} --binary-authorization default`);
    expect(await stage.stage.occurrences()).not.toEqual([]);
  });

  it('deploys nothing where the check denies', async () => {
    await requireBoth();
    const step = build.steps.find(({ id }) => id === 'attest-and-check');
    await write('image.txt', `${image}\n`);
    await expectCode(3, bash(`bash -euc '${substituted(step?.args[1] ?? '')}'`));
  });

  /** Cloud Build's substitutions; one that is not known fails the build, as there. */
  function substituted(word: string): string {
    const known: Readonly<Record<string, string>> = { ...build.substitutions, PROJECT_ID: PROJECT, COMMIT_SHA: 'a'.repeat(40) };
    return word.replace(/\$\$|\$\{(\w+)\}|\$(\w+)/g, (whole, braced?: string, plain?: string) => {
      if (whole === '$$') return '$';
      const value = known[braced ?? plain ?? ''];
      if (value === undefined) throw new Error(`${whole} is no substitution`);
      return value;
    });
  }
});

describe('cloud-deploy', () => {
  // Shapes of many kinds; a wrong path fails the assertion that uses it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const documents = (path: string): readonly any[] => parseAllDocuments(text(path)).map((document) => document.toJS() as unknown);
  const [pipeline, target] = documents('cloud-deploy/clouddeploy.yaml');
  const [skaffold] = documents('cloud-deploy/skaffold.yaml');

  it('names targets and actions that there are, and calls the script in its image', () => {
    const [stageOfPipeline] = pipeline.serialPipeline.stages;
    expect(stageOfPipeline.targetId).toBe(target.metadata.name);
    const [action] = skaffold.customActions;
    expect(stageOfPipeline.strategy.standard.predeploy.actions).toEqual([action.name]);
    expect(action.containers[0].command).toEqual(['check-release.sh']);
    expect(target.gke.cluster).toBe('projects/shop-prod/locations/us-central1-a/clusters/prod');
    expect(action.containers[0].args).toEqual(['shop-prod', 'us-central1-a.prod']);
    expect(text('cloud-deploy/Dockerfile')).toContain(`binauthz@${version}`);
  });

  it('fails the hook where what was rendered would be denied, and where it cannot be found', async () => {
    await stage.standIn(
      'gcloud',
      `case "$1 $2" in
        "deploy releases") [ "$*" = "deploy releases describe r1 --project ${PROJECT} --format json --region europe-west1 --delivery-pipeline web" ] && cat release.json ;;
        "storage cp") [ "$3" = gs://bucket/web/r1/prod/manifest.yaml ] && cp rendered.yaml "$4" ;;
        *) exit 1 ;;
      esac`,
    );
    await write(
      'release.json',
      '{ "targetArtifacts": { "prod": { "artifactUri": "gs://bucket/web/r1/prod/", "manifestPath": "manifest.yaml" } } }\n',
    );
    await write('rendered.yaml', DEPLOYMENT(image));
    const said = {
      CLOUD_DEPLOY_RELEASE: 'r1',
      CLOUD_DEPLOY_LOCATION: 'europe-west1',
      CLOUD_DEPLOY_DELIVERY_PIPELINE: 'web',
      CLOUD_DEPLOY_TARGET: 'prod',
    };
    const hook = `bash ${EXAMPLES}/cloud-deploy/check-release.sh ${skaffold.customActions[0].containers[0].args.join(' ')}`;
    await expectCode(3, bash(hook, said));
    await expectCode(0, bash(`${ATTEST}\n${hook}`, said));
    await expectCode(1, bash(hook, { ...said, CLOUD_DEPLOY_TARGET: 'other' }));
  });
});

describe('gitlab/.gitlab-ci.yml', () => {
  interface Job {
    readonly extends?: string;
    readonly stage?: string;
    readonly when?: string;
    readonly before_script?: readonly string[];
    readonly script: readonly string[];
    readonly variables?: Readonly<Record<string, string>>;
  }
  const document = parse(text('gitlab/.gitlab-ci.yml')) as Readonly<Record<string, unknown>>;
  const job = (name: string): Job => {
    const own = document[name] as Job;
    return own.extends === undefined ? own : { ...(document[own.extends] as Job), ...own };
  };

  /** A job's lines in one shell, with the variables that `build` handed on as its dotenv report. */
  async function play(name: string): Promise<Ended> {
    const { before_script: before = [], script, variables = {} } = job(name);
    const global = document['variables'] as Readonly<Record<string, string>>;
    const handedOn = (await stage.read('build.env')).trim();
    const lines = [...(handedOn === '' ? ['unset IMAGE'] : [`export ${handedOn}`]), ...before, ...script];
    return bash(lines.join('\n'), { ...global, ...variables, CI_COMMIT_SHA: 'a'.repeat(40), GITLAB_TOKEN: 'header.body.signature' });
  }

  it('is valid by its schema', () => {
    const schema = 'gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci';
    expect(problemsBySchema(schema, document)).toEqual([]);
    expect(problemsBySchema(schema, { ...document, deploy: { ...job('deploy'), when: 'someday' } })).not.toEqual([]);
  });

  it('has its jobs in the order of its stages, with a person before the approval', () => {
    expect((document['stages'] as readonly string[]).map((name) => job(name).stage)).toEqual(document['stages']);
    expect(job('approve').when).toBe('manual');
    expect(new Set(['attest', 'approve', 'deploy'].map((name) => job(name).variables?.['SERVICE_ACCOUNT'])).size).toBe(3);
  });

  it('deploys only what was approved', async () => {
    await requireBoth();
    await write('k8s/deployment.yaml', DEPLOYMENT('IMAGE_THAT_WAS_BUILT'));
    await expectCode(0, play('build'));
    await expectCode(0, play('attest'));
    await expectCode(3, play('deploy'));
    expect(await stage.read('deployed.yaml')).toBe('');
    expect(await stage.read('check.xml')).toContain('failures="1"');
    await expectCode(0, play('approve'));
    await expectCode(0, play('deploy'));
    expect(await stage.read('deployed.yaml')).toContain(image);
  });

  it('writes credentials that are those of the job’s identity', async () => {
    const { stdout } = await bash([...(job('attest').before_script ?? []), 'cat "$GOOGLE_APPLICATION_CREDENTIALS"'].join('\n'), {
      ...(document['variables'] as Readonly<Record<string, string>>),
      ...job('attest').variables,
      GITLAB_TOKEN: 'header.body.signature',
    });
    const credentials = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(credentials).toMatchObject({
      type: 'external_account',
      audience: expect.stringMatching(/^\/\/iam\.googleapis\.com\/projects\//) as string,
    });
    expect(credentials['service_account_impersonation_url']).toContain('ci@shop-prod.iam.gserviceaccount.com:generateAccessToken');
    expect(stdout).not.toContain('header.body.signature');
  });
});

describe('jenkins/Jenkinsfile', () => {
  const file = text('jenkins/Jenkinsfile');
  /** Of each stage, its shell as Groovy reads it: a backslash at the end of a line joins it with the next. */
  const shells = new Map(
    [...file.matchAll(/stage\('(\w+)'\)([\s\S]*?)(?=\n {4}stage\(|$)/g)].map(([, name = '', body = '']) => [
      name,
      [...body.matchAll(/sh '''([\s\S]*?)'''/g)].map(([, shell = '']) => shell.replaceAll('\\\n', '')).join('\n'),
    ]),
  );

  it('closes every brace, has a shell in each stage, and a person before the approval', () => {
    const code = file.replace(/'''[\s\S]*?'''|'[^'\n]*'|\/\/.*/g, '');
    for (const [open, close] of ['{}', '()', '[]']) expect(code.split(open ?? '').length).toBe(code.split(close ?? '').length);
    expect([...shells.keys()]).toEqual(['Build', 'Attest', 'Approve', 'Deploy']);
    expect(file).toMatch(/stage\('Approve'\) \{\s+agent \{ label 'approvals' \}\s+input \{/);
  });

  it('deploys only what was approved', async () => {
    await requireBoth();
    await write('k8s/deployment.yaml', DEPLOYMENT('IMAGE_THAT_WAS_BUILT'));
    const play = (name: string): Promise<Ended> =>
      bash(`unset IMAGE\n${shells.get(name) ?? 'false'}`, { REPOSITORY, GIT_COMMIT: 'a'.repeat(40) });
    await expectCode(0, play('Build'));
    await expectCode(0, play('Attest'));
    await expectCode(3, play('Deploy'));
    expect(await stage.read('deployed.yaml')).toBe('');
    await expectCode(0, play('Approve'));
    await expectCode(0, play('Deploy'));
    expect(await stage.read('deployed.yaml')).toContain(image);
  });
});
