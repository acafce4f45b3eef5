// SPDX-License-Identifier: Apache-2.0
// A policy in a file that an option names. The parser of YAML is loaded only where there is one.
import type { ProjectId } from '../core/names.js';
import { parsePolicy } from '../core/policy/parse.js';
import type { Policy } from '../core/policy/policy.js';
import { readDocument, readTexts } from './file-options.js';
import type { FileWorld } from './files.js';
import { inputError } from './issues.js';
import type { OptionReader } from './option-reader.js';

/** A policy, and the document that it was read from. */
export interface PolicyFile {
  readonly file: string;
  readonly policy: Policy;
  readonly document: unknown;
}

/** Where a policy file lies, and whose policy it is to be, unless that is wrong already. */
export interface PolicyPlace {
  readonly world: FileWorld;
  readonly project?: ProjectId | undefined;
}

/**
 * Reads the policy in the file that the option names; what is wrong with it is noted with the reader. Without a project,
 * its faults are noted all the same, so that they need no second run to be heard of, and there is no policy.
 */
export async function readPolicyFile(reader: OptionReader, path: string, { world, project }: PolicyPlace): Promise<PolicyFile | undefined> {
  const name = 'policy';
  const [source] = await readTexts(reader, name, { paths: [path], world });
  const document = source && (await readDocument(reader, name, { source, what: 'policy' }));
  if (!source || !document) return undefined;
  const { file } = source;
  const { policy, problems = [] } = parsePolicy(document.value, { from: 'file', project: project ?? ownProject(document.value) });
  const hint = `compare it with the policy that is live: gcloud container binauthz policy export --project=${project ?? UNKNOWN}`;
  for (const problem of problems) reader.issues.push(inputError(`${reader.spell(name)}: ${file}: ${problem}`, { resource: file, hint }));
  return policy && project !== undefined ? { file, policy, document: document.value } : undefined;
}

const UNKNOWN = 'PROJECT';

/** The project that a policy says it is of: where none is known, that can be held against no other. */
function ownProject(document: unknown): string {
  const name = typeof document === 'object' && document !== null && 'name' in document ? document.name : undefined;
  return (typeof name === 'string' ? /^projects\/([^/]+)\/policy$/.exec(name)?.[1] : undefined) ?? UNKNOWN;
}
