// SPDX-License-Identifier: Apache-2.0
// Raw strings of either host → typed requests. Everything wrong with the input is collected and thrown at once.
import { nameOf, parseImageReference, type ImageReference } from '../core/image/reference.js';
import { attestorNameIn, parseAttestorName, parseProjectId, type AttestorName, type ProjectId } from '../core/names.js';
import type { Secret } from '../core/secret.js';
import type { KeySource } from '../core/signing/given-key.js';
import type { AttestRequest, ListRequest } from '../usecases/requests.js';
import type { Env } from './context.js';
import { readEnvironment, type Environment } from './environment.js';
import { asFailure, inputError, withHint } from './issues.js';
import { readKeys } from './key-options.js';
import { OptionReader, type Parser, type RawOptions } from './option-reader.js';

/** What every command has besides its request. */
export interface Common {
  readonly environment: Environment;
  /** Used instead of Application Default Credentials. */
  readonly accessToken?: Secret;
}

/** `binauthz attest`, fully parsed. */
export interface ParsedAttest {
  readonly request: AttestRequest;
  readonly keys: readonly [KeySource, ...KeySource[]];
  readonly common: Common;
}

/** `binauthz list`, fully parsed. */
export interface ParsedList {
  readonly request: ListRequest;
  readonly common: Common;
}

