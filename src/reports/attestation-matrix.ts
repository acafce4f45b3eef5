// SPDX-License-Identifier: Apache-2.0
// Who signed what, and when: every image that needs several attestors, and what each of them has said so far.
import type { CheckedImage, CheckedOccurrence, CheckResult, ListedAttestation, ListResult } from '../core/results.js';

/** What an attestor has said about an image. */
export interface MatrixCell {
  readonly attestor: string;
  readonly state: 'signed' | 'not valid' | 'missing';
  /** The id of the key that signed; absent where nothing was. */
  readonly key?: string;
  /** RFC 3339, where the service said when. */
  readonly time?: string;
}

/** An image with one cell for each of its attestors, which are at least two. */
export interface MatrixRow {
  readonly image: string;
  readonly cells: readonly MatrixCell[];
}

type Signature = Pick<CheckedOccurrence, 'attestor' | 'digest' | 'publicKeyId' | 'verified' | 'createTime'>;

/** The images of a check whose rule requires two attestors or more, each image once. */
export function matrixOfCheck({ images }: CheckResult): readonly MatrixRow[] {
  const rows = images.map((image) => {
    const digest = image.childDigest ?? image.digest;
    return rowOf(
      image.image,
      requiredBy(image),
      image.occurrences.filter((occurrence) => occurrence.digest === digest),
    );
  });
  // The same image in many places has the same attestors unless the rules differ.
  const different = new Map(rows.map((row) => [JSON.stringify(row), row]));
  return [...different.values()].filter(({ cells }) => cells.length > 1);
}

/** The images of a listing, where it is of two attestors or more. */
export function matrixOfList({ attestations }: ListResult): readonly MatrixRow[] {
  const attestors = unique(attestations.map(({ attestor }) => attestor).filter((attestor) => attestor !== ''));
  if (attestors.length < 2) return [];
  return unique(attestations.map(({ image }) => image)).map((image) => rowOf(image, attestors, signaturesOf(attestations, image)));
}

function signaturesOf(attestations: readonly ListedAttestation[], image: string): readonly ListedAttestation[] {
  return attestations.filter((listed) => listed.image === image);
}

// Whoever is required has either an occurrence or a reason why not.
function requiredBy({ reasons, occurrences }: CheckedImage): readonly string[] {
  return unique([...reasons.flatMap(({ attestor }) => attestor ?? []), ...occurrences.map(({ attestor }) => attestor)]).toSorted();
}

function rowOf(image: string, attestors: readonly string[], signatures: readonly Signature[]): MatrixRow {
  return {
    image,
    cells: attestors.map((attestor) =>
      cellOf(
        attestor,
        signatures.filter((signature) => signature.attestor === attestor),
      ),
    ),
  };
}

function cellOf(attestor: string, signatures: readonly Signature[]): MatrixCell {
  const best = signatures.find(({ verified }) => verified) ?? signatures[0];
  if (!best) return { attestor, state: 'missing' };
  const { publicKeyId: key, createTime: time, verified } = best;
  return { attestor, state: verified ? 'signed' : 'not valid', key, ...(time === undefined ? {} : { time }) };
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

/** The matrix in lines for a terminal: an image, and below it its attestors. Every foreign text goes through `one`. */
export function matrixLines(rows: readonly MatrixRow[], one: (text: string) => string, most = 50): readonly string[] {
  const shown = rows.slice(0, most).flatMap(({ image, cells }) => {
    const width = Math.max(...cells.map(({ attestor }) => one(attestor).length));
    return [`  ${one(image)}`, ...cells.map((cell) => `    ${one(cell.attestor).padEnd(width)}  ${cellText(cell, one)}`)];
  });
  const left = rows.length - most;
  return [...shown, ...(left > 0 ? [`  … and ${left} more images (--output json has all of them)`] : [])];
}

/** `signed by KEY at TIME` */
export function cellText({ state, key, time }: MatrixCell, one: (text: string) => string): string {
  return [state, ...(key === undefined ? [] : [`by ${one(key)}`]), ...(time === undefined ? [] : [`at ${one(time)}`])].join(' ');
}
