// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { REASON_CODES, type Verdict } from '../../src/core/policy/verdict.js';
import type { CheckedImage, CheckResult } from '../../src/core/results.js';
import { sarifOf, type SarifTool } from '../../src/reports/sarif.js';
import { allowed, checked, denied, digest, HOSTILE, manyDenied, MISSING, planted, source } from '../support/check-results.js';
import { sarifProblems } from '../support/sarif-schema.js';

interface Result {
  readonly ruleId: string;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation?: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
      readonly region: { readonly startLine: number };
    };
    readonly logicalLocations: readonly { readonly name: string; readonly fullyQualifiedName: string }[];
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}
interface Run {
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
  readonly automationDetails: { readonly id: string };
  readonly invocations: readonly [
    {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly { readonly level: string; readonly message: { readonly text: string } }[];
    },
  ];
  readonly results: readonly Result[];
}

function runOf(result: CheckResult, tool: Partial<SarifTool> = {}): Run {
  const document = JSON.parse(sarifOf(result, { version: '1.2.3', ...tool })) as { readonly runs: readonly [Run] };
  expect(sarifProblems(document)).toEqual([]);
  expect(document.runs).toHaveLength(1);
  return document.runs[0];
}
const resultsOf = (...images: readonly CheckedImage[]): readonly Result[] => runOf(checked(images)).results;
const fileOf = (file: string) => resultsOf(denied({ sources: [source({ file })] }))[0]?.locations[0]?.physicalLocation;
const fingerprint = (image: CheckedImage): string => resultsOf(image)[0]?.partialFingerprints['primaryLocationLineHash'] ?? '';

describe('a run', () => {
  test('names every reason code as a rule, and the policy and target as its category', () => {
    const run = runOf(checked([denied()]));
    expect(run.tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(REASON_CODES));
    expect(run.automationDetails.id).toBe('binauthz-check/projects/p/policy/gke/us-central1-a.prod/');
    expect(runOf(checked([denied()]), { category: 'mine' }).automationDetails.id).toBe('mine/');
  });
  test('has a result with rule, level, message, place and fingerprint', () => {
    const image = `gcr.io/p/app@${digest('a')}`;
    expect(resultsOf(denied(), allowed())).toEqual([
      expect.objectContaining({
        ruleId: 'NO_TRUSTED_ATTESTATION',
        level: 'error',
        message: {
          text: `DENIED: ${image}: no attestation of projects/p/attestors/a verifies. Next step: binauthz attest gcr.io/p/app`,
        },
        locations: [
          {
            physicalLocation: { artifactLocation: { uri: 'k8s/app.yaml', uriBaseId: '%SRCROOT%' }, region: { startLine: 23 } },
            logicalLocations: [{ name: image, fullyQualifiedName: 'Deployment/app container web', kind: 'resource' }],
          },
        ],
      }),
    ]);
  });
  test.each<[Verdict, string | undefined]>([
    ['DENIED', 'error'],
    ['UNKNOWN', 'error'],
    ['NOT_ENFORCED', 'warning'],
    ['ALLOWED_BREAK_GLASS', 'warning'],
    ['ALLOWED_DRY_RUN', 'warning'],
    ['ALLOWED', undefined],
  ])('%s is said as %s', (verdict, level) => expect(resultsOf(denied({ verdict }))[0]?.level).toBe(level));
  test('has one result per source and reason, without the reasons that speak for the image', () => {
    const reasons = [{ code: 'ATTESTED', message: 'b is satisfied' }, MISSING, { ...MISSING, attestor: 'projects/p/attestors/c' }] as const;
    const results = resultsOf(denied({ reasons, sources: [source(), source({ line: 40, container: 'side' })] }));
    expect(results.map(({ ruleId, locations }) => [ruleId, locations[0]?.physicalLocation?.region.startLine])).toEqual([
      ['NO_TRUSTED_ATTESTATION', 23],
      ['NO_TRUSTED_ATTESTATION', 23],
      ['NO_TRUSTED_ATTESTATION', 40],
      ['NO_TRUSTED_ATTESTATION', 40],
    ]);
    expect(new Set(results.map(({ partialFingerprints }) => partialFingerprints['primaryLocationLineHash'])).size).toBe(4);
  });
  test('never leaves out an image for want of a telling reason', () => {
    expect(resultsOf(denied({ reasons: [] })).map(({ ruleId }) => ruleId)).toEqual(['EVIDENCE_MISSING']);
    expect(resultsOf(denied({ reasons: [{ code: 'ATTESTED', message: 'm' }] })).map(({ ruleId }) => ruleId)).toEqual(['ATTESTED']);
  });
  test('with the worst first', () =>
    expect(
      resultsOf(denied({ verdict: 'NOT_ENFORCED' }), denied({ verdict: 'UNKNOWN' }), denied()).map(
        ({ message }) => message.text.split(':')[0],
      ),
    ).toEqual(['DENIED', 'UNKNOWN', 'NOT_ENFORCED']));
  test('that decided nothing was no success, and says why', () => {
    const { invocations } = runOf(
      checked([], {
        errors: [{ code: 'PERMISSION_DENIED', message: 'may not read', exitCode: 5 }],
        assumptions: ['a'],
        warnings: ['w'],
        emulator: true,
      }),
    );
    expect(invocations[0].executionSuccessful).toBe(false);
    expect(invocations[0].toolExecutionNotifications.map(({ level, message }) => `${level} ${message.text}`)).toEqual([
      'error the verdict is UNKNOWN: no image',
      'warning the emulator answered: nothing in this report exists in Google Cloud',
      'error PERMISSION_DENIED: may not read',
      'warning w',
      'note assumed: a',
    ]);
    expect(runOf(checked([denied({ verdict: 'UNKNOWN' })])).invocations[0].executionSuccessful).toBe(false);
    expect(runOf(checked([denied()])).invocations[0]).toEqual({ executionSuccessful: true, toolExecutionNotifications: [] });
  });
});

