// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../../core/errors.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { RawOptions } from '../../option-reader.js';
import type { Common } from '../../request-readers.js';

/** `binauthz setup`, fully parsed. */
export interface ParsedSetup {
  readonly common: Common;
}

/** The request of `setup`; throws BinauthzErrors with everything that is wrong. */
export function parseSetup(_raw: RawOptions, _env: Env, _world: FileWorld): Promise<ParsedSetup> {
  throw new BinauthzError('INVALID_INPUT', 'binauthz setup: not available in this version');
}
