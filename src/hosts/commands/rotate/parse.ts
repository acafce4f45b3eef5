// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../../core/errors.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { RawOptions } from '../../option-reader.js';
import type { Common } from '../../request-readers.js';

/** `binauthz rotate`, fully parsed. */
export interface ParsedRotate {
  readonly common: Common;
}

/** The request of `rotate`; throws BinauthzErrors with everything that is wrong. */
export function parseRotate(_raw: RawOptions, _env: Env, _world: FileWorld): Promise<ParsedRotate> {
  throw new BinauthzError('INVALID_INPUT', 'binauthz rotate: not available in this version');
}