describe('places', () => {
  test.each([
    ['k8s/app.yaml', 'k8s/app.yaml'],
    ['./k8s//app.yaml', 'k8s/app.yaml'],
    ['k8s/../app.yaml', 'app.yaml'],
    ['k8s\\app.yaml', 'k8s/app.yaml'],
    ['a b/ü#?%.yaml', 'a%20b/%C3%BC%23%3F%25.yaml'],
    ['a:b.yaml', 'a%3Ab.yaml'],
  ])('%j is %j', (file, uri) =>
    expect(fileOf(file)).toEqual({ artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine: 23 } }),
  );
  test.each(['-', '../app.yaml', 'a/../../app.yaml', '/etc/app.yaml', 'C:\\app.yaml', 'https://h.example/app.yaml', '.'])(
    '%j is none of the repository',
    (file) => expect(fileOf(file)).toBeUndefined(),
  );
  test('an image without source has a logical one', () =>
    expect(resultsOf(denied({ sources: [] }))[0]?.locations).toEqual([{ logicalLocations: [{ name: denied().image, kind: 'image' }] }]));
  test('a given file stands in for none, so that GitHub takes the upload', () => {
    const { results } = runOf(checked([denied({ sources: [] }), denied({ sources: [source({ file: '-' })] }), denied()]), {
      fallbackFile: '.github/workflows/deploy.yml',
    });
    expect(
      results.map(({ locations }) => [
        locations[0]?.physicalLocation?.artifactLocation.uri,
        locations[0]?.physicalLocation?.region.startLine,
      ]),
    ).toEqual([
      ['.github/workflows/deploy.yml', 1],
      ['.github/workflows/deploy.yml', 1],
      ['k8s/app.yaml', 23],
    ]);
  });
});

describe('a fingerprint', () => {
  const before = fingerprint(denied());
  test('stays when the line moves, the digest changes or words differ', () => {
    expect(before).toMatch(/^[0-9a-f]{16}:1$/);
    expect(fingerprint(denied({ sources: [source({ line: 99 })] }))).toBe(before);
    expect(fingerprint(denied({ image: `gcr.io/p/app@${digest('c')}` }))).toBe(before);
    expect(fingerprint(denied({ image: 'gcr.io/p/app:1.2' }))).toBe(before);
    expect(fingerprint(denied({ reasons: [{ ...MISSING, message: 'other words' }] }))).toBe(before);
  });
  test.each<[string, CheckedImage]>([
    ['rule', denied({ reasons: [{ ...MISSING, code: 'IMAGE_NOT_PINNED' }] })],
    ['attestor', denied({ reasons: [{ ...MISSING, attestor: 'projects/p/attestors/b' }] })],
    ['image', denied({ image: `gcr.io/p/app2@${digest('a')}` })],
    ['file', denied({ sources: [source({ file: 'k8s/app2.yaml' })] })],
    ['kind', denied({ sources: [source({ kind: 'Job' })] })],
    ['name', denied({ sources: [source({ name: 'b' })] })],
    ['namespace', denied({ sources: [source({ namespace: 'b' })] })],
    ['container', denied({ sources: [source({ container: 'b' })] })],
    ['container type', denied({ sources: [source({ containerType: 'init' })] })],
    ['source at all', denied({ sources: [] })],
  ])('is another for another %s', (_, image) => expect(fingerprint(image)).not.toBe(before));
  test('is never the same twice', () =>
    expect(resultsOf(denied(), denied()).map(({ partialFingerprints }) => partialFingerprints['primaryLocationLineHash'])).toEqual([
      before,
      before.replace(/1$/, '2'),
    ]));
});

