// SPDX-License-Identifier: Apache-2.0
// What build tools leave behind about the images that they made. Imported lazily, since it brings the YAML parser.
import { parseDigest } from '../core/image/digest.js';
import { parseDocuments, type Path, type YamlDocument } from '../documents/parse.js';
import type { Problem } from '../documents/problem.js';
import { at, isObject, textAt, type JsonObject } from './resource.js';

/** The images of a list, each once, in the list's order. To be used only where there is no problem. */
export interface ImageList {
  readonly images: readonly string[];
  readonly problems: readonly Problem[];
}

/** The digests that count as attested. To be used only where there is no problem. */
export interface AttestedSet {
  readonly digests: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

interface Entry {
  readonly image: string;
  readonly line: number;
  /** Digests besides the image's own: the children of a multi-platform image. */
  readonly children: readonly string[];
  /** Says no only where the file itself tells that the image was not attested. */
  readonly isAttested: boolean;
}

interface Entries {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

const FORMS =
  'expected Skaffold’s build artifacts, the metadata file of docker buildx build or bake, a binauthz.attest/v1 report, or one image per line';

/**
 * The images in a file: Skaffold's build artifacts, buildx metadata (of build or bake), a report of `binauthz attest`, or
 * plain text with one image per line, where `#` begins a comment.
 */
export function readImageList(text: string, file: string): ImageList {
  const { entries, problems } = readEntries(text, file);
  return {
    images: [...new Set(entries.map(({ image }) => image))],
    problems: orEmpty(problems, entries.length, { file, what: 'no image is in it' }),
  };
}

/**
 * The digests that a pipeline attested, from the same forms; plain text may also list bare digests. In a report of
 * `binauthz attest` the children of an image count with it, and an image whose attestation failed, or was only a dry run, does not.
 */
export function readAttestedSet(text: string, file: string): AttestedSet {
  const { entries, problems } = readEntries(text, file);
  const digests = new Set<string>();
  const unpinned: Problem[] = [];
  for (const { image, line, children, isAttested } of entries) {
    const digest = parseDigest(image.slice(image.indexOf('@') + 1));
    if (!digest) unpinned.push({ file, line, message: `expected an image with its digest (NAME@sha256:…), got ${quote(image)}` });
    else if (isAttested) for (const each of [digest, ...children]) digests.add(each);
  }
  return { digests, problems: orEmpty([...problems, ...unpinned], digests.size, { file, what: 'no attested image is in it' }) };
}

// An empty list would make a check of nothing, or deny everything with a puzzling reason.
function orEmpty(
  problems: readonly Problem[],
  count: number,
  { file, what }: { readonly file: string; readonly what: string },
): readonly Problem[] {
  return problems.length > 0 || count > 0 ? problems : [{ file, line: 1, message: `expected at least one image, but ${what}` }];
}

function readEntries(text: string, file: string): Entries {
  if (!/^\ufeff?\s*[{[]/.test(text)) return plainEntries(text, file);
  const { documents, problems } = parseDocuments(text, file);
  const found = documents.map(jsonEntries);
  return { entries: found.flatMap(({ entries }) => entries), problems: [...problems, ...found.flatMap((each) => each.problems)] };
}

function plainEntries(text: string, file: string): Entries {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .forEach((written, index) => {
      const image = written.replace(/(^|\s)#.*$/, '').trim();
      const line = index + 1;
      if (image === '') return;
      if (/[\s=]|\p{Cc}/u.test(image)) problems.push({ file, line, message: `expected one image, got ${quote(image)}`, hint: FORMS });
      else entries.push({ image, line, children: [], isAttested: true });
    });
  // A file of another kind would be as many messages as lines.
  return { entries, problems: problems.slice(0, 5) };
}

function jsonEntries(document: YamlDocument): Entries {
  const { value } = document;
  if (isObject(value)) {
    if (value['schema'] === 'binauthz.attest/v1') return reportEntries(document, value);
    if ('schema' in value) return refused(document, ['schema'], `${FORMS}; got the schema ${quote(String(textAt(value, ['schema'])))}`);
    if (Array.isArray(value['builds'])) return skaffoldEntries(document, value['builds']);
    if (isMetadata(value)) return buildxEntry(document, [], value);
    const targets = Object.entries(value).filter((entry): entry is [string, JsonObject] => isObject(entry[1]) && isMetadata(entry[1]));
    if (targets.length > 0) return joined(targets.map(([target, metadata]) => buildxEntry(document, [target], metadata)));
  }
  return refused(document, [], `${FORMS}; got other JSON`);
}

function skaffoldEntries(document: YamlDocument, builds: readonly unknown[]): Entries {
  return joined(
    builds.map((build, index) => {
      const tag = textAt(build, ['tag']);
      if (tag === undefined) return refused(document, ['builds', index], 'expected a build with "tag"');
      return { entries: [entryOf(document, ['builds', index, 'tag'], tag)], problems: [] };
    }),
  );
}

// `containerimage.config.digest` and `imageid` look alike, but no registry or cluster knows an image by them.
function isMetadata(value: JsonObject): boolean {
  return 'containerimage.digest' in value || 'image.name' in value;
}

function buildxEntry(document: YamlDocument, path: Path, metadata: JsonObject): Entries {
  const digest = parseDigest(textAt(metadata, ['containerimage.digest']) ?? '');
  const names = (textAt(metadata, ['image.name']) ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (!digest) return refused(document, path, 'expected buildx metadata with "containerimage.digest": was the image pushed?');
  if (names.length === 0) return refused(document, path, 'expected buildx metadata with "image.name": was the image given a name (--tag)?');
  const line = [...path, 'image.name'];
  return { entries: names.map((name) => entryOf(document, line, `${withoutTag(name)}@${digest}`)), problems: [] };
}

function withoutTag(name: string): string {
  const bare = name.includes('@') ? name.slice(0, name.indexOf('@')) : name;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}

function reportEntries(document: YamlDocument, report: JsonObject): Entries {
  const images = report['images'];
  if (!Array.isArray(images)) return refused(document, [], 'expected a report with "images"');
  const attested = attestedDigests(report);
  return joined(
    (images as readonly unknown[]).map((entry, index) => {
      const image = textAt(entry, ['image']);
      if (image === undefined) return refused(document, ['images', index], 'expected an image of the report with "image"');
      const children = childDigests(entry);
      const own = [image.slice(image.indexOf('@') + 1), ...children];
      const isAttested = own.some((digest) => attested.yes.has(digest)) && !own.some((digest) => attested.no.has(digest));
      return { entries: [{ ...entryOf(document, ['images', index, 'image'], image), children, isAttested }], problems: [] };
    }),
  );
}

function childDigests(entry: unknown): readonly string[] {
  const children = at(entry, ['children']);
  if (!Array.isArray(children)) return [];
  return (children as readonly unknown[]).flatMap((child) => parseDigest(textAt(child, ['digest']) ?? '') ?? []);
}

/** `posted` was stored too, only not seen in time. */
const STORED: readonly unknown[] = ['created', 'existing', 'posted'];

function attestedDigests(report: JsonObject): { readonly yes: ReadonlySet<string>; readonly no: ReadonlySet<string> } {
  const attestations: readonly unknown[] = Array.isArray(report['attestations']) ? report['attestations'] : [];
  const digestsWhere = (isStored: boolean): ReadonlySet<string> =>
    new Set(
      attestations
        .filter((attestation) => STORED.includes(at(attestation, ['status'])) === isStored)
        .map((attestation) => (textAt(attestation, ['image']) ?? '').replace(/^.*@/, '')),
    );
  return { yes: digestsWhere(true), no: digestsWhere(false) };
}

function entryOf({ lineOf }: YamlDocument, path: Path, image: string): Entry {
  return { image, line: lineOf(path), children: [], isAttested: true };
}

function refused(document: YamlDocument, path: Path, message: string): Entries {
  return { entries: [], problems: [{ file: document.file, line: document.lineOf(path), message }] };
}

function joined(parts: readonly Entries[]): Entries {
  return { entries: parts.flatMap(({ entries }) => entries), problems: parts.flatMap(({ problems }) => problems) };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
