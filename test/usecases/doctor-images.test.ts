// SPDX-License-Identifier: Apache-2.0
// What doctor finds out about images: what hangs on an attestor's note for them, where else one may be, and what check says.
import { describe, expect, it } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import type { ImageFacts, Question } from '../../src/core/doctor/facts.js';
import type { NoteName, ProjectId } from '../../src/core/names.js';
import { examineImages, type Whereabouts } from '../../src/usecases/steps/examine-image.js';
import { NOTE, ok, PROJECT } from '../support/doctor-facts.js';
import { APP, attest, attestor, failing, MULTI, QUESTION, stranger, world, writesIn, type World } from '../support/examine.js';
import { digest, reference } from '../support/ports.js';

const BY_DIGEST = `${APP}@${digest('app')}`;
const CHILD = `${MULTI}:v1@${digest('arm64')}`;
const NO_CLUSTER = 'the cluster enforces the policy; none was named (--cluster)';
const OTHER_NOTE = 'projects/notary/notes/other' as NoteName;

async function examine(
  made: World,
  image: string,
  question: Partial<Question & Whereabouts> = {},
  attestors: readonly Attestor[] = [attestor],
): Promise<ImageFacts> {
  const [facts, ...others] = await examineImages([reference(image)], attestors, { ...QUESTION, ...question }, made.ports);
  expect(others).toEqual([]);
  expect(writesIn(made)).toEqual([]);
  if (!facts) throw new Error('no facts');
  return facts;
}

describe('the attestations of an image', () => {
  it('that verify settle it: nothing else is looked for', async () => {
    const made = world();
    await attest(made, 'app');
    await attest(made, 'app', { by: stranger });
    await attest(made, 'app', { note: OTHER_NOTE });
    const facts = await examine(made, BY_DIGEST);
    expect(facts).toMatchObject({ asked: reference(BY_DIGEST), resolved: { ok: true, value: { isIndex: false } } });
    expect(facts.attestations).toEqual([
      ok({ attestor, digest: digest('app'), isVerified: true, rejected: [], elsewhere: [], siblings: [] }),
    ]);
    expect(made.asked('stored')).toEqual([]);
  });

  it('that count for nothing are explained, and no other is looked for', async () => {
    const made = world();
    const occurrence = await attest(made, 'app', { by: stranger });
    await attest(made, 'app', { note: OTHER_NOTE });
    const { attestations } = await examine(made, `${APP}:v1@${digest('app')}`);
    expect(attestations).toEqual([
      ok({
        ...{ attestor, digest: digest('app'), isVerified: false, elsewhere: [], siblings: [] },
        rejected: [expect.objectContaining({ code: 'ATTESTED_BY_UNTRUSTED_KEY', attestation: expect.objectContaining({ occurrence }) })],
      }),
    ]);
    expect([made.asked('stored'), made.asked('resolve')]).toEqual([[], [`${APP}:v1@${digest('app')}`]]);
  });

  it.each<[string, Partial<Question>, string]>([
    ['the attestor’s project', {}, 'trust'],
    ['the attestation project', { attestationProject: 'attic' as ProjectId }, 'attic'],
  ])('that lie under another note of %s are found', async (_, question, owner) => {
    const made = world();
    await attest(made, 'other');
    const occurrence = await attest(made, 'app', { note: OTHER_NOTE });
    const { attestations } = await examine(made, BY_DIGEST, question);
    expect(attestations).toEqual([
      ok({
        ...{ attestor, digest: digest('app'), isVerified: false, rejected: [], siblings: [] },
        elsewhere: [expect.objectContaining({ occurrence, note: OTHER_NOTE })],
      }),
    ]);
    expect(made.asked('stored')).toEqual([`${owner} ${digest('app')}`]);
  });

  it('under the same note are not elsewhere', async () => {
    const stored = [NOTE, OTHER_NOTE].map((note) => ({ occurrence: `of ${note}`, note }));
    const made = world({ [`stored trust ${digest('app')}`]: stored });
    const { attestations } = await examine(made, BY_DIGEST);
    expect(attestations).toMatchObject([{ value: { elsewhere: [stored[1]] } }]);
  });

  it('may lie where this run must not look, which says nothing', async () => {
    const made = world({ [`stored trust ${digest('app')}`]: failing('PERMISSION_DENIED') });
    expect((await examine(made, BY_DIGEST)).attestations).toMatchObject([{ ok: true, value: { elsewhere: [], isVerified: false } }]);
  });

  it('that cannot be listed are a fact for each attestor', async () => {
    const other = { ...attestor, note: OTHER_NOTE };
    const made = world({ [`list ${NOTE} ${digest('app')}`]: failing('UNAVAILABLE') });
    const { attestations } = await examine(made, BY_DIGEST, {}, [attestor, other]);
    expect(attestations).toMatchObject([{ ok: false, error: { code: 'UNAVAILABLE' } }, ok({ attestor: other })]);
  });
});

