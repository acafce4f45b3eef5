// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/core/vulnerabilities/evaluate.js';
import type { ScanReport } from '../../src/core/vulnerabilities/finding.js';
import { parseFindings } from '../../src/scans/findings.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const RESOURCE = `https://us-docker.pkg.dev/p/r/app@${DIGEST}`;

const bytesOf = (document: unknown): Uint8Array =>
  new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document));
const problemsOf = (document: unknown): readonly string[] => parseFindings(bytesOf(document)).problems ?? [];
function reportOf(document: unknown): ScanReport {
  const { reports, problems } = parseFindings(bytesOf(document));
  if (!reports) throw new Error(problems.join('; '));
  expect(reports).toHaveLength(1);
  return reports[0];
}

const CVE = { VulnerabilityID: 'CVE-2026-1', PkgName: 'openssl', InstalledVersion: '3.0.1', FixedVersion: '3.0.2', Severity: 'HIGH' };
const trivy = (change: object = {}, result: object = {}): object => ({
  SchemaVersion: 2,
  CreatedAt: '2026-11-21T11:00:00.123456789Z',
  ArtifactName: 'us-docker.pkg.dev/p/r/app:v1',
  ArtifactType: 'container_image',
  Metadata: { RepoDigests: [`us-docker.pkg.dev/p/r/app@${DIGEST}`], ImageConfig: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
  Results: [{ Target: 'app (debian 12)', Class: 'os-pkgs', Type: 'debian', ...result }],
  ...change,
});
const trivyFinding = (change: object) => reportOf(trivy({}, { Vulnerabilities: [{ ...CVE, ...change }] })).findings[0];

const vulnerability = (details: object = {}, change: object = {}): object => ({
  name: 'projects/p/occurrences/1',
  kind: 'VULNERABILITY',
  noteName: 'projects/goog-vulnz/notes/CVE-2026-1',
  resourceUri: RESOURCE,
  vulnerability: {
    effectiveSeverity: 'CRITICAL',
    cvssScore: 9.8,
    cvssVersion: 'CVSS_VERSION_3',
    packageIssue: [
      { affectedPackage: 'openssl', affectedVersion: { kind: 'NORMAL', name: '3.0.1', revision: 'r0' }, fixedVersion: { kind: 'MAXIMUM' } },
    ],
    ...details,
  },
  ...change,
});
const discovery = (details: object = {}, change: object = {}): object => ({
  name: 'projects/p/occurrences/d',
  kind: 'DISCOVERY',
  noteName: 'projects/goog-analysis/notes/PACKAGE_VULNERABILITY',
  resourceUri: RESOURCE,
  discovery: { analysisStatus: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z', ...details },
  ...change,
});
const grafeasFindings = (details: object) => reportOf([vulnerability(details)]).findings;

describe('input that is no report', () => {
  it.each<[string, unknown]>([
    ['nothing', ''],
    ['white space', ' \n'],
    ['half a report', JSON.stringify(trivy()).slice(0, -5)],
    ['a report with a member twice', '{"SchemaVersion":2,"SchemaVersion":2}'],
    ['words', 'Listed 0 items.'],
    ['null', null],
    ['an empty list', []],
    ['an empty object', {}],
    ['no occurrences', { occurrences: [] }],
    ['an object without a kind', [vulnerability(), {}]],
    ['a text among occurrences', [vulnerability(), 'x']],
    ['one page of several', { occurrences: [vulnerability(), discovery()], nextPageToken: 'more' }],
    ['a vulnerability without details', [{ ...vulnerability(), vulnerability: null }]],
    ['a vulnerability without a name', [vulnerability({}, { noteName: '' })]],
    ['a broken package issue', [vulnerability({ packageIssue: ['x'] })]],
    [
      'a description with broken findings',
      { package_vulnerability_summary: { vulnerabilities: 'x' }, discovery_summary: { discovery: [discovery()] } },
    ],
    ['an attestation', [{ kind: 'ATTESTATION', resourceUri: RESOURCE, attestation: {} }]],
    ['Trivy’s first schema', [{ Target: 'x', Vulnerabilities: null }]],
    ['a third schema of Trivy', trivy({ SchemaVersion: 3 })],
    ['a report of Trivy about a folder', trivy({ ArtifactType: 'filesystem' })],
    ['results that are no list', trivy({ Results: {} })],
    ['vulnerabilities that are no list', trivy({}, { Vulnerabilities: 'none' })],
    ['a vulnerability of Trivy without a name', trivy({}, { Vulnerabilities: [{ ...CVE, VulnerabilityID: '' }] })],
    [
      'a score of Trivy that is a text',
      trivy({}, { Vulnerabilities: [{ ...CVE, CVSS: { nvd: { V3Score: '9.8' }, redhat: { V2Score: 2 } } }] }),
    ],
    ...[
      '9.8',
      [{ V3Score: 9.8 }],
      { nvd: '9.8', redhat: { V3Score: 2 } },
      { nvd: { V3Score: -9.8, V2Score: 2 } },
      { nvd: { V3Score: 98, V2Score: 2 } },
    ].map((CVSS): [string, unknown] => [`Trivy’s CVSS ${JSON.stringify(CVSS)}`, trivy({}, { Vulnerabilities: [{ ...CVE, CVSS }] })]),
    ...[
      { cvssv3: { baseScore: '9.8' }, cvssV2: { baseScore: 2 } },
      { cvssv3: 9.8, cvssV2: { baseScore: 2 } },
      { cvssScore: '9.8', cvssV2: { baseScore: 2 } },
      { cvssV4: { baseScore: -1 } },
      { cvssScore: Number.NaN, cvssV2: { baseScore: 11 } },
    ].map((scores): [string, unknown] => [`Grafeas’s ${JSON.stringify(scores)}`, [vulnerability({ cvssScore: undefined, ...scores })]]),
    ['another kind of scan alone', [discovery({}, { noteName: 'projects/goog-analysis/notes/SECRET' })]],
    ['a broken report among good ones', [trivy(), {}]],
  ])('is refused, and never clean: %s', (_title, document) => {
    expect(problemsOf(document)).not.toEqual([]);
  });

  it('is refused also in another encoding', () => {
    expect(parseFindings(new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf(trivy())])).problems).toHaveLength(1);
    expect(parseFindings(new Uint8Array(Buffer.from(JSON.stringify(trivy()), 'utf16le'))).problems).toHaveLength(1);
  });
});

