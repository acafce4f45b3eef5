// SPDX-License-Identifier: Apache-2.0
// Manifests as kubectl itself writes them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageUse } from '../../src/core/deployment/image-use.js';
import { parseDocuments } from '../../src/documents/parse.js';
import { extract } from '../../src/manifests/extract.js';
import { found, titled } from '../support/tools.js';

const IMAGE = `us-docker.pkg.dev/p/r/app@sha256:${'a'.repeat(64)}`;

function kubectl(args: readonly string[], input = ''): string {
  const { stdout, stderr, status } = spawnSync('kubectl', args, { input, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

function usesIn(text: string): readonly ImageUse[] {
  const { documents, problems } = parseDocuments(text, 'k.yaml');
  const extracted = extract(documents, { file: 'k.yaml' });
  expect([...problems, ...extracted.problems]).toEqual([]);
  const lines = text.split('\n');
  for (const { image, source } of extracted.uses) expect(lines[source!.line - 1]).toContain(image);
  return extracted.uses;
}

describe.skipIf(!found('kubectl'))(titled('manifests of kubectl', 'kubectl'), () => {
  describe.each(['yaml', 'json'])('as %s', (format) => {
    it.each<[string, readonly string[]]>([
      ['Deployment', ['create', 'deployment', 'app', `--image=${IMAGE}`]],
      ['Job', ['create', 'job', 'app', `--image=${IMAGE}`]],
      ['CronJob', ['create', 'cronjob', 'app', `--image=${IMAGE}`, '--schedule=* * * * *']],
    ])('%s', (kind, args) => {
      const uses = usesIn(kubectl([...args, '--dry-run=client', '-o', format]));
      expect(uses).toMatchObject([
        { image: IMAGE, platform: 'gke', source: { kind, name: 'app', container: 'app', containerType: 'container' } },
      ]);
    });

    // Without a cluster `kubectl run` gives nothing; `label --local` prints any object as kubectl understood it.
    it('Pod', () => {
      const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: app, namespace: shop}\nspec: {containers: [{name: app, image: "${IMAGE}"}]}\n`;
      const text = kubectl(
        ['label', '--local', '-f', '-', 'image-policy.k8s.io/break-glass=true', '-o', format, '--dry-run=client'],
        `${pod}`,
      );
      expect(usesIn(text)).toMatchObject([
        { image: IMAGE, namespace: 'shop', breakGlass: { by: 'label', value: 'true', isEffective: true } },
      ]);
    });
  });

  // kubectl takes whatever has items for a list, and deploys the items.
  it('a Pod that is a list', () => {
    const outer = `apiVersion: v1\nkind: Pod\nmetadata: {name: outer}\nspec: {containers: [{name: a, image: "${IMAGE}"}]}\n`;
    const items = `items:\n- metadata: {name: inner}\n  spec: {containers: [{name: b, image: "${IMAGE}"}]}\n`;
    const deployed = usesIn(kubectl(['label', '--local', '-f', '-', 'x=y', '-o', 'yaml', '--dry-run=client'], `${outer}${items}`));
    expect(deployed.map(({ source }) => source!.name)).toEqual(['inner']);
    expect(usesIn(`${outer}${items}`).map(({ source }) => source!.name)).toEqual(['outer', 'inner']);
  });

  it('several as JSON, one after the other', () => {
    const pod = (name: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: "${IMAGE}"}]}\n`;
    const text = kubectl(['label', '--local', '-f', '-', 'x=y', '-o', 'json', '--dry-run=client'], `${pod('app')}---\n${pod('web')}`);
    expect(usesIn(text).map(({ source }) => source!.name)).toEqual(['app', 'web']);
  });
});

describe.skipIf(!found('kubectl'))(titled('kustomize in kubectl', 'kubectl'), () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'binauthz-kustomize-'));
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      `resources: [all.yaml]\nnamespace: shop\nimages:\n- name: app\n  newName: us-docker.pkg.dev/p/r/app\n  digest: sha256:${'a'.repeat(64)}\n`,
    );
    const template =
      'template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot, initContainers: [{name: i, image: app}], containers: [{name: c, image: app}]}}';
    writeFileSync(
      join(folder, 'all.yaml'),
      [
        `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {a: b}}, ${template}}`,
        `apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {selector: {matchLabels: {a: b}}, ${template}}`,
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {image: nothing}',
      ].join('\n---\n'),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives every image with its place', () => {
    const uses = usesIn(kubectl(['kustomize', folder]));
    expect(uses.map(({ source }) => `${source!.kind}/${source!.name} ${source!.containerType}`).sort()).toEqual([
      'Deployment/web container',
      'Deployment/web init',
      'StatefulSet/db container',
      'StatefulSet/db init',
    ]);
    for (const use of uses) expect(use).toMatchObject({ image: IMAGE, namespace: 'shop', serviceAccount: 'robot' });
  });
});
