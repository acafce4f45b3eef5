// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../../core/errors.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { RawOptions } from '../../option-reader.js';
import type { Common } from '../../request-readers.js';

/** `binauthz vulnerabilities`, fully parsed. */
export interface ParsedVulnerabilities {
  readonly common: Common;
}

/** The request of `vulnerabilities`; throws BinauthzErrors with everything that is wrong. */
export function parseVulnerabilities(_raw: RawOptions, _env: Env, _world: FileWorld): Promise<ParsedVulnerabilities> {
  throw new BinauthzError('INVALID_INPUT', 'binauthz vulnerabilities: not available in this version');
}
