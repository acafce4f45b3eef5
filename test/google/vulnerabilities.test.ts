// SPDX-License-Identifier: Apache-2.0
// The vulnerability gate over Google's client library and the emulator, whose scanner moves while the gate waits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/image/digest.js';
import { pin, pinnedName, type PinnedReference } from '../../src/core/image/reference.js';
import type { VulnerabilityPolicy } from '../../src/core/vulnerabilities/policy.js';
import { createVulnerabilityStore } from '../../src/google/vulnerabilities.js';
import type { Reporter } from '../../src/ports/reporter.js';
import { judgeVulnerabilities } from '../../src/usecases/steps/judge-vulnerabilities.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { fakePace } from '../support/fake-pace.js';
import { reference } from '../support/ports.js';
import { Scanner, vulnerabilityIn } from '../support/scanner.js';
import { errorOf, googleOn } from './google.js';

const POLICY: VulnerabilityPolicy = { deny: { fixable: 'HIGH', cvss: 9 }, unknownSeverity: 'deny', waivers: [] };
const quiet: Reporter = { step: () => undefined, info: () => undefined, warn: () => undefined, debug: () => undefined };

let emulator: TestEmulator;
let scanner: Scanner;
let count = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
  scanner = new Scanner(emulator, 'shop-prod');
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const store = () => createVulnerabilityStore(googleOn(emulator.host).google);

function newImage(name = 'us-docker.pkg.dev/shop-prod/repo/app'): PinnedReference {
  count += 1;
  return pin(reference(`${name}:v1`), digestOf(new TextEncoder().encode(`image ${count}`)));
}
const uriOf = (image: PinnedReference): string => `https://${pinnedName(image)}`;

/** Judges an image; each pause of the gate lets the world move by one step. */
async function judge(image: PinnedReference, steps: readonly (() => Promise<unknown>)[] = [], scanTimeoutMs = 600_000) {
  const pace = fakePace();
  const moves = [...steps];
  const clock = { ...pace, now: pace.now, sleep: async (ms: number) => (await pace.sleep(ms), void (await moves.shift()?.())) };
  const resolved = { reference: image, mediaType: 'application/vnd.oci.image.manifest.v1+json', children: [], isIndex: false };
  const { verdict, images, errors } = await judgeVulnerabilities(
    [resolved],
    { policy: POLICY, scanTimeoutMs },
    { vulnerabilities: store(), clock, reporter: quiet },
  );
  return { verdict, image: images[0], errors, left: moves.length, reasons: images[0]?.reasons.map(({ code }) => code) };
}

