// SPDX-License-Identifier: Apache-2.0
// Parsers of documents: no crash, no hang, and nothing that is planted in a good document is ever lost in silence.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parsePolicy, parseSystemPolicy } from '../../src/core/policy/parse.js';
import { evaluate, type ScannedPart } from '../../src/core/vulnerabilities/evaluate.js';
import { readOccurrence } from '../../src/core/vulnerabilities/occurrence.js';
import { parseVulnerabilityPolicy } from '../../src/core/vulnerabilities/policy.js';
import { readManifest } from '../../src/core/image/platform.js';
import { parseImageReference, type PinnedReference } from '../../src/core/image/reference.js';
import { parseDocuments } from '../../src/documents/parse.js';
import { extract } from '../../src/manifests/extract.js';
import { readAttestedSet, readImageList } from '../../src/manifests/image-list.js';
import { parseFindings } from '../../src/scans/findings.js';
import { imageIndex, singleImage } from '../support/images.js';
import { mutatedBytes, mutatedJson, mutatedText } from './arbitraries.js';
import { answerOf, forEachInput } from './fuzz.js';

const D = `sha256:${'1'.repeat(64)}`;
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: robot
      initContainers: [ { name: init, image: "gcr.io/p/init@${D}" } ]
      containers:
        - name: app
          image: &app gcr.io/p/app:1
        - { name: twin, image: *app }
`;
const SERVICE = `{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"s"},"spec":{"template":{"spec":{"containers":[{"image":"gcr.io/p/s:1"}]}}}}`;

describe('a manifest', () => {
  it('of any text ends in uses, notes or problems', () =>
    forEachInput(
      mutatedText([DEPLOYMENT, SERVICE, `${DEPLOYMENT}---\n${SERVICE}`]),
      (text) => {
        const { documents, problems } = parseDocuments(text, 'x.yaml');
        const found = extract(documents, { file: 'x.yaml' });
        const told = problems.length + found.uses.length + found.notes.length + found.problems.length;
        expect(told).toBeGreaterThan(0);
        for (const { source } of found.uses) expect(source?.line).toBeGreaterThan(0);
      },
      0.5,
    ));

  const NAMES = ['a', 'constructor', '__proto__', 'x'.repeat(63)] as const;
  const KINDS = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  const containers = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(...NAMES), fc.nat({ max: 99 })), {
    minLength: 1,
    maxLength: 6,
  });
  const shapes = fc.constantFrom('Pod', 'Deployment', 'CronJob', 'List', 'PodTemplate', 'Rollout');
  it('shows every image that is planted in it, in whatever kind and notation', () =>
    forEachInput(fc.tuple(containers, shapes, fc.boolean(), fc.integer({ min: 1, max: 3 })), ([planted, shape, asJson, copies]) => {
      const images = planted.map(([, , number]) => `gcr.io/p/app:${number}`);
      const spec: Record<string, unknown[]> = { containers: [] };
      planted.forEach(([kind, name], index) => (spec[kind] = [...(spec[kind] ?? []), { name, image: images[index] }]));
      const one = resourceOf(shape, spec);
      const text = Array.from({ length: copies }, () => (asJson ? JSON.stringify(one) : stringify(one))).join(asJson ? '\n' : '---\n');
      const { documents, problems } = parseDocuments(text, 'x');
      const { uses, problems: more } = extract(documents, { file: 'x' });
      expect([problems, more]).toEqual([[], []]);
      expect(uses.map(({ image }) => image).sort()).toEqual(
        Array.from({ length: copies }, () => images)
          .flat()
          .sort(),
      );
    }));

  it('of bombs ends soon', () =>
    forEachInput(
      fc.tuple(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 2, max: 12 }), fc.integer({ min: 0, max: 20_000 })),
      ([levels, width, depth]) => {
        const bomb = Array.from(
          { length: levels },
          (_, level) => `a${level}: &a${level} [${Array.from({ length: width }, () => (level === 0 ? 'x' : `*a${level - 1}`)).join(',')}]`,
        );
        parseDocuments(bomb.join('\n'), 'bomb');
        parseDocuments(`${'['.repeat(depth)}${']'.repeat(depth)}`, 'deep');
        parseDocuments(`${'- '.repeat(depth)}x`, 'deep');
      },
      0.01,
    ));
});

function resourceOf(shape: string, spec: unknown): unknown {
  const head = (kind: string, rest: object): unknown => ({ apiVersion: 'v1', kind, metadata: { name: 'x' }, ...rest });
  switch (shape) {
    case 'Pod':
      return head('Pod', { spec });
    case 'CronJob':
      return head('CronJob', { apiVersion: 'batch/v1', spec: { jobTemplate: { spec: { template: { spec } } } } });
    case 'List':
      return { apiVersion: 'v1', kind: 'List', items: [head('Pod', { spec })] };
    case 'PodTemplate':
      return head('PodTemplate', { template: { spec } });
    case 'Rollout':
      return head('Rollout', { apiVersion: 'argoproj.io/v1alpha1', spec: { template: { spec } } });
    default:
      return head('Deployment', { apiVersion: 'apps/v1', spec: { template: { spec } } });
  }
}

describe('a list of images', () => {
  const samples = [
    `gcr.io/p/a@${D}\n# note\ngcr.io/p/b@${D}\n`,
    JSON.stringify({ builds: [{ imageName: 'a', tag: `gcr.io/p/a:1@${D}` }] }),
    JSON.stringify({ 'containerimage.digest': D, 'image.name': 'gcr.io/p/a:1,gcr.io/p/a:2' }),
  ];
  it('is never empty without a problem', () =>
    forEachInput(mutatedText(samples), (text) => {
      const list = readImageList(text, 'images');
      expect(list.images.length + list.problems.length).toBeGreaterThan(0);
      const set = readAttestedSet(text, 'images');
      expect(set.digests.size + set.problems.length).toBeGreaterThan(0);
    }));
});

