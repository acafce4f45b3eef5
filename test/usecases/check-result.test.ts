// SPDX-License-Identifier: Apache-2.0
// What a check tells besides its verdict: of each image where it is and what was found, and what was taken for granted.
import { describe, expect, it } from 'vitest';
import type { ImageUse, UseSource } from '../../src/core/deployment/image-use.js';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { check } from '../../src/usecases/check.js';
import {
  attest,
  attestor,
  cluster,
  denied,
  IMAGE,
  key,
  policyWith,
  request,
  rule,
  run,
  second,
  world,
  type World,
} from '../support/check.js';
import { digest, reference } from '../support/ports.js';

const OPEN = policyWith({ defaultAdmissionRule: rule('ALWAYS_ALLOW'), globalPolicyEvaluationMode: 'ENABLE' });
const source = (line: number, containerType: UseSource['containerType'] = 'container'): UseSource => ({
  ...{ file: 'all.yaml', line, kind: 'Pod', name: 'pod', container: 'c' },
  containerType,
});
const onCloudRun = (image: string, cloudRun: ImageUse['cloudRun'] = { uses: 'project-policy' }): readonly [ImageUse] => [
  { image, platform: 'cloud-run', cloudRun },
];
const warningsOf = ({ ports }: World): readonly string[] => ports.said.filter((text) => text.startsWith('warning: '));
const failing = (code: ErrorCode, hint?: string) => new BinauthzError(code, `cannot: ${code}`, hint === undefined ? {} : { hint });
const codeOf = (run_: Promise<unknown>): Promise<string> =>
  run_.then(
    () => 'no failure',
    (error: unknown) => (error as BinauthzError).code,
  );

describe('an image on GKE', () => {
  it('is told with its place and its sources', async () => {
    const uses = [
      { image: IMAGE, platform: 'gke', namespace: 'shop', source: source(1) },
      { image: IMAGE, platform: 'gke', namespace: 'shop', source: source(2) },
    ] as const;
    const { images, target, schema } = await run(world({ policy: OPEN }), { uses, cluster, serviceAccount: 'robot' });
    expect(schema).toBe('binauthz.check/v1');
    expect(target).toStrictEqual({ platform: 'gke', cluster: 'us-central1-a.prod', namespace: 'shop', serviceAccount: 'robot' });
    expect(images).toStrictEqual([
      {
        image: IMAGE,
        digest: digest('app'),
        verdict: 'ALLOWED',
        rule: expect.any(String) as string,
        reasons: expect.any(Array) as [],
        occurrences: [],
        target,
        sources: [1, 2].map((line) => ({ ...source(line), namespace: 'shop', serviceAccount: 'robot' })),
      },
    ]);
  });

  it('has no cluster where none was named, and the usual place', async () => {
    const { images } = await run(world({ policy: OPEN }));
    expect(images[0]?.target).toStrictEqual({ platform: 'gke', namespace: 'default', serviceAccount: 'default' });
    expect(images[0]?.sources).toEqual([]);
  });

  it.each([
    [`gcr.io/p/app:v1@${digest('app')}`, digest('app')],
    [`GCR.IO/${'P'.repeat(3)}/app@${digest('app')}`, digest('app')],
    [`gcr.io/p/app@${digest('app')}x`, undefined],
    ['gcr.io/p/app:v1', undefined],
  ])('%s has the digest that is written in it', async (image, expected) => {
    const { images } = await run(world({ policy: OPEN }), { uses: [{ image, platform: 'gke' }] });
    expect(images[0]?.digest).toBe(expected);
    expect('digest' in images[0]!).toBe(expected !== undefined);
  });

  it('that is denied says so in the enforcer’s words', async () => {
    expect((await run(world())).images[0]?.denial).toContain(IMAGE);
    expect((await run(world({ policy: OPEN }))).images[0]).not.toHaveProperty('denial');
  });
});

