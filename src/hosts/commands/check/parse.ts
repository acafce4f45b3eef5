// SPDX-License-Identifier: Apache-2.0
// `check`: options first, then the files that they name; all that is wrong with either is thrown at once.
import type { ImageUse } from '../../../core/deployment/image-use.js';
import { holdsLogin, parseImageReference } from '../../../core/image/reference.js';
import type { ProjectId } from '../../../core/names.js';
import type { CheckRequest } from '../../../usecases/requests.js';
import type { CheckFiles } from './files.js';
import { gateOf, readCheckSettings, type CheckSettings } from './settings.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import type { Gate } from './gate.js';
import { inputError } from '../../issues.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import { impossible, readCommon, readProject, throwIfWrong, type Common } from '../../request-readers.js';
import type { ReportTarget } from '../../report-target.js';

/** What a check does with its result. */
export interface CheckEnd {
  readonly gate: Gate;
  readonly reports: readonly ReportTarget[];
  /** What was noticed while the files were read. */
  readonly notes: readonly string[];
}

/** `binauthz check`, fully parsed. */
export interface ParsedCheck extends CheckEnd {
  readonly request: CheckRequest;
  readonly common: Common;
}

/** The request of `check`; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseCheck(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedCheck> {
  const reader = new OptionReader(raw);
  const images = readLiteralImages(reader);
  const project = readProject(reader, 'project');
  if (!reader.has('project')) reader.add('project', 'the project whose policy is enforced', 'none');
  const settings = readCheckSettings(reader);
  const waitTimeoutMs = reader.duration('wait-timeout') ?? 0;
  const common = readCommon(reader, env);
  if (images.length + settings.manifests.length + settings.imageLists.length === 0) refuseNothing(reader);
  const { readCheckFiles } = await import('./files.js');
  const files = await readCheckFiles(reader, settings, { world, ...(project === undefined ? {} : { project }) });
  const uses = [...images.map((image) => argumentUse(image, settings.platform)), ...files.uses];
  throwIfWrong(reader);
  const [first, ...rest] = uses;
  if (project === undefined || !first) throw impossible();
  return {
    request: { ...requestOf(project, settings, files), uses: [first, ...rest], waitTimeoutMs },
    ...endOf(settings, files, 'enforce'),
    common,
  };
}

/** A use of an image that no manifest mentions; on Cloud Run by a service that opted in, as the contract has it. */
export function argumentUse(image: string, platform: ImageUse['platform'] = 'gke'): ImageUse {
  return platform === 'cloud-run' ? { image, platform, cloudRun: { uses: 'project-policy' } } : { image, platform };
}

function readLiteralImages(reader: OptionReader): readonly string[] {
  const isCloudRun = reader.values('platform').includes('cloud-run');
  return reader.list('image', (text) => {
    if (text === '-') return { expected: 'an image', hint: `for manifests from standard input write ${reader.spell('manifest')} -` };
    // Whatever is a word is for the enforcer to judge; a text that no manifest could hold is a mistake of the caller.
    if (text === '' || /\s/.test(text)) return { expected: 'an image, without white space' };
    if (holdsLogin(text))
      return { expected: 'an image, without a user or a password before its registry', got: 'a text that is not shown' };
    const parsed = isCloudRun ? parseImageReference(text) : undefined;
    return parsed && !parsed.ok ? { expected: `an image that Cloud Run can resolve (${parsed.reason})` } : { value: text };
  });
}

function refuseNothing(reader: OptionReader): void {
  const names = reader.host === 'cli' ? ['image', 'manifest', 'image-list'] : ['image', 'manifest'];
  const spelled = names.map((name) => reader.spell(name)).join(', ');
  // What was given and is wrong is an issue of its own.
  if (!names.some((name) => reader.has(name))) {
    reader.issues.push(inputError(`${spelled}: expected at least one image, got none`, { hint: 'nothing to check is never a pass' }));
  }
}

/** The request that settings and files make, without its images and its patience. */
export function requestOf(project: ProjectId, settings: CheckSettings, files: CheckFiles): Omit<CheckRequest, 'uses' | 'waitTimeoutMs'> {
  const { cluster, namespace, serviceAccount, platformPolicies } = settings;
  return {
    project,
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(files.policy === undefined ? {} : { policy: files.policy }),
    ...(files.attested === undefined ? {} : { attested: files.attested }),
    platformPolicies,
    workloads: files.workloads,
  };
}

/** What a check does with its result. */
export function endOf(settings: CheckSettings, { notes }: CheckFiles, mode: Gate['mode']): CheckEnd {
  return { gate: gateOf(settings, mode), reports: settings.reports, notes };
}
