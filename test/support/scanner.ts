// SPDX-License-Identifier: Apache-2.0
// Google's scanner, as far as its occurrences go: through the REST surface of Container Analysis.
import type { TestEmulator } from './emulator.js';

/** Writes the occurrences that a scan leaves behind. */
export class Scanner {
  private readonly notes = new Set<string>();

  constructor(
    private readonly emulator: TestEmulator,
    readonly project: string,
  ) {}

  /** Announces a scan; answers the occurrence's name. */
  async discover(resourceUri: string, discovery: object, note = 'projects/goog-analysis/notes/PACKAGE_VULNERABILITY'): Promise<string> {
    await this.note(note, { discovery: { analysisKind: 'VULNERABILITY' } });
    const body = { resourceUri, noteName: note, discovery };
    return ((await this.call('POST', `/v1/projects/${this.project}/occurrences`, body)) as { name: string }).name;
  }

  /** Reports progress. */
  async progress(occurrence: string, discovery: object): Promise<void> {
    await this.call('PATCH', `/v1/${occurrence}?updateMask=discovery`, { discovery });
  }

  /** Reports a vulnerability. */
  async find(resourceUri: string, id: string, vulnerability: object): Promise<void> {
    const noteName = `projects/goog-vulnz/notes/${id}`;
    await this.note(noteName, { vulnerability: {} });
    const body = { resourceUri, noteName, vulnerability: { shortDescription: id, ...vulnerability } };
    await this.call('POST', `/v1/projects/${this.project}/occurrences`, body);
  }

  private async note(name: string, body: object): Promise<void> {
    if (this.notes.has(name)) return;
    this.notes.add(name);
    const [, project = '', , id = ''] = name.split('/');
    await this.call('POST', `/v1/projects/${project}/notes?noteId=${id}`, body);
  }

  private async call(method: string, path: string, body: object): Promise<unknown> {
    const answer = await this.emulator.api(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }
}

/** A vulnerability of one package as Google's scanner writes it. */
export function vulnerabilityIn(name: string, severity: string, change: object = {}): object {
  return {
    effectiveSeverity: severity,
    severity,
    cvssScore: 7.5,
    cvssVersion: 'CVSS_VERSION_3',
    cvssv3: { baseScore: 7.5 },
    fixAvailable: true,
    packageIssue: [
      {
        affectedCpeUri: 'cpe:/o:debian:debian_linux:12',
        affectedPackage: name,
        affectedVersion: { kind: 'NORMAL', name: '3.0.1', revision: '1' },
        fixedCpeUri: 'cpe:/o:debian:debian_linux:12',
        fixedPackage: name,
        fixedVersion: { kind: 'NORMAL', name: '3.0.2', revision: '1', fullName: '3.0.2-1' },
        fixAvailable: true,
        packageType: 'OS',
        effectiveSeverity: severity,
      },
    ],
    ...change,
  };
}
