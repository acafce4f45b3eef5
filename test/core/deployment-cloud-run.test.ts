// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { enforcementOnCloudRun } from '../../src/core/deployment/enforcement.js';
import { parseCloudRunRef } from '../../src/core/deployment/target.js';

describe('a Cloud Run service or job', () => {
  it('is named by its region and its name', () => {
    expect(parseCloudRunRef('service', 'europe-west1.web')).toEqual({
      kind: 'service',
      key: 'europe-west1.web',
      location: 'europe-west1',
      name: 'web',
    });
    expect(parseCloudRunRef('job', 'northamerica-northeast1.a-1')).toMatchObject({
      kind: 'job',
      location: 'northamerica-northeast1',
      name: 'a-1',
    });
    expect(parseCloudRunRef('job', 'europe-west10.x')).toMatchObject({ location: 'europe-west10', name: 'x' });
    expect(parseCloudRunRef('service', `us-east1.${'a'.repeat(49)}`)).toMatchObject({ name: 'a'.repeat(49) });
  });

  test.each([
    ...[
      '',
      'web',
      'europe-west1',
      'europe-west1.',
      '.web',
      'europe-west1.Web',
      'europe-west1.1web',
      'europe-west1.web-',
      'europe-west1.a.b',
    ],
    ...['europe-west1-b.web', 'global.web', 'us.web', 'europe-west.web', '1europe-west1.web', 'europe-west1.web ', 'europe-west1.web/x'],
    `us-east1.${'a'.repeat(50)}`,
  ])('is not named by "%s"', (text) => expect(parseCloudRunRef('service', text)).toBeUndefined());

  test.each([
    [{ uses: 'project-policy' }, true, 'it is under the project’s policy'],
    [{ uses: 'nothing' }, false, 'it never opted in to Binary Authorization, or was taken out of it'],
    [{ uses: 'platform-policy', policy: 'P' }, undefined, 'it is under the platform policy P, which no public method evaluates'],
  ] as const)('asks the policy or not: %j', (setting, isEnforced, because) => {
    expect(enforcementOnCloudRun({ setting })).toEqual({ isEnforced, because });
    expect(enforcementOnCloudRun({ setting, breakGlass: 'incident' })).toEqual({ isEnforced, because });
  });
});
