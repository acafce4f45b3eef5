// SPDX-License-Identifier: Apache-2.0
import { reportOf, type VulnerabilitiesResult } from '../core/results.js';
import { worstVerdict } from '../core/vulnerabilities/evaluate.js';
import type { Outcome } from './outcome.js';
import type { VulnerabilitiesRequest } from './requests.js';
import type { ScanPorts } from './steps/await-scan.js';
import { errorsOf, valuesOf } from './steps/concurrently.js';
import { judgeVulnerabilities } from './steps/judge-vulnerabilities.js';
import { resolveImages, type ResolvePorts } from './steps/resolve-images.js';

export type VulnerabilitiesPorts = ResolvePorts & ScanPorts;

/**
 * Shows the vulnerabilities of images, and judges them where a policy is given. The verdict is in the result: 3 where it
 * is DENIED, 4 where it is UNKNOWN (`refusalsOf` says why); errors are what could not be read at all.
 */
export async function vulnerabilities(
  request: VulnerabilitiesRequest,
  ports: VulnerabilitiesPorts,
): Promise<Outcome<VulnerabilitiesResult>> {
  ports.reporter.step(`Resolving ${request.images.length} image${request.images.length === 1 ? '' : 's'}`);
  const resolved = await resolveImages(request.images, ports);
  const unresolved = errorsOf(resolved);
  ports.reporter.step(request.reports ? 'Reading the findings' : 'Reading scans and findings from Artifact Analysis');
  const { verdict, images, errors } = await judgeVulnerabilities(valuesOf(resolved), request, ports);
  const all = [...unresolved, ...errors];
  return {
    result: {
      schema: 'binauthz.vulnerabilities/v1',
      verdict: unresolved.length > 0 ? worstVerdict([verdict, 'UNKNOWN']) : verdict,
      images,
      ...(all.length > 0 ? { errors: all.map(reportOf) } : {}),
    },
    errors: all,
  };
}
