// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { BinauthzError, exitCodeOf } from '../../src/core/errors.js';
import type { ChildManifest } from '../../src/core/image/platform.js';
import type { Finding, Scan, ScanReport } from '../../src/core/vulnerabilities/finding.js';
import type { VulnerabilityPolicy } from '../../src/core/vulnerabilities/policy.js';
import { refusalsOf } from '../../src/core/vulnerabilities/refusals.js';
import type { VulnerabilitiesRequest } from '../../src/usecases/requests.js';
import { vulnerabilities } from '../../src/usecases/vulnerabilities.js';
import { digest, memoryPorts, reference } from '../support/ports.js';

const POLICY: VulnerabilityPolicy = { deny: { fixable: 'HIGH', unfixable: 'CRITICAL' }, unknownSeverity: 'deny', waivers: [] };
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
const APP = 'us-docker.pkg.dev/p/r/app:v1';
const INDEX = 'us-docker.pkg.dev/p/r/multi:v1';
const CHILDREN: readonly ChildManifest[] = ['amd64', 'arm64'].map((name) => ({ digest: digest(name), platform: `linux/${name}` }));

function world() {
  const index = { digest: digest('multi'), isIndex: true, children: CHILDREN };
  const ports = memoryPorts([], [], { [APP]: { digest: digest('app') }, [INDEX]: index });
  return { store: ports.vulnerabilities, ports };
}

async function run({ ports }: ReturnType<typeof world>, change: Partial<VulnerabilitiesRequest> = {}) {
  const request: VulnerabilitiesRequest = { images: [reference(APP)], policy: POLICY, scanTimeoutMs: 600_000, ...change };
  const { result, errors } = await vulnerabilities(request, ports);
  const refusals = refusalsOf(result.images);
  return { result, errors, codes: errors.map(({ code }) => code), code: exitCodeOf([...errors, ...refusals]), refusals };
}

const report = (change: Partial<ScanReport> = {}): ScanReport => ({ digests: [digest('app')], scan: SUCCESS, findings: [], ...change });
const reasonsOf = (result: { readonly images: readonly { readonly reasons: readonly { readonly code: string }[] }[] }): readonly string[] =>
  result.images.flatMap(({ reasons }) => reasons.map(({ code }) => code));

describe('vulnerabilities of an image', () => {
  it('that was scanned and has none are none', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [SUCCESS]);
    const { result, code } = await run(made);
    expect([result.verdict, code, result.images[0]?.scan]).toEqual(['ALLOWED', 0, 'FINISHED_SUCCESS']);
    expect(made.ports.clock.pauses).toEqual([]);
  });

  it('that reach a threshold deny it: exit 3', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [SUCCESS]);
    made.store.found.set(digest('app'), [CRITICAL]);
    const { result, code, refusals } = await run(made);
    expect([result.verdict, code, refusals.map((error) => error.code)]).toEqual(['DENIED', 3, ['VULNERABILITIES_DENIED']]);
    expect(refusals[0]?.message).toContain('CVE-2026-1 in openssl 1 is CRITICAL (fixed in 2)');
    expect(result.images[0]?.findings).toEqual([
      expect.objectContaining({ id: 'CVE-2026-1', fixedVersion: '2', severity: 'CRITICAL', cvss: 9.8, verdict: 'DENIED' }),
    ]);
  });

  it('without a policy are shown: exit 0', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [SUCCESS]);
    made.store.found.set(digest('app'), [CRITICAL]);
    const { result, code } = await run(made, { policy: undefined });
    expect([result.verdict, code, result.images[0]?.findings[0]?.verdict]).toEqual(['NOT_JUDGED', 0, 'NOT_JUDGED']);
  });

  it('of a project elsewhere cannot be known: exit 4', async () => {
    const made = world();
    made.store.isCovering = false;
    const { result, code } = await run(made);
    expect([reasonsOf(result), code, made.store.asked]).toEqual([['SCAN_NOT_FOUND'], 4, []]);
  });

  it('are looked for where a tag points to, once', async () => {
    const { codes, code } = await run(world(), { images: [reference('us-docker.pkg.dev/p/r/missing:v1')] });
    expect([codes, code]).toEqual([['IMAGE_NOT_FOUND'], 6]);
  });
});

