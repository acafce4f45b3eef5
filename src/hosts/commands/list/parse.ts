// SPDX-License-Identifier: Apache-2.0
import type { ListRequest } from '../../../usecases/requests.js';
import type { Env } from '../../context.js';
import { inputError } from '../../issues.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import { readAttestors, readCommon, readImages, readProject, throwIfWrong, type Common } from '../../request-readers.js';

/** `binauthz list`, fully parsed. */
export interface ParsedList {
  readonly request: ListRequest;
  readonly common: Common;
}

/** The request of `list`; throws BinauthzErrors with everything that is wrong. */
export function parseList(raw: RawOptions, env: Env): ParsedList {
  const reader = new OptionReader(raw);
  const images = readImages(reader);
  const attestors = readAttestors(reader);
  const project = readProject(reader, 'project');
  const common = readCommon(reader, env);
  requireOneOf(reader, ['attestor', 'project']);
  throwIfWrong(reader);
  return { request: { images, attestors, ...(project === undefined ? {} : { project }) }, common };
}

function requireOneOf(reader: OptionReader, names: readonly string[]): void {
  const given = names.filter((name) => reader.has(name));
  if (given.length === 1) return;
  const spelled = names.map((name) => reader.spell(name));
  reader.issues.push(inputError(`${spelled.join(' or ')}: expected exactly one of them, got ${given.length === 0 ? 'none' : 'both'}`));
}