describe('an image that the registry does not show', () => {
  const unresolved = (image: string) => world({ [`resolve ${image}`]: failing('IMAGE_NOT_FOUND') });

  it('is looked up by the digest in its name', async () => {
    const image = `${APP}:v1@${digest('app')}`;
    const made = unresolved(image);
    await attest(made, 'app');
    expect(await examine(made, image)).toMatchObject({
      resolved: { ok: false, error: { code: 'IMAGE_NOT_FOUND' } },
      attestations: [{ ok: true, value: { digest: digest('app'), isVerified: true } }],
    });
  });

  it('cannot be looked up by a tag', async () => {
    const made = unresolved(`${APP}:v1`);
    expect((await examine(made, `${APP}:v1`, { eyes: 'attest' })).attestations).toEqual([]);
    expect([made.asked('list'), made.asked('stored')]).toEqual([[], []]);
  });
});

describe('an image of several platforms', () => {
  const index = digest('multi');

  it('says which of its images are attested where it is not', async () => {
    const made = world();
    await attest(made, 'arm64', { name: MULTI });
    expect((await examine(made, `${MULTI}@${index}`)).attestations).toMatchObject([
      { value: { digest: index, index, isVerified: false, siblings: [{ digest: digest('arm64'), what: 'child' }] } },
    ]);
    expect(made.asked('list').toSorted()).toEqual(
      // Twice the index, once for check's opinion; it is no sibling of its own.
      [index, index, digest('amd64'), digest('arm64')].map((of) => `${NOTE} ${of}`).toSorted(),
    );
  });

  it('is named by the tag beside the digest of one of its images', async () => {
    const made = world();
    await attest(made, 'multi', { name: MULTI });
    await attest(made, 'amd64', { name: MULTI });
    expect((await examine(made, CHILD)).attestations).toMatchObject([
      {
        value: {
          ...{ digest: digest('arm64'), index, rejected: [], elsewhere: [] },
          siblings: [
            { digest: index, what: 'index' },
            { digest: digest('amd64'), what: 'child' },
          ],
        },
      },
    ]);
    expect(made.asked('resolve')).toEqual([CHILD, `${MULTI}:v1`]);
  });

  it.each<[string, string, Record<string, unknown>, readonly string[]]>([
    ['a tag of another index', `${MULTI}:v1@${digest('app')}`, {}, [`${MULTI}:v1`]],
    ['a tag of a single image', `${APP}:v1@${digest('other')}`, {}, [`${APP}:v1`]],
    ['a tag that cannot be resolved', CHILD, { [`resolve ${MULTI}:v1`]: failing('UNAVAILABLE') }, [`${MULTI}:v1`]],
    ['no tag', `${MULTI}@${digest('arm64')}`, {}, []],
    ['no digest', `${APP}:v1`, {}, []],
  ])('is not known by %s', async (_, image, answers, then) => {
    const made = world(answers);
    await attest(made, 'multi', { name: MULTI });
    const { attestations } = await examine(made, image);
    expect(attestations).toMatchObject([{ ok: true, value: { isVerified: false, siblings: [] } }]);
    expect(attestations[0]?.ok && attestations[0].value).not.toHaveProperty('index');
    expect(made.asked('resolve')).toEqual([image, ...then]);
  });

  it('is found out about as well where the registry shows only the tag', async () => {
    const made = world({ [`resolve ${CHILD}`]: failing('UNAVAILABLE') });
    await attest(made, 'multi', { name: MULTI });
    expect((await examine(made, CHILD)).attestations).toMatchObject([
      { value: { digest: digest('arm64'), index, siblings: [{ what: 'index' }] } },
    ]);
  });
});

