// SPDX-License-Identifier: Apache-2.0
// Which scanner's report is about which image. A report counts for the digest that it names and for nothing else; that of
// an index was made of one of its platforms, and proves nothing about the others.
import type { Digest } from '../image/digest.js';
import type { ChildManifest, ResolvedImage } from '../image/platform.js';
import type { ScannedPart } from './evaluate.js';
import type { Scan, ScanReport } from './finding.js';

/** What reports say about images: the parts of each, in order, and the reports that are about none of them. */
export interface MatchedReports {
  readonly parts: readonly (readonly ScannedPart[])[];
  readonly strangers: readonly ScanReport[];
}

/** A manifest that must have been scanned. */
export interface Subject {
  readonly digest: Digest;
  readonly platform?: string;
  /** It is an index within the index. */
  readonly isIndex?: true;
}

const NO_REPORT: Scan = {
  state: 'NOT_FOUND',
  errors: ['no report that was given is about it'],
  hint: 'scan it by its digest, and give its report with --findings beside the others',
};
/** What a scanner says of an index is about one of its images, and which ones there are is not read. */
export const INDEX_IN_INDEX: Scan = {
  state: 'FINISHED_UNSUPPORTED',
  errors: ['it is an index within the index, and scanners read images'],
  hint: 'build one index that lists the image of each platform itself',
};

/** The manifests of an image that must have been scanned: each runnable one of an index, else the image itself. */
export function subjectsOf(image: ResolvedImage): readonly Subject[] {
  if (!image.isIndex) return [{ digest: image.reference.digest }];
  const byDigest = new Map<Digest, ChildManifest[]>();
  for (const child of image.children) byDigest.set(child.digest, [...(byDigest.get(child.digest) ?? []), child]);
  return [...byDigest].map(([digest, children]) => ({
    digest,
    platform: [...new Set(children.map(({ platform }) => platform))].join(', '),
    ...(children.some(({ isIndex }) => isIndex) ? { isIndex: true as const } : {}),
  }));
}

/** Gives each report to the images that it is about. A subject without a report is there as not scanned. */
export function matchReports(images: readonly ResolvedImage[], reports: readonly ScanReport[]): MatchedReports {
  const used = new Set<ScanReport>();
  const parts = images.map((image) => {
    const subjects = subjectsOf(image);
    const found = reports.flatMap((report) => {
      const part = partOf(image, subjects, report);
      if (part) used.add(report);
      return part ?? [];
    });
    const covered = new Set<string>(found.map(({ digest }) => digest));
    const missing = subjects.filter(({ digest }) => !covered.has(digest)).map((subject) => ({ ...subject, scan: NO_REPORT, findings: [] }));
    return [...found, ...missing];
  });
  return { parts, strangers: reports.filter((report) => !used.has(report)) };
}

function partOf(image: ResolvedImage, subjects: readonly Subject[], report: ScanReport): ScannedPart | undefined {
  const { scan, findings } = report;
  const own = subjects.find(({ digest }) => report.digests.includes(digest));
  if (own) return { ...own, scan: own.isIndex ? INDEX_IN_INDEX : scan, findings };
  const { digest } = image.reference;
  if (!report.digests.includes(digest)) return undefined;
  const child = childOf(image.children, report.platform);
  // Of which platform it is cannot be told: what it found counts, what it did not find proves nothing of any child.
  if (!child) return { digest, platform: 'the index', scan: { ...scan, state: 'FINISHED_SUCCESS' }, findings };
  const subject = subjects.find((candidate) => candidate.digest === child.digest) ?? { digest: child.digest };
  return { ...subject, scan: child.isIndex ? INDEX_IN_INDEX : scan, findings };
}

function childOf(children: readonly ChildManifest[], platform: string | undefined): ChildManifest | undefined {
  const [only, ...others] = children;
  if (platform === undefined) return others.length === 0 ? only : undefined;
  const matching = children.filter((child) => isSamePlatform(child.platform, platform));
  return new Set(matching.map(({ digest }) => digest)).size === 1 ? matching[0] : undefined;
}

// A variant that one side leaves out may be any.
function isSamePlatform(one: string, other: string): boolean {
  const [os, architecture, variant] = one.split('/');
  const [otherOs, otherArchitecture, otherVariant] = other.split('/');
  if (os !== otherOs || architecture !== otherArchitecture) return false;
  return variant === undefined || otherVariant === undefined || variant === otherVariant;
}