/** `binauthz emulator`, fully parsed. */
export interface ParsedEmulator {
  readonly port: number;
  readonly latencyMs: number;
  readonly propagationDelayMs: number;
  /** A file of fault rules. */
  readonly faults?: string;
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

/** The request of `list`; throws BinauthzErrors with everything that is wrong. */
export function parseList(raw: RawOptions, env: Env): ParsedList {
  const reader = new OptionReader(raw);
  const images = readImages(reader);
  const attestors = readAttestors(reader);
  const project = readProject(reader, 'project');
  const common = readCommon(reader, env);
  requireOneOf(reader, ['attestor', 'project']);
  throwIfWrong(reader);
  return { request: { images, attestors, ...(project === undefined ? {} : { project }) }, common };
}

/** The settings of `emulator`; throws BinauthzErrors with everything that is wrong. */
export function parseEmulator(raw: RawOptions): ParsedEmulator {
  const reader = new OptionReader(raw);
  const port = reader.port('port') ?? 0;
  const latencyMs = reader.duration('latency') ?? 0;
  const propagationDelayMs = reader.duration('propagation-delay') ?? 0;
  const faults = reader.one('faults', (text) => (text === '' ? { expected: 'the name of a file' } : { value: text }));
  throwIfWrong(reader);
  return { port, latencyMs, propagationDelayMs, ...(faults === undefined ? {} : { faults }) };
}

/** For a command without a request, such as `demo`: throws BinauthzErrors where anything was wrong all the same. */
export function parseNothing(raw: RawOptions): void {
  throwIfWrong(new OptionReader(raw));
}

/** Reads what every command has besides its request. */
export function readCommon(reader: OptionReader, env: Env): Common {
  const { environment, issues } = readEnvironment(env);
  reader.issues.push(...issues);
  const [accessToken] = reader.secrets('access-token');
  // It becomes a header: one that cannot be a header would come back, in clear text, in the complaint of a library.
  if (accessToken && !/^[\x21-\x7e]+$/.test(accessToken.reveal())) {
    reader.add(
      'access-token',
      'one access token, a single word',
      'a text with white space or special letters (not shown)',
      'this prints one: gcloud auth print-access-token',
    );
  }
  return { environment, ...(accessToken === undefined ? {} : { accessToken }) };
}

function readImages(reader: OptionReader): readonly ImageReference[] {
  const images = reader.list('image', (text) => {
    const parsed = parseImageReference(text);
    const refuse = (reason: string): ReturnType<Parser<ImageReference>> => ({
      expected: `registry/repository:tag or registry/repository@sha256:… (${reason})`,
      ...maskedHint(reader, text),
    });
    if (!parsed.ok) return refuse(parsed.reason);
    const { tag, digest } = parsed.reference;
    return tag === undefined && digest === undefined
      ? refuse('it has neither a tag nor a digest, and "latest" is never assumed')
      : { value: parsed.reference };
  });
  // `https://` before a name makes no other image of it.
  return [...new Map(images.map((image) => [`${nameOf(image)}:${image.tag ?? ''}@${image.digest ?? ''}`, image])).values()];
}

const MASKED =
  'an output that contains a masked text arrives empty from another job ("Skip output \'…\' since it may contain secret."): pass the bare digest as the output, write the image’s name here, and keep project ids in vars rather than in secrets';

// What is left of `${{ needs.build.outputs.image }}@${{ … }}` once GitHub has emptied one of the outputs.
function maskedHint(reader: OptionReader, text: string): { readonly hint?: string } {
  return reader.host === 'action' && /^[@:/]|[@:/]$/.test(text) ? { hint: MASKED } : {};
}

function readAttestors(reader: OptionReader): readonly AttestorName[] {
  const project = readProject(reader, 'attestor-project');
  const attestors = reader.list('attestor', (text) => {
    const full = parseAttestorName(text);
    if (full) return { value: full };
    const isShort = text !== '' && !text.includes('/');
    // A project that does not parse is an issue already; blaming the attestor too would be noise.
    const named = isShort ? attestorNameIn(project ?? ('unknown' as ProjectId), text) : undefined;
    if (named && reader.has('attestor-project')) return { value: named };
    return {
      expected: `projects/PROJECT/attestors/NAME, or NAME together with ${reader.spell('attestor-project')}`,
      ...(/^projects\/[0-9]+\//.test(text) ? { hint: NUMBER } : {}),
    };
  });
  // The short and the full name of one attestor are one attestor: it must not get two attestations.
  return [...new Set(attestors)];
}

/** The project that an option names. */
export function readProject(reader: OptionReader, name: string): ProjectId | undefined {
  return reader.one(name, parseProject);
}

const parseProject: Parser<ProjectId> = (text) => {
  const value = parseProjectId(text);
  if (value) return { value };
  return { expected: 'a project id', ...(/^[0-9]+$/.test(text) ? { hint: NUMBER } : {}) };
};

const NUMBER = 'that is a project number: gcloud projects list shows the id that belongs to it';

function readWaitTimeout(reader: OptionReader): number | undefined {
  const timeoutMs = reader.duration('wait-timeout');
  const noWait = reader.flag('no-wait');
  if (!noWait) return timeoutMs;
  if (reader.isOwn('wait-timeout'))
    reader.issues.push(inputError(`${reader.spell('wait-timeout')} and ${reader.spell('no-wait')}: expected one of the two, got both`));
  return undefined;
}

function required<T>(reader: OptionReader, name: string, found: readonly T[]): readonly [T, ...T[]] | undefined {
  if (!reader.has(name)) {
    reader.add(
      name,
      name === 'image' ? 'at least one image' : 'at least one',
      'none',
      name === 'image' && reader.host === 'action' ? MASKED : undefined,
    );
  }
  const [first, ...rest] = found;
  return first === undefined ? undefined : [first, ...rest];
}

function requireOneOf(reader: OptionReader, names: readonly string[]): void {
  const given = names.filter((name) => reader.has(name));
  if (given.length === 1) return;
  const spelled = names.map((name) => reader.spell(name));
  reader.issues.push(inputError(`${spelled.join(' or ')}: expected exactly one of them, got ${given.length === 0 ? 'none' : 'both'}`));
}

/** Throws BinauthzErrors with everything that is wrong, each with a next step; returns where nothing is. */
export function throwIfWrong(reader: OptionReader): void {
  reader.checkKinds();
  const failure = asFailure(reader.issues.map((issue) => withHint(issue, reader.helpHint)));
  if (failure) throw failure;
}

/** Whatever is missing without an issue is a bug here, not in the input. */
export function impossible(): Error {
  return new Error('the input parsed without an issue, but not to a request');
}
