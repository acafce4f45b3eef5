// SPDX-License-Identifier: Apache-2.0
// What the parsers of several commands share: raw strings of either host → typed parts of requests. Everything wrong with
// the input is collected in the reader and thrown at once.
import { holdsLogin, nameOf, parseImageReference, type ImageReference } from '../core/image/reference.js';
import { attestorNameIn, parseAttestorName, parseProjectId, type AttestorName, type ProjectId } from '../core/names.js';
import type { Secret } from '../core/secret.js';
import type { Env } from './context.js';
import { readEnvironment, type Environment } from './environment.js';
import { asFailure, withHint } from './issues.js';
import { OptionReader, type Parser, type RawOptions } from './option-reader.js';

/** What every command has besides its request. */
export interface Common {
  readonly environment: Environment;
  /** Used instead of Application Default Credentials. */
  readonly accessToken?: Secret;
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

/** The images that are named by tag or digest, each once. */
export function readImages(reader: OptionReader): readonly ImageReference[] {
  const images = reader.list('image', (text) => {
    const parsed = parseImageReference(text);
    const refuse = (reason: string): ReturnType<Parser<ImageReference>> => ({
      expected: `registry/repository:tag or registry/repository@sha256:… (${reason})`,
      ...(holdsLogin(text) ? { got: 'a text that is not shown' } : maskedHint(reader, text)),
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

/** The attestors, by full name or by their name and a project, each once. */
export function readAttestors(reader: OptionReader): readonly AttestorName[] {
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

/** What was found of an option that must be given. */
export function required<T>(reader: OptionReader, name: string, found: readonly T[]): readonly [T, ...T[]] | undefined {
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