describe('the wait for a scan', () => {
  it('goes on over every unfinished state, and reads the findings only then', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [undefined, { state: 'PENDING' }, { state: 'SCANNING' }, { state: 'UNSPECIFIED' }, SUCCESS]);
    const { result } = await run(made);
    expect(result.verdict).toBe('ALLOWED');
    expect(made.store.asked.map((entry) => entry.split(' ')[0])).toEqual(['scan', 'scan', 'scan', 'scan', 'scan', 'findings']);
    expect(made.ports.clock.pauses).toHaveLength(4);
    expect(made.ports.said.filter((text) => text.startsWith('waiting'))).toHaveLength(4);
  });

  it.each([
    [undefined, 'SCAN_NOT_FOUND'],
    ['PENDING', 'SCAN_PENDING'],
    ['SCANNING', 'SCAN_RUNNING'],
    ['UNSPECIFIED', 'SCAN_STATE_UNKNOWN'],
  ] as const)('ends at the deadline with a scan that is %s: exit 4', async (state, reason) => {
    const made = world();
    made.store.steps.set(digest('app'), [state === undefined ? undefined : { state }]);
    const startedAt = made.ports.clock.now();
    const { result, code, refusals } = await run(made, { scanTimeoutMs: 60_000 });
    expect([result.verdict, reasonsOf(result), code]).toEqual(['UNKNOWN', [reason], 4]);
    expect(refusals.map((error) => error.code)).toEqual(['SCAN_UNDECIDED']);
    expect(made.ports.clock.now() - startedAt).toBe(60_000);
    expect(Math.max(...made.ports.clock.pauses)).toBeLessThanOrEqual(15_000);
  });

  it.each([
    ['FINISHED_FAILED', 'SCAN_FAILED'],
    ['FINISHED_UNSUPPORTED', 'SCAN_UNSUPPORTED'],
  ] as const)('ends at once with a scan that is %s: exit 4', async (state, reason) => {
    const made = world();
    made.store.steps.set(digest('app'), [{ state }]);
    const { result, code } = await run(made);
    expect([reasonsOf(result), code, made.ports.clock.pauses]).toEqual([[reason], 4, []]);
  });

  it('looks once where no time is given', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [SUCCESS]);
    expect((await run(made, { scanTimeoutMs: 0 })).code).toBe(0);
  });

  it('goes on over a listing that does not answer for a while', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [new BinauthzError('UNAVAILABLE', 'x', { transient: { kind: 'unavailable' } }), SUCCESS]);
    expect((await run(made)).code).toBe(0);
  });

  it.each([
    ['UNAVAILABLE', 9, { transient: { kind: 'unavailable' } }],
    ['PERMISSION_DENIED', 5, {}],
  ] as const)('ends with a listing that answers %s to the end: exit %i', async (errorCode, exit, details) => {
    const made = world();
    made.store.steps.set(digest('app'), [new BinauthzError(errorCode, 'x', details)]);
    const { result, codes, code } = await run(made, { scanTimeoutMs: 60_000 });
    expect([result.verdict, reasonsOf(result), codes, code]).toEqual(['UNKNOWN', ['SCAN_NOT_READABLE'], [errorCode], exit]);
  });

  it('denies for what was found before the end', async () => {
    const made = world();
    made.store.steps.set(digest('app'), [{ state: 'SCANNING' }]);
    made.store.found.set(digest('app'), [CRITICAL]);
    expect((await run(made, { scanTimeoutMs: 1_000 })).code).toBe(3);
  });
});

describe('an index', () => {
  const images = [reference(INDEX)] as const;

  it('is judged by all of its platforms, side by side', async () => {
    const made = world();
    for (const child of CHILDREN) made.store.steps.set(child.digest, [{ state: 'PENDING' }, SUCCESS]);
    made.store.found.set(digest('arm64'), [CRITICAL]);
    const { result, code } = await run(made, { images });
    expect(code).toBe(3);
    expect(result.images[0]?.findings[0]?.platforms).toEqual(['linux/arm64']);
    expect(result.images[0]?.manifests.map(({ platform, scan }) => [platform, scan])).toEqual([
      ['linux/amd64', 'FINISHED_SUCCESS'],
      ['linux/arm64', 'FINISHED_SUCCESS'],
    ]);
    expect(made.store.asked).not.toContain(`scan ${digest('multi')}`);
  });

  it('with a platform that was not scanned is UNKNOWN: exit 4', async () => {
    const made = world();
    made.store.steps.set(digest('amd64'), [SUCCESS]);
    const { result, code } = await run(made, { images, scanTimeoutMs: 1_000 });
    expect([reasonsOf(result), code]).toEqual([['SCAN_NOT_FOUND'], 4]);
  });

  it('needs a report of each platform', async () => {
    const [amd64, arm64] = CHILDREN.map((child) => report({ digests: [child.digest] })) as [ScanReport, ScanReport];
    expect((await run(world(), { images, reports: [amd64, arm64] })).code).toBe(0);
    expect((await run(world(), { images, reports: [amd64] })).code).toBe(4);
  });

  // The digest is the image's, so that a naive comparison lets one platform's report pass for all of them.
  it('is not scanned by a report that names the index and read one platform', async () => {
    const ofIndex = (platform?: string): ScanReport =>
      report({ digests: [digest('multi')], ...(platform === undefined ? {} : { platform }) });
    expect((await run(world(), { images, reports: [ofIndex('linux/amd64')] })).code).toBe(4);
    expect((await run(world(), { images, reports: [ofIndex()] })).code).toBe(4);
    expect((await run(world(), { images, reports: [ofIndex('linux/s390x')] })).code).toBe(4);
    expect((await run(world(), { images, reports: [ofIndex('linux/amd64'), ofIndex('linux/arm64/v8')] })).code).toBe(0);
    expect((await run(world(), { images, reports: [{ ...ofIndex(), findings: [CRITICAL] }] })).code).toBe(3);
  });
});

