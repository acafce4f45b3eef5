// SPDX-License-Identifier: Apache-2.0
// `binauthz attest --vulnerability-policy`, from words to what the emulator was asked for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateStage, SCANNED } from '../support/gate-stage.js';
import { casesOf, junitProblems } from '../support/junit-schema.js';
import { sarifProblems } from '../support/sarif-schema.js';
import { PROJECT } from '../support/stage.js';
import { parseXml } from '../support/xml.js';

let on: GateStage;
beforeAll(async () => {
  on = await GateStage.open();
  const rule = {
    evaluationMode: 'REQUIRE_ATTESTATION',
    enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
    requireAttestationsBy: [on.attestor],
  };
  await on.stage.call('PUT', `/v1/projects/${PROJECT}/policy`, { name: `projects/${PROJECT}/policy`, defaultAdmissionRule: rule });
});
afterAll(async () => {
  expect(on.emulator.lastErrors).toEqual([]);
  await on.close();
});

const policy = (...lines: readonly string[]): string[] => [
  '--vulnerability-policy',
  on.policy('deny: { fixable: HIGH, unfixable: HIGH }', ...lines),
];
const read = (path: string): string => readFileSync(join(on.cwd, path), 'utf8');
const FORMS = ['json', 'sarif', 'junit', 'markdown'].flatMap((form) => ['--report', `${form}=attest.${form}`]);

describe('the gate of attest', () => {
  it('lets an image pass that the policy allows, and shows its findings', async () => {
    const image = await on.scanned(['CVE-2026-1', 'LOW']);
    const before = await on.acts();
    const ran = await on.attest(image, policy());
    expect([ran.status, ran.json.vulnerabilities.verdict, ran.json.attestations[0].status]).toEqual([0, 'ALLOWED', 'created']);
    expect(ran.json.vulnerabilities.images[0].findings).toEqual([expect.objectContaining({ id: 'CVE-2026-1', verdict: 'ALLOWED' })]);
    expect(await on.acts()).toEqual({ signed: before.signed + 1, posted: before.posted + 1 });
  });

  it('denies: exit 3, no signature asked for, nothing posted', async () => {
    const image = await on.scanned(['CVE-2026-1', 'CRITICAL']);
    const before = await on.acts();
    const ran = await on.attest(image, policy());
    expect([ran.status, ran.json.vulnerabilities.verdict, ran.json.attestations]).toEqual([3, 'DENIED', []]);
    expect(ran.json.errors).toEqual([expect.objectContaining({ code: 'VULNERABILITIES_DENIED', exitCode: 3, resource: image.name })]);
    expect(await on.acts()).toEqual(before);
  });

  it('asks for a signature only once the scan has come to its end', async () => {
    const image = await on.image();
    const before = await on.acts();
    const seen: number[] = [];
    let scan = '';
    const look = async (): Promise<void> => void seen.push((await on.acts()).signed - before.signed);
    const ran = await on.attest(image, policy(), [
      async () => (await look(), (scan = await on.scanner.discover(image.uri, { analysisStatus: 'PENDING' }))),
      async () => (await look(), on.scanner.progress(scan, { analysisStatus: 'SCANNING' })),
      async () => (await look(), on.scanner.progress(scan, SCANNED)),
    ]);
    expect([ran.status, seen, (await on.acts()).signed - before.signed]).toEqual([0, [0, 0, 0], 1]);
  });

  it('ends with 4 where the scan does not come to its end in time', async () => {
    const image = await on.image();
    const before = await on.acts();
    const ran = await on.attest(image, [...policy(), '--scan-timeout=30s']);
    expect([ran.status, ran.json.errors[0].code, ran.paused]).toEqual([4, 'SCAN_UNDECIDED', 30_000]);
    expect(await on.acts()).toEqual(before);
  });

  it('fails for an image that is attested already and denied now; the attestation stays, and is named', async () => {
    const image = await on.scanned();
    const first = await on.attest(image, policy());
    await on.scanner.find(image.uri, 'CVE-2026-7', { effectiveSeverity: 'CRITICAL', severity: 'CRITICAL' });
    const before = await on.acts();
    const again = await on.attest(image, policy());
    expect([again.status, again.json.attestations]).toEqual([
      3,
      [expect.objectContaining({ status: 'existing', occurrence: first.json.attestations[0].occurrence })],
    ]);
    expect(again.json.warnings).toContainEqual(
      expect.stringContaining(`attested it before, and ${first.json.attestations[0].occurrence} stays`),
    );
    expect(await on.acts()).toEqual(before);
  });

  it('judges a dry run as well', async () => {
    const bad = await on.attest(await on.scanned(['CVE-2026-1', 'HIGH']), [...policy(), '--dry-run']);
    expect([bad.status, bad.json.vulnerabilities.verdict, bad.json.attestations]).toEqual([3, 'DENIED', []]);
    const good = await on.attest(await on.scanned(), [...policy(), '--dry-run']);
    expect([good.status, good.json.attestations[0].status]).toEqual([0, 'dry-run']);
  });

  it('asks nobody about vulnerabilities where it is not wanted', async () => {
    const image = await on.scanned(['CVE-2026-1', 'CRITICAL']);
    const before = (await on.stage.requests()).length;
    const ran = await on.attest(image);
    expect([ran.status, ran.json.vulnerabilities]).toEqual([0, undefined]);
    const listings = (await on.stage.requests()).slice(before).filter((request) => request === `GET /v1/projects/${PROJECT}/occurrences`);
    expect(listings).toEqual([]);
  });

  it('shows all of it as text', async () => {
    const image = await on.scanned(['CVE-2026-1', 'HIGH'], ['CVE-2026-2', 'LOW']);
    const argv = ['attest', image.name, '--attestor', on.attestor, '--kms-key-version', on.key, ...policy()];
    const { status, stdout, stderr } = await on.run(argv);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^DENIED {2}us-docker/);
    expect(stdout).toContain('DENIED: 1 DENIED, 1 ALLOWED of 2 findings in 1 image');
    expect(stderr).toContain('error[VULNERABILITIES_DENIED]');
  });
});

