// SPDX-License-Identifier: Apache-2.0
// `check`, and `attest` with a check at its end: options first, then the files that they name; all that is wrong with
// either is thrown at once.
import type { ImageUse } from '../core/deployment/image-use.js';
import { BinauthzErrors, type BinauthzError } from '../core/errors.js';
import { parseImageReference } from '../core/image/reference.js';
import { projectOf, type ProjectId } from '../core/names.js';
import type { CheckRequest } from '../usecases/requests.js';
import { readCheckFiles, type CheckFiles } from './check-files.js';
import { CHECK_MODES } from './check-options.js';
import { gateOf, readCheckSettings, SETTINGS_OF_ATTEST, type CheckSettings } from './check-settings.js';
import type { Env } from './context.js';
import type { FileWorld } from './files.js';
import type { Gate } from './gate.js';
import { inputError } from './issues.js';
import { OptionReader, type RawOptions } from './option-reader.js';
import { impossible, parseAttest, readCommon, readProject, throwIfWrong, type Common, type ParsedAttest } from './parse.js';
import type { ReportTarget } from './report-files.js';

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

/** The check at the end of attest: its request without the images that are only known by then. */
export interface FinalCheck extends CheckEnd {
  readonly request: Omit<CheckRequest, 'uses'>;
  /** What the manifests hold; the attested images come to it. */
  readonly uses: readonly ImageUse[];
  readonly platform: ImageUse['platform'];
}

/** `binauthz attest`, and the check at its end unless it is off. */
export interface ParsedCheckedAttest extends ParsedAttest {
  readonly check?: FinalCheck;
  /** Options of a check that does not take place. */
  readonly unused: readonly string[];
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

/** The request of `attest` with its check; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseCheckedAttest(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedCheckedAttest> {
  const reader = new OptionReader(raw);
  const { parsed, issues } = attempt(() => parseAttest(raw, env));
  const mode = reader.choice('check', CHECK_MODES) ?? 'off';
  const check = mode === 'off' ? undefined : await readFinalCheck(reader, parsed, { mode, world });
  // parseAttest looked at the same raw options: what both complain of is told once.
  reader.issues.unshift(...issues);
  throwIfWrong(reader);
  if (!parsed) throw impossible();
  const unused = mode === 'off' ? SETTINGS_OF_ATTEST.filter((name) => reader.has(name)).map((name) => reader.spell(name)) : [];
  return { ...parsed, unused, ...(check === undefined ? {} : { check }) };
}

/** A use of an image that no manifest mentions; on Cloud Run by a service that opted in, as the contract has it. */
export function argumentUse(image: string, platform: ImageUse['platform'] = 'gke'): ImageUse {
  return platform === 'cloud-run' ? { image, platform, cloudRun: { uses: 'project-policy' } } : { image, platform };
}

async function readFinalCheck(
  reader: OptionReader,
  attest: ParsedAttest | undefined,
  { mode, world }: { readonly mode: Gate['mode']; readonly world: FileWorld },
): Promise<FinalCheck | undefined> {
  const settings = readCheckSettings(reader);
  const project = readCheckProject(reader, attest);
  const files = await readCheckFiles(reader, settings, { world, ...(project === undefined ? {} : { project }) });
  if (project === undefined) return undefined;
  return {
    request: { ...requestOf(project, settings, files), waitTimeoutMs: 0 },
    uses: files.uses,
    platform: settings.platform ?? 'gke',
    ...endOf(settings, files, mode),
  };
}

/** The project whose policy is checked: the one named, else where attestations are stored, else the attestors' one. */
function readCheckProject(reader: OptionReader, attest: ParsedAttest | undefined): ProjectId | undefined {
  if (reader.has('check-project')) return readProject(reader, 'check-project');
  // Without a request something else is wrong already, and this may only be its consequence.
  if (!attest) return undefined;
  const { project, attestors } = attest.request;
  const [shared, ...others] = [...new Set(attestors.map(projectOf))];
  if (project !== undefined) return project;
  if (others.length === 0) return shared;
  reader.add('check-project', 'the project whose policy is checked, because the attestors lie in several', 'none');
  return undefined;
}

function readLiteralImages(reader: OptionReader): readonly string[] {
  const isCloudRun = reader.values('platform').includes('cloud-run');
  return reader.list('image', (text) => {
    if (text === '-') return { expected: 'an image', hint: `for manifests from standard input write ${reader.spell('manifest')} -` };
    // Whatever is a word is for the enforcer to judge; a text that no manifest could hold is a mistake of the caller.
    if (text === '' || /\s/.test(text)) return { expected: 'an image, without white space' };
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

function requestOf(project: ProjectId, settings: CheckSettings, files: CheckFiles): Omit<CheckRequest, 'uses' | 'waitTimeoutMs'> {
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

function endOf(settings: CheckSettings, { notes }: CheckFiles, mode: Gate['mode']): CheckEnd {
  return { gate: gateOf(settings, mode), reports: settings.reports, notes };
}

function attempt<T>(parse: () => T): { readonly parsed?: T; readonly issues: readonly BinauthzError[] } {
  try {
    return { parsed: parse(), issues: [] };
  } catch (thrown) {
    if (thrown instanceof BinauthzErrors) return { issues: thrown.errors };
    throw thrown;
  }
}