describe('an image on Cloud Run', () => {
  it('has the service for its place', async () => {
    const { images } = await run(world({ policy: OPEN }), { uses: onCloudRun(IMAGE) });
    expect(images[0]?.target).toStrictEqual({ platform: 'cloud-run' });
    expect(images[0]).not.toHaveProperty('childDigest');
  });

  const index = { digest: digest('index'), isIndex: true, children: [{ digest: digest('arm'), platform: 'linux/arm64' }] };
  it.each<[string, string, RegExp]>([
    ['that is no name', 'gcr.io/p/App Name', /^.*gcr\.io\/p\/App Name is no image reference: /],
    ['that is not there', 'gcr.io/p/gone:v1', /cannot find gcr\.io\/p\/gone:v1/],
    ['without an image that it could run', 'gcr.io/p/arm:v1', /an index without an image for linux\/amd64, which is what Cloud Run runs/],
  ])('%s is UNKNOWN', async (_, image, message) => {
    const { verdict, images } = await run(world({ images: { 'gcr.io/p/arm:v1': index } }), { uses: onCloudRun(image) });
    expect([verdict, images[0]?.reasons.map((reason) => reason.message).join()]).toEqual(['UNKNOWN', expect.stringMatching(message)]);
  });

  it('is not read out of the registry when the run is cancelled', async () => {
    const here = world();
    here.ports.registry.resolve = () => Promise.reject(failing('CANCELLED'));
    expect(await codeOf(check(request({ uses: onCloudRun('gcr.io/p/app:v1') }), here.ports))).toBe('CANCELLED');
  });

  it('needs no cluster and no system policy', async () => {
    const here = world({ policy: OPEN });
    await run(here, { uses: onCloudRun(IMAGE), cluster });
    expect(here.calls).toEqual(['policy']);
    const both = world({ policy: OPEN });
    await run(both, { uses: [...onCloudRun(IMAGE), { image: IMAGE, platform: 'gke' }] as never, cluster });
    expect(both.calls).toEqual(expect.arrayContaining(['cluster', 'system us-central1']));
  });
});

describe('what could not be read', () => {
  it('of the policy is told with the next step', async () => {
    const broken = await run(world({ policy: { defaultAdmissionRule: { evaluationMode: 'ALWAYS_ALLOW' }, own: 1 } }));
    expect(broken.images[0]).toMatchObject({ rule: '', occurrences: [] });
    expect(broken.images[0]?.reasons).toEqual([
      {
        code: 'POLICY_NOT_READABLE',
        message: expect.stringMatching(/^the policy of p is not understood: .*enforcementMode/) as string,
        hint: expect.stringContaining('policy export --project=p') as string,
      },
    ]);
    const reasonsOf = async (error: Error) => (await run(world({ policy: error }))).images[0]?.reasons;
    expect(await reasonsOf(failing('UNAVAILABLE', 'wait'))).toStrictEqual([
      { code: 'POLICY_NOT_READABLE', message: 'cannot: UNAVAILABLE', hint: 'wait' },
    ]);
    expect(await reasonsOf(failing('UNAVAILABLE'))).toStrictEqual([{ code: 'POLICY_NOT_READABLE', message: 'cannot: UNAVAILABLE' }]);
  });

  it('of the system policy is told, and what is used instead', async () => {
    const here = world({ policy: policyWith({ globalPolicyEvaluationMode: 'ENABLE' }), system: denied });
    const { codes, images } = await run(here, { cluster });
    expect(codes).toEqual(['NO_TRUSTED_ATTESTATION', 'EVIDENCE_MISSING']);
    expect(JSON.stringify(images)).toContain('no permission');
    expect(here.ports.said.join('\n')).toMatch(/system policy of us-central1 could not be read \(no permission\); using that of "global"/);
    const nonsense = world({
      policy: policyWith({ globalPolicyEvaluationMode: 'ENABLE' }),
      system: { admissionWhitelistPatterns: [7, { namePattern: '*' }] },
    });
    expect((await run(nonsense)).codes).toContain('EVIDENCE_MISSING');
    expect(nonsense.calls).toContain('system global');
  });

  it.each([
    [new BinauthzError('PROJECT_NOT_FOUND', 'no such project'), 'UNKNOWN', 'CLUSTER_NOT_FOUND'],
    [{ evaluationMode: 'SOMETHING_NEW', enabled: true }, 'UNKNOWN', 'EVIDENCE_MISSING'],
  ])('of the cluster leaves it open (%#)', async (setting, verdict, code) =>
    expect(await run(world({ policy: OPEN, cluster: setting }), { cluster })).toMatchObject({ verdict, codes: [code] }),
  );

  it.each(['policy', 'system', 'cluster'] as const)('of the %s because the run was cancelled ends it', async (what) => {
    const here = world({ policy: policyWith({ globalPolicyEvaluationMode: 'ENABLE' }), [what]: failing('CANCELLED') });
    expect(await codeOf(check(request({ cluster }), here.ports))).toBe('CANCELLED');
  });

  it('of an attestor because the run was cancelled ends it', async () => {
    const here = world();
    here.ports.attestors.attestor = () => Promise.reject(failing('CANCELLED'));
    expect(await codeOf(check(request(), here.ports))).toBe('CANCELLED');
  });

  it('of the evidence is told with the next step, where there is one', async () => {
    const hintsOf = async (hint?: string) => {
      const here = world();
      here.ports.attestations.listFaults.push(failing('UNAVAILABLE', hint));
      return (await run(here)).images[0]?.reasons.map((reason) => reason.hint);
    };
    expect(await hintsOf('wait a while')).toEqual(['wait a while']);
    expect(await hintsOf()).not.toEqual(['wait a while']);
  });
});

