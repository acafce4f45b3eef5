// SPDX-License-Identifier: Apache-2.0
// The evidence that a check gathers: which attestations count, what Google says of them, and how often it is asked.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { attest, attestor, denied, IMAGE, key, policyWith, rule, run, world } from '../support/check.js';
import { digest, testKey } from '../support/ports.js';

const OPEN = policyWith({ defaultAdmissionRule: rule('ALWAYS_ALLOW'), globalPolicyEvaluationMode: 'ENABLE' });
const failing = (code: ErrorCode, hint?: string) => new BinauthzError(code, `cannot: ${code}`, hint === undefined ? {} : { hint });

describe('evidence', () => {
  it('of an attestor without a key is that it is never satisfied', async () => {
    const here = world();
    here.ports.attestors.attestor = () => Promise.resolve({ ...attestor, keys: [] });
    const { verdict, images } = await run(here);
    expect([verdict, images[0]?.reasons]).toMatchObject(['DENIED', [{ code: 'ATTESTOR_HAS_NO_KEY' }]]);
    expect(here.ports.attestations.lists).toBe(0);
  });

  it('that does not count is listed with its reason, and the nearest is named', async () => {
    const here = world();
    const occurrence = await attest(here.ports, 'app', testKey('//stranger'));
    const { images } = await run(here);
    expect(images[0]?.occurrences).toStrictEqual([
      {
        attestor: attestor.name,
        occurrence,
        digest: digest('app'),
        publicKeyId: '//stranger',
        verified: false,
        reason: expect.objectContaining({ code: 'UNKNOWN_KEY_ID' }) as object,
      },
    ]);
    expect(images[0]?.reasons[0]?.message).toContain(occurrence);
    expect((await run(world())).images[0]?.reasons[0]?.message).toContain(`its note ${attestor.note} holds none for this digest`);
  });

  it('that counts is listed first, with its time', async () => {
    const here = world();
    await attest(here.ports, 'app', testKey('//stranger'));
    const occurrence = await attest(here.ports);
    const [, good] = here.ports.attestations.stored;
    here.ports.attestations.stored[1] = { ...good!, createTime: '2026-11-20T00:00:00Z' };
    expect((await run(here)).images[0]?.occurrences).toMatchObject([
      { occurrence, publicKeyId: key.entry.id, verified: true, validated: 'google', createTime: '2026-11-20T00:00:00Z' },
      { verified: false },
    ]);
  });

  it.each([
    [
      { result: 'not-verifiable' as const, reason: 'because' },
      'VALIDATION_DISAGREES',
      /verifies here under \/\/trusted, but Google's validation says because$/,
    ],
    [
      { result: 'unspecified' as const, reason: '' },
      'VALIDATION_UNDECIDED',
      /verifies here, but Google's validation says no, without a reason$/,
    ],
  ])('that Google does not confirm is listed as unverified (%#)', async (answer, code, message) => {
    const here = world();
    await attest(here.ports);
    here.ports.attestors.answers.push(answer);
    const { images } = await run(here);
    expect(images[0]?.occurrences).toMatchObject([
      { verified: false, reason: { code, message: expect.stringMatching(message) as string } },
    ]);
    expect(images[0]?.occurrences[0]).not.toHaveProperty('validated');
    expect(images[0]?.reasons[0]?.message).toMatch(message);
  });

  it('is asked about once where one attestation counts, and no more where Google may not be asked', async () => {
    const here = world();
    await attest(here.ports);
    await attest(here.ports);
    await run(here);
    expect(here.ports.attestors.validations).toBe(1);
    const uses = [IMAGE, `gcr.io/p/app@${digest('b')}`].map((image) => ({ image, platform: 'gke' as const }));
    // The first image is judged again with every look for the second one's attestation.
    const forbidden = world();
    await attest(forbidden.ports);
    forbidden.ports.attestors.answers.push(denied);
    expect((await run(forbidden, { uses: uses as never, waitTimeoutMs: 5_000 })).images.map(({ verdict }) => verdict)).toEqual([
      'ALLOWED',
      'DENIED',
    ]);
    expect(forbidden.ports.attestors.validations).toBe(1);
    const broken = world();
    await attest(broken.ports);
    broken.ports.attestors.answers.push(failing('UNAVAILABLE'));
    expect(await run(broken)).toMatchObject({ verdict: 'UNKNOWN', codes: ['EVIDENCE_MISSING'] });
  });

  it('is gathered once for each attestor and digest', async () => {
    const here = world();
    await attest(here.ports);
    const uses = ['a', 'b', 'c'].map((namespace) => ({ image: IMAGE, platform: 'gke' as const, namespace }));
    await run(here, { uses: uses as never });
    expect(here.ports.attestors.validations).toBe(1);
  });
});

