// SPDX-License-Identifier: Apache-2.0
// Google's own client on logs, log-based metrics, alerting policies and channels.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { gcloudFor, HAS_GCLOUD, type Gcloud } from '../support/gcloud.js';

const P = 'demo-proj';
const TYPE = 'logging.googleapis.com/user/binauthz/blocked';

describe.skipIf(!HAS_GCLOUD)(
  HAS_GCLOUD ? 'gcloud on logs and alerts' : 'gcloud on logs and alerts (skipped: gcloud is not on the PATH)',
  { timeout: 120_000 },
  () => {
    let emulator: TestEmulator;
    let gcloud: Gcloud;
    beforeAll(async () => {
      emulator = await startTestEmulator();
      gcloud = await gcloudFor(emulator, P);
    });
    afterAll(async () => {
      expect(emulator.lastErrors).toEqual([]);
      await gcloud.remove();
      await emulator.close();
    });

    it('writes entries and reads them', async () => {
      await gcloud.ok('logging', 'write', 'my-log', 'A simple entry', '--severity=ALERT');
      await gcloud.ok('logging', 'write', 'my-log', '{"event": {"kind": "break-glass"}}', '--payload-type=json');
      expect(await gcloud.json('logging', 'read', 'severity>=ERROR AND "simple"')).toEqual([
        expect.objectContaining({
          logName: `projects/${P}/logs/my-log`,
          resource: { type: 'global', labels: {} },
          severity: 'ALERT',
          textPayload: 'A simple entry',
          insertId: expect.any(String),
        }),
      ]);
      const read = await gcloud.json('logging', 'read', `log_id(my-log) jsonPayload.event.kind="break-glass"`, '--limit=5', '--order=asc');
      expect(read).toMatchObject([{ jsonPayload: { event: { kind: 'break-glass' } } }]);
      const wrong = await gcloud.run('logging', 'read', 'severity>=');
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain('INVALID_ARGUMENT: Unparseable filter: syntax error at line 1');
    });

    it('makes, shows, lists, changes and deletes log-based metrics', async () => {
      const name = 'binauthz/blocked';
      await gcloud.ok('logging', 'metrics', 'create', name, '--description=Blocked', '--log-filter=severity>=ERROR');
      expect(await gcloud.json('logging', 'metrics', 'describe', name)).toMatchObject({
        name,
        filter: 'severity>=ERROR',
        metricDescriptor: { type: TYPE, metricKind: 'DELTA', valueType: 'INT64' },
      });
      await gcloud.ok('logging', 'metrics', 'update', name, '--log-filter=severity>=ALERT');
      expect(await gcloud.json('logging', 'metrics', 'list')).toMatchObject([{ name, description: 'Blocked', filter: 'severity>=ALERT' }]);
      await gcloud.ok('logging', 'metrics', 'create', 'gone', '--description=x', '--log-filter=x');
      await gcloud.ok('logging', 'metrics', 'delete', 'gone');
      const missing = await gcloud.run('logging', 'metrics', 'describe', 'gone');
      expect({ code: missing.code, stderr: missing.stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') });
    });

    it('makes a channel, and a policy that notifies it', async () => {
      await emulator.api('PUT', `/v2/projects/${P}/metrics/binauthz%2Fblocked`, { filter: 'severity>=ALERT' });
      const channel = await gcloud.json(
        ...['beta', 'monitoring', 'channels', 'create', '--type=email', '--display-name=On call'],
        '--channel-labels=email_address=oncall@example.com',
      );
      expect(await gcloud.json('beta', 'monitoring', 'channels', 'describe', channel.name)).toEqual(channel);
      expect(await gcloud.json('beta', 'monitoring', 'channels', 'list', '--filter=type="email"')).toEqual([channel]);
      const file = join(gcloud.folder, 'policy.json');
      const conditionThreshold = {
        filter: `metric.type="${TYPE}" AND resource.type="k8s_cluster"`,
        comparison: 'COMPARISON_GT',
        duration: '0s',
        aggregations: [{ alignmentPeriod: '300s', perSeriesAligner: 'ALIGN_SUM' }],
      };
      const policy = { displayName: 'Blocked', combiner: 'OR', conditions: [{ displayName: 'Any', conditionThreshold }] };
      await writeFile(file, JSON.stringify(policy));
      const made = await gcloud.json(
        ...['alpha', 'monitoring', 'policies', 'create', `--policy-from-file=${file}`],
        `--notification-channels=${channel.name}`,
      );
      expect(made).toMatchObject({ displayName: 'Blocked', enabled: true, notificationChannels: [channel.name] });
      await gcloud.ok(
        'alpha',
        'monitoring',
        'policies',
        'update',
        made.name,
        '--no-enabled',
        '--documentation=Look here',
        '--update-user-labels=by=x',
      );
      expect(await gcloud.json('alpha', 'monitoring', 'policies', 'describe', made.name)).toMatchObject({
        name: made.name,
        enabled: false,
        conditions: made.conditions,
        documentation: { content: 'Look here', mimeType: 'text/markdown' },
        userLabels: { by: 'x' },
      });
      expect(await gcloud.json('alpha', 'monitoring', 'policies', 'list', '--filter=displayName="Blocked"')).toHaveLength(1);
      await gcloud.ok('alpha', 'monitoring', 'policies', 'delete', made.name);
      await gcloud.ok('beta', 'monitoring', 'channels', 'delete', channel.name);
      expect(await gcloud.json('alpha', 'monitoring', 'policies', 'list')).toEqual([]);
    });

    it('is told that a metric is not there yet, and that a service is off', async () => {
      const filter = 'metric.type="logging.googleapis.com/user/none" resource.type="global"';
      const early = await gcloud.run(
        ...['alpha', 'monitoring', 'policies', 'create', '--display-name=x', '--combiner=OR', '--condition-display-name=y'],
        ...[
          `--condition-filter=${filter}`,
          '--duration=0s',
          '--if=> 0',
          '--aggregation={"alignmentPeriod":"60s","perSeriesAligner":"ALIGN_SUM"}',
        ],
      );
      expect({ code: early.code, stderr: early.stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Cannot find metric(s) that match type'),
      });
      await gcloud.ok('services', 'disable', 'monitoring.googleapis.com');
      const off = await gcloud.run('alpha', 'monitoring', 'policies', 'list');
      expect({ code: off.code, stderr: off.stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('SERVICE_DISABLED') });
      await gcloud.ok('services', 'enable', 'monitoring.googleapis.com');
      expect(await gcloud.json('alpha', 'monitoring', 'policies', 'list')).toEqual([]);
    });

    it('keeps audit configurations through a read-modify-write of a project’s policy', async () => {
      const file = join(gcloud.folder, 'iam.json');
      const auditConfigs = [{ service: 'binaryauthorization.googleapis.com', auditLogConfigs: [{ logType: 'DATA_READ' }] }];
      await writeFile(file, JSON.stringify({ bindings: [], auditConfigs }));
      await gcloud.ok('projects', 'set-iam-policy', P, file);
      const member = 'user:someone@example.com';
      await gcloud.ok('projects', 'add-iam-policy-binding', P, `--member=${member}`, '--role=roles/logging.viewer', '--condition=None');
      expect(await gcloud.json('projects', 'get-iam-policy', P)).toMatchObject({
        auditConfigs,
        bindings: [{ role: 'roles/logging.viewer', members: [member] }],
      });
    });
  },
);