describe('what is worth knowing', () => {
  it('is warned of once', async () => {
    const here = world({ policy: { ...OPEN, admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p*' }] } });
    await run(here);
    const warnings = warningsOf(here);
    expect(warnings.filter((warning) => warning.includes('gcr.io/p*'))).toHaveLength(1);
    expect(warnings).toContain('warning: defaultAdmissionRule admits every image');
    expect(new Set(warnings).size).toBe(warnings.length);
  });

  it('is that one key satisfies two attestors of a rule', async () => {
    const here = world({
      policy: policyWith({
        defaultAdmissionRule: rule('REQUIRE_ATTESTATION', attestor.name, second.name),
        globalPolicyEvaluationMode: 'ENABLE',
      }),
    });
    await attest(here.ports);
    await attest(here.ports, 'app', key, second.note);
    await run(here);
    expect(warningsOf(here).join()).toMatch(/projects\/p\/attestors\/ci.*projects\/p\/attestors\/qa/);
    const alone = world({ policy: policyWith({ globalPolicyEvaluationMode: 'ENABLE' }) });
    await attest(alone.ports);
    await run(alone);
    expect(warningsOf(alone)).toEqual([]);
  });

  it.each<[string, object, Parameters<typeof run>[1], boolean]>([
    ['each attestor’s own account may read its note', policyWith(), {}, true],
    ['each attestor’s own account may read its note', OPEN, {}, false],
    ['the system policy that was read', OPEN, {}, true],
    ['the system policy that was read', policyWith(), {}, false],
    [
      'ephemeral containers are judged',
      OPEN,
      {
        uses: [
          { image: 'a/b:1', platform: 'gke' },
          { image: IMAGE, platform: 'gke', source: source(1, 'ephemeral') },
        ],
      },
      true,
    ],
    ['ephemeral containers are judged', OPEN, { uses: [{ image: IMAGE, platform: 'gke', source: source(1) }] }, false],
    ['no mutating webhook', OPEN, {}, true],
    ['no mutating webhook', OPEN, { uses: onCloudRun(IMAGE) }, false],
  ])('is the assumption that “%s…” (%#)', async (text, policy, members, isMade) => {
    const here = world({ policy });
    await attest(here.ports);
    const { assumptions } = await run(here, members);
    expect(assumptions.some((assumption) => assumption.startsWith(text))).toBe(isMade);
    expect(new Set(assumptions).size).toBe(assumptions.length);
  });
});

describe('the attested set', () => {
  const attested = { file: 'attest.json', digests: new Set<string>([digest('app')]) };

  it.each<[string, RegExp]>([
    [`gcr.io/p/app@${digest('b')}`, /is not among the 1 digests of attest\.json$/],
    ['gcr.io/p/app:v1', /is not among the 1 digests of attest\.json: it is not named by a digest$/],
  ])('does not hold %s', async (image, message) => {
    const { images } = await run(world({ policy: OPEN }), { attested, uses: [{ image, platform: 'gke' }] });
    expect(images[0]?.reasons.at(-1)).toEqual({
      code: 'NOT_IN_ATTESTED_SET',
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining('by its digest') as string,
    });
  });

  it('holds what a tag on Cloud Run resolves to', async () => {
    const images = { 'gcr.io/p/app:v1': { digest: digest('app') } };
    expect((await run(world({ policy: OPEN, images }), { attested, uses: onCloudRun('gcr.io/p/app:v1') })).verdict).toBe('ALLOWED');
    expect(reference('gcr.io/p/app:v1').digest).toBeUndefined();
  });

  it('refuses also where the policy cannot be read', async () =>
    expect((await run(world({ policy: denied }), { attested: { ...attested, digests: new Set<string>() } })).codes).toEqual([
      'POLICY_NOT_READABLE',
      'NOT_IN_ATTESTED_SET',
    ]));
});
