// SPDX-License-Identifier: Apache-2.0
// `attest`, with the check at its end: options first, then the files that they name; all that is wrong with either is
// thrown at once.
import type { ImageUse } from '../../../core/deployment/image-use.js';
import { BinauthzErrors, type BinauthzError } from '../../../core/errors.js';
import { projectOf, type ProjectId } from '../../../core/names.js';
import type { KeySource } from '../../../core/signing/given-key.js';
import type { AttestRequest, CheckRequest } from '../../../usecases/requests.js';
import type { Env } from '../../context.js';
import type { FileWorld } from '../../files.js';
import { readReports } from '../../file-options.js';
import { inputError } from '../../issues.js';
import { readKeys } from '../../key-options.js';
import { OptionReader, type RawOptions } from '../../option-reader.js';
import type { ReportFormat, ReportTarget } from '../../report-target.js';
import {
  impossible,
  readAttestors,
  readCommon,
  readImages,
  readProject,
  required,
  throwIfWrong,
  type Common,
} from '../../request-readers.js';
import type { Gate } from '../check/gate.js';
import { CHECK_MODES } from '../check/options.js';
import { endOf, requestOf, type CheckEnd } from '../check/parse.js';
import { readCheckSettings, SETTINGS_OF_ATTEST } from '../check/settings.js';

/** `binauthz attest`, fully parsed. */
export interface ParsedAttest {
  readonly request: AttestRequest;
  readonly keys: readonly [KeySource, ...KeySource[]];
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
  /** What is reported: the result as JSON, and the verdict of the check or of the vulnerability gate in the other formats too. */
  readonly reports: readonly ReportTarget[];
  /** What comes to nothing, because no check takes place. */
  readonly warnings: readonly string[];
}

/** The request of `attest`; throws BinauthzErrors with everything that is wrong. */
export function parseAttest(raw: RawOptions, env: Env): ParsedAttest {
  const reader = new OptionReader(raw);
  const images = required(reader, 'image', readImages(reader));
  const attestors = required(reader, 'attestor', readAttestors(reader));
  const keys = readKeys(reader);
  const project = readProject(reader, 'project');
  const multiPlatform = reader.choice('multi-platform', ['both', 'index', 'children']);
  const waitTimeoutMs = readWaitTimeout(reader);
  const dryRun = reader.flag('dry-run');
  const common = readCommon(reader, env);
  throwIfWrong(reader);
  if (!images || !attestors || !keys || !multiPlatform) throw impossible();
  return {
    request: { images, attestors, ...(project === undefined ? {} : { project }), multiPlatform, waitTimeoutMs, dryRun },
    keys,
    common,
  };
}

/** The request of `attest` with its check; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseCheckedAttest(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedCheckedAttest> {
  const reader = new OptionReader(raw);
  const { parsed, issues } = attempt(() => parseAttest(raw, env));
  const mode = readMode(reader);
  const check = mode === 'off' ? undefined : await readFinalCheck(reader, parsed, { mode, world });
  const gate = await readAttestGate(reader, world);
  const asked = check?.reports ?? readReports(reader);
  // Without a verdict there is the result of the attest itself, which is JSON.
  const reports = check || gate ? asked : asked.filter(({ format }) => format === 'json');
  // parseAttest looked at the same raw options: what both complain of is told once.
  reader.issues.unshift(...issues);
  throwIfWrong(reader);
  if (!parsed) throw impossible();
  const dropped = asked.filter((report) => !reports.includes(report)).map(({ format }) => format);
  const warnings = check ? warningOfHaste(reader) : [...warningOfSettings(reader), ...warningOfReports(reader, dropped)];
  const request = gate ? { ...parsed.request, gate } : parsed.request;
  return { ...parsed, request, reports, warnings, ...(check === undefined ? {} : { check }) };
}

// A mode that is wrong is taken for the strictest: what else is wrong needs no second run to be heard of.
function readMode(reader: OptionReader): (typeof CHECK_MODES)[number] {
  const spelled = reader.spell('check');
  const mode = reader.choice('check', CHECK_MODES) ?? 'enforce';
  return reader.issues.some(({ resource }) => resource === spelled) ? 'enforce' : mode;
}

// The verdict would be about a moment at which the attestation is on its way.
function warningOfHaste(reader: OptionReader): readonly string[] {
  const [noWait, check] = [reader.spell('no-wait'), reader.spell('check')];
  return reader.flag('no-wait') ? [`with ${noWait}, ${check} may not see what this run has just posted: leave ${noWait} out`] : [];
}

function warningOfSettings(reader: OptionReader): readonly string[] {
  const idle = SETTINGS_OF_ATTEST.filter((name) => name !== 'report' && reader.has(name)).map((name) => reader.spell(name));
  return idle.length === 0 ? [] : [`without a check nothing comes of ${idle.join(', ')}: set ${reader.spell('check')} to warn or enforce`];
}

function warningOfReports(reader: OptionReader, dropped: readonly ReportFormat[]): readonly string[] {
  const formats = [...new Set(dropped)].join(', ');
  const mend = `set ${reader.spell('check')} to warn or enforce, or give ${reader.spell('vulnerability-policy')}`;
  return formats === ''
    ? []
    : [`without a check or a vulnerability policy nothing comes of ${formats} in ${reader.spell('report')}: ${mend}`];
}

// Whoever names findings believes that they are judged: without a policy they would not be.
async function readAttestGate(reader: OptionReader, world: FileWorld): Promise<AttestRequest['gate']> {
  const name = 'vulnerability-policy';
  const { readGate } = await import('../vulnerabilities/gate-options.js');
  const { policy, ...rest } = await readGate(reader, world);
  for (const option of ['findings', 'scan-timeout'])
    if (reader.isOwn(option) && !reader.has(name))
      reader.issues.push(inputError(`${reader.spell(option)}: expected ${reader.spell(name)} beside it, got none`));
  return policy && { policy, ...rest };
}

function readWaitTimeout(reader: OptionReader): number | undefined {
  const timeoutMs = reader.duration('wait-timeout');
  const noWait = reader.flag('no-wait');
  if (!noWait) return timeoutMs;
  // The default contradicts nothing: the orb passes it to every run, so that it may be nobody's wish.
  if (reader.isOwn('wait-timeout'))
    reader.issues.push(inputError(`${reader.spell('wait-timeout')} and ${reader.spell('no-wait')}: expected one of the two, got both`));
  return undefined;
}

async function readFinalCheck(
  reader: OptionReader,
  attest: ParsedAttest | undefined,
  { mode, world }: { readonly mode: Gate['mode']; readonly world: FileWorld },
): Promise<FinalCheck | undefined> {
  const settings = readCheckSettings(reader);
  const project = readCheckProject(reader, attest);
  const { readCheckFiles } = await import('../check/files.js');
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

function attempt<T>(parse: () => T): { readonly parsed?: T; readonly issues: readonly BinauthzError[] } {
  try {
    return { parsed: parse(), issues: [] };
  } catch (thrown) {
    if (thrown instanceof BinauthzErrors) return { issues: thrown.errors };
    throw thrown;
  }
}