describe('on Cloud Run', () => {
  const platform = 'cloud-run';
  const cloudRun = { uses: 'project-policy' } as const;

  it('an index is judged by the image for linux/amd64', async () => {
    const made = world();
    await attest(made, 'amd64', { name: MULTI });
    const { attestations, evaluation } = await examine(made, `${MULTI}:v1`, { platform, cloudRun });
    expect(attestations).toMatchObject([{ value: { digest: digest('amd64'), isVerified: true } }]);
    // The enforcer may look for either, so check asks about both.
    expect(evaluation?.verdict).toBe('ALLOWED');
    for (const word of ['multi', 'amd64']) expect(made.asked('list')).toContain(`${NOTE} ${digest(word)}`);
  });

  it('an index without such an image is not judged at all', async () => {
    const children = [{ digest: digest('arm64'), platform: 'linux/arm64' }];
    const value = { reference: { ...reference(`${MULTI}@${digest('multi')}`) }, mediaType: '', isIndex: true, children };
    const made = world({ [`resolve ${MULTI}@${digest('multi')}`]: value });
    const { attestations } = await examine(made, `${MULTI}@${digest('multi')}`, { platform, cloudRun });
    expect(attestations).toEqual([]);
  });

  it('a single image is judged by itself', async () => {
    const made = world();
    await attest(made, 'app');
    const { attestations, evaluation } = await examine(made, `${APP}:v1`, { platform, cloudRun });
    expect(attestations).toMatchObject([{ value: { digest: digest('app'), isVerified: true } }]);
    expect(evaluation?.verdict).toBe('ALLOWED');
  });

  it.each<[string, Partial<Question & Whereabouts>, string]>([
    ['a service that opted out', { cloudRun: { uses: 'nothing' } }, 'NOT_ENFORCED'],
    ['a service under a platform policy', { cloudRun: { uses: 'platform-policy', policy: 'p' } }, 'UNKNOWN'],
    ['a service under the policy', { cloudRun }, 'DENIED'],
  ])('%s decides', async (_, question, verdict) => {
    const { evaluation } = await examine(world(), BY_DIGEST, { platform, ...question });
    expect(evaluation?.verdict).toBe(verdict);
  });

  it('what nobody read of a service or job is assumed', async () => {
    const ref = { key: 'europe-west1.x', location: 'europe-west1', name: 'x' };
    const [service, job] = await Promise.all(
      (['service', 'job'] as const).map((kind) => examine(world(), BY_DIGEST, { platform, cloudRun, target: { kind, ...ref } })),
    );
    const unread = await examine(world(), BY_DIGEST, { platform });
    expect([service, job, unread].map((facts) => facts?.assumptions)).toEqual([
      [],
      [expect.stringMatching(/^Cloud Run checks a job when it is executed, not when it is deployed/)],
      ['the Cloud Run resource has Binary Authorization on, with the project’s policy'],
    ]);
  });
});