describe('limits', () => {
  test('25,000 results, and the rest is counted', () => {
    const text = sarifOf(manyDenied(25_010), { version: '1' });
    const run = (JSON.parse(text) as { runs: [Run] }).runs[0];
    expect(run.results).toHaveLength(25_000);
    expect(run.invocations[0].toolExecutionNotifications[0]?.message.text).toMatch(/^10 more results were left out/);
    expect(gzipSync(text).length).toBeLessThan(10_000_000);
  });
  test('exactly 25,000 are all there', () => {
    const run = (JSON.parse(sarifOf(manyDenied(25_000), { version: '1' })) as { runs: [Run] }).runs[0];
    expect([run.results.length, run.invocations[0].toolExecutionNotifications]).toEqual([25_000, []]);
  });
  test('10,000 findings are valid', () => expect(runOf(manyDenied(10_000)).results).toHaveLength(10_000));
  test('long texts do not make it too large', () => {
    const result = manyDenied(14_000);
    const images = result.images.map((image) => ({
      ...image,
      reasons: [{ ...MISSING, message: 'x'.repeat(3_000), hint: 'ä'.repeat(3_000) }],
    }));
    const text = sarifOf({ ...result, images, assumptions: Array.from({ length: 5_000 }, () => 'y'.repeat(5_000)) }, { version: '1' });
    expect(Buffer.byteLength(text)).toBeLessThan(33 * 1024 * 1024);
    expect(text).toMatch(/\d+ more results were left out/);
    expect(text).toMatch(/\d+ more notifications were left out/);
  });
});

describe('planted text', () => {
  test.each(HOSTILE)('%j', (text) => {
    const run = runOf(planted(text));
    expect(run.results).toHaveLength(3);
    for (const { message, locations } of run.results) {
      expect(message.text).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Cs}]|\]\(/u);
      expect(locations[0]?.physicalLocation?.artifactLocation.uri ?? '').not.toMatch(/(^|\/)\.\.(\/|$)|^\//);
    }
  });
  test('gives the same document every time', () =>
    expect(sarifOf(planted('x'), { version: '1' })).toBe(sarifOf(structuredClone(planted('x')), { version: '1' })));
});

describe('the validator of these tests refuses', () => {
  const valid = () => JSON.parse(sarifOf(checked([denied()]), { version: '1' })) as Record<string, unknown>;
  const edited = (from: string, to: string): unknown => {
    const before = JSON.stringify(valid());
    expect(before).toContain(from);
    return JSON.parse(before.replace(from, to));
  };
  test('nothing that is valid', () => expect(sarifProblems(valid())).toEqual([]));
  test.each([
    ['another version', '"version":"2.1.0"', '"version":"2.0.0"'],
    ['a level that is none', '"level":"error","message"', '"level":"fatal","message"'],
    ['line 0', '"startLine":23', '"startLine":0'],
    ['a result without message', '"message":{"text":"DENIED', '"massage":{"text":"DENIED'],
    ['an absolute path', '"uri":"k8s/', '"uri":"/k8s/'],
    ['a path with a space', '"uri":"k8s/', '"uri":"k 8s/'],
    ['a path upwards', '"uri":"k8s/', '"uri":"../k8s/'],
    ['a tool without name', '"name":"binauthz"', '"title":"binauthz"'],
    ['another rule’s index', '"ruleIndex":5', '"ruleIndex":6'],
    ['an unknown member', '"columnKind"', '"columnSort"'],
  ])('%s', (_, from, to) => expect(sarifProblems(edited(from, to))).not.toEqual([]));
});
