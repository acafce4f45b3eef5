// SPDX-License-Identifier: Apache-2.0
// Vulnerability and discovery occurrences on the emulator, over REST; gcloud-vulnerabilities.test.ts has gcloud read them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { Scanner, vulnerabilityIn } from '../support/scanner.js';

const P = 'demo-proj';
const HOST = 'us-central1-docker.pkg.dev';
const IMAGE = singleImage('vulnerable');
const APP = `${HOST}/${P}/repo/app@${IMAGE.digest}`;
const URI = `https://${APP}`;

let emulator: TestEmulator;
let scan: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  await pushImage(emulator.url, `${P}/repo/app`, 'v1', IMAGE, { headers: { 'x-binauthz-registry': HOST } });
  const scanner = new Scanner(emulator, P);
  scan = await scanner.discover(URI, { analysisStatus: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00.123456789Z' });
  await scanner.find(URI, 'CVE-2026-1', vulnerabilityIn('openssl', 'HIGH'));
  await scanner.find(URI, 'CVE-2026-2', vulnerabilityIn('zlib', 'LOW', { fixAvailable: false }));
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

describe('a scan', () => {
  it('reports its progress', async () => {
    const scanner = new Scanner(emulator, 'progress');
    const name = await scanner.discover('https://gcr.io/progress/app@sha256:1', { analysisStatus: 1 }, 'projects/progress/notes/scan');
    const status = async (): Promise<unknown> => (await emulator.api('GET', `/v1/${name}`)).json.discovery;
    expect(await status()).toEqual({ analysisStatus: 'PENDING' });
    await scanner.progress(name, { analysisStatus: 'SCANNING', cpe: 'x' });
    expect(await status()).toEqual({ analysisStatus: 'SCANNING', cpe: 'x' });
    const patched = await emulator.api('PATCH', `/v1/${name}?updateMask=discovery.analysis_status`, { discovery: { analysis_status: 3 } });
    expect([patched.status, await status()]).toEqual([200, { cpe: 'x', analysisStatus: 'FINISHED_SUCCESS' }]);
    // Its former state is no duplicate any more.
    const again = { resourceUri: 'https://gcr.io/progress/app@sha256:1', noteName: 'projects/progress/notes/scan' };
    const post = (discovery: object) => emulator.api('POST', '/v1/projects/progress/occurrences', { ...again, discovery });
    expect((await post({ analysisStatus: 'PENDING' })).status).toBe(200);
    expect((await post({ cpe: 'x', analysisStatus: 'FINISHED_SUCCESS' })).status).toBe(409);
  });

  it('keeps its note and resource', async () => {
    const { status, json } = await emulator.api('PATCH', `/v1/${scan}?updateMask=resourceUri`, { resourceUri: 'x' });
    expect([status, json.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect((await emulator.api('PATCH', `/v1/${scan}?updateMask=vulnerability`, { vulnerability: {} })).status).toBe(400);
    expect((await emulator.api('PATCH', `/v1/${scan}?updateMask=discovery`, { discovery: { analysisStatus: 'DONE' } })).status).toBe(400);
  });
});

describe('the summary', () => {
  const path = `/v1/projects/${P}/occurrences:vulnerabilitySummary`;

  it('counts by severity, and all', async () => {
    const filter = encodeURIComponent(`resourceUrl="${URI}"`);
    const { json } = await emulator.api('GET', `${path}?filter=${filter}`);
    const count = (severity: string, fixableCount: string, totalCount: string) => ({
      resourceUri: URI,
      severity,
      fixableCount,
      totalCount,
    });
    expect(json.counts).toHaveLength(3);
    expect(json.counts).toEqual(
      expect.arrayContaining([count('SEVERITY_UNSPECIFIED', '1', '2'), count('HIGH', '1', '1'), count('LOW', '0', '1')]),
    );
  });

  it('is empty for what has none, and closed to strangers', async () => {
    expect((await emulator.api('GET', `${path}?filter=${encodeURIComponent('resourceUrl="x"')}`)).json).toEqual({});
    expect((await emulator.api('GET', path, undefined, 'as:nobody@example.com')).status).toBe(403);
  });
});
