// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../../core/errors.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { RawOptions } from '../../option-reader.js';
import type { Common } from '../../request-readers.js';

/** `binauthz audit`, fully parsed. */
export interface ParsedAudit {
  readonly common: Common;
}

/** The request of `audit`; throws BinauthzErrors with everything that is wrong. */
export function parseAudit(_raw: RawOptions, _env: Env, _world: FileWorld): Promise<ParsedAudit> {
  throw new BinauthzError('INVALID_INPUT', 'binauthz audit: not available in this version');
}
