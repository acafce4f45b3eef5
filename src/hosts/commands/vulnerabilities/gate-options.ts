// SPDX-License-Identifier: Apache-2.0
// The options of the vulnerability gate and the files that they name. The YAML parser and the readers of findings are
// loaded only where there is a file.
import type { ScanReport } from '../../../core/vulnerabilities/finding.js';
import type { VulnerabilityPolicy } from '../../../core/vulnerabilities/policy.js';
import type { VulnerabilityGate } from '../../../usecases/requests.js';
import { noteProblems, parseFileName, readDocument, readTexts } from '../../file-options.js';
import { readBytes, type FileWorld } from '../../files.js';
import { inputError, show } from '../../issues.js';
import type { OptionReader } from '../../option-reader.js';

/** A broken report may have a problem in each of its findings. */
const MOST_PROBLEMS = 20;
const HINT = 'docs/guides/vulnerability-policy.md describes every member';

/** Reads what images are judged by; what is wrong with options and files is noted with the reader. */
export async function readGate(reader: OptionReader, world: FileWorld): Promise<VulnerabilityGate> {
  const policyFile = reader.one('vulnerability-policy', parseFileName);
  const scanTimeoutMs = reader.duration('scan-timeout') ?? 0;
  const files = reader.list('findings', parseFileName);
  const policy = policyFile === undefined ? undefined : await readPolicy(reader, policyFile, world);
  const reports = await readFindings(reader, files, world);
  return { policy, scanTimeoutMs, ...(reader.has('findings') ? { reports } : {}) };
}

async function readPolicy(reader: OptionReader, path: string, world: FileWorld): Promise<VulnerabilityPolicy | undefined> {
  const name = 'vulnerability-policy';
  const [source] = await readTexts(reader, name, { paths: [path], world });
  const document = source && (await readDocument(reader, name, { source, what: 'vulnerability policy' }));
  if (!document) return undefined;
  const { parseVulnerabilityPolicy } = await import('../../../core/vulnerabilities/policy.js');
  const { policy, problems = [] } = parseVulnerabilityPolicy(document.value);
  const lineOf = (way: readonly (string | number)[]): number => document.lineOf?.(way) ?? 1;
  noteProblems(
    reader,
    name,
    problems.map(({ path: way, message }) => ({ file: source.file, line: lineOf(way), message, hint: HINT })),
  );
  return policy;
}

async function readFindings(reader: OptionReader, paths: readonly string[], world: FileWorld): Promise<readonly ScanReport[]> {
  if (paths.length === 0) return [];
  const { parseFindings } = await import('../../../scans/findings.js');
  const all: ScanReport[] = [];
  for (const path of paths) {
    const found = await readBytes(path, world);
    if ('problem' in found) {
      reader.add('findings', 'a file that can be read', `${show(path)}: ${found.problem}`);
      continue;
    }
    const { reports = [], problems = [] } = parseFindings(found.bytes);
    all.push(...reports);
    const left = problems.length - MOST_PROBLEMS;
    for (const problem of [...problems.slice(0, MOST_PROBLEMS), ...(left > 0 ? [`${left} more problems`] : [])])
      reader.issues.push(inputError(`${reader.spell('findings')}: ${path}: ${problem}`, { resource: path }));
  }
  return all;
}
