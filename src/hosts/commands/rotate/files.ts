// SPDX-License-Identifier: Apache-2.0
// The files that name a rotation's images. The YAML parser is loaded here and only where there is a file.
import { parseImageReference, type ImageReference } from '../../../core/image/reference.js';
import { noteProblems, readTexts } from '../../file-options.js';
import { expandFiles, type FileWorld } from '../../files.js';
import { show } from '../../issues.js';
import type { OptionReader } from '../../option-reader.js';

/** The images of manifests as they are written, each once. */
export async function readManifestImages(reader: OptionReader, world: FileWorld): Promise<readonly string[]> {
  const patterns = reader.values('manifest');
  if (patterns.length === 0) return [];
  const { paths, problems } = await expandFiles(patterns, world);
  const expected = 'a file, a folder or a pattern that matches files';
  for (const { pattern, problem } of problems) reader.add('manifest', expected, `${show(pattern)}: ${problem}`);
  const before = reader.issues.length;
  const images = await readImages(reader, paths, world);
  if (images.length === 0 && problems.length === 0 && reader.issues.length === before)
    reader.add('manifest', 'at least one image', 'none', 'nothing to rotate is never a success: name the files that hold the workloads');
  return images;
}

/** The images of lists; one that is no image to attest is an issue. */
export async function readListedImages(reader: OptionReader, world: FileWorld): Promise<readonly ImageReference[]> {
  const paths = [...new Set(reader.values('image-list'))];
  if (paths.length === 0) return [];
  const { readImageList } = await import('../../../manifests/image-list.js');
  const texts = await readTexts(reader, 'image-list', { paths, world });
  return texts.flatMap(({ text, file }) => {
    const { images, problems } = readImageList(text, file);
    noteProblems(reader, 'image-list', problems);
    return images.flatMap((image) => listedImage(reader, image, file));
  });
}

async function readImages(reader: OptionReader, paths: readonly string[], world: FileWorld): Promise<readonly string[]> {
  const texts = await readTexts(reader, 'manifest', { paths, world });
  const [{ parseDocuments }, { extract }] = await Promise.all([
    import('../../../documents/parse.js'),
    import('../../../manifests/extract.js'),
  ]);
  const images = texts.flatMap(({ text, file }) => {
    const { documents, problems } = parseDocuments(text, file);
    const found = extract(documents, { file });
    noteProblems(reader, 'manifest', [...problems, ...found.problems]);
    return found.uses.map(({ image }) => image);
  });
  return [...new Set(images)];
}

function listedImage(reader: OptionReader, image: string, file: string): readonly ImageReference[] {
  const parsed = parseImageReference(image);
  if (parsed.ok && (parsed.reference.tag !== undefined || parsed.reference.digest !== undefined)) return [parsed.reference];
  const reason = parsed.ok ? 'it has neither a tag nor a digest, and "latest" is never assumed' : parsed.reason;
  reader.add('image-list', `images with a tag or a digest (${reason})`, `${show(image)} in ${file}`);
  return [];
}
