// SPDX-License-Identifier: Apache-2.0
// What a check rests on: the assumptions that it states and no others, what it reads and what not, and what it waits for.
import { describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { BinauthzError } from '../../src/core/errors.js';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import { assumptionsFor } from '../../src/core/policy/assumptions.js';
import {
  attest,
  attestor,
  cluster,
  denied,
  IMAGE,
  key,
  policyWith,
  rule,
  run,
  second,
  sharing,
  world,
  type World,
} from '../support/check.js';
import { digest, reference, testKey } from '../support/ports.js';

const OPEN = policyWith({ defaultAdmissionRule: rule('ALWAYS_ALLOW') });
const cancelled = new BinauthzError('CANCELLED', 'the run was cancelled');
const standing = (attestors: boolean, systemPolicy = false): readonly string[] =>
  assumptionsFor('gke', { attestors, systemPolicy, ephemeral: false });

/** Stores an attestation of IMAGE with a payload of a type that Google does not publish: it counts, with a doubt. */
async function attestDoubtfully({ ports }: World): Promise<string> {
  const payload = encodePayload({ ...payloadFor(pin(reference(IMAGE), digest('app'))), type: 'of another kind' });
  const [signer] = key.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  const signatures = [{ publicKeyId: key.entry.id, bytes }];
  return ports.attestations.plant({ note: attestor.note, resourceUri: `https://${IMAGE}`, payload, signatures });
}

describe('the assumptions', () => {
  it('are the standing ones where nothing was taken for granted on the way', async () => {
    const attested = world();
    await attest(attested.ports);
    expect((await run(attested, { cluster })).assumptions).toEqual(standing(true));
    expect((await run(world(), { cluster })).assumptions).toEqual(standing(true));
    expect((await run(world({ policy: OPEN }), { cluster })).assumptions).toEqual(standing(false));
    expect((await run(world({ policy: { ...OPEN, globalPolicyEvaluationMode: 'ENABLE' } }), { cluster })).assumptions).toEqual(
      standing(false, true),
    );
  });

  it('of attestors are stated where one of several images needed one', async () => {
    const here = world({ policy: policyWith({ admissionWhitelistPatterns: [{ namePattern: 'gcr.io/exempt/*' }] }) });
    const uses = ['gcr.io/exempt/app:v1', IMAGE].map((image) => ({ image, platform: 'gke' as const }));
    expect((await run(here, { uses: uses as never, cluster })).assumptions).toEqual(standing(true));
  });

  it('of an attestor that is not there are no others, and there is nothing to list', async () => {
    const gone = policyWith({ defaultAdmissionRule: rule('REQUIRE_ATTESTATION', 'projects/p/attestors/gone') });
    const { assumptions, images } = await run(world({ policy: gone }), { cluster });
    expect([assumptions, images[0]?.occurrences]).toEqual([standing(true), []]);
  });

  it('of a policy that cannot be read are no others, and nothing is warned of', async () => {
    const here = world({ policy: denied });
    const { assumptions, images } = await run(here, { cluster });
    expect([assumptions, here.ports.said]).toEqual([standing(false), []]);
    expect(images).toMatchObject([{ verdict: 'UNKNOWN', rule: '', occurrences: [] }]);
  });

  it('name what counts in spite of a doubt, unless Google says that it does', async () => {
    const here = world();
    const occurrence = await attestDoubtfully(here);
    here.ports.attestors.answers.push(denied);
    const { verdict, assumptions } = await run(here, { cluster });
    expect([verdict, assumptions.slice(0, 2)]).toEqual([
      'ALLOWED',
      [
        expect.stringMatching(new RegExp(`^${occurrence} counts although .*of another kind`)),
        `the local verification stands for ${attestor.name}: no permission`,
      ],
    ]);
    const sure = world();
    await attestDoubtfully(sure);
    expect((await run(sure, { cluster })).assumptions).toEqual(standing(true));
  });
});

describe('an attestation', () => {
  it('that nobody signed has no key', async () => {
    const here = world();
    await attest(here.ports);
    here.ports.attestations.stored[0] = { ...here.ports.attestations.stored[0]!, signatures: [] };
    const { images } = await run(here);
    expect(images[0]?.occurrences).toMatchObject([{ publicKeyId: '', verified: false, reason: { code: 'NO_SIGNATURE' } }]);
    expect(images[0]?.occurrences[0]).not.toHaveProperty('createTime');
  });

  it('that counts is named in the reason, and an attestor without a key is told why', async () => {
    const here = world();
    const occurrence = await attest(here.ports);
    const reasonsOf = async () => (await run(here)).images[0]?.reasons.map(({ message }) => message).join();
    expect(await reasonsOf()).toContain(`${occurrence} verifies`);
    here.ports.attestors.attestor = () => Promise.resolve({ ...attestor, keys: [] });
    expect(await reasonsOf()).toContain('the attestor trusts no key, so it is never satisfied');
  });

  it('that does not count is still listed beside one of another attestor', async () => {
    const here = world({ policy: policyWith({ defaultAdmissionRule: rule('REQUIRE_ATTESTATION', attestor.name, sharing.name) }) });
    await attest(here.ports, 'app', testKey('//stranger'));
    const { images } = await run(here);
    expect(images[0]?.occurrences.map(({ attestor: name }) => name)).toEqual([attestor.name, sharing.name]);
  });
});

describe('the system policy', () => {
  it('that is not understood is told with all that is wrong with it', async () => {
    const policy = policyWith({ globalPolicyEvaluationMode: 'ENABLE' });
    const { images } = await run(world({ policy, system: { admissionWhitelistPatterns: [7, 'gcr.io/*'] } }), { cluster });
    const messages = images.flatMap(({ reasons }) => reasons.map(({ message }) => message));
    expect(messages).toContainEqual(expect.stringMatching(/^Google’s system policy, .* could not be read: .*\[0\].*; .*\[1\]/));
  });
});

describe('the policy', () => {
  it('that is not understood is told with all that is wrong with it', async () => {
    const { images } = await run(world({ policy: { defaultAdmissionRule: { evaluationMode: 'NEVER', enforcementMode: 'NEVER' } } }));
    expect(images[0]?.reasons[0]?.message).toMatch(/^the policy of p is not understood: .*evaluationMode.*; .*enforcementMode/);
  });
});

describe('the registry', () => {
  it('is not asked about images on GKE, which resolves no tag', async () => {
    const asked: string[] = [];
    const here = world({ policy: OPEN, images: { 'gcr.io/p/app:v1': { digest: digest('app') } } });
    const resolve = here.ports.registry.resolve.bind(here.ports.registry);
    here.ports.registry.resolve = (wanted) => (asked.push(wanted.original), resolve(wanted));
    const uses = [
      { image: 'gcr.io/p/app:v1', platform: 'gke' },
      { image: 'gcr.io/p/app:v1', platform: 'cloud-run', cloudRun: { uses: 'project-policy' } },
    ] as const;
    const { images } = await run(here, { uses });
    expect([asked, images.map(({ digest: found }) => found)]).toEqual([['gcr.io/p/app:v1'], [undefined, digest('app')]]);
  });
});

describe('an index on Cloud Run', () => {
  it('that holds no image for it is UNKNOWN, attested or not', async () => {
    const image = `gcr.io/p/arm@${digest('index')}`;
    const children = [{ digest: digest('arm'), platform: 'linux/arm64' }];
    const here = world({ images: { [image]: { digest: digest('index'), isIndex: true, children } } });
    await attest(here.ports, 'index');
    const { verdict, codes, images } = await run(here, { uses: [{ image, platform: 'cloud-run', cloudRun: { uses: 'project-policy' } }] });
    expect([verdict, codes, images[0]?.occurrences]).toEqual(['UNKNOWN', ['IMAGE_NOT_RESOLVED'], []]);
  });
});

describe('attestors that share a key', () => {
  it('are warned of for each rule that requires them together', async () => {
    const policy = policyWith({
      kubernetesNamespaceAdmissionRules: {
        one: rule('REQUIRE_ATTESTATION', attestor.name, second.name),
        two: rule('REQUIRE_ATTESTATION', attestor.name, sharing.name),
      },
    });
    const here = world({ policy });
    const uses = ['one', 'two'].map((namespace) => ({ image: IMAGE, platform: 'gke' as const, namespace }));
    await run(here, { uses: uses as never });
    expect(here.ports.said.filter((text) => text.includes('trust the same key'))).toEqual([
      expect.stringContaining(`${attestor.name} and ${second.name} trust the same key`),
    ]);
  });
});

describe('a wait', () => {
  const waited = async (here: World, uses?: readonly [ImageUse]): Promise<number> => {
    await run(here, { waitTimeoutMs: 3_000, ...(uses === undefined ? {} : { uses }) });
    return here.ports.clock.pauses.reduce((sum, ms) => sum + ms, 0);
  };

  it('is for the attestor that is missing beside one that is there', async () => {
    const both = rule('REQUIRE_ATTESTATION', attestor.name, second.name);
    const here = world({ policy: policyWith({ defaultAdmissionRule: both }) });
    await attest(here.ports);
    expect(await waited(here)).toBe(3_000);
  });

  it('is for the image that Cloud Run runs of an index', async () => {
    const children = [{ digest: digest('app'), platform: 'linux/amd64' }];
    const here = world({ images: { 'gcr.io/p/app:v1': { digest: digest('index'), isIndex: true, children } } });
    await attest(here.ports, 'index');
    expect(await waited(here, [{ image: 'gcr.io/p/app:v1', platform: 'cloud-run', cloudRun: { uses: 'project-policy' } }])).toBe(3_000);
  });

  it('is for an attestation also where break-glass does not act', async () => {
    const breakGlass = { by: 'label', value: 'yes', isEffective: false } as const;
    expect(await waited(world(), [{ image: IMAGE, platform: 'gke', breakGlass }])).toBe(3_000);
  });

  it('says how many images it is for', async () => {
    const here = world();
    await attest(here.ports);
    const uses = ['app', 'b', 'c'].map((word) => ({ image: `gcr.io/p/app@${digest(word)}`, platform: 'gke' as const }));
    await run(here, { uses: uses as never, waitTimeoutMs: 500 });
    expect(here.ports.said.filter((text) => text.includes('looking again'))).toEqual([
      '2 images lack attestations; looking again in 500 ms',
    ]);
  });

  it('is for no attestor without a key, and for nothing that is allowed', async () => {
    const keyless = world();
    keyless.ports.attestors.attestor = () => Promise.resolve({ ...attestor, keys: [] });
    expect(await waited(keyless)).toBe(0);
    expect(await waited(world({ policy: OPEN }))).toBe(0);
  });

  it('that is cut short by the end of the run fails as cancelled', async () => {
    const here = world();
    here.ports.clock.sleep = () => Promise.reject(cancelled);
    await expect(run(here, { waitTimeoutMs: 3_000 })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a platform policy', () => {
  it('that was not asked about every workload before the run was cancelled is not CONFORMANT', async () => {
    const here = world({ policy: OPEN });
    here.ports.policies.evaluatePlatform = (_policy, resource) =>
      resource === 'first' ? Promise.resolve({ verdict: 'CONFORMANT', images: [] }) : Promise.reject(cancelled);
    const workloads = ['first', 'second'].map((name) => ({ name: `Pod/${name}`, resource: name }));
    const { platformPolicies } = await run(here, { platformPolicies: ['projects/p/platforms/gke/policies/x'], workloads });
    expect(platformPolicies).toMatchObject([{ verdict: 'UNKNOWN', results: [{ workload: 'Pod/second', verdict: 'UNKNOWN' }] }]);
  });
});
