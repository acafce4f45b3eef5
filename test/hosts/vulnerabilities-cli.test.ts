// SPDX-License-Identifier: Apache-2.0
// `binauthz vulnerabilities`, from words to exit status and files, on the emulator.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateStage, SCANNED, type StagedImage } from '../support/gate-stage.js';
import { casesOf, junitProblems } from '../support/junit-schema.js';
import { sarifProblems } from '../support/sarif-schema.js';
import { vulnerabilityIn } from '../support/scanner.js';
import { parseXml } from '../support/xml.js';
import { run } from './world.js';

let on: GateStage;
beforeAll(async () => {
  on = await GateStage.open();
});
afterAll(async () => {
  expect(on.emulator.lastErrors).toEqual([]);
  await on.close();
});

const HIGH = ['deny: { fixable: HIGH, unfixable: HIGH }'];
const policy = (...lines: readonly string[]): string[] => ['--vulnerability-policy', on.policy(...(lines.length === 0 ? HIGH : lines))];
const read = (path: string): string => readFileSync(join(on.cwd, path), 'utf8');
const ofTrivy = (digest: string, change: object = {}): object => ({
  SchemaVersion: 2,
  CreatedAt: '2026-11-21T11:00:00Z',
  ArtifactName: 'app',
  ArtifactType: 'container_image',
  Metadata: { RepoDigests: [`us-docker.pkg.dev/p/r/app@${digest}`], ImageConfig: { os: 'linux', architecture: 'amd64' } },
  Results: [{ Target: 'app', Class: 'os-pkgs', Type: 'debian' }],
  ...change,
});
const codesOf = ({ json }: { readonly json: { images: { reasons: { code: string }[] }[] } }): readonly string[] =>
  json.images.flatMap(({ reasons }) => reasons.map(({ code }) => code));

const waiverWarnings = ({ json }: { readonly json: { warnings: string[] } }): readonly string[] =>
  json.warnings.filter((text) => text.includes('waiver'));

describe('without a policy', () => {
  it('shows the findings: exit 0', async () => {
    const image = await on.scanned(['CVE-2026-1', 'CRITICAL'], ['CVE-2026-2', 'LOW', { cvssv3: {}, cvssScore: 0, packageIssue: [] }]);
    const { status, stdout } = await on.run(['vulnerabilities', image.name]);
    expect(status).toBe(0);
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(['CVE', 'PACKAGE', 'VERSION', 'FIXED IN', 'SEVERITY', 'CVSS', 'VERDICT', 'WAIVER']);
    expect(rows).toContainEqual(['CVE-2026-1', 'openssl', '3.0.1-1', '3.0.2-1', 'CRITICAL', '7.5', 'NOT_JUDGED']);
    expect(stdout).toContain('NOT_JUDGED: 2 NOT_JUDGED of 2 findings in 1 image');
    expect(await on.judge(image)).toMatchObject({
      status: 0,
      json: {
        schema: 'binauthz.vulnerabilities/v1',
        verdict: 'NOT_JUDGED',
        images: [{ image: image.name, scan: 'FINISHED_SUCCESS' }],
        emulator: true,
      },
    });
  });

  it('an image that was not scanned is not shown as clean: exit 4', async () => {
    const ran = await on.judge(await on.image(), ['--scan-timeout=0s']);
    expect([ran.status, ran.json.verdict, codesOf(ran), ran.paused]).toEqual([4, 'UNKNOWN', ['SCAN_NOT_FOUND'], 0]);
    expect(ran.stderr).toMatch(/error\[SCAN_UNDECIDED\]: cannot judge the vulnerabilities of .*: no scan was found\n {2}hint: enable/);
  });

  it('an image that does not exist is not found: exit 6', async () => {
    const ran = await on.run(['vulnerabilities', 'us-docker.pkg.dev/shop-prod/shop/app:gone', '--output=json']);
    expect([ran.status, ran.json.verdict, ran.json.errors[0].code]).toEqual([6, 'UNKNOWN', 'IMAGE_NOT_FOUND']);
  });

  it('a scan that may not be read is a missing permission: exit 5', async () => {
    const image = await on.scanned();
    await on.stage.grant(`projects/shop-prod`, 'user:reader@example.com', 'roles/artifactregistry.reader');
    const env = { BINAUTHZ_EMULATOR_HOST: on.emulator.host, TOKEN: 'as:reader@example.com' };
    const ran = await run(['vulnerabilities', image.name, '--access-token-env=TOKEN', '--scan-timeout=0s'], env);
    expect([ran.status, ran.stderr]).toEqual([5, expect.stringContaining('containeranalysis.occurrences.list')]);
  });
});