describe('the reports of attest', () => {
  it('tell of the gate where it refused', async () => {
    const image = await on.scanned(['CVE-2026-1', 'HIGH']);
    const ran = await on.attest(image, [...policy(), ...FORMS]);
    expect([ran.status, read('attest.json')]).toEqual([3, ran.stdout]);
    expect(casesOf(parseXml(read('attest.junit')), 'failure')).toHaveLength(1);
    expect(JSON.parse(read('attest.sarif')).runs).toHaveLength(1);
    expect(read('attest.markdown')).toContain('binauthz vulnerabilities: DENIED');
  });

  it('tell of the gate and of the check behind it, in one file each', async () => {
    const image = await on.scanned(['CVE-2026-1', 'LOW']);
    const ran = await on.attest(image, [...policy(), '--check=enforce', ...FORMS]);
    expect([ran.status, ran.json.vulnerabilities.verdict, ran.json.check.verdict]).toEqual([0, 'ALLOWED', 'ALLOWED']);
    const log = JSON.parse(read('attest.sarif')) as { runs: { automationDetails: { id: string } }[] };
    expect(sarifProblems(log)).toEqual([]);
    // GitHub takes several runs of one file only as several categories.
    expect(new Set(log.runs.map(({ automationDetails }) => automationDetails.id)).size).toBe(2);
    const junit = parseXml(read('attest.junit'));
    expect([junitProblems(junit), casesOf(junit).length]).toEqual([[], 3]);
    expect(read('attest.markdown')).toMatch(/binauthz vulnerabilities: ALLOWED[\s\S]*binauthz check: ALLOWED/);
  });

  it('are not asked for in vain where there is a gate', async () => {
    const { stderr } = await on.attest(await on.scanned(), [...policy(), '--report=json=only.json', '--strict']);
    expect(stderr).toContain('without a check nothing comes of --strict: set --check to warn or enforce');
    expect(read('only.json')).toContain('binauthz.vulnerabilities/v1');
  });

  it('without any verdict are the result alone, which is JSON', async () => {
    const { status, stderr } = await on.attest(await on.image(), ['--report=json=plain.json', '--report=sarif=plain.sarif']);
    expect([status, JSON.parse(read('plain.json'))]).toMatchObject([
      0,
      { schema: 'binauthz.attest/v1', attestations: [{ status: 'created' }] },
    ]);
    expect(stderr).toContain(
      'without a check or a vulnerability policy nothing comes of sarif in --report: set --check to warn or enforce,',
    );
    expect(() => read('plain.sarif')).toThrow('ENOENT');
    expect((await on.attest(await on.image(), ['--report=json=alone.json'])).stderr).not.toContain('nothing comes of');
  });
});

describe('bad input', () => {
  it('is a report or a patience without a policy, which would go unjudged', async () => {
    const image = await on.image();
    const before = (await on.stage.requests()).length;
    const { status, json } = await on.attest(image, ['--findings', on.file('x.json', '[]'), '--scan-timeout=1m']);
    expect([status, json.errors.map(({ message }: { message: string }) => message)]).toEqual([
      2,
      [
        expect.stringMatching(/^--findings: x\.json: expected findings/),
        '--findings: expected --vulnerability-policy beside it, got none',
        '--scan-timeout: expected --vulnerability-policy beside it, got none',
      ],
    ]);
    expect((await on.stage.requests()).slice(before)).toEqual([]);
  });

  it('is not the patience that a host always gives', async () => {
    expect((await on.attest(await on.scanned(), ['--scan-timeout=10m'])).status).toBe(0);
  });

  it('is a policy that cannot be read, with everything else that is wrong', async () => {
    const { status, json } = await on.attest(await on.image(), ['--vulnerability-policy=gone.yaml', '--check=never']);
    expect([status, json.errors.map(({ message }: { message: string }) => message)]).toEqual([
      2,
      [
        '--check: expected one of off, warn, enforce, got "never"',
        '--vulnerability-policy: expected a file that can be read, got "gone.yaml": there is no such file',
      ],
    ]);
  });
});