describe('what check says of an image', () => {
  const denied = { verdict: 'DENIED', reasons: [{ code: 'IMAGE_NOT_PINNED' }] };

  it.each<[Question['eyes'], object]>([
    ['check', denied],
    // Attest is followed by a deployment of the digest.
    ['attest', { verdict: 'ALLOWED' }],
  ])('takes a tag with the eyes of %s', async (eyes, expected) => {
    const made = world();
    await attest(made, 'app');
    expect((await examine(made, `${APP}:v1`, { eyes })).evaluation).toMatchObject(expected);
  });

  it('takes an image as it is written where it cannot be resolved', async () => {
    const made = world({ [`resolve ${APP}:v1`]: failing('UNAVAILABLE') });
    expect((await examine(made, `${APP}:v1`, { eyes: 'attest' })).evaluation).toMatchObject(denied);
  });

  it('is none where the policy cannot be read, and the attestations are read all the same', async () => {
    const made = world({ [`policy ${PROJECT}`]: failing('PERMISSION_DENIED') });
    await attest(made, 'app');
    const facts = await examine(made, BY_DIGEST);
    expect(facts.evaluation).toMatchObject({ verdict: 'UNKNOWN', reasons: [{ code: 'POLICY_NOT_READABLE' }] });
    expect(facts).toMatchObject({ assumptions: [], attestations: [{ value: { isVerified: true } }] });
  });

  it.each<[string, object, Partial<Question & Whereabouts>]>([
    ['namespace', { kubernetesNamespaceAdmissionRules: { shop: allow() } }, { namespace: 'shop' }],
    ['serviceAccount', { kubernetesServiceAccountAdmissionRules: { 'shop:web': allow() } }, { namespace: 'shop', serviceAccount: 'web' }],
    ['cluster', { clusterAdmissionRules: { 'us-central1-a.prod': allow() } }, { target: cluster() }],
  ])('is of the %s', async (_, rules, place) => {
    const policy = { defaultAdmissionRule: { ...allow(), evaluationMode: 'ALWAYS_DENY' }, ...rules };
    const here = await examine(world({ [`policy ${PROJECT}`]: policy }), BY_DIGEST, place);
    expect(here.evaluation?.verdict).toBe('ALLOWED');
    const elsewhere = await examine(world({ [`policy ${PROJECT}`]: policy }), BY_DIGEST, { namespace: 'other', serviceAccount: 'other' });
    expect(elsewhere.evaluation?.verdict).not.toBe('ALLOWED');
  });

  it('is for each image its own', async () => {
    const made = world();
    await attest(made, 'app');
    const images = [BY_DIGEST, `${APP}:v1`, BY_DIGEST].map(reference);
    const facts = await examineImages(images, [attestor], QUESTION, made.ports);
    expect(facts.map(({ asked, evaluation }) => [asked.original, evaluation?.verdict])).toEqual([
      [BY_DIGEST, 'ALLOWED'],
      [`${APP}:v1`, 'DENIED'],
      [BY_DIGEST, 'ALLOWED'],
    ]);
  });

  it('without an image is not asked for', async () => {
    const made = world();
    expect(await examineImages([], [attestor], QUESTION, made.ports)).toEqual([]);
    expect(made.calls).toEqual([]);
  });

  it('comes with what it takes for granted, of the policy and of the evidence', async () => {
    const made = world();
    await attest(made, 'app');
    made.ports.attestors.answers.push(failing('PERMISSION_DENIED'));
    const judged = await examine(made, BY_DIGEST);
    const undecided = await examine(world({ [`policy ${PROJECT}`]: { defaultAdmissionRule: allow() } }), BY_DIGEST);
    expect([judged, undecided].map(({ assumptions }) => assumptions)).toEqual([
      [NO_CLUSTER, `the local verification stands for ${attestor.name}: cannot: PERMISSION_DENIED`],
      [NO_CLUSTER],
    ]);
  });
});

function allow() {
  return { evaluationMode: 'ALWAYS_ALLOW', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' };
}

function cluster(): NonNullable<Question['target']> {
  return { kind: 'cluster', key: 'us-central1-a.prod', location: 'us-central1-a', name: 'prod' };
}
