// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/core/results.js';
import { checkMarkdown } from '../../src/reports/check-markdown.js';
import { allowed, checked, denied, HOSTILE, manyDenied, MISSING, planted, source } from '../support/check-results.js';

const bytes = (text: string): number => Buffer.byteLength(text);
/** Text that a reader sees: references resolved. */
const seen = (text: string): string => text.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));

describe('a summary', () => {
  test('of a denial', () => {
    expect(checkMarkdown(checked([allowed({ sources: [] }), denied()], { assumptions: ['the cluster enforces'] }))).toBe(
      `### ❌ binauthz check: DENIED

**1 DENIED, 1 ALLOWED of 2 images**, under <code>projects/p/policy</code> on GKE, cluster <code>us-central1-a.prod</code>

| Verdict | Image | Rule | Why | Where |
| --- | --- | --- | --- | --- |
| **DENIED** | <code>${denied().image}</code> | <code>clusterAdmissionRules&#91;us-central1-a.prod&#93;</code> | <code>NO_TRUSTED_ATTESTATION</code> no attestation of projects/p/attestors/a verifies<br>Next step: binauthz attest gcr.io/p/app<br>The deploy would say: <code>Image gcr.io/p/app denied by attestor projects/p/attestors/a</code> | <code>k8s/app.yaml:23</code> Deployment/app container web |

<details><summary>Allowed images (1)</summary>

| Image | Rule | Where |
| --- | --- | --- |
| <code>${allowed().image}</code> | <code>clusterAdmissionRules&#91;us-central1-a.prod&#93;</code> |  |

</details>

<details><summary>Assumptions (1)</summary>

- the cluster enforces

</details>
`,
    );
  });
  test.each([
    ['DENIED', '❌'],
    ['UNKNOWN', '❌'],
    ['NOT_ENFORCED', '⚠️'],
    ['ALLOWED_DRY_RUN', '⚠️'],
    ['ALLOWED', '✅'],
  ] as const)('of %s begins with %s', (verdict, sign) =>
    expect(checkMarkdown(checked([denied({ verdict })]))).toMatch(new RegExp(`^### ${sign} binauthz check: ${verdict}\n`)),
  );
  test('has the worst first, and what is allowed apart', () => {
    const text = checkMarkdown(
      checked([
        allowed(),
        denied({ verdict: 'ALLOWED_DRY_RUN' }),
        denied({ verdict: 'UNKNOWN' }),
        denied(),
        denied({ verdict: 'NOT_ENFORCED' }),
      ]),
    );
    expect([...text.matchAll(/^\| \*\*(\w+)\*\*/gm)].map(([, verdict]) => verdict)).toEqual([
      'DENIED',
      'UNKNOWN',
      'NOT_ENFORCED',
      'ALLOWED_DRY_RUN',
    ]);
  });
  test('shows a few reasons and places, and counts the others', () => {
    const sources = Array.from({ length: 5 }, (_, index) => source({ line: index + 1 }));
    const text = checkMarkdown(checked([denied({ sources, reasons: Array.from({ length: 7 }, () => MISSING) })]));
    expect(text).toContain('<br>… and 2 more places |');
    expect(text).toContain('<br>… and 2 more reasons in the report<br>');
    expect(checkMarkdown(checked([denied()]))).not.toContain('more');
  });
  test('calls platform policies advisory', () => {
    const platformPolicies: CheckResult['platformPolicies'] = [
      {
        policy: 'projects/p/platforms/gke/policies/x',
        verdict: 'NON_CONFORMANT',
        results: [{ workload: 'Pod/a', image: 'i', verdict: 'v', explanation: 'e' }],
      },
      { policy: 'projects/p/platforms/gke/policies/y', verdict: 'CONFORMANT', results: [] },
    ];
    const text = checkMarkdown(checked([allowed()], { platformPolicies }));
    expect(text).toContain('#### Platform policies (advisory: they only monitor, and change no verdict)\n\n| Policy |');
    expect(text).toContain(
      '| <code>projects/p/platforms/gke/policies/x</code> | **NON_CONFORMANT** | <code>Pod/a</code> | <code>i</code> | v: e |',
    );
    expect(text).toContain('| <code>projects/p/platforms/gke/policies/y</code> | **CONFORMANT** |  |  |  |');
    expect(text).toMatch(/^### ✅/);
  });
  test('says what failed, warns, names the emulator and the run', () => {
    const text = checkMarkdown(
      checked([], {
        errors: [{ code: 'PERMISSION_DENIED', message: 'may not', hint: 'grant', exitCode: 5 }],
        warnings: ['w'],
        emulator: true,
      }),
      { runUrl: 'https://github.com/o/r/actions/runs/7' },
    );
    expect(text).toMatch(
      /^### ❌ binauthz check: UNKNOWN\n\n> \[!WARNING\]\n> \*\*On the emulator[^\n]*\n\n\*\*no image\*\*[^\n]*\n\n#### Errors\n\n- \*\*PERMISSION_DENIED\*\*: may not\n {2}- Next step: grant\n\n#### Warnings\n\n- w\n\n\[The workflow run\]\(https:\/\/github.com\/o\/r\/actions\/runs\/7\)\n$/,
    );
    expect(checkMarkdown(checked([]), { runUrl: 'javascript:alert(1)' })).not.toContain('javascript');
  });
});

describe('size', () => {
  test('10,000 findings stay far below 1 MiB, and the rest is counted', () => {
    const text = checkMarkdown(manyDenied(10_000));
    expect(bytes(text)).toBeLessThan(256 * 1024);
    const rows = text.match(/^\| \*\*DENIED/gm)?.length ?? 0;
    expect(rows).toBeGreaterThan(100);
    expect(text).toContain(`\n\n… and ${10_000 - rows} more in the report`);
  });
  test('holds where everything is much and long', () => {
    const text = '|'.repeat(5_000);
    const { images, ...rest } = planted(text);
    const many = <T>(items: readonly T[] = []): readonly T[] => Array.from({ length: 2_000 }, () => items).flat();
    const result: CheckResult = {
      ...rest,
      images: many(images),
      errors: many(rest.errors),
      warnings: many(rest.warnings),
      assumptions: many(rest.assumptions),
      platformPolicies: many(rest.platformPolicies),
    };
    expect(bytes(checkMarkdown(result))).toBeLessThan(256 * 1024);
    expect(checkMarkdown(result).match(/… and \d+ more in the report/g)).toHaveLength(6);
    expect(checkMarkdown(result, { maxBytes: 60_000 }).length).toBeLessThan(65_000);
  });
});

describe('planted text', () => {
  test.each(HOSTILE)('%j', (text) => {
    const lines = checkMarkdown(planted(text)).split('\n');
    const plain = checkMarkdown(planted('x')).split('\n');
    // The same structure as with a harmless name: as many lines, each of the same kind with the same cells.
    expect(lines.map(shape)).toEqual(plain.map(shape));
    expect(seen(lines.join('\n'))).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u0000\u001b]/);
  });
});

function shape(line: string): string {
  return `${line.slice(0, 2).replace(/\w/g, 'w')}${line.split('|').length} ${(line.match(/<\w+>/g) ?? []).join('')}`;
}
