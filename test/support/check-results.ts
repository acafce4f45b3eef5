// SPDX-License-Identifier: Apache-2.0
// Results of a check for the tests of its reports.
import type { CheckedImage, CheckResult } from '../../src/core/results.js';
import { worst, type Reason } from '../../src/core/policy/verdict.js';

type Source = CheckedImage['sources'][number];

export const digest = (character: string): string => `sha256:${character.repeat(64)}`;

export const source = (parts: Partial<Source> = {}): Source => ({
  file: 'k8s/app.yaml',
  line: 23,
  kind: 'Deployment',
  name: 'app',
  container: 'web',
  containerType: 'container',
  namespace: 'default',
  serviceAccount: 'default',
  ...parts,
});

export const MISSING: Reason = {
  code: 'NO_TRUSTED_ATTESTATION',
  message: 'no attestation of projects/p/attestors/a verifies',
  attestor: 'projects/p/attestors/a',
  hint: 'binauthz attest gcr.io/p/app',
};

const image: Omit<CheckedImage, 'denial'> = {
  image: `gcr.io/p/app@${digest('a')}`,
  verdict: 'DENIED',
  rule: 'clusterAdmissionRules[us-central1-a.prod]',
  reasons: [MISSING],
  occurrences: [],
  target: { platform: 'gke' },
  sources: [source()],
};

export const denied = (parts: Partial<CheckedImage> = {}): CheckedImage => ({
  ...image,
  denial: 'Image gcr.io/p/app denied by attestor projects/p/attestors/a',
  ...parts,
});

export const allowed = (parts: Partial<CheckedImage> = {}): CheckedImage => ({
  ...image,
  image: `gcr.io/p/ok@${digest('b')}`,
  verdict: 'ALLOWED',
  reasons: [{ code: 'ATTESTED', message: 'it is attested' }],
  ...parts,
});

export const checked = (images: readonly CheckedImage[], parts: Partial<CheckResult> = {}): CheckResult => ({
  schema: 'binauthz.check/v1',
  verdict: worst(images.map(({ verdict }) => verdict)),
  policy: 'projects/p/policy',
  target: { platform: 'gke', cluster: 'us-central1-a.prod' },
  images,
  platformPolicies: [],
  assumptions: [],
  ...parts,
});

/** So many denied images, each in a file, with digests that do not compress. */
export function manyDenied(count: number): CheckResult {
  let state = 12345;
  const hex = (): string => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0).toString(16).padStart(8, '0');
  return checked(
    Array.from({ length: count }, (_, index) =>
      denied({
        image: `us-docker.pkg.dev/project/repository/team/app-${index}@sha256:${Array.from({ length: 8 }, hex).join('')}`,
        sources: [source({ file: `k8s/overlays/production/app-${index % 500}.yaml`, line: index + 1, name: `app-${index}` })],
      }),
    ),
  );
}

/** Names that try to be something else: markup, commands, other lines, other writing directions, half characters. */
export const HOSTILE: readonly string[] = [
  'a\nDENIED: nothing',
  'a\r\n::error::planted',
  '##[error]planted',
  '<script>alert(1)</script>',
  ']]><failure/>',
  '"/><testcase name="x',
  '&amp;&#0;',
  '| a | b |',
  '[click](https://evil.example)',
  '<!-- -->',
  '\u001b[2J\u001b]0;title\u0007',
  'a\u202eb\u2066c',
  'a\u0000b\ufffe\uffff',
  'half \ud800 character \udc00',
  '{0} {{x}} ${y}',
  '../../etc/passwd',
  '%2e%2e/x',
  '"results":0',
  '\u2028\u2029\u0085',
];

/** A result whose every foreign text is this one. */
export function planted(text: string): CheckResult {
  const bad = denied({
    image: text,
    rule: text,
    denial: text,
    digest: text,
    reasons: [{ code: 'NO_TRUSTED_ATTESTATION', message: text, attestor: text, hint: text }],
    sources: [source({ file: text, kind: text, name: text, container: text, namespace: text, serviceAccount: text }), source()],
  });
  return checked([bad, allowed({ image: text, rule: text }), { ...bad, verdict: 'UNKNOWN', sources: [] }], {
    policy: text,
    target: { platform: 'gke', cluster: text, namespace: text, serviceAccount: text },
    assumptions: [text],
    warnings: [text],
    errors: [{ code: 'UNAVAILABLE', message: text, hint: text, exitCode: 9 }],
    platformPolicies: [
      { policy: text, verdict: 'NON_CONFORMANT', results: [{ workload: text, image: text, verdict: text, explanation: text }] },
    ],
  });
}