describe('with a policy', () => {
  it('an image below its thresholds passes: exit 0', async () => {
    const ran = await on.judge(await on.scanned(['CVE-2026-1', 'MEDIUM']), policy());
    expect([ran.status, ran.json.verdict, ran.json.images[0].findings[0].verdict]).toEqual([0, 'ALLOWED', 'ALLOWED']);
  });

  it('a finding that reaches a threshold denies the image: exit 3, with the finding and the fix in one line', async () => {
    const ran = await on.judge(await on.scanned(['CVE-2026-1', 'HIGH'], ['CVE-2026-2', 'LOW']), policy());
    expect([ran.status, ran.json.verdict, codesOf(ran)]).toEqual([3, 'DENIED', ['SEVERITY_DENIED']]);
    expect(ran.json).not.toHaveProperty('errors');
    expect(ran.stderr).toMatch(
      /error\[VULNERABILITIES_DENIED\]: the vulnerability policy denies us-docker.*: CVE-2026-1 in openssl 3\.0\.1-1 is HIGH \(fixed in 3\.0\.2-1\); fixable HIGH and above is denied\n {2}hint: repair/,
    );
  });

  it('one denied image of several fails the run, and the others are counted', async () => {
    const [fine, bad, unknown] = [await on.scanned(), await on.scanned(['CVE-2026-1', 'HIGH']), await on.image()];
    const { status, stderr } = await on.run(['vulnerabilities', unknown.name, fine.name, bad.name, '--scan-timeout=0s', ...policy()]);
    expect([status, stderr]).toEqual([3, expect.stringContaining(`denies ${bad.name}`)]);
    expect(stderr).toContain('; 1 more image is refused');
  });

  it('a waiver about to end warns; one that has ended fails, and is named with its owner', async () => {
    const image = await on.scanned(['CVE-2026-1', 'CRITICAL']);
    const until = (day: string) =>
      policy(...HIGH, `waivers: [{ id: CVE-2026-1, package: openssl, owner: team@example.com, reason: not reachable, expires: ${day} }]`);
    const fine = await on.judge(image, until('2027-06-30'));
    expect([fine.status, fine.json.images[0].findings[0], waiverWarnings(fine)]).toEqual([
      0,
      expect.objectContaining({ verdict: 'WAIVED', waiver: { owner: 'team@example.com', reason: 'not reachable', expires: '2027-06-30' } }),
      [],
    ]);
    const ending = await on.judge(image, until('2026-11-25'));
    expect([ending.status, waiverWarnings(ending)]).toEqual([0, [expect.stringContaining('by team@example.com expires on 2026-11-25')]]);
    expect(ending.stderr).toContain('warning: ');
    const ended = await on.judge(image, until('2026-11-20'));
    expect([ended.status, codesOf(ended)]).toEqual([3, ['SEVERITY_DENIED', 'WAIVER_EXPIRED']]);
    expect(ended.stderr).toMatch(
      /the waiver of CVE-2026-1 in openssl 3\.0\.1-1 by team@example\.com expired on 2026-11-20\n {2}hint: .*team@example\.com/,
    );
  });

  it('reports in every form, whatever the verdict', async () => {
    const image = await on.scanned(['CVE-2026-1', 'CRITICAL']);
    const forms = ['json', 'sarif', 'junit', 'markdown'].flatMap((form) => ['--report', `${form}=out/vulnerabilities.${form}`]);
    const ran = await on.judge(image, [...policy(), ...forms]);
    expect(ran.status).toBe(3);
    expect(read('out/vulnerabilities.json')).toBe(ran.stdout);
    const log = JSON.parse(read('out/vulnerabilities.sarif')) as { runs: { results: { ruleId: string }[] }[] };
    expect([sarifProblems(log), log.runs[0]?.results.map(({ ruleId }) => ruleId)]).toEqual([[], ['SEVERITY_DENIED']]);
    const junit = parseXml(read('out/vulnerabilities.junit'));
    expect([junitProblems(junit), casesOf(junit, 'failure').length]).toEqual([[], 1]);
    expect(read('out/vulnerabilities.markdown')).toContain('### ❌ binauthz vulnerabilities: DENIED');
  });
});

