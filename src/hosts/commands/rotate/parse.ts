// SPDX-License-Identifier: Apache-2.0
// `rotate`: options first, then the files that they name; all that is wrong with either is thrown at once.
import { parseImageReference, type ImageReference } from '../../../core/image/reference.js';
import type { AttestorName } from '../../../core/names.js';
import { parseShard, type Shard } from '../../../core/rotation/shard.js';
import type { NewKeySource } from '../../../core/signing/given-key.js';
import { imagesPlaceOf } from '../../../google/artifact-places.js';
import type { RotateRequest } from '../../../usecases/requests.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import { inputError } from '../../issues.js';
import { readNewKey } from '../../key-options.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import {
  impossible,
  readAttestors,
  readCommon,
  readImages,
  readProject,
  required,
  throwIfWrong,
  type Common,
} from '../../request-readers.js';
import { readListedImages, readManifestImages } from './files.js';

/** `binauthz rotate`, fully parsed. */
export interface ParsedRotate {
  readonly request: RotateRequest;
  readonly newKey: NewKeySource;
  readonly common: Common;
}

/** The request of `rotate`; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseRotate(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedRotate> {
  const reader = new OptionReader(raw);
  const attestor = readAttestor(reader);
  const newKey = readNewKey(reader);
  const project = readProject(reader, 'project');
  const named = readImages(reader);
  const repositories = readRepositories(reader);
  const shard = readShard(reader);
  const retire = readRetire(reader, shard);
  const waitTimeoutMs = reader.duration('wait-timeout');
  const apply = reader.flag('apply');
  const common = readCommon(reader, env);
  const used = await readManifestImages(reader, world);
  const listed = await readListedImages(reader, world);
  throwIfWrong(reader);
  if (!attestor || !newKey || waitTimeoutMs === undefined) throw impossible();
  const images = [...new Map([...named, ...listed].map((image) => [image.original, image])).values()];
  const given = { ...(project && { project }), ...(shard && { shard }), ...(retire && { retire }) };
  return { request: { attestor, images, used, repositories, waitTimeoutMs, apply, ...given }, newKey, common };
}

function readAttestor(reader: OptionReader): AttestorName | undefined {
  const [attestor, ...others] = required(reader, 'attestor', readAttestors(reader)) ?? [];
  if (attestor !== undefined && others.length > 0)
    reader.add('attestor', 'one attestor, because each has keys of its own', [attestor, ...others].join(' and '));
  return attestor;
}

function readRepositories(reader: OptionReader): readonly ImageReference[] {
  return reader.list('image-repository', (text) => {
    const parsed = parseImageReference(text);
    const expected = 'LOCATION-docker.pkg.dev/PROJECT/REPOSITORY, or an image of it without tag and digest';
    if (!parsed.ok) return { expected: `${expected} (${parsed.reason})` };
    const { tag, digest } = parsed.reference;
    if (tag !== undefined || digest !== undefined) return { expected, hint: `for a single image use ${reader.spell('image')}` };
    return imagesPlaceOf(parsed.reference) ? { value: parsed.reference } : { expected };
  });
}

function readShard(reader: OptionReader): Shard | undefined {
  return reader.one('shard', (text) => {
    const value = parseShard(text);
    return value ? { value } : { expected: 'I/N such as 2/4, counted from 1 up to at most 1000' };
  });
}

function readRetire(reader: OptionReader, shard: Shard | undefined): RotateRequest['retire'] {
  const force = reader.flag('force');
  const keyId = reader.one('retire', (text) =>
    text === '' || /\s/.test(text) ? { expected: 'the id of a key, as the attestor lists it' } : { value: text },
  );
  if (force && !reader.has('retire')) reader.add('force', `${reader.spell('retire')} beside it`, 'none');
  if (shard && reader.has('retire')) {
    const message = `${reader.spell('retire')} and ${reader.spell('shard')}: expected one of the two, got both`;
    reader.issues.push(inputError(message, { hint: 'retire the key in a run of its own after all shards: only that sees every image' }));
  }
  return keyId === undefined ? undefined : { keyId, force };
}
