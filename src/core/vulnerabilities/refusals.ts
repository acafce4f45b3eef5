// SPDX-License-Identifier: Apache-2.0
// Why images may not be signed, as errors: 3 where the policy denies, 4 where a scan cannot be judged.
import { BinauthzError } from '../errors.js';
import type { VulnerabilitiesResult, VulnerableImage } from '../results.js';
import type { VulnerabilityReason } from './evaluate.js';

const MOST_NAMED = 5;
const REPAIR = 'repair the packages that are named, or have somebody answer for a finding until a day, with a waiver in the policy';

/** The images that may not be signed, each as an error; denied ones first. */
export function refusalsOf(images: readonly VulnerableImage[]): readonly BinauthzError[] {
  const denied = images.filter(({ verdict }) => verdict === 'DENIED');
  const undecided = images.filter(({ verdict }) => verdict === 'UNKNOWN');
  return [...denied, ...undecided].map(({ image, verdict, reasons }) => {
    const isDenied = verdict === 'DENIED';
    // What is denied stays so, however the scan goes on.
    const telling = isDenied ? reasons.filter(({ code }) => !code.startsWith('SCAN_')) : reasons;
    const hint = telling.find((reason) => reason.hint !== undefined)?.hint ?? (isDenied ? REPAIR : undefined);
    return new BinauthzError(
      isDenied ? 'VULNERABILITIES_DENIED' : 'SCAN_UNDECIDED',
      `${isDenied ? 'the vulnerability policy denies' : 'cannot judge the vulnerabilities of'} ${image}: ${textOf(telling)}`,
      { resource: image, ...(hint === undefined ? {} : { hint }) },
    );
  });
}

/** Why a result as a whole must not pass; undefined where it may. */
export function refusalOf({ verdict, images }: VulnerabilitiesResult): BinauthzError | undefined {
  if (verdict === 'ALLOWED' || verdict === 'NOT_JUDGED') return undefined;
  const [first, ...others] = refusalsOf(images);
  if (!first) return new BinauthzError('SCAN_UNDECIDED', 'cannot judge vulnerabilities: no image was judged');
  if (others.length === 0) return first;
  const { code, message, resource, hint } = first;
  return new BinauthzError(code, `${message}; ${others.length} more image${others.length === 1 ? ' is' : 's are'} refused`, {
    ...(resource === undefined ? {} : { resource }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The images that may not be signed and, of an index, its platforms: by their names with digest. */
export function refusedNames(images: readonly VulnerableImage[]): ReadonlySet<string> {
  const refused = images.filter(({ verdict }) => verdict === 'DENIED' || verdict === 'UNKNOWN');
  return new Set(
    refused.flatMap(({ image, digest, manifests }) => [
      image,
      ...manifests.map((manifest) => `${image.slice(0, -digest.length)}${manifest.digest}`),
    ]),
  );
}

function textOf(reasons: readonly VulnerabilityReason[]): string {
  const left = reasons.length - MOST_NAMED;
  return [...reasons.slice(0, MOST_NAMED).map(({ message }) => message), ...(left > 0 ? [`and ${left} more reasons`] : [])].join('; ');
}
