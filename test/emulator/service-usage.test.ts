// SPDX-License-Identifier: Apache-2.0
// A service that is switched off answers nobody, in Google's words; one that nobody switched is on.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';

const START = Date.parse('2026-03-01T12:00:00Z');
let now = START;
let emulator: TestEmulator;
beforeAll(async () => void (emulator = await startTestEmulator({ clock: { now: () => now, sleep: () => Promise.resolve() } })));
beforeEach(async () => {
  now = START;
  await emulator.api('POST', '/_emulator/reset');
});
afterAll(async () => {
  expect(emulator.lastErrors).toEqual([]);
  await emulator.close();
});

const turn = (verb: 'enable' | 'disable', service: string, project = 'p') =>
  emulator.api('POST', `/v1/projects/${project}/services/${service}.googleapis.com:${verb}`, {});
const NOTE = { attestation: { hint: { humanReadableName: 'n' } } };
const LIST = { resourceNames: ['projects/p'] };
const ENTRY = { logName: 'projects/p/logs/app', resource: { type: 'global' }, entries: [{ textPayload: 'x' }] };

/** A call to each API that works in an empty project. */
const CALLS = [
  ['binaryauthorization', 'GET', '/v1/projects/p/attestors', undefined],
  ['binaryauthorization', 'GET', '/v1beta1/projects/p/policy', undefined],
  ['containeranalysis', 'POST', '/v1/projects/p/notes?noteId=n', NOTE],
  ['cloudkms', 'GET', '/v1/projects/p/locations/global/keyRings', undefined],
  ['artifactregistry', 'GET', '/v1/projects/p/locations/us/repositories', undefined],
  ['cloudresourcemanager', 'GET', '/v1/projects/p', undefined],
  ['cloudresourcemanager', 'POST', '/v1/projects/p:getIamPolicy', {}],
  ['container', 'GET', '/v1/projects/p/locations/-/clusters', undefined],
  ['run', 'GET', '/v2/projects/p/locations/us-central1/services', undefined],
  ['logging', 'POST', '/v2/entries:list', LIST],
  ['logging', 'POST', '/v2/entries:write', ENTRY],
  ['logging', 'GET', '/v2/projects/p/metrics', undefined],
  ['monitoring', 'GET', '/v3/projects/p/alertPolicies', undefined],
] as const;

describe('a service that was switched off', () => {
  it.each(CALLS)('%s refuses %s %s, until it is on again', async (service, method, path, body) => {
    const call = () => emulator.api(method, path, body);
    await turn('disable', service, 'q');
    expect((await call()).status, 'off elsewhere').toBe(200);
    await emulator.api('POST', '/_emulator/reset');
    await turn('disable', service);
    expect((await call()).json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
    await turn('enable', service);
    expect((await call()).status).toBe(200);
  });

  it('says who, where, and how to switch it on', async () => {
    const { projectNumber: number } = (await emulator.api('GET', '/v1/projects/p')).json;
    await turn('disable', 'binaryauthorization');
    const url = `https://console.developers.google.com/apis/api/binaryauthorization.googleapis.com/overview?project=${number}`;
    const message =
      `Binary Authorization API has not been used in project ${number} before or it is disabled. Enable it by visiting ${url} then retry. ` +
      'If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.';
    expect((await emulator.api('GET', `/v1/projects/${number}/policy`)).json).toEqual({
      error: {
        code: 403,
        message,
        status: 'PERMISSION_DENIED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'SERVICE_DISABLED',
            domain: 'googleapis.com',
            metadata: {
              service: 'binaryauthorization.googleapis.com',
              serviceTitle: 'Binary Authorization API',
              consumer: `projects/${number}`,
              containerInfo: number,
              activationUrl: url,
            },
          },
          { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message },
          { '@type': 'type.googleapis.com/google.rpc.Help', links: [{ description: 'Google developers console API activation', url }] },
        ],
      },
    });
  });

  it('is off before anybody is asked for permissions, and is shown as off', async () => {
    await turn('disable', 'cloudkms');
    const { error } = (await emulator.api('GET', '/v1/projects/p/locations/global/keyRings', undefined, 'as:nobody@example.com')).json;
    expect(error.details[0].reason).toBe('SERVICE_DISABLED');
    expect((await emulator.api('GET', '/v1/projects/p/services/cloudkms.googleapis.com')).json.state).toBe('DISABLED');
    expect((await emulator.api('GET', '/v1/projects/p/services?filter=state:DISABLED')).json.services).toHaveLength(1);
  });

  it('is refused in the registry’s words by the registry', async () => {
    await turn('disable', 'artifactregistry');
    const refused = await emulator.api('GET', '/v2/p/repo/app/manifests/v1');
    expect(refused.status).toBe(403);
    expect(refused.json).toEqual({
      errors: [{ code: 'DENIED', message: expect.stringContaining('Artifact Registry API has not been used in project') }],
    });
  });

  it('is on again after the change has spread', async () => {
    await emulator.api('POST', '/_emulator/faults', { propagationDelayMs: 5000 });
    const status = async () => (await emulator.api('GET', '/v1/projects/p/policy')).status;
    await turn('enable', 'binaryauthorization');
    expect(await status(), 'it was on all the time').toBe(200);
    await turn('disable', 'binaryauthorization');
    expect((await turn('enable', 'binaryauthorization')).json.response.service.state).toBe('ENABLED');
    expect(await status()).toBe(403);
    await turn('enable', 'binaryauthorization');
    now += 4999;
    expect(await status()).toBe(403);
    now += 1;
    expect(await status()).toBe(200);
  });

  it('is on again after a reset, and Service Usage itself is never off', async () => {
    await turn('disable', 'binaryauthorization');
    await turn('disable', 'serviceusage');
    expect((await emulator.api('GET', '/v1/projects/p/services')).status).toBe(200);
    await emulator.api('POST', '/_emulator/reset');
    expect((await emulator.api('GET', '/v1/projects/p/policy')).status).toBe(200);
  });

  it('is switched on with others at once', async () => {
    await turn('disable', 'binaryauthorization');
    await emulator.api('POST', '/v1/projects/p/services:batchEnable', { serviceIds: ['binaryauthorization.googleapis.com'] });
    expect((await emulator.api('GET', '/v1/projects/p/policy')).status).toBe(200);
  });
});
