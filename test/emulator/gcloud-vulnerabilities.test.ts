// SPDX-License-Identifier: Apache-2.0
// Google's own client on vulnerabilities and scans: every command of gcloud that reads them, against the emulator.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFindings } from '../../src/scans/findings.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';
import { pushImage, singleImage, type TestImage } from '../support/images.js';
import { Scanner, vulnerabilityIn } from '../support/scanner.js';

const P = 'demo-proj';
const HOST = 'us-central1-docker.pkg.dev';
const REPOSITORY = `${HOST}/${P}/repo`;
const SCANNED = { analysisStatus: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00.123456789Z', continuousAnalysis: 'ACTIVE' };
/** The emulator is gcloud's proxy, and no other API is reached through it. */
const DIRECTLY = { CLOUDSDK_PROXY_TYPE: undefined, CLOUDSDK_PROXY_ADDRESS: undefined, CLOUDSDK_PROXY_PORT: undefined };
const BAD = singleImage('bad');
const FINE = singleImage('fine');

const nameOf = (name: string, { digest }: TestImage): string => `${REPOSITORY}/${name}@${digest}`;
const reportsOf = (text: string) => parseFindings(new TextEncoder().encode(text)).reports;

describe.skipIf(!HAS_GCLOUD)(
  HAS_GCLOUD ? 'gcloud on vulnerabilities' : 'gcloud on vulnerabilities (skipped: gcloud is not on the PATH)',
  { timeout: 120_000 },
  () => {
    let emulator: TestEmulator;
    let gcloud: Gcloud;
    let scanner: Scanner;
    beforeAll(async () => {
      emulator = await startTestEmulator();
      gcloud = await gcloudFor(emulator, P);
      scanner = new Scanner(emulator, P);
      const headers = { 'x-binauthz-registry': HOST };
      for (const [name, image] of [
        ['bad', BAD],
        ['fine', FINE],
      ] as const) {
        await pushImage(emulator.url, `${P}/repo/${name}`, 'v1', image, { headers });
        await scanner.discover(`https://${nameOf(name, image)}`, SCANNED);
      }
      const uri = `https://${nameOf('bad', BAD)}`;
      await scanner.find(uri, 'CVE-2026-1', vulnerabilityIn('openssl', 'CRITICAL'));
      await scanner.find(uri, 'CVE-2026-2', vulnerabilityIn('zlib', 'LOW', { fixAvailable: false }));
    });
    afterAll(async () => {
      expect(emulator.lastErrors).toEqual([]);
      await gcloud.remove();
      await emulator.close();
    });
    const describeImage = (...words: string[]) => gcloud.json('artifacts', 'docker', 'images', 'describe', ...words);

    describe('artifacts vulnerabilities list', () => {
      it('shows a table under the time of the scan', async () => {
        const table = await gcloud.ok('artifacts', 'vulnerabilities', 'list', nameOf('bad', BAD));
        expect(table).toContain('Latest scan was at 2026-11-21T11:00');
        for (const cell of ['CVE-2026-1', 'CRITICAL', 'openssl', 'CVE-2026-2', 'zlib']) expect(table).toContain(cell);
      });

      it('finds them by tag', async () => {
        const all = await gcloud.json('artifacts', 'vulnerabilities', 'list', `${REPOSITORY}/bad:v1`);
        expect(all.map(({ occurrence }: { occurrence: { noteName: string } }) => occurrence.noteName).sort()).toEqual([
          'projects/goog-vulnz/notes/CVE-2026-1',
          'projects/goog-vulnz/notes/CVE-2026-2',
        ]);
      });

      it('takes a filter', async () => {
        const words = ['artifacts', 'vulnerabilities', 'list', nameOf('bad', BAD), '--format=json', '--occurrence-filter'];
        const listed = await gcloud.ok(...words, 'noteId="CVE-2026-1"');
        expect([listed.includes('CVE-2026-1'), listed.includes('CVE-2026-2')]).toEqual([true, false]);
      });

      it('prints JSON that as a report may be half of them', async () => {
        const printed = await gcloud.ok('artifacts', 'vulnerabilities', 'list', nameOf('bad', BAD), '--format=json');
        expect(reportsOf(printed)).toMatchObject([
          { digests: [BAD.digest], scan: { state: 'UNSPECIFIED', errors: [expect.stringContaining('--show-package-vulnerability')] } },
        ]);
      });

      it('is empty for an image without any, which as a report says nothing', async () => {
        const { stdout } = await gcloud.run('artifacts', 'vulnerabilities', 'list', nameOf('fine', FINE), '--format=json');
        expect(stdout).not.toContain('CVE');
        expect(parseFindings(new TextEncoder().encode(stdout)).reports).toBeUndefined();
      });
    });

    describe('artifacts docker images describe', () => {
      it.each(['--show-package-vulnerability', '--show-all-metadata'])('%s has the findings by severity and the scan', async (flag) => {
        const described = await describeImage(nameOf('bad', BAD), flag);
        expect(described.package_vulnerability_summary).toMatchObject({
          total_vulnerability_count: 2,
          not_fixed_vulnerability_count: 1,
          vulnerabilities: { CRITICAL: [{ noteName: 'projects/goog-vulnz/notes/CVE-2026-1' }], LOW: [{}] },
        });
        expect(described.discovery_summary.discovery).toEqual([
          expect.objectContaining({ discovery: expect.objectContaining({ analysisStatus: 'FINISHED_SUCCESS' }) }),
        ]);
        const reports = reportsOf(JSON.stringify(described));
        expect(reports).toMatchObject([{ digests: [BAD.digest], scan: { state: 'FINISHED_SUCCESS' } }]);
        expect(reports?.[0].findings.map(({ id, severity, fixable }) => [id, severity, fixable])).toEqual([
          ['CVE-2026-1', 'CRITICAL', true],
          ['CVE-2026-2', 'LOW', true],
        ]);
      });

      it('of an image without any is a report that says so', async () => {
        const described = await describeImage(`${REPOSITORY}/fine:v1`, '--show-package-vulnerability');
        expect(reportsOf(JSON.stringify(described))).toMatchObject([
          { digests: [FINE.digest], scan: { state: 'FINISHED_SUCCESS' }, findings: [] },
        ]);
      });
    });

    it('artifacts docker images list --show-occurrences counts them for each image', async () => {
      const listed = await gcloud.json('artifacts', 'docker', 'images', 'list', REPOSITORY, '--show-occurrences');
      const rows = listed as { package: string; version: string; vuln_counts?: Record<string, number>; DISCOVERY?: object[] }[];
      const of = (name: string) => rows.find(({ package: path }) => path === `${REPOSITORY}/${name}`);
      expect(of('bad')).toMatchObject({ version: BAD.digest, vuln_counts: { CRITICAL: 1, LOW: 1 } });
      expect(of('bad')?.DISCOVERY).toHaveLength(1);
      expect(of('fine')?.vuln_counts ?? {}).toEqual({});
    });

    // This one asks the registry of the image's own name, which here is the emulator's.
    it('container images describe --show-package-vulnerability knows them by another road', async () => {
      const name = `localhost:${String(emulator.port)}/${P}/repo/bad@${BAD.digest}`;
      await scanner.find(`https://${name}`, 'CVE-2026-5', vulnerabilityIn('curl', 'HIGH'));
      await scanner.discover(`https://${name}`, { analysisStatus: 'SCANNING' });
      const described = await gcloud.json('beta', 'container', 'images', 'describe', name, '--show-package-vulnerability');
      expect(described.package_vulnerability_summary).toMatchObject({ vulnerabilities: { HIGH: [{}] } });
      expect(reportsOf(JSON.stringify(described))).toMatchObject([
        { digests: [BAD.digest], scan: { state: 'SCANNING' }, findings: [{ id: 'CVE-2026-5', severity: 'HIGH' }] },
      ]);
    });

    // Its API is no part of the emulator; what gcloud makes of its answer is what --findings is given.
    it('artifacts docker images list-vulnerabilities, of On-Demand Scanning, prints what --findings takes', async () => {
      const occurrence = (id: string, name: string, severity: string) => ({
        name: `projects/${P}/locations/us/occurrences/${id}`,
        resourceUri: nameOf('bad', BAD),
        noteName: `projects/goog-vulnz/notes/${id}`,
        kind: 'VULNERABILITY',
        vulnerability: vulnerabilityIn(name, severity),
      });
      const asked: string[] = [];
      const server = await serve((path) => {
        asked.push(path);
        const isSecond = path.includes('pageToken=more');
        return isSecond
          ? { occurrences: [occurrence('CVE-2026-4', 'zlib', 'LOW')] }
          : { occurrences: [occurrence('CVE-2026-3', 'openssl', 'HIGH')], nextPageToken: 'more' };
      });
      const scan = `projects/${P}/locations/us/scans/1`;
      const onDemand = gcloud.with({ ...DIRECTLY, CLOUDSDK_API_ENDPOINT_OVERRIDES_ONDEMANDSCANNING: `${server.url}/` });
      const printed = await onDemand.ok('artifacts', 'docker', 'images', 'list-vulnerabilities', scan, '--format=json');
      await server.close();
      expect(asked[0]).toMatch(new RegExp(`^/v1(?:beta1)?/${scan}/vulnerabilities`));
      const reports = reportsOf(printed);
      expect(reports).toMatchObject([{ digests: [BAD.digest], scan: { state: 'FINISHED_SUCCESS', isAssumed: true } }]);
      expect(reports?.[0].findings.map(({ id, severity }) => [id, severity])).toEqual([
        ['CVE-2026-3', 'HIGH'],
        ['CVE-2026-4', 'LOW'],
      ]);
    });
  },
);

async function serve(answer: (path: string) => object): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(request.url ?? '')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