describe('a report of Trivy', () => {
  it('names its image, platform, time and findings', () => {
    expect(
      reportOf(trivy({}, { Vulnerabilities: [{ ...CVE, CVSS: { nvd: { V2Score: 5, V3Score: 7.5 }, redhat: { V3Score: 8.1 } } }] })),
    ).toEqual({
      digests: [DIGEST],
      platform: 'linux/arm64/v8',
      scan: { state: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00.123456789Z' },
      findings: [
        { id: 'CVE-2026-1', package: 'openssl', version: '3.0.1', fixedVersion: '3.0.2', fixable: true, severity: 'HIGH', cvss: 8.1 },
      ],
    });
  });

  it('has the newest CVSS version of its vendors', () => {
    expect(trivyFinding({ CVSS: { nvd: { V3Score: 9.8 }, ghsa: { V40Score: 6.9 } } })?.cvss).toBe(6.9);
    expect(trivyFinding({ CVSS: {} })?.cvss).toBeNull();
  });

  it('keeps what is unknown unknown', () => {
    expect(trivyFinding({ Severity: 'UNKNOWN' })?.severity).toBe('UNKNOWN');
    expect(trivyFinding({ Severity: undefined })?.severity).toBe('UNKNOWN');
    expect(trivyFinding({ FixedVersion: '' })).toMatchObject({ fixable: false, fixedVersion: null });
  });

  // The naive reading finds no vulnerability in these, and calls them clean.
  it.each<[string, object]>([
    ['no results', { Results: undefined }],
    ['results of null', { Results: null }],
    ['secrets only', { Results: [{ Target: 'x', Class: 'secret', Secrets: [] }] }],
  ])('with %s has looked for none', (_title, change) => {
    const report = reportOf(trivy(change));
    expect([report.findings, report.scan.state]).toEqual([[], 'FINISHED_UNSUPPORTED']);
    expect(evaluate(undefined, [{ digest: DIGEST, ...report }], 0).verdict).toBe('UNKNOWN');
  });

  it('with packages and no vulnerability is clean', () => {
    expect(reportOf(trivy())).toMatchObject({ scan: { state: 'FINISHED_SUCCESS' }, findings: [] });
  });

  // Naively, a report with results and without vulnerabilities is clean.
  it('of the libraries alone says nothing of the system below them', () => {
    const metadata = { RepoDigests: [`a/b@${DIGEST}`], OS: { Family: 'debian', Name: '12' } };
    const verdictOf = (...classes: readonly string[]) => {
      const report = reportOf(trivy({ Metadata: metadata, Results: classes.map((name) => ({ Target: 'x', Class: name })) }));
      return evaluate(undefined, [{ digest: DIGEST, ...report }], 0);
    };
    expect(verdictOf('lang-pkgs')).toMatchObject({ verdict: 'UNKNOWN', reasons: [{ code: 'SCAN_INCOMPLETE' }] });
    expect(verdictOf('lang-pkgs', 'os-pkgs').verdict).toBe('NOT_JUDGED');
  });

  // Nobody publishes new vulnerabilities of such a system, so that naively it becomes cleaner from year to year.
  it('of a system past its end of life says nothing', () => {
    const Metadata = { RepoDigests: [`a/b@${DIGEST}`], OS: { Family: 'debian', Name: '8.11', EOSL: true } };
    expect(evaluate(undefined, [{ digest: DIGEST, ...reportOf(trivy({ Metadata })) }], 0)).toMatchObject({
      verdict: 'UNKNOWN',
      reasons: [{ code: 'SCAN_INCOMPLETE', message: expect.stringContaining('debian 8.11) is past its end of life') }],
    });
  });

  it('still has what its user suppressed', () => {
    const modified = [{ Type: 'vulnerability', Status: 'ignored', Source: '.trivyignore', Finding: CVE }];
    expect(reportOf(trivy({}, { ExperimentalModifiedFindings: modified })).findings).toEqual([
      expect.objectContaining({ id: 'CVE-2026-1' }),
    ]);
    expect(problemsOf(trivy({}, { ExperimentalModifiedFindings: [{ Type: 'vulnerability' }] }))).not.toEqual([]);
  });

  it('without a digest names no image', () => {
    expect(reportOf(trivy({ Metadata: {} })).digests).toEqual([]);
    expect(reportOf(trivy({ Metadata: { RepoDigests: [null, 'app', `app@${DIGEST}x`] } })).digests).toEqual([]);
  });

  it('may come with others', () => {
    expect(parseFindings(bytesOf([trivy(), trivy({ Metadata: { RepoDigests: [`a/b@${OTHER}`] } })])).reports).toHaveLength(2);
  });
});

describe('occurrences of Grafeas', () => {
  it.each<[string, unknown]>([
    ['as the API lists them', { occurrences: [vulnerability(), discovery()] }],
    ['as gcloud lists them', [vulnerability(), discovery()]],
    ['wrapped, as gcloud artifacts vulnerabilities list does', [{ occurrence: vulnerability() }, { occurrence: discovery() }]],
    [
      'as gcloud describes an image',
      {
        package_vulnerability_summary: { vulnerabilities: { CRITICAL: [vulnerability()] } },
        discovery_summary: { discovery: [discovery()] },
      },
    ],
  ])('are read %s', (_title, document) => {
    expect(reportOf(document)).toEqual({
      digests: [DIGEST],
      scan: { state: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' },
      findings: [
        { id: 'CVE-2026-1', package: 'openssl', version: '3.0.1-r0', fixedVersion: null, fixable: false, severity: 'CRITICAL', cvss: 9.8 },
      ],
    });
  });

  it('belong to the digest that they name', () => {
    const resourceUri = `us-docker.pkg.dev/p/r/app@${OTHER}`;
    const { reports } = parseFindings(
      bytesOf([vulnerability(), vulnerability({}, { resourceUri }), vulnerability({}, { resourceUri: 'a/b:v1' })]),
    );
    expect(reports?.map(({ digests }) => digests)).toEqual([[DIGEST], [OTHER], []]);
  });

  it('without a scan are taken at their word, which is said', () => {
    const report = reportOf([vulnerability()]);
    expect(report.scan).toEqual({ state: 'FINISHED_SUCCESS', isAssumed: true });
    expect(evaluate(undefined, [{ digest: DIGEST, ...report }], 0).warnings).toEqual([expect.stringContaining('taken at its word')]);
  });

  // Artifact Analysis lists what it has found so far: naively, the milder half of the findings is all of them.
  it.each<[string, unknown]>([
    ['gcloud artifacts vulnerabilities list', [{ occurrence: vulnerability(), vexScope: '' }]],
    ['gcloud describe', { package_vulnerability_summary: { vulnerabilities: { CRITICAL: [vulnerability()] } } }],
  ])('of %s without a scan may be half of them', (_title, document) => {
    const report = reportOf(document);
    expect(report.findings).toHaveLength(1);
    expect(evaluate(undefined, [{ digest: DIGEST, ...report }], 0)).toMatchObject({
      verdict: 'UNKNOWN',
      reasons: [{ code: 'SCAN_STATE_UNKNOWN', message: expect.stringContaining('--show-package-vulnerability') }],
    });
  });

  it('are vulnerabilities by their details, however their kind is spelt', () => {
    for (const kind of ['vulnerability', 'VULNERABILITY_NOTE', 'BUILD', 2, undefined])
      expect(reportOf([vulnerability({}, { kind })]).findings).toHaveLength(1);
  });

  it.each([
    ['COMPLETE', 'FINISHED_SUCCESS'],
    ['SCANNING', 'SCANNING'],
    ['FINISHED_FAILED', 'FINISHED_FAILED'],
    ['NOT_FOUND', 'UNSPECIFIED'],
    ['DONE', 'UNSPECIFIED'],
    [undefined, 'UNSPECIFIED'],
  ])('with a scan that is %s are %s', (analysisStatus, state) => {
    expect(reportOf([discovery({ analysisStatus })]).scan.state).toBe(state);
  });

  it('do not get further by waiting', () => {
    const { reasons } = evaluate(undefined, [{ digest: DIGEST, ...reportOf([discovery({ analysisStatus: 'SCANNING' })]) }], 0);
    expect(reasons).toEqual([
      expect.objectContaining({ code: 'SCAN_RUNNING', hint: 'write the file again once the scan has come to its end' }),
    ]);
  });

  it('do not take the end of another kind of scan for that of this one', () => {
    const secrets = discovery({}, { noteName: 'projects/goog-analysis/notes/SECRET' });
    expect(reportOf([vulnerability(), discovery({ analysisStatus: 'SCANNING' }), secrets]).scan.state).toBe('SCANNING');
  });

  // Whoever may write occurrences in the project may announce a scan under a note of their own, and later than Google does.
  describe('do not take somebody else’s word', () => {
    const updateTime = '2026-11-21T12:00:00Z';
    const planted = discovery({}, { noteName: 'projects/somebody/notes/trust-me', updateTime });
    const told = discovery({ analysisStatus: 'FINISHED_FAILED' }, { updateTime: '2026-11-21T11:00:00Z' });
    const described = (...found: readonly object[]): object => ({ discovery_summary: { discovery: found } });

    it.each<[string, unknown, string]>([
      ['in a description', described(told, planted), 'FINISHED_FAILED'],
      ['alone in a description', described(planted), 'UNSPECIFIED'],
      ['in a listing', [planted, told], 'FINISHED_FAILED'],
      ['in a wrapped listing', [{ occurrence: vulnerability() }, { occurrence: planted }], 'UNSPECIFIED'],
      [
        'beside another scanner',
        [planted, discovery({ analysisStatus: 'SCANNING' }, { noteName: 'projects/s/notes/scanner' })],
        'SCANNING',
      ],
    ])('%s', (_title, document, state) => {
      expect(reportOf(document).scan.state).toBe(state);
    });

    it('but that of the only scanner there is', () => {
      expect(reportOf([planted]).scan).toEqual({ state: 'FINISHED_SUCCESS', lastScanTime: '2026-11-21T11:00:00Z' });
    });
  });

  it('of one time have the scan whose findings were archived', () => {
    const archived = discovery({ archiveTime: '2026-11-01T00:00:00Z' });
    for (const document of [
      [archived, discovery()],
      [discovery(), archived],
    ])
      expect(reportOf(document).scan.isArchived).toBe(true);
  });

  it('may be a great many, in one occurrence as in several', () => {
    const packageIssue = Array.from({ length: 150_000 }, () => ({ affectedPackage: 'a' }));
    expect(grafeasFindings({ packageIssue })).toHaveLength(150_000);
  });

  it('have the newest state of the scan', () => {
    const old = discovery({}, { updateTime: '2026-11-20T00:00:00Z' });
    const rescan = discovery({ analysisStatus: 'SCANNING' }, { updateTime: '2026-11-21T00:00:00Z' });
    expect(reportOf([rescan, old]).scan.state).toBe('SCANNING');
    expect(reportOf([old, rescan]).scan.state).toBe('SCANNING');
  });

  it('of one time have the state that is not done', () => {
    const going = discovery({ analysisStatus: 'SCANNING' });
    expect(reportOf([discovery(), going]).scan.state).toBe('SCANNING');
    expect(reportOf([going, discovery()]).scan.state).toBe('SCANNING');
  });

  it('tell archived findings and errors', () => {
    expect(
      reportOf([discovery({ archiveTime: '2026-11-01T00:00:00Z', analysisError: [{ code: 3, message: 'bad layer' }] })]).scan,
    ).toMatchObject({
      isArchived: true,
      errors: ['bad layer'],
    });
  });

  it('are a finding for each package, with its own rating', () => {
    const packageIssue = [
      { affectedPackage: 'a', effectiveSeverity: 'LOW' },
      { affectedPackage: 'b', effectiveSeverity: 'SEVERITY_UNSPECIFIED' },
      { affectedPackage: 'c', effectiveSeverity: 'HIGH' },
    ];
    expect(grafeasFindings({ packageIssue, effectiveSeverity: 'HIGH', severity: 'CRITICAL' }).map((entry) => entry.severity)).toEqual([
      'LOW',
      'HIGH',
      'HIGH',
    ]);
  });

  it('without a package are a finding all the same', () => {
    for (const packageIssue of [undefined, null, []])
      expect(grafeasFindings({ packageIssue })).toEqual([expect.objectContaining({ package: '', severity: 'CRITICAL' })]);
  });

  it('without any rating are unknown', () => {
    expect(grafeasFindings({ effectiveSeverity: 'SEVERE' })[0]?.severity).toBe('UNKNOWN');
    expect(grafeasFindings({ effectiveSeverity: undefined, severity: 'MEDIUM' })[0]?.severity).toBe('MEDIUM');
  });

  it.each<[string, object, boolean, string | null]>([
    ['a normal version', { fixedVersion: { kind: 'NORMAL', fullName: '1:2-3' } }, true, '1:2-3'],
    ['a version in parts', { fixedVersion: { kind: 'NORMAL', epoch: 1, name: '2', revision: '3' } }, true, '1:2-3'],
    ['MAXIMUM', { fixedVersion: { kind: 'MAXIMUM' } }, false, null],
    ['MAXIMUM beside a flag', { fixedVersion: { kind: 'MAXIMUM' }, fixAvailable: true }, false, null],
    ['a flag alone', { fixAvailable: true }, true, null],
    ['nothing', {}, false, null],
  ])('are fixed by %s', (_title, issue, fixable, fixedVersion) => {
    expect(grafeasFindings({ packageIssue: [issue] })).toEqual([expect.objectContaining({ fixable, fixedVersion })]);
  });

  it('take the flag of the whole for a package where no package says so itself', () => {
    const fixableOf = (packageIssue: readonly object[]) =>
      grafeasFindings({ packageIssue, fixAvailable: true }).map(({ fixable }) => fixable);
    expect(fixableOf([{}, { fixedVersion: { kind: 'MAXIMUM' } }])).toEqual([true, false]);
    expect(fixableOf([{}, { fixAvailable: true }])).toEqual([false, true]);
  });

  it.each<[string, object, number | null]>([
    ['of version 4', { cvssV4: { baseScore: 6 }, cvssv3: { baseScore: 9 }, cvssScore: 9, cvssVersion: 'CVSS_VERSION_3' }, 6],
    ['of version 3', { cvssv3: { baseScore: 4 }, cvssV2: { baseScore: 9 }, cvssScore: 9, cvssVersion: 'CVSS_VERSION_2' }, 4],
    ['of version 2', { cvssV2: { baseScore: 7 }, cvssScore: 0 }, 7],
    ['of a version that is not known', { cvssv3: { baseScore: 4 }, cvssScore: 9, cvssVersion: 'CVSS_VERSION_UNSPECIFIED' }, 9],
    ['of zero', { cvssScore: 0, cvssv3: { baseScore: 0 } }, null],
  ])('have a score %s', (_title, details, cvss) => {
    expect(grafeasFindings({ cvssScore: undefined, cvssVersion: undefined, ...details })[0]?.cvss).toBe(cvss);
  });
});
