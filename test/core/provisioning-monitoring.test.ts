// SPDX-License-Identifier: Apache-2.0
// Metrics and alerts: one for each kind of event, and none of somebody else's changed.
import { describe, expect, it } from 'vitest';
import { METRIC_FILTERS } from '../../src/core/audit/filters.js';
import type { ProjectId } from '../../src/core/names.js';
import type { NewAlertPolicy } from '../../src/core/provisioning/desired.js';
import { alertsFor, decideAlert, decideMetric, metricsFor, type FoundAlert } from '../../src/core/provisioning/monitoring.js';

const PROJECT = 'shop' as ProjectId;
const CHANNEL = 'projects/shop/notificationChannels/1';
const OTHER = 'projects/shop/notificationChannels/2';

describe('the metrics', () => {
  it('count each kind of event on each platform that has it', () => {
    const metrics = metricsFor(PROJECT).map(({ name, metric }) => [
      name.replace('projects/shop/metrics/', ''),
      metric.description,
      metric.filter,
    ]);
    const title = (text: string): string => `Binary Authorization: ${text}`;
    expect(metrics).toEqual([
      ['binauthz-gke-blocked', title('blocked deployments on GKE'), METRIC_FILTERS.gke.DENIED],
      ['binauthz-cloud-run-blocked', title('blocked deployments on Cloud Run'), METRIC_FILTERS['cloud-run'].DENIED],
      ['binauthz-gke-break-glass', title('break-glass deployments on GKE'), METRIC_FILTERS.gke.BREAK_GLASS],
      ['binauthz-cloud-run-break-glass', title('break-glass deployments on Cloud Run'), METRIC_FILTERS['cloud-run'].BREAK_GLASS],
      ['binauthz-gke-fail-open', title('fail-open admissions on GKE'), METRIC_FILTERS.gke.FAIL_OPEN],
    ]);
  });

  const wanted = { description: 'd', filter: 'a="1"\nb="2"' };
  it('are made', () =>
    expect(decideMetric('projects/shop/metrics/m', wanted, undefined)).toEqual({
      action: 'create',
      summary: 'd',
      gcloud: expect.stringMatching(/^gcloud logging metrics create m --project=shop/) as string,
      write: wanted,
    }));

  it('are compared without white space on either side', () => {
    const spaced = { description: 'd', filter: ' a="1"  b="2"\n' };
    expect(decideMetric('projects/shop/metrics/m', spaced, wanted).summary).toBe('the metric exists');
  });

  it.each(['a="1"\nb="2"', ' a="1"  b="2"\n'])('that are there with %j are left alone', (filter) =>
    expect(decideMetric('projects/shop/metrics/m', wanted, { description: 'other', filter })).toEqual({
      action: 'none',
      summary: 'the metric exists',
    }),
  );

  it.each(['a="1"b="2"', 'a="1"'])('that somebody changed to %j are left alone, and named', (filter) =>
    expect(decideMetric('projects/shop/metrics/m', wanted, { description: 'd', filter })).toEqual({
      action: 'none',
      summary: expect.stringContaining('another filter') as string,
      warnings: [expect.stringMatching(/^projects\/shop\/metrics\/m: .*: gcloud logging metrics delete m --project=shop$/)],
    }),
  );
});

describe('the alerts', () => {
  it('are one for each kind of event, with a condition for each type of resource that has it', () => {
    const told = alertsFor([]).map(({ displayName, metrics, document }) => {
      const { conditions, documentation } = document as {
        conditions: { displayName: string; conditionThreshold: { filter: string } }[];
        documentation: { content: string };
      };
      return { displayName, metrics, advice: documentation.content, names: conditions.map((one) => one.displayName) };
    });
    const user = 'logging.googleapis.com/user/binauthz-';
    expect(told).toEqual([
      {
        displayName: 'Binary Authorization: blocked deployments',
        metrics: [`${user}gke-blocked`, `${user}cloud-run-blocked`],
        advice: expect.stringMatching(/denied an image.*binauthz audit/) as string,
        names: ['k8s_cluster', 'cloud_run_revision', 'cloud_run_job'].map((type) => `blocked deployments (${type})`),
      },
      {
        displayName: 'Binary Authorization: break-glass deployments',
        metrics: [`${user}gke-break-glass`, `${user}cloud-run-break-glass`],
        advice: expect.stringMatching(/past the policy.*binauthz audit/) as string,
        names: ['k8s_cluster', 'cloud_run_revision', 'cloud_run_job'].map((type) => `break-glass deployments (${type})`),
      },
      {
        displayName: 'Binary Authorization: fail-open admissions',
        metrics: [`${user}gke-fail-open`],
        advice: expect.stringMatching(/admitted unjudged.*binauthz audit/) as string,
        names: ['fail-open admissions (k8s_cluster)'],
      },
    ]);
  });

  it('ring at the first event within five minutes', () => {
    const [, , failOpen] = alertsFor([CHANNEL]);
    expect(failOpen?.document).toStrictEqual({
      displayName: 'Binary Authorization: fail-open admissions',
      documentation: { content: expect.any(String) as string, mimeType: 'text/markdown' },
      combiner: 'OR',
      conditions: [
        {
          displayName: 'fail-open admissions (k8s_cluster)',
          conditionThreshold: {
            filter: 'metric.type="logging.googleapis.com/user/binauthz-gke-fail-open" AND resource.type="k8s_cluster"',
            comparison: 'COMPARISON_GT',
            duration: '0s',
            aggregations: [{ alignmentPeriod: '300s', perSeriesAligner: 'ALIGN_DELTA', crossSeriesReducer: 'REDUCE_SUM' }],
          },
        },
      ],
      notificationChannels: [CHANNEL],
    });
    expect(alertsFor([])[0]?.document).not.toHaveProperty('notificationChannels');
  });
});

