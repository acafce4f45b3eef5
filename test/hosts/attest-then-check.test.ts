// SPDX-License-Identifier: Apache-2.0
// The whole of `--check`, with ports in memory.
import { describe, expect, test } from 'vitest';
import type { AttestorName, ProjectId } from '../../src/core/names.js';
import { gatekeeper } from '../../src/hosts/commands/check/gate.js';
import { attestThenCheck } from '../../src/hosts/commands/attest/attest-then-check.js';
import { endingOf } from '../../src/hosts/outcome.js';
import type { FinalCheck } from '../../src/hosts/commands/attest/parse.js';
import type { AttestPorts } from '../../src/usecases/attest.js';
import type { CheckPorts } from '../../src/usecases/check.js';
import { attestorOf, digest, memoryPorts, reference, testKey, type Memory } from '../support/ports.js';

const NAME = 'us-docker.pkg.dev/p/r/app';
const CHILD = digest('child');
const INDEX = digest('index');

type Ports = Memory & AttestPorts & CheckPorts & { reads: number };

/** An image index with one platform; the policy wants these attestors. */
function world(required: readonly string[], { policyFails = false } = {}): Ports {
  const key = testKey('key');
  const children = [{ digest: CHILD, platform: 'linux/amd64' }];
  const memory = memoryPorts([attestorOf('a', key), attestorOf('b', key)], [key], {
    [`${NAME}:1`]: { digest: INDEX, isIndex: true, children } as never,
  });
  const rule = { evaluationMode: 'REQUIRE_ATTESTATION', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG', requireAttestationsBy: required };
  const ports: Ports = {
    ...memory,
    reads: 0,
    policies: {
      project: () => {
        ports.reads += 1;
        if (policyFails) return Promise.reject(new Error('a bug'));
        return Promise.resolve({ defaultAdmissionRule: rule, updateTime: '2026-01-01T00:00:00Z' });
      },
      system: () => Promise.resolve({}),
      evaluatePlatform: () => Promise.resolve({ verdict: 'CONFORMANT', images: [] }),
    },
    targets: { cluster: () => Promise.resolve({ evaluationMode: 'PROJECT_SINGLETON_POLICY_ENFORCE', enabled: true }) },
  };
  return ports;
}

const A = 'projects/p/attestors/a' as AttestorName;
const B = 'projects/p/attestors/b' as AttestorName;

const request = (over: object = {}) => ({
  images: [reference(`${NAME}:1`)] as const,
  attestors: [A] as const,
  multiPlatform: 'both' as const,
  waitTimeoutMs: 60_000,
  dryRun: false,
  ...over,
});
const final = (over: Partial<FinalCheck> = {}): FinalCheck => ({
  request: { project: 'p' as ProjectId, platformPolicies: [], workloads: [], waitTimeoutMs: 0 },
  uses: [],
  platform: 'gke',
  gate: { mode: 'enforce', strict: false },
  reports: [],
  notes: [],
  ...over,
});

async function run(ports: Ports, { check, over }: { check?: FinalCheck; over?: object } = {}) {
  const { result, errors } = await attestThenCheck({ request: request(over), warnings: [], ...(check ? { check } : {}) }, ports);
  return { result, ending: endingOf(result, errors, { onEmulator: false, ...(check ? { refuse: gatekeeper(check.gate) } : {}) }) };
}

describe('a check at the end of attest', () => {
  test('is not made unless it is asked for', async () => {
    const ports = world([A]);
    const { result, ending } = await run(ports);
    expect([result.check, ending.exitCode, ports.reads]).toEqual([undefined, 0, 0]);
  });
  test('finds what was just attested', async () => {
    const { result, ending } = await run(world([A]), { check: final() });
    expect([result.check?.verdict, ending.exitCode]).toEqual(['ALLOWED', 0]);
    expect(result.check?.images.map(({ image }) => image)).toEqual([`${NAME}@${INDEX}`]);
  });
  test('denies where another attestor is still missing, after everything is stored', async () => {
    const ports = world([A, B]);
    const { result, ending } = await run(ports, { check: final() });
    expect([result.check?.verdict, ending.exitCode, ending.refusal?.code]).toEqual(['DENIED', 3, 'POLICY_DENIED']);
    expect(result.attestations.map(({ status }) => status)).toEqual(['created', 'created']);
    expect(ending.errors).toEqual([]);
  });
  test('with warn, a denial is 0 and a warning', async () => {
    const ports = world([A, B]);
    const { result, ending } = await run(ports, { check: final({ gate: { mode: 'warn', strict: true } }) });
    expect([result.check?.verdict, ending.exitCode, ending.refusal]).toEqual(['DENIED', 0, undefined]);
    expect(ports.said).toContainEqual(expect.stringMatching(/^warning: the check ended DENIED: .* exit code 3$/));
  });
  test('is not made where attest failed', async () => {
    const ports = world([A]);
    const { result, ending } = await run(ports, { check: final(), over: { attestors: ['projects/p/attestors/none'] } });
    expect([result.check, ending.exitCode, ports.reads]).toEqual([undefined, 6, 0]);
  });
  test('is not made of a dry run, and says so', async () => {
    const ports = world([A]);
    const { result, ending } = await run(ports, { check: final(), over: { dryRun: true } });
    expect([result.check, ending.exitCode, ports.reads]).toEqual([undefined, 0, 0]);
    expect(ports.said).toContainEqual(expect.stringMatching(/^warning: the check did not take place/));
  });
  test('keeps what attest did when the check itself breaks', async () => {
    const { result, ending } = await run(world([A], { policyFails: true }), { check: final() });
    expect(result.attestations.map(({ status }) => status)).toEqual(['created', 'created']);
    expect(ending.exitCode).not.toBe(0);
  });
  test('of the platforms alone checks their digests, for the index has no attestation', async () => {
    const { result } = await run(world([A]), { check: final(), over: { multiPlatform: 'children' } });
    expect(result.check?.images.map(({ image, verdict }) => [image, verdict])).toEqual([[`${NAME}@${CHILD}`, 'ALLOWED']]);
  });
  test('judges the manifests’ images beside the attested ones', async () => {
    const source = { file: 'a.yaml', line: 3, kind: 'Pod', name: 'x', container: 'c', containerType: 'container' } as const;
    const { result, ending } = await run(world([A]), { check: final({ uses: [{ image: 'nginx', platform: 'gke', source }] }) });
    expect(result.check?.images.map(({ image, verdict }) => [image, verdict])).toEqual([
      [`${NAME}@${INDEX}`, 'ALLOWED'],
      ['nginx', 'DENIED'],
    ]);
    expect(ending.exitCode).toBe(3);
  });
  test('on Cloud Run looks at the platform’s image', async () => {
    const ports = world([A]);
    const images = { [`${NAME}@${INDEX}`]: { digest: INDEX } };
    const { result } = await run(
      { ...ports, registry: memoryPorts([], [], { ...images, [`${NAME}:1`]: { digest: INDEX } }).registry },
      {
        check: final({ platform: 'cloud-run' }),
      },
    );
    expect(result.check?.images).toMatchObject([{ target: { platform: 'cloud-run' }, verdict: 'ALLOWED' }]);
  });
  test('counts what this run attested as attested, beside what the file names', async () => {
    const closure = final();
    const attested = { file: 'attested.txt', digests: new Set([digest('other')]) };
    const uses = [`${NAME}@${digest('other')}`, `${NAME}@${digest('foreign')}`].map((image) => ({ image, platform: 'gke' as const }));
    const { result } = await run(world([A]), { check: { ...closure, uses, request: { ...closure.request, attested } } });
    const outside = result.check?.images.filter(({ reasons }) => reasons.some(({ code }) => code === 'NOT_IN_ATTESTED_SET'));
    expect(outside?.map(({ image }) => image)).toEqual([`${NAME}@${digest('foreign')}`]);
  });
});

test('what was noticed of the options is warned of', async () => {
  const ports = world([A]);
  await attestThenCheck({ request: request(), warnings: ['nothing comes of --cluster', 'nor of --report'] }, ports);
  expect(ports.said.slice(0, 2)).toEqual(['warning: nothing comes of --cluster', 'warning: nor of --report']);
});
