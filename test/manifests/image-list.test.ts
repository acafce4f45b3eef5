// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readAttestedSet, readImageList } from '../../src/manifests/image-list.js';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const C = `sha256:${'c'.repeat(64)}`;
const json = (value: unknown): string => JSON.stringify(value, null, 2);
const skaffold = json({
  builds: [
    { imageName: 'app', tag: `r.example/app:v1@${A}` },
    { imageName: 'web', tag: `r.example/web:v1@${B}` },
  ],
});
const buildx = {
  'buildx.build.ref': 'x',
  'containerimage.config.digest': C,
  'containerimage.digest': A,
  'image.name': 'r.example:5000/app:v1,r.example:5000/app',
};
const report = (attestations: readonly object[]): string =>
  json({
    schema: 'binauthz.attest/v1',
    images: [
      { image: `r.example/app@${A}`, digest: A, children: [{ digest: B, platform: 'linux/amd64' }] },
      { image: `r.example/web@${C}`, digest: C, children: [] },
    ],
    attestations,
  });
const attested = (digest: string, status: string): object => ({ image: `r.example/app@${digest}`, status });

describe('readImageList', () => {
  it.each<[string, string, readonly string[]]>([
    ['Skaffold’s build artifacts', skaffold, [`r.example/app:v1@${A}`, `r.example/web:v1@${B}`]],
    ['buildx metadata', json(buildx), [`r.example:5000/app@${A}`]],
    [
      'metadata of bake',
      json({ 'buildx.build.warnings': [], app: buildx, web: { ...buildx, 'containerimage.digest': B, 'image.name': 'r.example/web:1' } }),
      [`r.example:5000/app@${A}`, `r.example/web@${B}`],
    ],
    ['a report of attest', report([]), [`r.example/app@${A}`, `r.example/web@${C}`]],
    [
      'lines',
      `\ufeff# built today\r\nr.example/app:1 # the app\r\n\r\n  r.example/web@${A}\r\nr.example/app:1\n`,
      ['r.example/app:1', `r.example/web@${A}`],
    ],
    ['a line without an end', 'app', ['app']],
    [
      'JSON one after the other',
      `${json(buildx)}\n${skaffold}`,
      [`r.example:5000/app@${A}`, `r.example/app:v1@${A}`, `r.example/web:v1@${B}`],
    ],
  ])('reads %s', (_title, text, images) => {
    expect(readImageList(text, 'list')).toEqual({ images, problems: [] });
  });

  it.each<[string, string, number, RegExp]>([
    ['nothing', '', 1, /at least one image/],
    ['comments only', '# a\n', 1, /at least one image/],
    ['no builds', '{"builds": []}', 1, /at least one image/],
    ['a build without a tag', '{"builds":\n[{"imageName": "a"}]}', 2, /build with "tag"/],
    ['other JSON', '{"a": 1}', 1, /got other JSON/],
    ['a JSON list', '["r.example/app:1"]', 1, /got other JSON/],
    ['another report', '{\n"schema": "binauthz.check/v1"}', 2, /got the schema "binauthz.check\/v1"/],
    ['a report without images', '{"schema": "binauthz.attest/v1"}', 1, /report with "images"/],
    ['a report with an odd image', '{"schema": "binauthz.attest/v1", "images":\n[1]}', 2, /with "image"/],
    ['metadata without a digest', json({ 'image.name': 'a', 'containerimage.config.digest': C }), 1, /was the image pushed/],
    ['metadata without a name', json({ 'containerimage.digest': A }), 1, /was the image given a name/],
    ['metadata with an odd digest', json({ ...buildx, 'containerimage.digest': 'sha256:12' }), 1, /containerimage.digest/],
    ['broken JSON', '{"builds": [', 1, /cannot be parsed/],
    ['contradicting JSON', '{"builds": [],\n"builds": []}', 2, /twice/],
    ['a manifest', 'app:1\nkind: Pod\n', 2, /one image, got "kind: Pod"/],
    ['names with references', 'app=r.example/app', 1, /one image, got/],
    ['a control character', 'r.example/a\u001b', 1, /one image, got/],
  ])('refuses %s', (_title, text, line, message) => {
    const { problems } = readImageList(text, 'list');
    expect([problems.length, problems[0]?.file, problems[0]?.line]).toEqual([1, 'list', line]);
    expect(problems[0]!.message).toMatch(message);
  });

  it('says little about a file of another kind', () => {
    expect(readImageList('a b\n'.repeat(1000), 'list').problems).toHaveLength(5);
  });
});

describe('readAttestedSet', () => {
  it.each<[string, string, readonly string[]]>([
    ['Skaffold’s build artifacts', skaffold, [A, B]],
    ['buildx metadata', json(buildx), [A]],
    ['lines, bare digests too', `r.example/app:1@${A}\n${B}`, [A, B]],
    ['a report, with children', report([attested(A, 'created'), attested(B, 'existing'), attested(C, 'posted')]), [A, B, C]],
    ['a report of the index alone', report([attested(A, 'created')]), [A, B]],
    ['a report in which one image failed', report([attested(A, 'created'), attested(A, 'failed'), attested(C, 'created')]), [C]],
    ['a report in which a child failed', report([attested(A, 'created'), attested(B, 'failed'), attested(C, 'created')]), [C]],
    ['a report with an unknown status', report([attested(A, 'later'), attested(C, 'created')]), [C]],
  ])('reads %s', (_title, text, digests) => {
    expect(readAttestedSet(text, 'list')).toEqual({ digests: new Set(digests), problems: [] });
  });

  it.each<[string, string, number, RegExp]>([
    ['nothing', '', 1, /no attested image/],
    ['a dry run', report([attested(A, 'dry-run'), attested(C, 'dry-run')]), 1, /no attested image/],
    ['a report without attestations', report([]), 1, /no attested image/],
    ['a tag', `r.example/app@${A}\nr.example/app:1`, 2, /with its digest/],
    ['a short digest', 'r.example/app@sha256:12', 1, /with its digest/],
    ['upper case', `r.example/app@${A.toUpperCase()}`, 1, /with its digest/],
  ])('refuses %s', (_title, text, line, message) => {
    const { problems } = readAttestedSet(text, 'list');
    expect([problems.length, problems[0]?.line]).toEqual([1, line]);
    expect(problems[0]!.message).toMatch(message);
  });
});
