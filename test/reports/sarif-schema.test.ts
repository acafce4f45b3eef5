// SPDX-License-Identifier: Apache-2.0
// The SARIF report against the published schema of SARIF 2.1.0, as JSON Schema and not as we read it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import type { CheckedImage, CheckResult } from '../../src/core/results.js';
import { REASON_CODES, VERDICTS, type ReasonCode } from '../../src/core/policy/verdict.js';
import { sarifOf } from '../../src/reports/sarif.js';

const schema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('schemastore/schemas/json/sarif-2.1.0.json'), 'utf8'),
) as object;
const validate = new Ajv({ schemaId: 'auto', unknownFormats: 'ignore', logger: false }).compile(schema);

function problems(sarif: unknown): readonly string[] {
  return validate(sarif) ? [] : (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ''}`);
}

const CODES = Object.keys(REASON_CODES) as ReasonCode[];

function image(index: number): CheckedImage {
  return {
    image: `gcr.io/p/app-${index}@sha256:${'a'.repeat(64)}`,
    verdict: VERDICTS[index % VERDICTS.length] ?? 'DENIED',
    rule: 'defaultAdmissionRule',
    reasons: [
      {
        code: CODES[index % CODES.length] ?? 'ATTESTED',
        message: `because of "${index}" \u0000\u2028 <b>`,
        attestor: 'projects/p/attestors/a',
        hint: 'do this',
      },
    ],
    occurrences: [],
    target: { platform: 'gke', namespace: 'default', serviceAccount: 'default' },
    sources:
      index % 5 === 0
        ? []
        : [
            {
              file: index % 7 === 0 ? '-' : `k8s/ä b/${index}.yaml`,
              line: index + 1,
              kind: 'Pod',
              name: 'web',
              container: 'c',
              containerType: 'container',
              namespace: 'n',
              serviceAccount: 's',
            },
          ],
  };
}

const result = (images: number): CheckResult => ({
  schema: 'binauthz.check/v1',
  verdict: 'DENIED',
  policy: 'projects/p/policy',
  target: { platform: 'gke', cluster: 'us-central1-a.prod' },
  images: Array.from({ length: images }, (_, index) => image(index)),
  platformPolicies: [],
  assumptions: ['none'],
});

describe('the SARIF report', () => {
  it.each([0, 1, 200])('of %i images fits the schema', (images) => {
    expect(problems(JSON.parse(sarifOf(result(images), { version: '1.2.3' })))).toEqual([]);
  });

  it('is refused by the schema when it is broken, so the schema is really asked', () => {
    const sarif = JSON.parse(sarifOf(result(3), { version: '1.2.3' })) as { version: string; runs: { results: { message?: unknown }[] }[] };
    expect(problems({ ...sarif, version: '2.0.0' })).not.toEqual([]);
    for (const entry of sarif.runs[0]?.results ?? []) delete entry.message;
    expect(problems(sarif)).not.toEqual([]);
  });
});
