// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../../core/errors.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { RawOptions } from '../../option-reader.js';
import type { Common } from '../../request-readers.js';

/** `binauthz doctor`, fully parsed. */
export interface ParsedDoctor {
  readonly common: Common;
}

/** The request of `doctor`; throws BinauthzErrors with everything that is wrong. */
export function parseDoctor(_raw: RawOptions, _env: Env, _world: FileWorld): Promise<ParsedDoctor> {
  throw new BinauthzError('INVALID_INPUT', 'binauthz doctor: not available in this version');
}
