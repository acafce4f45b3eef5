// SPDX-License-Identifier: Apache-2.0
// Targets and places. Sources: facts 5.4, 5.8, 5.9; the contract on --namespace and --service-account.
import { describe, expect, it } from 'vitest';
import { enforcementOf } from '../../src/core/deployment/enforcement.js';
import { placeOf } from '../../src/core/deployment/place.js';
import { parseClusterRef, regionOf } from '../../src/core/deployment/target.js';

describe('the evaluation mode of a cluster (facts 5.9)', () => {
  const modeIs = (mode: string): string => `its evaluation mode is ${mode}`;
  const ON = 'Binary Authorization is enabled on it';
  const OFF = 'Binary Authorization is not enabled on it';
  it.each<[mode: string, enabled: boolean, isEnforced: boolean | undefined, because: string]>([
    ['PROJECT_SINGLETON_POLICY_ENFORCE', false, true, modeIs('PROJECT_SINGLETON_POLICY_ENFORCE')],
    ['POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE', false, true, modeIs('POLICY_BINDINGS_AND_PROJECT_SINGLETON_POLICY_ENFORCE')],
    ['POLICY_BINDINGS', true, false, modeIs('POLICY_BINDINGS')],
    ['DISABLED', true, false, modeIs('DISABLED')],
    ['', false, false, OFF],
    ['', true, true, ON],
    ['EVALUATION_MODE_UNSPECIFIED', false, false, OFF],
    ['EVALUATION_MODE_UNSPECIFIED', true, true, ON],
    ['SOMETHING_NEW', true, undefined, 'its evaluation mode SOMETHING_NEW is not known'],
  ])('"%s", enabled %s: enforced %s, because %s', (evaluationMode, enabled, isEnforced, because) => {
    expect(enforcementOf({ evaluationMode, enabled })).toEqual({ isEnforced, because });
  });
});

describe('a cluster’s name (facts 5.4)', () => {
  it.each<[text: string, location?: string, name?: string]>([
    ['us-central1-a.prod', 'us-central1-a', 'prod'],
    ['us-central1.prod', 'us-central1', 'prod'],
    ['global.test-membership', 'global', 'test-membership'],
    ['global.a.b', 'global', 'a.b'],
    ['a.b', 'a', 'b'],
    ['prod'],
    ['.prod'],
    ['us-central1-a.'],
    ['us-central1-a.prod.'],
    ['us-central1-a.-prod'],
    ['us-central1-a.prod/x'],
    ['1.prod'],
    ['us central.prod'],
    ['US-CENTRAL1.prod'],
    ['projects/p/locations/l/clusters/c'],
    [''],
  ])('"%s"', (text, location, name) => {
    expect(parseClusterRef(text)).toEqual(location === undefined ? undefined : { key: text, location, name });
  });

  it('facts 5.8: has the system policy of its region', () => {
    expect(['us-central1-a', 'us-central1', 'global', 'northamerica-northeast1-b'].map(regionOf)).toEqual([
      'us-central1',
      'us-central1',
      'global',
      'northamerica-northeast1',
    ]);
  });
});

describe('a place (contract: options fill what the manifest leaves out, then default)', () => {
  it.each<[use: Parameters<typeof placeOf>[0], fill: Parameters<typeof placeOf>[1], place: ReturnType<typeof placeOf>]>([
    [{}, {}, { namespace: 'default', serviceAccount: 'default', assumed: ['namespace', 'serviceAccount'] }],
    [{ namespace: 'n' }, {}, { namespace: 'n', serviceAccount: 'default', assumed: ['serviceAccount'] }],
    [{ namespace: '' }, { namespace: 'f' }, { namespace: 'f', serviceAccount: 'default', assumed: ['serviceAccount'] }],
    [{ namespace: 'n' }, { namespace: 'f', serviceAccount: 's' }, { namespace: 'n', serviceAccount: 's', assumed: [] }],
  ])('%j filled by %j', (use, fill, place) => {
    expect(placeOf(use, fill)).toEqual(place);
  });
});