describe('an index within an index', () => {
  const images = [reference(INDEX)] as const;
  const inner: ChildManifest = { digest: digest('inner'), platform: 'linux/amd64', isIndex: true };
  function nested() {
    const ports = memoryPorts([], [], { [INDEX]: { digest: digest('multi'), isIndex: true, children: [inner] } });
    return { store: ports.vulnerabilities, ports };
  }

  // Naively, the report names the digest of the one child that there is. It was made of one image of several.
  it('is not scanned by a report that names it, or the one around it', async () => {
    for (const named of ['inner', 'multi']) {
      const { result, code } = await run(nested(), { images, reports: [report({ digests: [digest(named)], platform: 'linux/amd64' })] });
      expect([reasonsOf(result), code]).toEqual([['SCAN_UNSUPPORTED'], 4]);
      expect(result.images[0]?.reasons[0]).toMatchObject({
        message: expect.stringContaining('index within the index'),
        hint: expect.stringContaining('build one index'),
      });
    }
    const found = report({ digests: [inner.digest], findings: [CRITICAL] });
    expect((await run(nested(), { images, reports: [found] })).code).toBe(3);
  });

  it('is not waited for', async () => {
    const made = nested();
    made.store.steps.set(inner.digest, [{ state: 'PENDING' }, SUCCESS]);
    const { result, code } = await run(made, { images });
    expect([reasonsOf(result), code, made.ports.clock.pauses]).toEqual([['SCAN_UNSUPPORTED'], 4, []]);
  });
});

it('an index that lists one image twice needs one report of it', async () => {
  const twice = { digest: digest('multi'), isIndex: true, children: [...CHILDREN.slice(0, 1), ...CHILDREN.slice(0, 1)] };
  const ports = memoryPorts([], [], { [INDEX]: twice });
  const reports = [report({ digests: [digest('multi')], platform: 'linux/amd64' })];
  const { result, code } = await run({ store: ports.vulnerabilities, ports }, { images: [reference(INDEX)], reports });
  expect([code, result.images[0]?.manifests.map(({ platform }) => platform)]).toEqual([0, ['linux/amd64']]);
});

it('the next step after a missing report is that report, not another scanner', async () => {
  const [amd64] = CHILDREN.map((child) => report({ digests: [child.digest] })) as [ScanReport];
  const { refusals } = await run(world(), { images: [reference(INDEX)], reports: [amd64] });
  expect(refusals[0]?.hint).toBe('scan it by its digest, and give its report with --findings beside the others');
  const made = world();
  made.store.isCovering = false;
  expect((await run(made)).refusals[0]?.hint).toBe('scan it with another scanner and give its report with --findings');
});

describe('reports from files', () => {
  it('stand in for Artifact Analysis, which is not asked', async () => {
    const made = world();
    expect((await run(made, { reports: [report()] })).code).toBe(0);
    expect((await run(made, { reports: [report({ findings: [CRITICAL] })] })).code).toBe(3);
    expect(made.store.asked).toEqual([]);
  });

  it.each<[string, Partial<ScanReport>]>([
    ['of another image', { digests: [digest('other')] }],
    ['that name no digest', { digests: [] }],
  ])('%s are an integrity error: exit 7', async (_title, change) => {
    const { result, codes, code } = await run(world(), { reports: [report(change)] });
    expect([result.verdict, codes, code]).toEqual(['UNKNOWN', ['FINDINGS_MISMATCH'], 7]);
    expect((await run(world(), { reports: [report(), report(change)] })).code).toBe(7);
  });

  it('of a scan without success are not clean', async () => {
    expect((await run(world(), { reports: [report({ scan: { state: 'FINISHED_UNSUPPORTED' } })] })).code).toBe(4);
    // Of two reports about one image both count.
    expect((await run(world(), { reports: [report(), report({ scan: { state: 'FINISHED_FAILED' } })] })).code).toBe(4);
  });
});
