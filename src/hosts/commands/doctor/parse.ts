// SPDX-License-Identifier: Apache-2.0
import type { KeySource } from '../../../core/signing/given-key.js';
import type { DoctorRequest } from '../../../usecases/doctor.js';
import type { Env } from '../../context.js';
import { hasKeys, readKeys } from '../../key-options.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import { impossible, readAttestors, readCommon, readImages, readProject, throwIfWrong, type Common } from '../../request-readers.js';
import { parsePrincipal } from '../setup/parse.js';
import { readWhere } from './target.js';

/** `binauthz doctor`, fully parsed. */
export interface ParsedDoctor {
  readonly request: DoctorRequest;
  readonly common: Common;
}

/** The request of `doctor`; throws BinauthzErrors with everything that is wrong. */
export function parseDoctor(raw: RawOptions, env: Env): ParsedDoctor {
  const reader = new OptionReader(raw);
  const project = readProject(reader, 'project');
  if (!reader.has('project')) reader.add('project', 'the project whose policy is enforced', 'none');
  const images = readImages(reader);
  const attestors = readAttestors(reader);
  const keys: readonly KeySource[] = (hasKeys(reader) && readKeys(reader)) || [];
  const where = readWhere(reader);
  const attestationProject = readProject(reader, 'attestation-project');
  const signer = reader.one('signer', parsePrincipal);
  const common = readCommon(reader, env);
  throwIfWrong(reader);
  if (project === undefined) throw impossible();
  return {
    request: {
      ...{ project, images, attestors, keys, ...where },
      ...(attestationProject === undefined ? {} : { attestationProject }),
      ...(signer === undefined ? {} : { signer }),
    },
    common,
  };
}
