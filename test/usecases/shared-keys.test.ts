// SPDX-License-Identifier: Apache-2.0
// Attestors that are asked for together are meant to be independent: a key that both trust is told.
import { describe, expect, it } from 'vitest';
import type { Attestor } from '../../src/core/attestation/attestor.js';
import type { ImageUse, UseSource } from '../../src/core/deployment/image-use.js';
import type { ProjectId } from '../../src/core/names.js';
import { attest } from '../../src/usecases/attest.js';
import { check } from '../../src/usecases/check.js';
import { attestorOf, digest, memoryPorts, reference, testKey } from '../support/ports.js';

const IMAGE = `gcr.io/p/app@${digest('app')}`;
const key = testKey('//key');
const ci = attestorOf('ci', key);
const qa = attestorOf('qa', testKey('//qa'), { ...key, entry: { ...key.entry, id: '//the-same-key' } });
const own = attestorOf('own', testKey('//own'));
const SHARED = expect.stringMatching(/^warning: projects\/p\/attestors\/ci and projects\/p\/attestors\/qa trust the same key ni:\/\/\//);

async function saidByCheck(...rules: readonly [readonly Attestor[], ...(readonly Attestor[])[]]): Promise<readonly string[]> {
  const ports = memoryPorts([ci, qa, own], []);
  const policy = {
    globalPolicyEvaluationMode: 'DISABLE',
    defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' },
    kubernetesNamespaceAdmissionRules: Object.fromEntries(
      rules.map((attestors, index) => [
        `n${index}`,
        {
          evaluationMode: 'REQUIRE_ATTESTATION',
          enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
          requireAttestationsBy: attestors.map(({ name }) => name),
        },
      ]),
    ),
  };
  const source: UseSource = { file: 'a.yaml', line: 1, kind: 'Pod', name: 'a', container: 'a', containerType: 'container' };
  const use = (index: number): ImageUse => ({ image: IMAGE, platform: 'gke', namespace: `n${index}`, source });
  await check(
    {
      project: 'p' as ProjectId,
      uses: [use(0), ...rules.slice(1).map((_, index) => use(index + 1))],
      platformPolicies: [],
      workloads: [],
      waitTimeoutMs: 0,
    },
    {
      ...ports,
      policies: {
        project: () => Promise.resolve(policy),
        system: () => Promise.resolve({}),
        evaluatePlatform: () => Promise.reject(new Error('not in this test')),
      },
      targets: { cluster: () => Promise.reject(new Error('not in this test')) },
    },
  );
  return ports.said.filter((text) => text.includes('same key'));
}

describe('check', () => {
  it('warns of a key that two attestors of one rule trust, once however many images there are', async () => {
    expect(await saidByCheck([ci, qa], [qa, ci, own])).toEqual([SHARED]);
  });

  it('says nothing of attestors that no rule requires together, or that share nothing', async () => {
    expect(await saidByCheck([ci, own], [qa, own])).toEqual([]);
  });
});

describe('attest', () => {
  const said = async (first: Attestor, ...others: readonly Attestor[]): Promise<readonly string[]> => {
    const ports = memoryPorts([first, ...others], [key]);
    const { errors } = await attest(
      {
        images: [reference(IMAGE)],
        attestors: [first.name, ...others.map(({ name }) => name)],
        multiPlatform: 'both',
        waitTimeoutMs: 60_000,
        dryRun: false,
      },
      ports,
    );
    expect(errors).toEqual([]);
    return ports.said.filter((text) => text.includes('same key'));
  };

  it('warns where one key signs for two attestors, and attests', async () => {
    expect(await said(ci, qa)).toEqual([SHARED]);
    expect(await said(ci)).toEqual([]);
  });
});
