// SPDX-License-Identifier: Apache-2.0
// What is told of each image and finding, while the gate waits and after it.
import { describe, expect, it } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import type { ChildManifest, ResolvedImage } from '../../src/core/image/platform.js';
import { pin } from '../../src/core/image/reference.js';
import type { Finding, Scan, ScanReport } from '../../src/core/vulnerabilities/finding.js';
import type { VulnerabilityPolicy } from '../../src/core/vulnerabilities/policy.js';
import { awaitScan } from '../../src/usecases/steps/await-scan.js';
import { judgeVulnerabilities, passGate } from '../../src/usecases/steps/judge-vulnerabilities.js';
import { vulnerabilities } from '../../src/usecases/vulnerabilities.js';
import { digest, memoryPorts, reference } from '../support/ports.js';

const POLICY: VulnerabilityPolicy = { deny: { fixable: 'HIGH' }, unknownSeverity: 'deny', waivers: [] };
const SUCCESS: Scan = { state: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' };
const FINDING: Finding = { id: 'CVE-1', package: 'zlib', version: '1', fixedVersion: '2', fixable: true, severity: 'CRITICAL', cvss: 9 };
const APP = 'us-docker.pkg.dev/p/r/app:v1';
const failing = (code: ErrorCode) =>
  new BinauthzError(code, `cannot: ${code}`, code === 'UNAVAILABLE' ? { transient: { kind: 'unavailable' } } : {});

function image(word = 'app', children?: readonly ChildManifest[]): ResolvedImage {
  return {
    reference: pin(reference(`us-docker.pkg.dev/p/r/${word}:v1`), digest(word)),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    children: children ?? [],
    isIndex: children !== undefined,
  };
}
function world(...steps: readonly (Scan | undefined | BinauthzError)[]) {
  const ports = memoryPorts([], [], { [APP]: { digest: digest('app') } });
  ports.vulnerabilities.steps.set(digest('app'), [...steps]);
  return ports;
}
const report = (...words: readonly string[]): ScanReport => ({ digests: words.map(digest), scan: SUCCESS, findings: [] });

describe('an image', () => {
  it('is told with its scan and its findings, and no more of them than is known', async () => {
    const ports = world(SUCCESS);
    ports.vulnerabilities.found.set(digest('app'), [FINDING, { ...FINDING, id: 'CVE-2', severity: 'LOW', fixedVersion: null, cvss: null }]);
    const { images, errors } = await judgeVulnerabilities([image()], { policy: POLICY, scanTimeoutMs: 0 }, ports);
    expect(errors).toEqual([]);
    expect(images).toStrictEqual([
      {
        image: `us-docker.pkg.dev/p/r/app@${digest('app')}`,
        digest: digest('app'),
        scan: 'FINISHED_SUCCESS',
        verdict: 'DENIED',
        reasons: [expect.objectContaining({ code: 'SEVERITY_DENIED' })],
        findings: [
          {
            id: 'CVE-1',
            package: 'zlib',
            version: '1',
            fixedVersion: '2',
            severity: 'CRITICAL',
            cvss: 9,
            verdict: 'DENIED',
            reasons: [expect.objectContaining({ code: 'SEVERITY_DENIED' })],
          },
          { id: 'CVE-2', package: 'zlib', version: '1', fixedVersion: null, severity: 'LOW', cvss: null, verdict: 'ALLOWED' },
        ],
        manifests: [{ digest: digest('app'), scan: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' }],
      },
    ]);
  });

  it('has its waivers beside its findings, and warnings about them', async () => {
    const ports = world(SUCCESS);
    ports.vulnerabilities.found.set(digest('app'), [FINDING]);
    const waiver = { owner: 'sec', reason: 'not reachable', expires: new Date(ports.clock.now()).toISOString().slice(0, 10) };
    const policy = { ...POLICY, waivers: [{ ...waiver, id: 'CVE-1', package: 'zlib' }] };
    const { images, verdict } = await judgeVulnerabilities([image()], { policy, scanTimeoutMs: 0 }, ports);
    expect([verdict, images[0]?.findings[0]]).toMatchObject(['ALLOWED', { verdict: 'WAIVED', waiver }]);
    expect(images[0]?.findings[0]?.waiver).toStrictEqual(waiver);
    expect(ports.said).toEqual([expect.stringMatching(/^warning: us-docker\.pkg\.dev\/p\/r\/app@sha256:\w+: the waiver of CVE-1/)]);
  });

  it('in a registry that nobody scans is told what to do', async () => {
    const ports = world(SUCCESS);
    ports.vulnerabilities.isCovering = false;
    const { images } = await judgeVulnerabilities([image()], { policy: undefined, scanTimeoutMs: 0 }, ports);
    expect(images[0]).toMatchObject({
      scan: 'NOT_FOUND',
      manifests: [{ digest: digest('app'), scan: 'NOT_FOUND' }],
      reasons: [
        {
          message: expect.stringContaining('scans Google’s registries only') as string,
          hint: expect.stringContaining('--findings') as string,
        },
      ],
    });
    expect(images[0]?.manifests[0]).not.toHaveProperty('lastScanTime');
  });

  it('that could not be read says why, and the others are judged', async () => {
    const ports = world(failing('PERMISSION_DENIED'));
    ports.vulnerabilities.steps.set(digest('other'), [SUCCESS]);
    const { images, verdict, errors } = await judgeVulnerabilities([image(), image('other')], { policy: POLICY, scanTimeoutMs: 0 }, ports);
    expect([verdict, images.map((one) => one.verdict), errors.map(({ code }) => code)]).toEqual([
      'UNKNOWN',
      ['UNKNOWN', 'ALLOWED'],
      ['PERMISSION_DENIED'],
    ]);
    expect(images[0]).toMatchObject({ scan: 'UNSPECIFIED', manifests: [{ digest: digest('app'), scan: 'UNSPECIFIED' }] });
    expect(images[0]?.reasons[0]?.message).toContain('cannot: PERMISSION_DENIED');
  });
});

describe('a report about another image', () => {
  const errorOf = async (given: readonly ScanReport[], ...images: readonly ResolvedImage[]) =>
    (await judgeVulnerabilities(images, { policy: POLICY, reports: given, scanTimeoutMs: 0 }, world())).errors;

  it('is named beside the digests that are wanted, of which an index has several', async () => {
    const index = image(
      'multi',
      ['amd64', 'arm64'].map((word) => ({ digest: digest(word), platform: `linux/${word}` })),
    );
    const [error, ...others] = await errorOf([report('x', 'y')], image(), index);
    expect(others).toEqual([]);
    expect(error?.message).toContain(
      `expected one about ${['app', 'multi', 'amd64', 'arm64'].map(digest).join(', ')}, got one about ${digest('x')}, ${digest('y')}`,
    );
    expect(error?.hint).toContain('trivy image');
  });

  it('that names no digest says so, and one that names many only some', async () => {
    expect((await errorOf([report()], image()))[0]?.message).toMatch(/got one about no digest$/);
    const five = ['1', '2', '3', '4', '5'];
    expect((await errorOf([report(...five)], image()))[0]?.message).toMatch(new RegExp(`, ${digest('5')}$`));
    expect((await errorOf([report(...five, '6', '7')], image()))[0]?.message).toMatch(new RegExp(`, ${digest('5')}, 2 more$`));
  });
});

describe('the result', () => {
  const run = (ports: ReturnType<typeof world>, images = [APP], reports?: readonly ScanReport[]) =>
    vulnerabilities({ images: images.map(reference) as never, policy: POLICY, scanTimeoutMs: 0, ...(reports ? { reports } : {}) }, ports);

  it('is whole where everything could be read', async () => {
    const ports = world(SUCCESS);
    const { result } = await run(ports);
    expect(result).toStrictEqual({ schema: 'binauthz.vulnerabilities/v1', verdict: 'ALLOWED', images: [expect.anything()] });
    expect(ports.said.filter((text) => !text.startsWith('warning: '))).toEqual([
      'Resolving 1 image',
      'Reading scans and findings from Artifact Analysis',
    ]);
  });

  it('is UNKNOWN where an image is not there, and DENIED where another one is', async () => {
    const ports = world(SUCCESS);
    const missing = 'us-docker.pkg.dev/p/r/gone:v1';
    expect((await run(ports, [APP, missing])).result).toMatchObject({
      verdict: 'UNKNOWN',
      errors: [{ code: 'IMAGE_NOT_FOUND' }],
      images: [{}],
    });
    expect(ports.said[0]).toBe('Resolving 2 images');
    ports.vulnerabilities.found.set(digest('app'), [FINDING]);
    expect((await run(ports, [APP, missing])).result.verdict).toBe('DENIED');
  });

  it('is made of files where they are given', async () => {
    const ports = world();
    expect((await run(ports, [APP], [report('app')])).result.verdict).toBe('ALLOWED');
    expect(ports.said).toContain('Reading the findings');
  });
});

describe('the gate before signing', () => {
  it('is open where there is none', async () => expect(await passGate([image()], undefined, world())).toStrictEqual({ errors: [] }));

  it.each<[string, Scan | BinauthzError, readonly Finding[], readonly string[], boolean]>([
    ['lets pass what is clean', SUCCESS, [], [], false],
    ['keeps out what is denied', SUCCESS, [FINDING], ['VULNERABILITIES_DENIED'], false],
    ['keeps out what nobody can judge', { state: 'FINISHED_FAILED' }, [], ['SCAN_UNDECIDED'], false],
    ['says once what could not be read', failing('PERMISSION_DENIED'), [], ['PERMISSION_DENIED'], true],
  ])('%s', async (_, scan, findings, codes, isUnread) => {
    const ports = world(scan);
    ports.vulnerabilities.found.set(digest('app'), findings);
    const passage = await passGate([image()], { policy: POLICY, scanTimeoutMs: 0 }, ports);
    expect(passage.errors.map(({ code }) => code)).toEqual(codes);
    expect(passage.vulnerabilities?.schema).toBe('binauthz.vulnerabilities/v1');
    expect('errors' in (passage.vulnerabilities ?? {})).toBe(isUnread);
    expect(ports.said).toContain('Judging vulnerabilities as Artifact Analysis knows them');
  });

  it('says all that is denied beside what could not be read', async () => {
    const ports = world(SUCCESS);
    ports.vulnerabilities.steps.set(digest('other'), [failing('PERMISSION_DENIED')]);
    ports.vulnerabilities.found.set(digest('app'), [FINDING]);
    const { errors, vulnerabilities: judged } = await passGate([image(), image('other')], { policy: POLICY, scanTimeoutMs: 0 }, ports);
    expect(errors.map(({ code }) => code)).toEqual(['PERMISSION_DENIED', 'VULNERABILITIES_DENIED']);
    expect(judged?.errors).toMatchObject([{ code: 'PERMISSION_DENIED' }]);
    const byReport = world();
    await passGate([image()], { policy: POLICY, reports: [report('app')], scanTimeoutMs: 0 }, byReport);
    expect(byReport.said).toContain('Judging the findings that were given');
  });
});

describe('a wait for a scan', () => {
  const states = (...names: readonly Scan['state'][]): readonly Scan[] => names.map((state) => ({ state }));
  const wait = (ports: ReturnType<typeof world>, ms: number): Promise<Scan> => awaitScan(image().reference, ports.clock.now() + ms, ports);

  it('says what it waits for, each thing once', async () => {
    const ports = world(undefined, ...states('PENDING', 'SCANNING', 'SCANNING', 'UNSPECIFIED', 'FINISHED_SUCCESS'));
    await wait(ports, 600_000);
    expect(ports.said.map((text) => text.replace(/^waiting for \S+: /, '').replace(/ \(at most .* more\)$/, ''))).toEqual([
      'no scan is known yet',
      'its scan has not begun',
      'it is being scanned',
      'the scanner does not say how far its scan is',
    ]);
    expect(ports.said[0]).toMatch(/^waiting for us-docker\.pkg\.dev\/p\/r\/app@sha256:\w+: .* \(at most 10 min more\)$/);
  });

  it('says nothing of a listing that does not answer, and nothing twice for it', async () => {
    const ports = world(...states('SCANNING'), failing('UNAVAILABLE'), ...states('SCANNING', 'FINISHED_FAILED'));
    expect(await wait(ports, 600_000)).toEqual({ state: 'FINISHED_FAILED' });
    expect(ports.said).toHaveLength(1);
  });

  it('gives its last look a fair time, and every other the whole of it', async () => {
    const ports = world();
    const deadlines: number[] = [];
    const began = ports.clock.now();
    ports.vulnerabilities.scan = (_image, deadline?: number) => (
      deadlines.push((deadline ?? 0) - ports.clock.now()),
      Promise.resolve(undefined)
    );
    expect(await wait(ports, 5_000)).toEqual({ state: 'NOT_FOUND' });
    expect(ports.clock.now() - began).toBe(5_000);
    expect(deadlines[0]).toBe(5_000);
    expect(deadlines.at(-1)).toBe(3_000);
  });

  it('that fails for good fails at once, and one for lack of an answer at its end', async () => {
    const denied = world(failing('PERMISSION_DENIED'));
    await expect(wait(denied, 60_000)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(denied.clock.pauses).toEqual([]);
    const silent = world(failing('UNAVAILABLE'));
    await expect(wait(silent, 60_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(silent.clock.pauses.reduce((sum, ms) => sum + ms, 0)).toBe(60_000);
    expect(Math.max(...silent.clock.pauses)).toBeGreaterThan(5_000);
  });
});