describe('a policy', () => {
  const rule = {
    evaluationMode: 'REQUIRE_ATTESTATION',
    enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG',
    requireAttestationsBy: ['projects/shop-prod/attestors/a'],
  };
  const samples = [
    {
      name: 'projects/shop-prod/policy',
      defaultAdmissionRule: rule,
      globalPolicyEvaluationMode: 'ENABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/p/*' }],
      clusterAdmissionRules: { 'us-east1-a.prod': rule },
    },
    { defaultAdmissionRule: { evaluationMode: 'ALWAYS_DENY', enforcementMode: 'ENFORCED_BLOCK_AND_AUDIT_LOG' } },
  ];
  it('that is accepted admits all only where it says so', () =>
    forEachInput(mutatedJson(samples), (document) => {
      const { policy, problems = [] } = parsePolicy(document, { from: 'file', project: 'shop-prod' as never });
      if (!policy) return expect(problems.length).toBeGreaterThan(0);
      const given = (document as { defaultAdmissionRule: { evaluationMode?: unknown } }).defaultAdmissionRule;
      expect(policy.defaultAdmissionRule.evaluationMode).toBe(given.evaluationMode);
      parseSystemPolicy(document);
    }));
});

describe('a vulnerability policy', () => {
  const sample = {
    schema: 'binauthz.vulnerability-policy/v1',
    deny: { fixable: 'HIGH', unfixable: 'CRITICAL', cvss: 5 },
    unknownSeverity: 'deny',
    maxScanAge: '30d',
    waivers: [{ id: 'CVE-2026-1', package: 'openssl', owner: 'security@example.com', reason: 'r', expires: '2027-01-31' }],
  };
  const part: ScannedPart = {
    digest: D,
    scan: { state: 'FINISHED_SUCCESS', lastScanTime: new Date(0).toISOString() } as ScannedPart['scan'],
    findings: [{ id: 'CVE-2026-9', package: 'p', version: '1', fixedVersion: '2', fixable: true, severity: 'CRITICAL', cvss: 9.8 }],
  };
  it('that is accepted denies a critical finding unless its own words let it pass', () =>
    forEachInput(mutatedJson([sample]), (document) => {
      const { policy, problems = [] } = parseVulnerabilityPolicy(document);
      if (!policy) return expect(problems.length).toBeGreaterThan(0);
      const { deny = {} } = document as { deny?: Record<string, unknown> };
      const judges = deny['fixable'] !== undefined || deny['cvss'] !== undefined;
      const verdict = evaluate(policy, [part], 1000).verdict;
      if (judges && !(typeof deny['cvss'] === 'number' && deny['cvss'] > 9.8 && deny['fixable'] === undefined))
        expect(verdict).toBe('DENIED');
    }));
});