describe('an index', () => {
  const PLATFORMS = ['linux/amd64', 'linux/arm64'];
  const scan = (image: StagedImage, platform: string) => on.scanner.discover(image.platforms[platform] ?? '', SCANNED);

  it('passes where each of its runnable platforms was scanned and passes; its provenance runs nowhere', async () => {
    const image = await on.index(PLATFORMS);
    for (const platform of PLATFORMS) await scan(image, platform);
    const ran = await on.judge(image, policy());
    expect([ran.status, ran.json.images[0].manifests.map(({ platform }: { platform: string }) => platform)]).toEqual([0, PLATFORMS]);
  });

  // The scan of the index itself, or of one platform, looks like the scan of the image.
  it('with a platform that was not scanned is unknown: exit 4', async () => {
    const image = await on.index(PLATFORMS);
    await on.scanner.discover(image.uri, SCANNED);
    await scan(image, 'linux/amd64');
    const ran = await on.judge(image, [...policy(), '--scan-timeout=5s']);
    expect([ran.status, codesOf(ran)]).toEqual([4, ['SCAN_NOT_FOUND']]);
    expect(ran.stderr).toContain('linux/arm64');
  });

  it('with a platform that is denied is denied, and the platform is named', async () => {
    const image = await on.index(PLATFORMS);
    for (const platform of PLATFORMS) await scan(image, platform);
    await on.scanner.find(image.platforms['linux/arm64'] ?? '', 'CVE-2026-1', vulnerabilityIn('zlib', 'HIGH'));
    const ran = await on.judge(image, policy());
    expect([ran.status, ran.json.images[0].findings[0].platforms]).toEqual([3, ['linux/arm64']]);
  });
});

describe('the reports of other scanners', () => {
  it('are judged instead of what Artifact Analysis knows, which is not asked', async () => {
    const image = await on.image();
    const before = (await on.stage.requests()).length;
    const ran = await on.judge(image, [...policy(), '--findings', on.file('trivy.json', ofTrivy(image.digest))]);
    expect([ran.status, ran.json.verdict, ran.paused]).toEqual([0, 'ALLOWED', 0]);
    expect((await on.stage.requests()).slice(before).filter((request) => request.includes('occurrences'))).toEqual([]);
  });

  it('of another image are refused: exit 7', async () => {
    const image = await on.image();
    const files = [on.file('own.json', ofTrivy(image.digest)), on.file('other.json', ofTrivy(`sha256:${'0'.repeat(64)}`))];
    for (const argv of [['--findings', 'other.json'], files.flatMap((file) => ['--findings', file])]) {
      const ran = await on.judge(image, [...policy(), ...argv]);
      expect([ran.status, ran.json.verdict, ran.json.errors[0].code]).toEqual([7, 'UNKNOWN', 'FINDINGS_MISMATCH']);
    }
    const nameless = on.file('nameless.json', ofTrivy(image.digest, { Metadata: {} }));
    expect((await on.judge(image, [...policy(), '--findings', nameless])).status).toBe(7);
  });

  it('of an index are needed for each platform', async () => {
    const image = await on.index(['linux/amd64', 'linux/arm64']);
    const files = Object.values(image.platforms).map((uri, index) => on.file(`${index}.json`, ofTrivy(uri.slice(uri.indexOf('sha256:')))));
    expect((await on.judge(image, [...policy(), '--findings', '0.json'])).status).toBe(4);
    expect((await on.judge(image, [...policy(), ...files.flatMap((file) => ['--findings', file])])).status).toBe(0);
  });
});

