// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const VULNERABILITIES: CommandRow = {
  name: 'vulnerabilities',
  usage: 'IMAGE... [--vulnerability-policy FILE] [--findings FILE]...',
  summary: 'show the vulnerabilities of images, and what a vulnerability policy says about them',
  details: [
    'The scan is awaited for --scan-timeout, of each platform of a multi-platform image. Not scanned is never clean.',
    'Exit 0 if every image was scanned and the policy, if there is one, allows it; 3 if it denies one, 4 if a scan cannot be judged.',
    'With --findings, the reports of another scanner are judged and Artifact Analysis is not asked. Each must name the digest of an image.',
  ],
  examples: [
    'binauthz vulnerabilities us-docker.pkg.dev/my-project/apps/web@sha256:… --vulnerability-policy vulnerabilities.yaml',
    'binauthz vulnerabilities us-docker.pkg.dev/my-project/apps/web:1.2.3 --scan-timeout 0s --output json',
    'binauthz vulnerabilities IMAGE --findings trivy.json --vulnerability-policy vulnerabilities.yaml --report sarif=binauthz.sarif',
  ],
  takesImages: true,
};
