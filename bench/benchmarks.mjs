// SPDX-License-Identifier: Apache-2.0
// What is measured. Each benchmark gives rows: what, the figure, the target, and whether it is met.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binauthz, interleaved, median, ratio, timed } from './measure.mjs';
import { onStage, PROJECT } from './stage.mjs';

const DIST = join(import.meta.dirname, '..', 'dist');

/** `--help` against a Node that does nothing. */
async function startUp() {
  const times = await interleaved(
    {
      help: async () => (await timed(process.execPath, [join(DIST, 'cli', 'index.js'), '--help'])).ms,
      empty: async () => (await timed(process.execPath, ['--eval', '0'])).ms,
    },
    20,
  );
  return [atMost('`--help` against an empty Node', ratio(times.help, times.empty), 1.3, '×')];
}

/** One cold `attest` by tag against what people script with gcloud: the digest, sign and create, list until it is there. */
async function coldAttest() {
  return onStage([], async (stage) => {
    const attestor = await stage.attestor('built-by-ci');
    const env = stage.env;
    const gcloud = async (...words) => (await timed('gcloud', words, { env })).stdout.trim();
    const byGcloud = async (round) => {
      const { tagged } = await stage.image(`gcloud-${round}`);
      const started = performance.now();
      const digest = await gcloud('artifacts', 'docker', 'images', 'describe', tagged, '--format=value(image_summary.digest)');
      const pinned = `${tagged.slice(0, tagged.lastIndexOf(':'))}@${digest}`;
      const at = ['--attestor', attestor.name];
      await gcloud(
        'beta',
        'container',
        'binauthz',
        'attestations',
        'sign-and-create',
        '--artifact-url',
        pinned,
        ...at,
        '--keyversion',
        attestor.version,
      );
      const listed = await gcloud('container', 'binauthz', 'attestations', 'list', ...at, '--artifact-url', pinned, '--format=value(name)');
      if (listed === '') throw new Error('gcloud listed nothing');
      return performance.now() - started;
    };
    const byUs = async (round) => (await binauthz(['attest', (await stage.image(`ours-${round}`)).tagged, ...attestor.flags], { env })).ms;
    const times = await interleaved({ ours: byUs, gcloud: byGcloud }, 5);
    return [
      atMost('cold `attest` against gcloud’s sequence', ratio(times.ours, times.gcloud), 0.25, '×'),
      { what: 'cold `attest`, whole process', figure: `${Math.round(median(times.ours))} ms`, target: '–', met: true },
      { what: 'gcloud’s sequence, three processes', figure: `${Math.round(median(times.gcloud))} ms`, target: '–', met: true },
    ];
  });
}

/** Round trips in a row: how much longer a run takes for each millisecond of latency. Validation and read-back are both on. */
async function depth() {
  const runAt = (latency) =>
    onStage(['--latency', `${latency}ms`], async (stage) => {
      const attestor = await stage.attestor('built-by-ci');
      const runs = [];
      for (let round = 0; round < 3; round += 1)
        runs.push((await binauthz(['attest', (await stage.image(`depth-${round}`)).pinned, ...attestor.flags], { env: stage.env })).ms);
      return Math.min(...runs);
    });
  const [near, far] = [await runAt(100), await runAt(500)];
  return [atMost('sequential round trips of an `attest`', Math.round(((far - near) / 400) * 10) / 10, 5.2, '')];
}

/** 100 images × 3 attestors at 50 ms latency, and how it grows. */
async function batch() {
  return onStage(['--latency', '50ms'], async (stage) => {
    const attestors = [await stage.attestor('built-by-ci'), await stage.attestor('scanned'), await stage.attestor('approved')];
    const flags = attestors.flatMap((attestor) => attestor.flags);
    const run = async (count, round) => {
      const images = await stage.images(count, `batch-${count}-${round}`);
      return binauthz(['attest', ...images.map(({ pinned }) => pinned), ...flags], { env: stage.env });
    };
    const peaks = [];
    const times = await interleaved(
      {
        half: async (round) => (await run(50, round)).ms,
        full: async (round) => {
          const { ms, peakBytes } = await run(100, round);
          peaks.push(peakBytes);
          return ms;
        },
      },
      3,
    );
    return [
      atMost('100 images × 3 attestors at 50 ms latency', median(times.full) / 1000, 6, ' s'),
      atMost('its peak memory', median(peaks) / 1e6, 200, ' MB'),
      atMost('its time against 50 images (2 is linear)', ratio(times.full, times.half), 2.2, '×'),
    ];
  });
}

/** A check of 2,000 Pods, and how it grows. */
async function pods() {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-bench-pods-'));
  try {
    return await onStage([], async (stage) => {
      const attestor = await stage.attestor('built-by-ci');
      const images = await stage.images(40, 'pods');
      await binauthz(['attest', ...images.map(({ pinned }) => pinned), ...attestor.flags], { env: stage.env });
      await stage.require(attestor);
      const manifests = (count) => {
        const file = join(folder, `${count}.yaml`);
        writeFileSync(file, Array.from({ length: count }, (_, index) => pod(index, images[index % images.length].pinned)).join('---\n'));
        return file;
      };
      const files = { half: manifests(1000), full: manifests(2000) };
      const check = async (file) => (await binauthz(['check', '--manifest', file, '--project', PROJECT], { env: stage.env })).ms;
      const times = await interleaved({ half: () => check(files.half), full: () => check(files.full) }, 5);
      return [
        atMost('`check` of 2,000 Pods', median(times.full) / 1000, 3, ' s'),
        atMost('its time against 1,000 Pods (2 is linear)', ratio(times.full, times.half), 2.2, '×'),
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How long after the enforcer could see an attestation the run notices it. */
async function noticing() {
  const late = [];
  for (const delay of [300, 1000, 2500]) {
    await onStage(['--propagation-delay', `${delay}ms`], async (stage) => {
      const attestor = await stage.attestor('built-by-ci');
      for (let round = 0; round < 3; round += 1) {
        const image = await stage.image(`seen-${round}`);
        const { stdout } = await binauthz(['attest', image.pinned, ...attestor.flags, '--output', 'json'], { env: stage.env });
        late.push(JSON.parse(stdout).attestations[0].visibleAfterMs - delay);
      }
    });
  }
  return [atMost('visibility noticed after (the worst of nine)', Math.max(...late) / 1000, 0.5, ' s')];
}

async function size() {
  const files = readdirSync(DIST, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  return [
    atMost('dist', bytes / 1e6, 8, ' MB'),
    atMost('its entry, dist/main/index.js', statSync(join(DIST, 'main', 'index.js')).size / 1e3, 200, ' kB'),
  ];
}

function pod(index, image) {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod-${index}\nspec:\n  containers:\n    - name: app\n      image: ${image}\n`;
}

export const BENCHMARKS = { startUp, coldAttest, depth, batch, pods, noticing, size };

function atMost(what, value, most, unit) {
  return { what, figure: `${value.toFixed(2)}${unit}`, target: `≤ ${most}${unit}`, met: value <= most, value };
}
