// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { BreakGlass, CloudRunSetting, ImageUse } from '../../src/core/deployment/image-use.js';
import type { Platform } from '../../src/core/deployment/target.js';
import { parseDocuments } from '../../src/documents/parse.js';
import { extract, type Extracted } from '../../src/manifests/extract.js';

const read = (text: string, platform?: Platform): Extracted => {
  const { documents, problems } = parseDocuments(text, 'k8s/a.yaml');
  expect(problems).toEqual([]);
  return extract(documents, { file: 'k8s/a.yaml', ...(platform === undefined ? {} : { platform }) });
};
const clean = (text: string, platform?: Platform): Extracted => {
  const extracted = read(text, platform);
  expect(extracted.problems).toEqual([]);
  return extracted;
};
const short = ({ image, platform, source }: ImageUse): string =>
  `${platform} ${source!.line} ${source!.kind}/${source!.name} ${source!.containerType} ${source!.container} ${image}`;

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));
const SPEC = 'spec:\n  containers:\n  - name: c\n    image: app:1\n';
/** A manifest whose Pod template is at these keys. */
const nested = (apiVersion: string, kind: string, keys: readonly string[]): string => {
  const lines = keys.map((key, depth) => `${' '.repeat(depth * 2)}${key}:\n`).join('');
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: app\n${lines}${indent(SPEC, keys.length * 2)}`;
};
const TEMPLATE = ['spec', 'template'];

describe('every kind', () => {
  it.each<[string, string, readonly string[]]>([
    ['v1', 'Pod', []],
    ['v1', 'ReplicationController', TEMPLATE],
    ['v1', 'PodTemplate', ['template']],
    ['apps/v1', 'Deployment', TEMPLATE],
    ['apps/v1beta2', 'Deployment', TEMPLATE],
    ['extensions/v1beta1', 'Deployment', TEMPLATE],
    ['apps/v1', 'StatefulSet', TEMPLATE],
    ['apps/v1', 'DaemonSet', TEMPLATE],
    ['apps/v1', 'ReplicaSet', TEMPLATE],
    ['batch/v1', 'Job', TEMPLATE],
    ['batch/v1', 'CronJob', ['spec', 'jobTemplate', ...TEMPLATE]],
    ['batch/v1beta1', 'CronJob', ['spec', 'jobTemplate', ...TEMPLATE]],
    ['argoproj.io/v1alpha1', 'Rollout', TEMPLATE],
  ])('%s %s is found on GKE', (apiVersion, kind, keys) => {
    const { uses, notes, workloads } = clean(nested(apiVersion, kind, keys));
    expect(uses.map(short)).toEqual([`gke ${keys.length + 8} ${kind}/app container c app:1`]);
    expect(uses[0]).toEqual({ image: 'app:1', platform: 'gke', source: uses[0]!.source });
    expect(notes).toEqual([]);
    expect(workloads.map(({ name }) => name)).toEqual([`${kind}/app`]);
    expect(clean(nested(apiVersion, kind, keys), 'gke').uses).toEqual(uses);
    expect(read(nested(apiVersion, kind, keys), 'cloud-run').problems).toEqual([
      { file: 'k8s/a.yaml', line: 2, message: expect.stringContaining(`got ${kind}/app`) as string },
    ]);
  });

  it.each<[string, string, readonly string[], boolean]>([
    ['serving.knative.dev/v1', 'Service', TEMPLATE, false],
    ['run.googleapis.com/v1', 'Job', [...TEMPLATE, ...TEMPLATE], true],
    ['run.googleapis.com/v1', 'WorkerPool', TEMPLATE, false],
    ['run.googleapis.com/v1', 'Service', TEMPLATE, false],
  ])('%s %s is found on Cloud Run', (apiVersion, kind, keys, isJob) => {
    const { uses, notes, workloads } = clean(nested(apiVersion, kind, keys), 'cloud-run');
    expect(uses.map(short)).toEqual([`cloud-run ${keys.length + 8} ${kind}/app container c app:1`]);
    expect(uses[0]).toMatchObject({ isJob, cloudRun: { uses: 'nothing' } });
    expect([notes, workloads]).toEqual([[], []]);
    expect(clean(nested(apiVersion, kind, keys)).uses).toEqual(uses);
  });

  it('Knative is Kubernetes where the platform says so, Cloud Run’s own kinds never are', () => {
    const knative = clean(nested('serving.knative.dev/v1', 'Service', TEMPLATE), 'gke');
    expect(knative.uses.map(({ platform }) => platform)).toEqual(['gke']);
    expect(knative.uses[0]).not.toHaveProperty('cloudRun');
    expect(knative.workloads).toEqual([{ name: 'Service/app', resource: expect.objectContaining({ kind: 'Pod' }) as unknown }]);
    const job = clean(nested('run.googleapis.com/v1', 'Job', [...TEMPLATE, ...TEMPLATE]), 'gke');
    expect(job.uses.map(({ platform }) => platform)).toEqual(['cloud-run']);
  });

  it.each<[string, object, string, boolean]>([
    ['services', { template: { containers: [{ image: 'app' }] } }, 'Service/app', false],
    ['jobs', { template: { template: { containers: [{ image: 'app' }] } } }, 'Job/app', true],
    ['workerPools', { template: { containers: [{ image: 'app' }] } }, 'WorkerPool/app', false],
  ])('%s of Cloud Run’s v2 API', (collection, body, title, isJob) => {
    const json = {
      name: `projects/p/locations/l/${collection}/app`,
      ...body,
      binaryAuthorization: { useDefault: true, breakglassJustification: 'fire' },
    };
    const { uses } = clean(JSON.stringify(json, null, 2));
    expect(uses.map(short)).toEqual([expect.stringContaining(`${title} container`)]);
    expect(uses[0]).toMatchObject({
      platform: 'cloud-run',
      cloudRun: { uses: 'project-policy' },
      breakGlass: { by: 'cloud-run', value: 'fire', isEffective: true },
      isJob,
    });
  });
});

describe('containers', () => {
  it('of every list, with name and line', () => {
    const text = [
      'apiVersion: v1',
      'kind: Pod',
      'metadata: {name: app, namespace: shop}',
      'spec:',
      '  serviceAccountName: robot',
      '  containers:',
      '  - {name: one, image: a}',
      '  - image: &img b@sha256:123',
      '    name: two',
      '  - image: *img',
      '  initContainers:',
      '  - {name: first, image: " c "}',
      '  ephemeralContainers:',
      '  - {name: debug, image: busybox}',
    ].join('\n');
    const { uses } = clean(text);
    expect(uses.map(short)).toEqual([
      'gke 12 Pod/app init first  c ',
      'gke 7 Pod/app container one a',
      'gke 8 Pod/app container two b@sha256:123',
      'gke 10 Pod/app container  b@sha256:123',
      'gke 14 Pod/app ephemeral debug busybox',
    ]);
    expect(uses.map(({ namespace, serviceAccount }) => [namespace, serviceAccount])).toEqual(uses.map(() => ['shop', 'robot']));
  });

  it.each<[string, string, number, RegExp]>([
    ['without an image', '  containers:\n  - name: c', 5, /image \(a text\) in container c of Pod\/app, got none/],
    ['with an empty image', '  containers:\n  - image: ""', 5, /in a container of Pod\/app, got none/],
    ['with a number', '  containers:\n  - image: 12', 5, /got a number/],
    ['with a mapping', '  containers:\n  - image: {repository: a}', 5, /got a mapping/],
    ['that are texts', '  containers:\n  - nginx', 5, /got none/],
    ['that are no list', '  containers: {name: c}', 4, /expected a list at spec.containers/],
    ['that are no list, beside some', '  containers: [{image: a}]\n  initContainers: a', 5, /expected a list at spec.initContainers/],
    ['under an account that is a number', '  serviceAccountName: 12\n  containers: [{image: a}]', 4, /a text at spec.serviceAccountName/],
  ])('%s are a problem', (_title, spec, line, message) => {
    const { problems } = read(`apiVersion: v1\nkind: Pod\nspec:\n${spec}\nmetadata: {name: app}`);
    expect(problems).toMatchObject([{ file: 'k8s/a.yaml', line, message: expect.stringMatching(message) as string }]);
  });

  it.each<[string, string | undefined]>([
    ['{serviceAccountName: new, serviceAccount: old}', 'new'],
    ['{serviceAccountName: "", serviceAccount: old}', 'old'],
    ['{serviceAccount: old}', 'old'],
    ['{}', undefined],
  ])('of %s run as %s', (account, expected) => {
    const { uses } = clean(`{apiVersion: v1, kind: Pod, spec: {<<: ${account}, containers: [{image: a}]}}`);
    expect(uses[0]!.serviceAccount).toBe(expected);
  });

  it('take the namespace of the workload, not of the template', () => {
    const { uses } = clean(
      '{apiVersion: apps/v1, kind: Deployment, spec: {template: {metadata: {namespace: x}, spec: {containers: [{image: a}]}}}}',
    );
    expect(uses[0]).not.toHaveProperty('namespace');
  });
});

describe('break-glass', () => {
  const LABEL = 'image-policy.k8s.io/break-glass';
  const OLD = 'alpha.image-policy.k8s.io/break-glass';
  const deployment = (own: object, ofTemplate: object): string =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: own,
      spec: { template: { metadata: ofTemplate, spec: { containers: [{ image: 'a' }] } } },
    });

  it.each<[string, object, object, BreakGlass | undefined]>([
    ['none', {}, {}, undefined],
    ['the label on the template', {}, { labels: { [LABEL]: 'true' } }, { by: 'label', value: 'true', isEffective: true }],
    ['the old annotation on the template', {}, { annotations: { [OLD]: 'true' } }, { by: 'annotation', value: 'true', isEffective: true }],
    ['another value', {}, { labels: { [LABEL]: 'True' } }, { by: 'label', value: 'True', isEffective: false }],
    ['no text', {}, { labels: { [LABEL]: true } }, { by: 'label', value: 'true', isEffective: false }],
    ['the label on the Deployment', { labels: { [LABEL]: 'true' } }, {}, { by: 'label', value: 'true', isEffective: false }],
    ['the annotation on the Deployment', { annotations: { [OLD]: 'true' } }, {}, { by: 'annotation', value: 'true', isEffective: false }],
    ['the label as an annotation', {}, { annotations: { [LABEL]: 'true' } }, { by: 'annotation', value: 'true', isEffective: false }],
    ['the annotation as a label', {}, { labels: { [OLD]: 'true' } }, { by: 'label', value: 'true', isEffective: false }],
    [
      'both places',
      { labels: { [LABEL]: 'no' } },
      { annotations: { [OLD]: 'true' } },
      { by: 'annotation', value: 'true', isEffective: true },
    ],
  ])('%s', (_title, own, ofTemplate, expected) => {
    expect(clean(deployment(own, ofTemplate)).uses[0]!.breakGlass).toEqual(expected);
  });

  it('on a Pod itself acts, on a CronJob’s Job does not', () => {
    const metadata = `metadata: {labels: {${LABEL}: "true"}}`;
    const containers = 'spec: {containers: [{image: a}]}';
    const pod = clean(`{apiVersion: v1, kind: Pod, ${metadata}, ${containers}}`);
    const cron = clean(`{apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {${metadata}, spec: {template: {${containers}}}}}}`);
    expect([pod.uses[0]!.breakGlass?.isEffective, cron.uses[0]!.breakGlass?.isEffective]).toEqual([true, false]);
  });

  it('that came by an anchor counts', () => {
    const { uses } = clean(
      `x: &l {${LABEL}: "true"}\napiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    <<: *l\nspec: {containers: [{image: a}]}`,
    );
    expect(uses[0]!.breakGlass?.isEffective).toBe(true);
  });
});

describe('Cloud Run', () => {
  const BINAUTHZ = 'run.googleapis.com/binary-authorization';
  const service = (annotations: object, ofTemplate: object = {}): string =>
    JSON.stringify({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'app', namespace: '1234', annotations },
      spec: {
        template: { metadata: { annotations: ofTemplate }, spec: { serviceAccountName: 'a@b.example', containers: [{ image: 'a' }] } },
      },
    });
  const GLASS = `${BINAUTHZ}-breakglass`;
  const POLICY = 'projects/p/platforms/cloudRun/policies/x';

  it.each<[string, object, CloudRunSetting, BreakGlass | undefined]>([
    ['off', {}, { uses: 'nothing' }, undefined],
    ['off, written', { [BINAUTHZ]: '' }, { uses: 'nothing' }, undefined],
    ['the project’s policy', { [BINAUTHZ]: 'default' }, { uses: 'project-policy' }, undefined],
    ['a platform policy', { [BINAUTHZ]: POLICY }, { uses: 'platform-policy', policy: POLICY }, undefined],
    [
      'break-glass',
      { [BINAUTHZ]: 'default', [GLASS]: 'fire' },
      { uses: 'project-policy' },
      { by: 'cloud-run', value: 'fire', isEffective: true },
    ],
    [
      'break-glass without a reason',
      { [BINAUTHZ]: 'default', [GLASS]: ' ' },
      { uses: 'project-policy' },
      { by: 'cloud-run', value: ' ', isEffective: false },
    ],
    ['break-glass while off', { [GLASS]: 'fire' }, { uses: 'nothing' }, { by: 'cloud-run', value: 'fire', isEffective: false }],
  ])('%s', (_title, annotations, cloudRun, breakGlass) => {
    const { uses } = clean(service(annotations));
    expect(uses).toEqual([
      { image: 'a', platform: 'cloud-run', isJob: false, cloudRun, ...(breakGlass ? { breakGlass } : {}), source: uses[0]!.source },
    ]);
  });

  it('refuses annotations that are no texts, and notes those on the template', () => {
    expect(read(service({ [BINAUTHZ]: true })).problems).toHaveLength(1);
    const { uses, notes } = clean(service({}, { [BINAUTHZ]: 'default' }));
    expect(uses[0]!.cloudRun).toEqual({ uses: 'nothing' });
    expect(notes).toEqual([expect.stringContaining('on the template of Service/app')]);
  });
});

describe('lists', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ image: 'a' }] } };
  const bare = { metadata: { name: 'p' }, spec: { containers: [{ image: 'a' }] } };
  it.each<[string, unknown, number]>([
    ['a List', { apiVersion: 'v1', kind: 'List', items: [pod, pod] }, 2],
    ['a List in a List', { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'List', items: [pod] }, pod] }, 2],
    ['a PodList', { apiVersion: 'v1', kind: 'PodList', items: [pod] }, 1],
    ['a PodList whose items leave the kind out', { apiVersion: 'v1', kind: 'PodList', items: [bare, bare] }, 2],
    [
      'a PodList whose items say nothing of the kind',
      {
        apiVersion: 'v1',
        kind: 'PodList',
        items: [
          { kind: '', ...bare },
          { apiVersion: 'v1', ...bare },
        ],
      },
      2,
    ],
    ['a Pod with items', { ...pod, items: [bare] }, 2],
    ['a Pod with items of all kinds', { ...pod, items: [bare, pod] }, 3],
    ['an array', [pod, [pod]], 2],
    ['an empty List', { apiVersion: 'v1', kind: 'List', items: [] }, 0],
    ['a List of nothing', { apiVersion: 'v1', kind: 'List', items: null }, 0],
  ])('%s', (_title, value, count) => {
    const { uses, workloads } = clean(JSON.stringify(value));
    expect(uses.map(({ source }) => `${source!.kind}/${source!.name}`)).toEqual(Array.from({ length: count }, () => 'Pod/p'));
    for (const { resource } of workloads) expect(resource).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
  });

  it('keep the line of each image', () => {
    const { uses } = clean(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, pod] }, null, 1));
    expect(uses.map(({ source }) => source!.line)).toEqual([14, 28]);
  });

  it.each([
    ['a List without a list', '{"apiVersion":"v1","kind":"List","items":{}}'],
    ['a text', 'hello'],
    ['a list of texts', '- a'],
    ['a list with nothing in it', '{"apiVersion":"v1","kind":"List","items":[null]}'],
  ])('%s is a problem', (_title, text) => {
    expect(read(text).problems).toHaveLength(1);
  });
});

describe('kinds that are not known', () => {
  it.each<[string, string, readonly string[], number]>([
    ['apps.kruise.io/v1alpha1', 'CloneSet', TEMPLATE, 10],
    ['keda.sh/v1alpha1', 'ScaledJob', ['spec', 'jobTargetRef', 'template'], 11],
    ['agones.dev/v1', 'Fleet', [...TEMPLATE, ...TEMPLATE], 12],
    ['leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', ['spec', 'leaderWorkerTemplate', 'workerTemplate'], 11],
    ['example.com/v1', 'Deployment', TEMPLATE, 10],
    ['serving.knative.dev/v1', 'Revision2', TEMPLATE, 10],
  ])('%s %s is found by its structure', (apiVersion, kind, keys, line) => {
    const { uses, notes, workloads } = clean(nested(apiVersion, kind, keys));
    expect(uses.map(short)).toEqual([`gke ${line} ${kind}/app container c app:1`]);
    expect(notes).toEqual([expect.stringMatching(new RegExp(`^k8s/a.yaml:\\d+: ${kind}/app: .*by structure in kind ${kind} `))]);
    expect(workloads).toEqual([{ name: `${kind}/app`, resource: expect.objectContaining({ apiVersion: 'v1', kind: 'Pod' }) as unknown }]);
  });

  it('several templates in one object', () => {
    const template = { spec: { containers: [{ image: 'a' }] } };
    const job = {
      apiVersion: 'kubeflow.org/v1',
      kind: 'TFJob',
      metadata: { name: 't' },
      spec: { tfReplicaSpecs: { PS: { template }, Worker: { template } }, templates: [template] },
    };
    expect(clean(JSON.stringify(job)).uses).toHaveLength(3);
  });

  it('a hundred of a kind are one note', () => {
    expect(clean(`${nested('apps.kruise.io/v1', 'CloneSet', TEMPLATE)}---\n`.repeat(100)).notes).toHaveLength(1);
  });

  it.each<[string, string, RegExp | undefined]>([
    ['a ConfigMap', 'apiVersion: v1\nkind: ConfigMap\ndata: {image: nginx}', undefined],
    ['a Service', 'apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}', undefined],
    ['a Role', 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules: []', undefined],
    ['a Kustomization', 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: a, newTag: b}]', undefined],
    ['a custom object without an image', 'apiVersion: a.example/v1\nkind: Thing\nspec: {a: 1}', undefined],
    [
      'a custom object with an image',
      'apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - image: nginx',
      /:6: Task\/t: it names an image outside of any Pod template of kind Task \(tekton.dev\)/,
    ],
    [
      'the definition of a kind',
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {template: {spec: {containers: [{image: a}]}}}',
      undefined,
    ],
    ['no kind', 'replicas: 1', /:1: a document without a kind: .*no image/],
    ['no kind, but an image', 'image: nginx', /:1: a document without a kind: it names an image/],
    ['a patch', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2}', /:4: Deployment\/d: no container/],
  ])('%s', (_title, text, note) => {
    const { uses, notes } = clean(text);
    expect(uses).toEqual([]);
    expect(notes).toEqual([...(note ? [expect.stringMatching(note)] : []), 'k8s/a.yaml: no image was found in it']);
  });

  it('images beside a template are mentioned', () => {
    const pod = '{kind: Pod, apiVersion: v1, spec: {containers: [{image: b}]}}';
    const { uses, notes } = clean(
      `apiVersion: a.example/v1\nkind: Work\nspec:\n  template: {spec: {containers: [{image: a}]}}\n  more: [${pod}]`,
    );
    expect(uses.map(({ image }) => image)).toEqual(['a']);
    expect(notes).toEqual([expect.stringContaining('by structure'), expect.stringMatching(/:5: Work: it names an image outside/)]);
  });

  it('image volumes are mentioned', () => {
    const { notes } = clean('apiVersion: v1\nkind: Pod\nspec:\n  containers: [{image: a}]\n  volumes:\n  - image: {reference: b}');
    expect(notes).toEqual([expect.stringMatching(/:6: Pod: it mounts an image as a volume/)]);
  });
});

describe('hostile manifests', () => {
  it.each<[string, string, number]>([
    ['prototype names as kinds', '{"apiVersion":"v1","kind":"__proto__","spec":{}}', 0],
    ['constructor as a kind', '{"apiVersion":"v1","kind":"constructor","spec":{}}', 0],
    ['toString as a group', '{"apiVersion":"toString/v1","kind":"hasOwnProperty"}', 0],
    ['containers on a prototype', '{"apiVersion":"v1","kind":"Pod","spec":{"__proto__":{"containers":[{"image":"a"}]}}}', 0],
    [
      'odd Unicode',
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\\u202e\\n::error::x"},"spec":{"containers":[{"image":"а/б:\\ud800"}]}}',
      1,
    ],
    ['metadata that is a text', '{"apiVersion":"v1","kind":"Pod","metadata":"x","spec":{"containers":[{"image":"a"}]}}', 1],
    ['a kind that is a number', '{"apiVersion":1,"kind":2,"spec":{"template":{"spec":{"containers":[{"image":"a"}]}}}}', 1],
  ])('%s', (_title, text, count) => {
    expect(clean(text).uses).toHaveLength(count);
  });

  it('notes are one line each, whatever names hold', () => {
    const { notes } = clean('{"apiVersion":"a/v1","kind":"K\\n::error::","metadata":{"name":"\\u001b[31m"},"image":"a"}');
    for (const note of notes) expect(note).toMatch(/^[^\p{Cc}]+$/u);
  });

  it('many templates in one mapping, and many mistakes', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => n);
    const wide = many.map((n) => `  a${n}Template: {spec: {containers: [{image: a}]}}`).join('\n');
    const { uses } = clean(`apiVersion: a.example/v1\nkind: Wide\nspec:\n  <<: {b: 1}\n${wide}`);
    expect([uses.length, uses.at(-1)!.source!.line]).toEqual([20_000, 20_004]);
    expect(read(`{apiVersion: v1, kind: Pod, spec: {containers: [${'{name: a},'.repeat(1000)}]}}`).problems).toHaveLength(50);
  });

  it('2,000 Pods in one file, as documents and as a List', () => {
    const pod = (n: number): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${n}` },
      spec: {
        containers: Array.from({ length: 5 }, (_, c) => ({
          name: `c${c}`,
          image: `app-${n}`,
          env: Array.from({ length: 2 }, (__, e) => ({ name: `E${e}`, value: 'x'.repeat(20) })),
        })),
      },
    });
    const pods = Array.from({ length: 2000 }, (_, n) => pod(n));
    const list = clean(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }, null, 1));
    const documents = clean(pods.map((each) => JSON.stringify(each)).join('\n---\n'));
    for (const { uses, workloads } of [list, documents]) {
      expect([uses.length, workloads.length]).toEqual([10_000, 2000]);
      expect(uses.at(-1)).toMatchObject({ image: 'app-1999', source: { name: 'p1999', container: 'c4' } });
    }
    expect(documents.uses.at(-1)!.source!.line).toBe(3999);
  });
});