describe('the gate', () => {
  it('waits while the scan comes up and goes through its states, then reads what it found', async () => {
    const image = newImage();
    let name = '';
    const ended = await judge(image, [
      async () => (name = await scanner.discover(uriOf(image), { analysisStatus: 'PENDING' })),
      () => scanner.progress(name, { analysisStatus: 'SCANNING' }),
      () => scanner.find(uriOf(image), 'CVE-2026-10', vulnerabilityIn('openssl', 'HIGH')),
      () =>
        scanner.progress(name, { analysisStatus: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z', continuousAnalysis: 'ACTIVE' }),
    ]);
    expect(ended).toMatchObject({ verdict: 'DENIED', left: 0, reasons: ['SEVERITY_DENIED'], errors: [] });
    expect(ended.image?.manifests).toEqual([
      { digest: image.digest, scan: 'FINISHED_SUCCESS', lastScanTime: expect.stringMatching(/^2026-11-21T11:00:00/) },
    ]);
    expect(ended.image?.findings).toEqual([
      {
        id: 'CVE-2026-10',
        package: 'openssl',
        version: '3.0.1-1',
        fixedVersion: '3.0.2-1',
        severity: 'HIGH',
        cvss: 7.5,
        verdict: 'DENIED',
        reasons: [expect.objectContaining({ code: 'SEVERITY_DENIED' })],
      },
    ]);
  });

  it.each([
    ['PENDING', 'UNKNOWN', 'SCAN_PENDING'],
    ['SCANNING', 'UNKNOWN', 'SCAN_RUNNING'],
    ['FINISHED_FAILED', 'UNKNOWN', 'SCAN_FAILED'],
    ['FINISHED_UNSUPPORTED', 'UNKNOWN', 'SCAN_UNSUPPORTED'],
    ['ANALYSIS_STATUS_UNSPECIFIED', 'UNKNOWN', 'SCAN_STATE_UNKNOWN'],
    ['FINISHED_SUCCESS', 'ALLOWED', undefined],
    ['COMPLETE', 'ALLOWED', undefined],
  ])('of a scan that stays %s says %s', async (analysisStatus, verdict, reason) => {
    const image = newImage();
    await scanner.discover(uriOf(image), { analysisStatus });
    expect(await judge(image, [], 5_000)).toMatchObject({ verdict, reasons: reason === undefined ? [] : [reason] });
  });

  it('of an image that nobody scanned says so', async () => {
    expect(await judge(newImage(), [], 5_000)).toMatchObject({ verdict: 'UNKNOWN', reasons: ['SCAN_NOT_FOUND'] });
  });

  it('reads every page of a long listing', async () => {
    const image = newImage();
    await scanner.discover(uriOf(image), { analysisStatus: 'FINISHED_SUCCESS' });
    await scanner.find(uriOf(image), 'CVE-2026-20', vulnerabilityIn('bulk', 'LOW'));
    const body = (index: number): object => ({
      resourceUri: uriOf(image),
      noteName: 'projects/goog-vulnz/notes/CVE-2026-20',
      vulnerability: vulnerabilityIn(`bulk-${index}`, index === 999 ? 'CRITICAL' : 'LOW'),
    });
    const occurrences = Array.from({ length: 1_000 }, (_, index) => body(index));
    expect((await emulator.api('POST', '/v1/projects/shop-prod/occurrences:batchCreate', { occurrences })).status).toBe(200);
    const { verdict, image: judged } = await judge(image);
    expect([verdict, judged?.findings.length]).toEqual(['DENIED', 1_001]);
  });
});

describe('who is believed', () => {
  it('about a scan is Google’s scanner alone', async () => {
    const image = newImage();
    await scanner.discover(uriOf(image), { analysisStatus: 'FINISHED_SUCCESS' }, 'projects/shop-prod/notes/my-own-scanner');
    await scanner.discover(uriOf(image), { analysisStatus: 'FINISHED_SUCCESS' }, 'projects/goog-analysis/notes/SECRET');
    expect(await store().scan(image)).toBeUndefined();
  });

  it('about a vulnerability is everybody, also where another copy of the image is', async () => {
    const image = newImage();
    await scanner.find(`us-docker.pkg.dev/shop-prod/other/app@${image.digest}`, 'CVE-2026-30', vulnerabilityIn('zlib', 'HIGH'));
    expect(await store().findings(image)).toEqual([expect.objectContaining({ id: 'CVE-2026-30' })]);
    await scanner.discover(`https://us-docker.pkg.dev/shop-prod/other/app@${image.digest}`, { analysisStatus: 'FINISHED_SUCCESS' });
    expect(await store().scan(image)).toBeUndefined();
  });

  it('is not misled by a digest at another place of the name', async () => {
    const image = newImage();
    await scanner.find(`us-docker.pkg.dev/shop-prod/app/${image.digest}`, 'CVE-2026-31', vulnerabilityIn('zlib', 'HIGH'));
    expect(await store().findings(image)).toEqual([]);
  });
});

describe('the store', () => {
  it('reads a scan with its errors, its end of continuous analysis and its archive', async () => {
    const image = newImage();
    await scanner.discover(uriOf(image), {
      analysisStatus: 'FINISHED_SUCCESS',
      continuousAnalysis: 'INACTIVE',
      archiveTime: '2026-10-01T00:00:00Z',
      analysisError: [{ code: 3, message: 'layer 2 cannot be read' }],
    });
    expect(await store().scan(image)).toEqual({
      state: 'FINISHED_SUCCESS',
      continuous: 'INACTIVE',
      isArchived: true,
      errors: ['layer 2 cannot be read'],
    });
  });

  it('takes a URI without https:// as well', async () => {
    const image = newImage();
    await scanner.discover(pinnedName(image), { analysisStatus: 'SCANNING' });
    expect(await store().scan(image)).toEqual({ state: 'SCANNING' });
  });

  it('finds the scan of a gcr.io repository under its old name', async () => {
    const image = newImage('us-docker.pkg.dev/shop-prod/gcr.io/team/app');
    await scanner.discover(`https://eu.gcr.io/shop-prod/team/app@${image.digest}`, { analysisStatus: 'FINISHED_SUCCESS' });
    expect(await store().scan(image)).toBeUndefined();
    await scanner.discover(`https://gcr.io/shop-prod/team/app@${image.digest}`, { analysisStatus: 'SCANNING' });
    expect(await store().scan(image)).toEqual({ state: 'SCANNING' });
  });

  it('covers Google’s registries only', async () => {
    expect(store().covers(newImage())).toBe(true);
    expect(store().covers(newImage('gcr.io/shop-prod/app'))).toBe(true);
    const elsewhere = newImage('docker.io/library/nginx');
    expect(store().covers(elsewhere)).toBe(false);
    expect((await errorOf(store().scan(elsewhere))).code).toBe('INVALID_INPUT');
  });

  it('names the permission that is missing', async () => {
    const { google } = googleOn(emulator.host, { token: 'as:nobody@example.com' });
    const error = await errorOf(createVulnerabilityStore(google).scan(newImage()));
    expect([error.code, error.message]).toEqual(['PERMISSION_DENIED', expect.stringContaining('containeranalysis.occurrences.list')]);
  });
});