describe('bad input', () => {
  it('is told all at once, each mistake of the policy with its line, before anything is called', async () => {
    const image = await on.image();
    const before = (await on.stage.requests()).length;
    on.file(
      'broken.yaml',
      ['schema: binauthz.vulnerability-policy/v1', 'deny:', '  fixable: high', 'waivers:', '  - id: CVE-*', '    until: never', ''].join(
        '\n',
      ),
    );
    on.file('empty.json', '');
    const argv = [
      '--vulnerability-policy=broken.yaml',
      '--findings=empty.json',
      '--findings=gone.json',
      '--scan-timeout=soon',
      '--report=csv=x',
    ];
    const ran = await on.judge(image, argv);
    expect([ran.status, ran.json.schema]).toEqual([2, 'binauthz.error/v1']);
    expect(ran.json.errors.map(({ message }: { message: string }) => message)).toEqual([
      '--scan-timeout: expected a duration such as 500ms, 30s, 5m or 24h, got "soon"',
      '--vulnerability-policy: broken.yaml:3: deny.fixable: expected MINIMAL, LOW, MEDIUM, HIGH, CRITICAL, got "high"',
      '--vulnerability-policy: broken.yaml:6: waivers[0].until: is not known here; expected id, package, owner, reason, expires',
      '--vulnerability-policy: broken.yaml:5: waivers[0].id: expected one vulnerability such as CVE-2026-1 (a waiver has no patterns), got "CVE-*"',
      '--vulnerability-policy: broken.yaml:5: waivers[0].owner: expected a text, got nothing',
      '--vulnerability-policy: broken.yaml:5: waivers[0].reason: expected a text, got nothing',
      '--vulnerability-policy: broken.yaml:5: waivers[0].expires: expected a day such as 2027-01-31, got nothing',
      '--findings: empty.json: expected a scanner’s JSON report, got an empty file',
      '--findings: expected a file that can be read, got "gone.json": there is no such file',
      '--report: expected FORMAT=PATH with a format of json, sarif, junit, markdown, got "csv=x"',
    ]);
    expect((await on.stage.requests()).slice(before)).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['that is empty', '', /^--vulnerability-policy: policy\.yaml:1: expected a mapping with schema/],
    ['that is no YAML', 'schema: [', /^--vulnerability-policy: policy\.yaml:1: expected YAML or JSON/],
    ['of two documents', 'a: 1\n---\nb: 2\n', /expected one vulnerability policy, got 2 documents in/],
    ['that judges nothing', 'schema: binauthz.vulnerability-policy/v1\ndeny: {}\n', /:2: deny: expected at least one of/],
    [
      'with a key twice',
      'schema: binauthz.vulnerability-policy/v1\ndeny: { cvss: 1 }\ndeny: { cvss: 10 }\n',
      /^--vulnerability-policy: policy\.yaml:3: /,
    ],
  ])('is a policy %s', async (_title, text, message) => {
    on.file('policy.yaml', text);
    const ran = await on.judge(await on.image(), ['--vulnerability-policy=policy.yaml']);
    expect([ran.status, ran.json.errors[0].message]).toEqual([2, expect.stringMatching(message)]);
  });

  it('is a policy whose name got lost, and no image', async () => {
    const lost = await on.judge(await on.image(), ['--vulnerability-policy=']);
    expect([lost.status, lost.stderr]).toEqual([
      2,
      expect.stringContaining('--vulnerability-policy: expected the name of a file, got nothing'),
    ]);
    expect(await on.run(['vulnerabilities'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('IMAGE: expected at least one image, got none'),
    });
  });
});

describe('the wait', () => {
  const ends: readonly (readonly [string, number, readonly string[], string])[] = [
    ['FINISHED_SUCCESS', 0, [], 'ALLOWED'],
    ['FINISHED_FAILED', 4, ['SCAN_FAILED'], 'UNKNOWN'],
    ['FINISHED_UNSUPPORTED', 4, ['SCAN_UNSUPPORTED'], 'UNKNOWN'],
  ];

  it.each(ends)('goes on over no scan, PENDING and SCANNING until %s', async (analysisStatus, status, codes, verdict) => {
    const image = await on.image();
    let scan = '';
    const ran = await on.judge(image, policy(), [
      async () => (scan = await on.scanner.discover(image.uri, { analysisStatus: 'PENDING' })),
      () => on.scanner.progress(scan, { analysisStatus: 'SCANNING' }),
      () => on.scanner.progress(scan, { ...SCANNED, analysisStatus }),
    ]);
    expect([ran.status, codesOf(ran), ran.json.verdict]).toEqual([status, codes, verdict]);
    expect(ran.stderr.split('\n').flatMap((line) => /waiting for [^ ]+: (.*) \(at most/.exec(line)?.[1] ?? [])).toEqual([
      'no scan is known yet',
      'its scan has not begun',
      'it is being scanned',
    ]);
    expect(ran.json.images[0].scan).toBe(analysisStatus);
  });

  it.each([
    ['PENDING', 'SCAN_PENDING', 'the scan has not begun'],
    ['SCANNING', 'SCAN_RUNNING', 'the scan has not come to its end'],
    ['ANALYSIS_STATUS_UNSPECIFIED', 'SCAN_STATE_UNKNOWN', 'the scanner does not say how far the scan is'],
    [undefined, 'SCAN_NOT_FOUND', 'no scan was found'],
  ])('ends at its deadline with %s, and says so', async (analysisStatus, code, text) => {
    const image = await on.image();
    if (analysisStatus !== undefined) await on.scanner.discover(image.uri, { analysisStatus });
    const ran = await on.judge(image, [...policy(), '--scan-timeout=90s']);
    expect([ran.status, codesOf(ran), ran.paused]).toEqual([4, [code], 90_000]);
    expect(ran.stderr).toContain(text);
  });
});
