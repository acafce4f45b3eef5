// SPDX-License-Identifier: Apache-2.0
// The use case around the evaluation: what is read, how often, and what happens when it cannot be read.
import { describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { BinauthzError } from '../../src/core/errors.js';
import { parsePolicy } from '../../src/core/policy/parse.js';
import {
  attest,
  attestor,
  cluster,
  denied,
  IMAGE,
  missing,
  policyWith,
  project,
  rule,
  run,
  sharing,
  world,
  type World,
} from '../support/check.js';
import { digest, testKey } from '../support/ports.js';

describe('check', () => {
  it('denies, and allows once the attestation is there, with what was looked at', async () => {
    const here = world();
    expect(await run(here)).toMatchObject({ verdict: 'DENIED', codes: ['NO_TRUSTED_ATTESTATION'] });
    const occurrence = await attest(here.ports);
    const result = await run(here);
    expect(result).toMatchObject({ verdict: 'ALLOWED', policy: 'projects/p/policy' });
    expect(result.images[0]?.occurrences).toMatchObject([{ occurrence, verified: true, validated: 'google' }]);
    expect(result.images[0]?.digest).toBe(digest('app'));
  });

  it('reads each attestor, listing and policy once for any number of uses', async () => {
    const here = world();
    const uses = Array.from({ length: 500 }, (_, line): ImageUse => ({
      image: `gcr.io/p/app@${digest(`app ${line % 3}`)}`,
      platform: 'gke',
      namespace: `ns-${line % 7}`,
      source: { file: 'all.yaml', line, kind: 'Pod', name: `pod-${line}`, container: 'c', containerType: 'container' },
    }));
    const [first, ...rest] = uses;
    const result = await run(here, { uses: [first!, ...rest] });
    expect(result.images.reduce((sum, { sources }) => sum + sources.length, 0)).toBe(500);
    expect(here.calls.sort()).toEqual([
      'attestor projects/p/attestors/ci',
      ...[0, 1, 2].map((word) => `list ${attestor.note} ${digest(`app ${word}`)}`).sort(),
      'policy',
    ]);
  });

  it.each([
    ['permission', denied],
    ['an answer', new BinauthzError('UNAVAILABLE', 'no answer')],
    ['sense', { defaultAdmissionRule: {} }],
  ])('without %s about the policy is UNKNOWN', async (_title, policy) => {
    expect(await run(world({ policy }))).toMatchObject({ verdict: 'UNKNOWN', codes: ['POLICY_NOT_READABLE'] });
  });

  it.each([
    ['the attestor', (here: World) => (here.ports.attestors.attestor = () => Promise.reject(denied))],
    ['the listing', (here: World) => (here.ports.attestations.listOfNote = () => Promise.reject(denied))],
  ])('without permission to read %s is UNKNOWN, with the cause', async (_title, forbid) => {
    const here = world();
    forbid(here);
    const result = await run(here);
    expect(result).toMatchObject({ verdict: 'UNKNOWN', codes: ['EVIDENCE_MISSING'] });
    expect(result.images[0]?.reasons[0]?.message).toContain('no permission');
  });

  it('whose attestor is gone is UNKNOWN', async () => {
    const policy = policyWith({ defaultAdmissionRule: rule('REQUIRE_ATTESTATION', 'projects/p/attestors/gone') });
    expect(await run(world({ policy }))).toMatchObject({ verdict: 'UNKNOWN', codes: ['ATTESTOR_MISSING'] });
  });

  it('judges a policy from a file without reading the live one', async () => {
    const here = world();
    const { policy } = parsePolicy({ defaultAdmissionRule: rule('ALWAYS_DENY') }, { from: 'file', project });
    expect(await run(here, { policy: { file: 'policy.yaml', policy: policy! } })).toMatchObject({
      verdict: 'DENIED',
      policy: 'policy.yaml',
    });
    expect(here.calls).not.toContain('policy');
  });
});

describe('Google’s validation', () => {
  it.each([
    ['says no', { result: 'not-verifiable' as const, reason: 'because' }, 'UNKNOWN', 'VALIDATION_DISAGREES'],
    ['says nothing', { result: 'unspecified' as const, reason: '' }, 'UNKNOWN', 'VALIDATION_UNDECIDED'],
  ])('that %s to what verifies here makes it UNKNOWN', async (_title, answer, verdict, code) => {
    const here = world();
    await attest(here.ports);
    here.ports.attestors.answers.push(answer);
    expect(await run(here)).toMatchObject({ verdict, codes: [code] });
  });

  it('that may not be asked leaves the local verdict, as an assumption', async () => {
    const here = world();
    await attest(here.ports);
    here.ports.attestors.answers.push(denied);
    const result = await run(here);
    expect(result.verdict).toBe('ALLOWED');
    expect(result.assumptions.join(' ')).toContain('the local verification stands');
    expect(result.images[0]?.occurrences).toMatchObject([{ validated: 'local' }]);
  });

  it('needs to accept only one of several', async () => {
    const here = world();
    await attest(here.ports);
    await attest(here.ports);
    here.ports.attestors.answers.push({ result: 'not-verifiable', reason: 'no' });
    expect((await run(here)).verdict).toBe('ALLOWED');
  });

  it('is not outvoted by attestations that it was not asked about', async () => {
    const here = world();
    for (let count = 0; count < 70; count++) await attest(here.ports);
    here.ports.attestors.answers.push(...Array.from({ length: 60 }, () => ({ result: 'not-verifiable', reason: 'no' }) as const));
    expect(await run(here)).toMatchObject({ verdict: 'UNKNOWN', codes: ['VALIDATION_DISAGREES'] });
    expect(here.ports.attestors.validations).toBe(60);
  });

  it('is not outvoted where it may no longer be asked', async () => {
    const here = world();
    await attest(here.ports);
    await attest(here.ports);
    here.ports.attestors.answers.push({ result: 'unspecified', reason: '' }, denied);
    expect(await run(here)).toMatchObject({ verdict: 'UNKNOWN', codes: ['VALIDATION_UNDECIDED'] });
  });

  it('is asked about nothing that does not verify here', async () => {
    const here = world();
    await attest(here.ports, 'app', testKey('//stranger'));
    expect((await run(here)).verdict).toBe('DENIED');
    expect(here.ports.attestors.validations).toBe(0);
  });
});

describe('attestors that share a note', () => {
  it('share its listing, and nothing else', async () => {
    const here = world({ policy: policyWith({ defaultAdmissionRule: rule('REQUIRE_ATTESTATION', attestor.name, sharing.name) }) });
    await attest(here.ports);
    const result = await run(here);
    expect(result).toMatchObject({ verdict: 'DENIED', codes: ['NO_TRUSTED_ATTESTATION'] });
    expect(result.images[0]?.reasons[0]?.attestor).toBe(sharing.name);
    expect(here.calls.filter((call) => call.startsWith('list '))).toHaveLength(1);
  });
});

describe('the cluster', () => {
  it.each<[string, unknown, string, string | undefined]>([
    ['that enforces', { evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE', enabled: false }, 'DENIED', undefined],
    ['that only monitors', { evaluationMode: 'POLICY_BINDINGS', enabled: false }, 'NOT_ENFORCED', 'CLUSTER_NOT_ENFORCING'],
    ['with the old switch on', { evaluationMode: '', enabled: true }, 'DENIED', undefined],
    ['with nothing set', { evaluationMode: '', enabled: false }, 'NOT_ENFORCED', 'CLUSTER_NOT_ENFORCING'],
    ['that does not exist', missing, 'UNKNOWN', 'CLUSTER_NOT_FOUND'],
    ['that may not be read', denied, 'DENIED', undefined],
    ['whose API is away', new BinauthzError('UNAVAILABLE', 'away'), 'DENIED', undefined],
  ])('%s: %s', async (_title, setting, verdict, code) => {
    const result = await run(world({ cluster: setting }), { cluster });
    expect(result.verdict).toBe(verdict);
    if (code !== undefined) expect(result.codes).toContain(code);
    if (setting instanceof Error && setting !== missing) expect(result.assumptions.join(' ')).toContain('us-central1-a.prod');
  });
});

describe('the system policy', () => {
  const using = policyWith({ globalPolicyEvaluationMode: 'ENABLE' });

  it('is read for the cluster’s region, and exempts', async () => {
    const here = world({ policy: using, system: { admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }] } });
    expect((await run(here, { cluster })).verdict).toBe('ALLOWED');
    expect(here.calls).toContain('system us-central1');
  });

  it('that cannot be read makes a denial UNKNOWN, after "global" was tried', async () => {
    const here = world({ policy: using, system: denied });
    expect((await run(here, { cluster })).verdict).toBe('UNKNOWN');
    expect(here.calls.filter((call) => call.startsWith('system'))).toEqual(['system us-central1', 'system global']);
  });

  it('is not read where the policy does not use it', async () => {
    const here = world();
    await run(here, { cluster });
    expect(here.calls.filter((call) => call.startsWith('system'))).toEqual([]);
  });
});

describe('Cloud Run', () => {
  const service = (image: string, cloudRun: ImageUse['cloudRun'] = { uses: 'project-policy' }): readonly [ImageUse] => [
    { image, platform: 'cloud-run', cloudRun },
  ];

  it('resolves a tag, and judges the linux/amd64 child of an index', async () => {
    const images = {
      'gcr.io/p/app:v1': {
        digest: digest('index'),
        isIndex: true,
        children: [
          { digest: digest('arm'), platform: 'linux/arm64' },
          { digest: digest('app'), platform: 'linux/amd64' },
        ],
      },
    };
    const here = world({ images });
    await attest(here.ports, 'index');
    expect(await run(here, { uses: service('gcr.io/p/app:v1') })).toMatchObject({
      verdict: 'DENIED',
      codes: ['PLATFORM_CHILD_NOT_ATTESTED'],
    });
    await attest(here.ports, 'app');
    const result = await run(here, { uses: service('gcr.io/p/app:v1') });
    expect(result.images).toMatchObject([{ verdict: 'ALLOWED', digest: digest('index'), childDigest: digest('app') }]);
  });

  it('that cannot be resolved is UNKNOWN', async () => {
    expect(await run(world(), { uses: service('gcr.io/p/app:v9') })).toMatchObject({ verdict: 'UNKNOWN', codes: ['IMAGE_NOT_RESOLVED'] });
  });

  it('that did not opt in is NOT_ENFORCED', async () => {
    expect(await run(world(), { uses: service(IMAGE, { uses: 'nothing' }) })).toMatchObject({
      verdict: 'NOT_ENFORCED',
      codes: ['SERVICE_NOT_OPTED_IN'],
    });
  });
});

describe('waiting', () => {
  it('ends as soon as the missing attestation is there', async () => {
    const here = world();
    const sleep = here.ports.clock.sleep.bind(here.ports.clock);
    let rounds = 0;
    here.ports.clock.sleep = async (ms) => {
      await sleep(ms);
      rounds += 1;
      if (rounds === 3) await attest(here.ports);
    };
    expect((await run(here, { waitTimeoutMs: 600_000 })).verdict).toBe('ALLOWED');
    expect(rounds).toBe(3);
  });

  it('is not in vain where the attested set refuses the image in any case', async () => {
    const here = world();
    const startedAt = here.ports.clock.now();
    const attested = { file: 'attest.json', digests: new Set<string>([digest('other')]) };
    expect((await run(here, { attested, waitTimeoutMs: 30_000 })).codes).toEqual(['NO_TRUSTED_ATTESTATION', 'NOT_IN_ATTESTED_SET']);
    expect(here.ports.clock.now()).toBe(startedAt);
  });

  it('ends at the deadline', async () => {
    const here = world();
    const startedAt = here.ports.clock.now();
    expect((await run(here, { waitTimeoutMs: 30_000 })).verdict).toBe('DENIED');
    expect(here.ports.clock.now() - startedAt).toBe(30_000);
  });

  it('does not wait for what no attestation can change', async () => {
    const here = world();
    const startedAt = here.ports.clock.now();
    const uses = [
      { image: IMAGE, platform: 'gke' },
      { image: 'gcr.io/p/app:v1', platform: 'gke' },
    ] as const;
    expect((await run(here, { uses, waitTimeoutMs: 30_000 })).verdict).toBe('DENIED');
    expect(here.ports.clock.now()).toBe(startedAt);
  });
});

describe('the attested set', () => {
  it('denies every image that this pipeline did not attest, also an exempt one', async () => {
    const here = world({ policy: policyWith({ defaultAdmissionRule: rule('ALWAYS_ALLOW') }) });
    const attested = { file: 'attest.json', digests: new Set<string>([digest('app')]) };
    expect((await run(here, { attested })).verdict).toBe('ALLOWED');
    const uses = [
      { image: IMAGE, platform: 'gke' },
      { image: 'docker.io/library/nginx:1', platform: 'gke' },
    ] as const;
    const result = await run(here, { attested, uses });
    expect(result.images.map(({ verdict }) => verdict)).toEqual(['ALLOWED', 'DENIED']);
    expect(result.codes).toContain('NOT_IN_ATTESTED_SET');
  });
});

describe('platform policies', () => {
  it('stand beside the verdict, never in its place', async () => {
    const here = world({ policy: policyWith({ defaultAdmissionRule: rule('ALWAYS_ALLOW') }) });
    const result = await run(here, { platformPolicies: ['projects/p/platforms/gke/policies/x'] });
    expect([result.verdict, result.platformPolicies]).toMatchObject([
      'ALLOWED',
      [{ verdict: 'UNKNOWN', results: [{ explanation: 'not allowed' }] }],
    ]);
  });
});
