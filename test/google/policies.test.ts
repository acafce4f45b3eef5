// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectId } from '../../src/core/names.js';
import { createPolicyService } from '../../src/google/binary-authorization.js';
import { errorOf, googleOn } from './google.js';
import { googleError, startStub, type Stub } from './stub-server.js';

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const POLICY = 'projects/p/platforms/gke/policies/cv';
const service = () => createPolicyService(googleOn(stub.host).google);
const evaluate = (resource: unknown = {}) => service().evaluatePlatform(POLICY, resource);

describe('documents', () => {
  it('come as they are', async () => {
    const document = { name: 'projects/p/policy', newMember: { of: ['the future'] } };
    stub.plan({ body: document });
    expect(await service().project('p' as ProjectId)).toEqual(document);
    expect(await service().system('us-central1')).toEqual(document);
    expect(stub.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/projects/p/policy',
      'GET /v1/locations/us-central1/policy',
    ]);
  });

  it.each([
    [403, 'PERMISSION_DENIED', 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND', 'PROJECT_NOT_FOUND'],
  ])('of a project that answers %i', async (status, name, code) => {
    stub.plan({ status, body: googleError(status, name, 'no') });
    expect(await errorOf(service().project('p' as ProjectId))).toMatchObject({ code, resource: 'projects/p/policy' });
  });

  it.each([
    [404, 'NOT_FOUND'],
    [400, 'INVALID_ARGUMENT'],
  ])('of a system location that answers %i', async (status, name) => {
    stub.plan({ status, body: googleError(status, name, 'no') });
    expect(await errorOf(service().system('x'))).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('region') });
  });
});

describe('evaluation', () => {
  it('sends the object as it is', async () => {
    const resource = { kind: 'Pod', metadata: { labels: { 'a/b_c': 'd' } }, spec: {} };
    stub.plan({ body: { verdict: 'CONFORMANT' } });
    expect(await evaluate(resource)).toEqual({ verdict: 'CONFORMANT', images: [] });
    expect(stub.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([`POST /v1/${POLICY}:evaluate`]);
    expect(JSON.parse(stub.asked[0]?.body ?? '')).toEqual({ resource });
  });

  it.each([{}, { verdict: 'VERDICT_UNSPECIFIED' }, { verdict: 1 }, []])('of %j is unknown', async (body) => {
    stub.plan({ body });
    expect(await evaluate()).toEqual({ verdict: 'UNKNOWN', images: [] });
  });

  it('lists every image of every Pod', async () => {
    const image = (imageUri: string, verdict?: string) => ({ imageUri, verdict });
    const results = [{ imageResults: [image('a', 'CONFORMANT'), image('b')] }, {}, { imageResults: [image('c', 'ERROR')] }];
    stub.plan({ body: { verdict: 'ERROR', results } });
    const { images } = await evaluate();
    expect(images.map(({ image: uri, verdict }) => [uri, verdict])).toEqual([
      ['a', 'CONFORMANT'],
      ['b', 'UNKNOWN'],
      ['c', 'ERROR'],
    ]);
  });

  const check = (verdict: string | undefined, more: object = {}) => ({
    type: 'SlsaCheck',
    ...(verdict === undefined ? {} : { evaluationResult: { verdict } }),
    ...more,
  });
  const checked = (...results: object[]) => ({ checkSetResult: { displayName: 'rest', checkResults: { results } } });
  it.each([
    ['an image that no check set saw', { explanation: 'no check sets' }, 'no check sets'],
    ['an exempted image', { allowlistResult: { matchedPattern: 'gcr.io/*' } }, 'exempted by the pattern gcr.io/* of the policy'],
    [
      'an image exempted by a check set',
      { checkSetResult: { index: '2', allowlistResult: { matchedPattern: 'gcr.io/*' } } },
      'exempted by the pattern gcr.io/* of check set 2',
    ],
    ['an empty check set', { checkSetResult: { explanation: 'no checks' } }, 'check set 0: no checks'],
    [
      'a check that passed',
      checked(check('CONFORMANT', { explanation: 'fine', index: '1' })),
      'check set "rest", check 1: fine (SlsaCheck)',
    ],
    [
      'checks of which some failed',
      checked(
        check('CONFORMANT', { explanation: 'fine' }),
        check('NON_CONFORMANT', { displayName: 'built', explanation: 'not built here' }),
        check(undefined, { index: 2, allowlistResult: { matchedPattern: 'x' } }),
        check('ERROR', { index: '3' }),
      ),
      'check set "rest", check "built": not built here (SlsaCheck); check set "rest", check 3: ERROR (SlsaCheck)',
    ],
    [
      'a check that an image was exempted from',
      checked(check(undefined, { allowlistResult: { matchedPattern: 'x' } })),
      'check set "rest", check 0: exempted by the pattern x of the check (SlsaCheck)',
    ],
    ['a check without a result', checked(check(undefined)), 'check set "rest", check 0: UNKNOWN (SlsaCheck)'],
  ])('explains %s', async (_, image, explanation) => {
    stub.plan({ body: { verdict: 'CONFORMANT', results: [{ imageResults: [{ imageUri: 'x', ...image }] }] } });
    expect((await evaluate()).images[0]?.explanation).toBe(explanation);
  });

  it('names the permission that is missing', async () => {
    stub.plan({ status: 403, body: googleError(403, 'PERMISSION_DENIED', 'no') });
    expect(await errorOf(evaluate())).toMatchObject({
      code: 'PERMISSION_DENIED',
      resource: POLICY,
      message: expect.stringContaining('binaryauthorization.platformPolicies.evaluatePolicy on projects/p'),
      hint: expect.stringContaining('roles/binaryauthorization.policyEvaluator'),
    });
  });

  it('tells a policy that is missing, and an object that is refused', async () => {
    stub.plan({ status: 404, body: googleError(404, 'NOT_FOUND', 'no') });
    expect(await errorOf(evaluate())).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('policy list gke --project=p') });
    stub.plan({ status: 400, body: googleError(400, 'INVALID_ARGUMENT', 'the kind is not supported') });
    expect(await errorOf(evaluate())).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('not supported') });
  });
});