describe('a scanner’s report', () => {
  const trivy = {
    SchemaVersion: 2,
    ArtifactName: 'gcr.io/p/app',
    ArtifactType: 'container_image',
    CreatedAt: '2026-11-01T00:00:00Z',
    Metadata: { RepoDigests: [`gcr.io/p/app@${D}`], ImageID: D },
    Results: [
      {
        Target: 'debian',
        Class: 'os-pkgs',
        Type: 'debian',
        Vulnerabilities: [
          {
            VulnerabilityID: 'CVE-2026-7',
            PkgName: 'openssl',
            InstalledVersion: '1',
            FixedVersion: '2',
            Severity: 'CRITICAL',
            CVSS: { nvd: { V3Score: 9.8 } },
          },
        ],
      },
    ],
  };
  it('is refused, or still holds the finding that was in it, as severe as it was', () =>
    forEachInput(mutatedJson([trivy]), (document) => {
      const before = JSON.stringify(document);
      const { reports } = parseFindings(bytesOf(document));
      if (!reports || !before.includes('"VulnerabilityID":"CVE-2026-7"') || !before.includes('"Vulnerabilities":[{')) return;
      const findings = reports.flatMap(({ findings: found }) => found).filter(({ id }) => id === 'CVE-2026-7');
      // What stands where no scanner writes is not seen; but then the image does not count as scanned either.
      if (findings.length === 0) for (const { scan } of reports) expect(scan.state).not.toBe('FINISHED_SUCCESS');
      if (before.includes('"Severity":"CRITICAL"'))
        for (const { severity } of findings) expect(['CRITICAL', 'UNKNOWN']).toContain(severity);
    }));
  it('of any bytes never ends in a crash, and never in an empty success', () =>
    forEachInput(mutatedBytes([bytesOf(trivy)]), (bytes) => {
      const { reports, problems = [] } = parseFindings(bytes);
      expect((reports?.length ?? 0) + problems.length).toBeGreaterThan(0);
    }));
});

describe('an occurrence of Artifact Analysis', () => {
  const sample = {
    name: 'projects/p/occurrences/1',
    resourceUri: `https://gcr.io/p/app@${D}`,
    noteName: 'projects/goog-vulnz/notes/CVE-2026-7',
    kind: 'VULNERABILITY',
    vulnerability: {
      effectiveSeverity: 'CRITICAL',
      cvssScore: 9.8,
      fixAvailable: true,
      packageIssue: [
        {
          affectedPackage: 'openssl',
          affectedVersion: { fullName: '1' },
          fixedVersion: { kind: 'NORMAL', fullName: '2' },
          effectiveSeverity: 'CRITICAL',
        },
      ],
    },
  };
  it('never ends in a crash', () =>
    forEachInput(
      mutatedJson([sample, { ...sample, vulnerability: undefined, discovery: { analysisStatus: 'FINISHED_SUCCESS' } }]),
      (value) => void readOccurrence(value),
    ));
});

describe('a registry’s manifest', () => {
  const samples = [imageIndex('fuzz', ['linux/amd64', 'linux/arm64'], { provenance: true }), singleImage('fuzz')];
  const parsed = parseImageReference(`gcr.io/p/x@${D}`);
  const reference = (parsed.ok ? parsed.reference : undefined) as PinnedReference;
  it('is read or refused, and an index is never read as nothing to attest', () =>
    forEachInput(mutatedBytes(samples.map(({ manifest }) => manifest)), async (bytes) => {
      const image = await answerOf(() => readManifest(bytes, undefined, reference));
      if (image?.isIndex) expect(image.children.length).toBeGreaterThan(0);
    }));
  it('with other members as well', () =>
    forEachInput(mutatedJson(samples.map(({ manifest }) => JSON.parse(manifest.toString()) as unknown)), async (document) => {
      const image = await answerOf(() => readManifest(bytesOf(document), undefined, reference));
      if (image?.isIndex) expect(image.children.length).toBeGreaterThan(0);
    }));
});
