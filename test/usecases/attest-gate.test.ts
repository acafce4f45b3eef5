// SPDX-License-Identifier: Apache-2.0
// attest behind a vulnerability gate: what does not pass is not signed, not even by way of trial.
import { describe, expect, it } from 'vitest';
import { BinauthzError, exitCodeOf } from '../../src/core/errors.js';
import { digestsToAttest, type ChildManifest } from '../../src/core/image/platform.js';
import { pin } from '../../src/core/image/reference.js';
import { encodePayload, payloadFor } from '../../src/core/payload/payload.js';
import type { Finding, Scan, ScanReport } from '../../src/core/vulnerabilities/finding.js';
import type { VulnerabilityPolicy } from '../../src/core/vulnerabilities/policy.js';
import { attest } from '../../src/usecases/attest.js';
import type { AttestRequest } from '../../src/usecases/requests.js';
import { attestorOf, digest, memoryPorts, reference, testKey } from '../support/ports.js';

const POLICY: VulnerabilityPolicy = { deny: { fixable: 'HIGH', unfixable: 'HIGH' }, unknownSeverity: 'deny', waivers: [] };
const SUCCESS: Scan = { state: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' };
const CRITICAL: Finding = {
  id: 'CVE-2026-1',
  package: 'openssl',
  version: '1',
  fixedVersion: '2',
  fixable: true,
  severity: 'CRITICAL',
  cvss: 9.8,
};
const APP = 'gcr.io/p/app:v1';
const OTHER = 'gcr.io/p/other:v1';
const INDEX = 'gcr.io/p/multi:v1';
const CHILDREN: readonly ChildManifest[] = ['amd64', 'arm64'].map((name) => ({ digest: digest(name), platform: `linux/${name}` }));

function world() {
  const key = testKey('//cloudkms.googleapis.com/v1/key');
  const attestor = attestorOf('ci', key);
  const ports = memoryPorts([attestor], [key], {
    [APP]: { digest: digest('app') },
    [OTHER]: { digest: digest('other') },
    [INDEX]: { digest: digest('multi'), isIndex: true, children: CHILDREN },
  });
  for (const name of ['app', 'other', 'amd64', 'arm64']) ports.vulnerabilities.steps.set(digest(name), [SUCCESS]);
  return { key, attestor, ports, scans: ports.vulnerabilities };
}
type World = ReturnType<typeof world>;

async function run({ ports, attestor }: World, change: Partial<AttestRequest> = {}) {
  const request: AttestRequest = {
    images: [reference(APP)],
    attestors: [attestor.name],
    multiPlatform: 'both',
    waitTimeoutMs: 60_000,
    dryRun: false,
    gate: { policy: POLICY, scanTimeoutMs: 60_000 },
    ...change,
  };
  const { result, errors } = await attest(request, ports);
  return {
    result,
    verdict: result.vulnerabilities?.verdict,
    statuses: result.attestations.map(({ status }) => status),
    codes: errors.map(({ code }) => code),
    exit: exitCodeOf(errors),
  };
}

function expectNothingDone({ key, ports }: World): void {
  expect([key.signatures, ports.attestations.created, ports.attestors.validations]).toEqual([0, [], 0]);
}

/** Attests an image beforehand. */
async function attested({ attestor, key, ports }: World, name: string, word: string): Promise<string> {
  const image = pin(reference(name), digest(word));
  const payload = encodePayload(payloadFor(image));
  const [signer] = key.signers;
  const bytes = await signer.sign(payload, signer.publicKeys[0]);
  key.signatures = 0;
  const signatures = [{ publicKeyId: key.entry.id, bytes }];
  return ports.attestations.plant({ note: attestor.note, resourceUri: `https://gcr.io/p/${word}@${digest(word)}`, payload, signatures });
}

describe('an image that passes the gate', () => {
  it('is signed, and its vulnerabilities are in the result', async () => {
    const made = world();
    const { result, verdict, statuses, exit } = await run(made);
    expect([verdict, statuses, exit, made.key.signatures]).toEqual(['ALLOWED', ['created'], 0, 1]);
    expect(result.vulnerabilities?.images).toEqual([expect.objectContaining({ digest: digest('app'), scan: 'FINISHED_SUCCESS' })]);
  });

  it('is signed only once its scan has come to its end', async () => {
    const made = world();
    made.scans.steps.set(digest('app'), [undefined, { state: 'PENDING' }, { state: 'SCANNING' }, SUCCESS]);
    const seen: number[] = [];
    const { sleep } = made.ports.clock;
    const clock = { ...made.ports.clock, sleep: (ms: number) => (seen.push(made.key.signatures), sleep(ms)) };
    const { exit } = await run({ ...made, ports: { ...made.ports, clock } });
    expect([exit, seen, made.key.signatures]).toEqual([0, [0, 0, 0], 1]);
  });

  it('is not judged without a gate', async () => {
    const made = world();
    made.scans.found.set(digest('app'), [CRITICAL]);
    const images = [reference(APP)] as const;
    const request = { images, attestors: [made.attestor.name], multiPlatform: 'both', waitTimeoutMs: 60_000, dryRun: false } as const;
    const { result, errors } = await attest(request, made.ports);
    expect([errors, result.vulnerabilities, made.scans.asked]).toEqual([[], undefined, []]);
  });
});

describe('an image that does not pass the gate is not signed', () => {
  it('where the policy denies a finding: exit 3', async () => {
    const made = world();
    made.scans.found.set(digest('app'), [CRITICAL]);
    const { verdict, statuses, codes, exit } = await run(made);
    expect([verdict, statuses, codes, exit]).toEqual(['DENIED', [], ['VULNERABILITIES_DENIED'], 3]);
    expectNothingDone(made);
  });

  it.each<[string, Scan | undefined]>([
    ['unknown', undefined],
    ['pending', { state: 'PENDING' }],
    ['going on', { state: 'SCANNING' }],
    ['failed', { state: 'FINISHED_FAILED' }],
    ['unsupported', { state: 'FINISHED_UNSUPPORTED' }],
    ['archived', { ...SUCCESS, isArchived: true }],
    ['incomplete', { ...SUCCESS, errors: ['layer 2'] }],
  ])('where the scan is %s: exit 4', async (_state, scan) => {
    const made = world();
    made.scans.steps.set(digest('app'), [scan]);
    const { verdict, codes, exit } = await run(made);
    expect([verdict, codes, exit]).toEqual(['UNKNOWN', ['SCAN_UNDECIDED'], 4]);
    expectNothingDone(made);
  });

  it('where the scan may not be read: exit 5, said once', async () => {
    const made = world();
    made.scans.steps.set(digest('app'), [new BinauthzError('PERMISSION_DENIED', 'x')]);
    const { verdict, codes, exit } = await run(made);
    expect([verdict, codes, exit]).toEqual(['UNKNOWN', ['PERMISSION_DENIED'], 5]);
    expectNothingDone(made);
  });

  it('where a report is about another image: exit 7', async () => {
    const report = (word: string): ScanReport => ({ digests: [digest(word)], scan: SUCCESS, findings: [] });
    const made = world();
    const { result, codes, exit } = await run(made, { gate: { policy: POLICY, scanTimeoutMs: 0, reports: [report('app'), report('x')] } });
    expect([codes, exit]).toEqual([['FINDINGS_MISMATCH'], 7]);
    // So that a report of the gate alone is not all well either.
    expect(result.vulnerabilities).toMatchObject({ verdict: 'UNKNOWN', errors: [{ code: 'FINDINGS_MISMATCH' }] });
    expectNothingDone(made);
    expect((await run(world(), { gate: { policy: POLICY, scanTimeoutMs: 0, reports: [report('app')] } })).exit).toBe(0);
  });

  it('nor is any other of the same run', async () => {
    const made = world();
    made.scans.found.set(digest('other'), [CRITICAL]);
    const { result, exit } = await run(made, { images: [reference(APP), reference(OTHER)] });
    expect([result.vulnerabilities?.images.map(({ verdict }) => verdict), exit]).toEqual([['ALLOWED', 'DENIED'], 3]);
    expectNothingDone(made);
  });

  it.each(['both', 'index', 'children'] as const)('where one platform of an index is denied, attesting %s', async (multiPlatform) => {
    const made = world();
    made.scans.found.set(digest('arm64'), [CRITICAL]);
    const { exit } = await run(made, { images: [reference(INDEX)], multiPlatform });
    expect(exit).toBe(3);
    expectNothingDone(made);
    const fine = world();
    expect((await run(fine, { images: [reference(INDEX)], multiPlatform })).exit).toBe(0);
    const image = { reference: pin(reference(INDEX), digest('multi')), mediaType: '', isIndex: true, children: CHILDREN };
    expect(fine.key.signatures).toBe(digestsToAttest(image, multiPlatform).length);
  });
});

describe('an image that was attested before and is denied now', () => {
  it('is reported as attested, and fails all the same: attestations are not deleted', async () => {
    const made = world();
    const occurrence = await attested(made, APP, 'app');
    made.scans.found.set(digest('app'), [CRITICAL]);
    const { result, statuses, exit } = await run(made);
    expect([statuses, result.attestations[0]?.occurrence, exit]).toEqual([['existing'], occurrence, 3]);
    expect(made.ports.said).toContainEqual(
      expect.stringMatching(new RegExp(`^warning: .*is refused, but .* attested it before, and ${occurrence} stays`)),
    );
    expectNothingDone(made);
    expect(made.ports.attestations.stored).toHaveLength(1);
  });

  it('is not spoken of where another one is denied', async () => {
    const made = world();
    await attested(made, APP, 'app');
    made.scans.found.set(digest('other'), [CRITICAL]);
    const { exit } = await run(made, { images: [reference(APP), reference(OTHER)] });
    expect(exit).toBe(3);
    expect(made.ports.said.filter((text) => text.includes('attested it before'))).toEqual([]);
  });
});

describe('a dry run', () => {
  it('is judged as well', async () => {
    const fine = world();
    expect(await run(fine, { dryRun: true })).toMatchObject({ verdict: 'ALLOWED', statuses: ['dry-run'], exit: 0 });
    expectNothingDone(fine);
    const made = world();
    made.scans.found.set(digest('app'), [CRITICAL]);
    // What would not be attested is not shown as if it would.
    expect(await run(made, { dryRun: true })).toMatchObject({ verdict: 'DENIED', statuses: [], exit: 3 });
    expectNothingDone(made);
  });
});