describe('an alert', () => {
  const [, , failOpen] = alertsFor([CHANNEL]);
  const wanted = (...channels: readonly string[]): NewAlertPolicy => ({ ...failOpen!, channels });
  const found = (change: Partial<FoundAlert> = {}): FoundAlert => ({
    name: 'projects/shop/alertPolicies/7',
    channels: [CHANNEL],
    isOn: true,
    filters: [`resource.type="x" AND metric.type="${failOpen?.metrics[0]}"`],
    ...change,
  });

  it.each<[string, readonly string[], string, readonly RegExp[]]>([
    ['with channels', [CHANNEL, OTHER], `tells ${CHANNEL}, ${OTHER}`, []],
    ['without', [], 'tells nobody', [/“Binary Authorization: fail-open admissions” reaches nobody.*--notification-channel/]],
  ])('is made %s', (_, channels, told, warnings) => {
    const alert = wanted(...channels);
    expect(decideAlert(PROJECT, alert, undefined)).toEqual({
      action: 'create',
      summary: expect.stringContaining(told) as string,
      gcloud: expect.stringMatching(/^gcloud alpha monitoring policies create --project=shop/) as string,
      write: { kind: 'create', alert },
      warnings: warnings.map((warning) => expect.stringMatching(warning) as string),
    });
  });

  it('is made to tell several channels at once', () =>
    expect(decideAlert(PROJECT, wanted(CHANNEL, OTHER), found({ channels: [] })).summary).toContain(`tell ${CHANNEL}, ${OTHER} as well`));

  it('is made to tell the channels that it does not tell yet', () =>
    expect(decideAlert(PROJECT, wanted(CHANNEL, OTHER), found())).toEqual({
      action: 'update',
      summary: expect.stringMatching(
        /“Binary Authorization: fail-open admissions” tell projects\/shop\/notificationChannels\/2 as well$/,
      ) as string,
      gcloud: expect.stringMatching(
        /update projects\/shop\/alertPolicies\/7 --add-notification-channels=projects\/shop\/notificationChannels\/2$/,
      ) as string,
      write: { kind: 'channels', name: 'projects/shop/alertPolicies/7', channels: [CHANNEL, OTHER] },
      warnings: [],
    }));

  const unwatched = /changed by somebody else, and does not watch logging\.googleapis\.com\/user\/binauthz-gke-fail-open$/;
  it.each<[string, readonly string[], Partial<FoundAlert>, readonly RegExp[]]>([
    ['tells them already', [CHANNEL], {}, []],
    ['tells others', [], { channels: [OTHER] }, []],
    ['tells nobody', [], { channels: [] }, [/reaches nobody/]],
    ['is switched off', [CHANNEL], { isOn: false }, [/“Binary Authorization: fail-open admissions” is switched off, and left so/]],
    ['watches something else', [CHANNEL], { filters: ['metric.type="x"'] }, [unwatched]],
    ['watches nothing', [CHANNEL], { filters: [] }, [unwatched]],
    ['watches something else besides', [CHANNEL], { filters: ['metric.type="x"', ...found().filters] }, []],
  ])('that %s is left alone, and what is odd is told', (_, channels, change, warnings) =>
    expect(decideAlert(PROJECT, wanted(...channels), found(change))).toEqual({
      action: 'none',
      summary: expect.stringMatching(/“Binary Authorization: fail-open admissions” exists$/) as string,
      warnings: warnings.map((warning) => expect.stringMatching(warning) as string),
    }),
  );

  it('that watches a part names the rest', () => {
    const [blocked] = alertsFor([CHANNEL]);
    const half = found({ filters: [`metric.type="${blocked?.metrics[0]}"`] });
    expect(decideAlert(PROJECT, blocked!, half).warnings).toEqual([expect.stringMatching(/does not watch \S+cloud-run-blocked$/)]);
    expect(decideAlert(PROJECT, blocked!, found()).warnings).toEqual([
      expect.stringMatching(/does not watch \S+gke-blocked, \S+cloud-run-blocked$/),
    ]);
  });
});