describe('a wait', () => {
  it('says how many images it is for, and is not begun for one that nobody can judge', async () => {
    const here = world();
    const allowed = `gcr.io/p/app@${digest('b')}`;
    await attest(here.ports, 'b');
    const uses = [IMAGE, allowed].map((image) => ({ image, platform: 'gke' as const }));
    await run(here, { uses: uses as never, waitTimeoutMs: 3_000 });
    expect(here.ports.said.filter((text) => text.includes('looking again'))[0]).toMatch(
      /^1 images lack attestations; looking again in \d+ ms$/,
    );
    expect(here.ports.clock.pauses.reduce((sum, ms) => sum + ms, 0)).toBe(3_000);

    const doubtful = world();
    doubtful.ports.attestations.listOfNote = (_note, of) => (of === digest('b') ? Promise.reject(denied) : Promise.resolve([]));
    expect((await run(doubtful, { uses: uses as never, waitTimeoutMs: 3_000 })).verdict).toBe('DENIED');
    expect(doubtful.ports.clock.pauses).toEqual([]);
  });
});

describe('platform policies', () => {
  const POLICY = 'projects/p/platforms/gke/policies/x';
  type Verdict = 'CONFORMANT' | 'UNKNOWN' | 'ERROR' | 'NON_CONFORMANT';

  async function asked(verdicts: readonly (Verdict | Error)[], members: Parameters<typeof run>[1] = {}) {
    const here = world({ policy: OPEN });
    const resources: unknown[] = [];
    const answers = [...verdicts];
    here.ports.policies.evaluatePlatform = (_policy, resource) => {
      resources.push(resource);
      const verdict = answers.shift() ?? 'CONFORMANT';
      if (verdict instanceof Error) return Promise.reject(verdict);
      return Promise.resolve({ verdict, images: [{ image: IMAGE, verdict, explanation: 'so' }] });
    };
    const workloads = verdicts.map((_, index) => ({ name: `Pod/${index}`, resource: { index } }));
    const { platformPolicies } = await run(here, { platformPolicies: [POLICY], workloads, ...members });
    return { resources, platformPolicies };
  }

  it.each<[Verdict, readonly (Verdict | Error)[]]>([
    ['NON_CONFORMANT', ['CONFORMANT', 'NON_CONFORMANT', 'ERROR']],
    ['ERROR', ['ERROR', 'CONFORMANT', 'UNKNOWN']],
    ['UNKNOWN', ['CONFORMANT', denied]],
    ['CONFORMANT', ['CONFORMANT', 'CONFORMANT']],
  ])('are %s by the worst of their workloads', async (verdict, verdicts) => {
    const { platformPolicies, resources } = await asked(verdicts);
    expect(platformPolicies).toMatchObject([{ policy: POLICY, verdict }]);
    expect(platformPolicies?.[0]?.results.map(({ workload }) => workload)).toEqual(verdicts.map((_, index) => `Pod/${index}`));
    expect(resources).toEqual(verdicts.map((_, index) => ({ index })));
  });

  it('are asked about images alone as one Pod with all of them', async () => {
    const images = [IMAGE, 'gcr.io/p/other:v1', IMAGE].map((image, index) => ({ image, platform: 'gke' as const, namespace: `n${index}` }));
    const { resources, platformPolicies } = await asked(['CONFORMANT'], { workloads: [], uses: images as never });
    const containers = [IMAGE, 'gcr.io/p/other:v1'].map((image, index) => ({ name: `image-${index + 1}`, image }));
    expect(resources).toEqual([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: '' }, spec: { containers } }]);
    expect(platformPolicies?.[0]?.results).toEqual([{ workload: 'Pod', image: IMAGE, verdict: 'CONFORMANT', explanation: 'so' }]);
  });

  it('that did not answer are UNKNOWN, with the cause', async () => {
    const { platformPolicies } = await asked([denied]);
    expect(platformPolicies).toEqual([
      {
        policy: POLICY,
        verdict: 'UNKNOWN',
        results: [{ workload: 'Pod/0', image: 'Pod/0', verdict: 'UNKNOWN', explanation: 'no permission' }],
      },
    ]);
  });
});
