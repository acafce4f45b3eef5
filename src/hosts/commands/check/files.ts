// SPDX-License-Identifier: Apache-2.0
// The files that a check is told of: manifests, image lists, a policy, and what was attested. The YAML parser is loaded
// here and only where there is a file.
import type { ImageUse } from '../../../core/deployment/image-use.js';
import { holdsLogin, parseImageReference } from '../../../core/image/reference.js';
import type { ProjectId } from '../../../core/names.js';
import type { CheckRequest, Workload } from '../../../usecases/requests.js';
import type { CheckSettings } from './settings.js';
import { noteProblems, readTexts } from '../../file-options.js';
import { expandFiles, isCredentials, isSameFile, STDIN, type FileWorld, type SourceText } from '../../files.js';
import { show } from '../../issues.js';
import type { OptionReader } from '../../option-reader.js';
import { readPolicyFile } from '../../policy-file.js';

/** What the files of a check hold. */
export interface CheckFiles {
  /** Of manifests and image lists. */
  readonly uses: readonly ImageUse[];
  readonly workloads: readonly Workload[];
  readonly policy?: NonNullable<CheckRequest['policy']>;
  readonly attested?: NonNullable<CheckRequest['attested']>;
  /** What is worth saying and wrong with nothing. */
  readonly notes: readonly string[];
}

/** What is known while files are read: where they are, and whose policy is checked unless that is wrong already. */
export interface CheckPlace {
  readonly world: FileWorld;
  readonly project?: ProjectId;
}

type FromManifests = Pick<CheckFiles, 'uses' | 'workloads' | 'notes'>;

/** Reads every file that the settings name; what is wrong with them is noted with the reader. */
export async function readCheckFiles(reader: OptionReader, settings: CheckSettings, place: CheckPlace): Promise<CheckFiles> {
  const files = new Files(reader, settings, place);
  const manifests = await files.manifests();
  const listed = await files.imageLists();
  const policy = await files.policy();
  const attested = await files.attested();
  return {
    uses: [...manifests.uses, ...listed],
    workloads: manifests.workloads,
    notes: manifests.notes,
    ...(policy === undefined ? {} : { policy }),
    ...(attested === undefined ? {} : { attested }),
  };
}

class Files {
  constructor(
    private readonly reader: OptionReader,
    private readonly settings: CheckSettings,
    private readonly place: CheckPlace,
  ) {}

  async manifests(): Promise<FromManifests> {
    const nothing: FromManifests = { uses: [], workloads: [], notes: [] };
    if (this.settings.manifests.length === 0) return nothing;
    const { paths, problems } = await expandFiles(this.settings.manifests, this.place.world);
    for (const { pattern, problem } of problems)
      this.reader.add('manifest', 'a file, a folder or a pattern that matches files', `${show(pattern)}: ${problem}`);
    const before = this.reader.issues.length;
    const texts = await this.read('manifest', paths);
    if (texts.length === 0) return nothing;
    const found = await this.extract(texts);
    // Where something cannot be read, that is the thing to say.
    if (found.uses.length === 0 && problems.length === 0 && this.reader.issues.length === before) this.refuseEmpty(paths);
    return found;
  }

  async imageLists(): Promise<readonly ImageUse[]> {
    const texts = await this.read('image-list', this.settings.imageLists);
    if (texts.length === 0) return [];
    const { readImageList } = await import('../../../manifests/image-list.js');
    return texts.flatMap((source) => {
      const { images, problems } = readImageList(source.text, source.file);
      noteProblems(this.reader, 'image-list', problems);
      return images.flatMap((image) => this.listedUse(image, source));
    });
  }

  async policy(): Promise<CheckFiles['policy']> {
    const { policyFile: file } = this.settings;
    const found = file === undefined ? undefined : await readPolicyFile(this.reader, file, this.place);
    return found && { file: found.file, policy: found.policy };
  }

  async attested(): Promise<CheckFiles['attested']> {
    const { attestedFile: file } = this.settings;
    const [source] = file === undefined ? [] : await this.read('require-attested', [file]);
    if (!source) return undefined;
    const { readAttestedSet } = await import('../../../manifests/image-list.js');
    const { digests, problems } = readAttestedSet(source.text, source.file);
    noteProblems(this.reader, 'require-attested', problems);
    if (problems.length > 0) return undefined;
    return { file: source.file, digests };
  }

  private async extract(texts: readonly SourceText[]): Promise<FromManifests> {
    const [{ parseDocuments }, { extract }] = await Promise.all([
      import('../../../documents/parse.js'),
      import('../../../manifests/extract.js'),
    ]);
    const { platform } = this.settings;
    const credentials = texts.filter(isCredentials);
    const found = texts
      .filter((source) => !credentials.includes(source))
      .map(({ text, file }) => {
        const { documents, problems } = parseDocuments(text, file);
        if (documents.length === 0 && problems.length === 0 && this.isNamed(file)) this.refuseEmpty([file]);
        // Half a file says nothing of the whole: what could not be parsed is the thing to mend.
        const extracted = extract(documents, { file, ...(platform === undefined ? {} : { platform }) });
        noteProblems(this.reader, 'manifest', [...problems, ...extracted.problems]);
        return extracted;
      });
    return {
      uses: found.flatMap(({ uses }) => uses),
      workloads: found.flatMap(({ workloads }) => workloads),
      notes: [
        ...credentials.map(({ file }) => `${file}: it holds credentials, so no image was found in it`),
        ...found.flatMap(({ notes }) => notes),
      ],
    };
  }

  /** Whether a file was named for itself: then it is to hold something, whatever others hold. */
  private isNamed(file: string): boolean {
    return this.settings.manifests.some((pattern) => isSameFile(pattern, file, this.place.world));
  }

  private read(name: string, paths: readonly string[]): Promise<readonly SourceText[]> {
    return readTexts(this.reader, name, { paths, world: this.place.world });
  }

  /** On Cloud Run an image must be resolved, so it must be a reference; elsewhere the enforcer judges what is written. */
  private listedUse(image: string, { file }: SourceText): readonly ImageUse[] {
    if (holdsLogin(image)) {
      this.reader.add('image-list', 'images without a user or a password before their registry', `one in ${file} (not shown)`);
      return [];
    }
    if (this.settings.platform !== 'cloud-run') return [{ image, platform: 'gke' }];
    const parsed = parseImageReference(image);
    if (parsed.ok) return [{ image, platform: 'cloud-run', cloudRun: { uses: 'project-policy' } }];
    this.reader.add('image-list', `images that Cloud Run can resolve (${parsed.reason})`, `${show(image)} in ${file}`);
    return [];
  }

  private refuseEmpty(paths: readonly string[]): void {
    const shown = paths.slice(0, 5).map((path) => (path === STDIN ? 'standard input' : path));
    const more = paths.length > shown.length ? ` and ${paths.length - shown.length} more` : '';
    const hint = paths.includes(STDIN)
      ? 'standard input may be empty because the command before the | failed: set -o pipefail shows it'
      : 'name the files that hold the workloads; nothing to check is never a pass';
    this.reader.add('manifest', 'at least one image', `none in ${shown.join(', ')}${more}`, hint);
  }
}
