// SPDX-License-Identifier: Apache-2.0
import type { VulnerabilitiesRequest } from '../../../usecases/requests.js';
import type { Env } from '../../context.js';
import { readReports } from '../../file-options.js';
import type { FileWorld } from '../../files.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import type { ReportTarget } from '../../report-target.js';
import { impossible, readCommon, readImages, required, throwIfWrong, type Common } from '../../request-readers.js';
import { readGate } from './gate-options.js';

/** `binauthz vulnerabilities`, fully parsed. */
export interface ParsedVulnerabilities {
  readonly request: VulnerabilitiesRequest;
  readonly reports: readonly ReportTarget[];
  readonly common: Common;
}

/** The request of `vulnerabilities`; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseVulnerabilities(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedVulnerabilities> {
  const reader = new OptionReader(raw);
  const images = required(reader, 'image', readImages(reader));
  const gate = await readGate(reader, world);
  const reports = readReports(reader);
  const common = readCommon(reader, env);
  throwIfWrong(reader);
  if (!images) throw impossible();
  return { request: { images, ...gate }, reports, common };
}
