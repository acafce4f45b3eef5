// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { onEmulator, readEnvironment } from '../../src/hosts/environment.js';

const API = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS';

describe('the emulator', () => {
  test.each(['127.0.0.1:8899', 'localhost:1', '[::1]:65535', ' 127.0.0.1:80 '])('%s is taken', (host) =>
    expect(readEnvironment({ BINAUTHZ_EMULATOR_HOST: host })).toMatchObject({ environment: { emulatorHost: host.trim() }, issues: [] }),
  );
  test('empty is unset', () => expect(readEnvironment({ BINAUTHZ_EMULATOR_HOST: '' }).environment).not.toHaveProperty('emulatorHost'));
  test.each([
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    'http://127.0.0.1:80',
    '0.0.0.0:80',
    '127.0.0.1.evil.example:80',
    'localhost:80/path',
    '10.0.0.1:80',
    'evil@127.0.0.1:80',
    '127.0.0.2:80',
  ])('%s is refused', (host) => {
    const { environment, issues } = readEnvironment({ BINAUTHZ_EMULATOR_HOST: host });
    expect(environment).not.toHaveProperty('emulatorHost');
    expect(issues.map(({ code, message }) => [code, message])).toEqual([
      ['INVALID_INPUT', expect.stringContaining('BINAUTHZ_EMULATOR_HOST: expected 127.0.0.1:PORT')],
    ]);
  });
});

describe('endpoint overrides', () => {
  test.each([
    ['https://kms.example', 'https://kms.example/'],
    ['https://kms.example/', 'https://kms.example/'],
    ['https://kms.example:8443/base/path', 'https://kms.example:8443/base/path/'],
    ['http://127.0.0.1:8899/', 'http://127.0.0.1:8899/'],
    ['http://localhost:8899', 'http://localhost:8899/'],
    ['http://[::1]:8899', 'http://[::1]:8899/'],
  ])('%s', (given, url) =>
    expect(readEnvironment({ [API]: given })).toMatchObject({ environment: { endpointOverrides: { cloudkms: url } }, issues: [] }),
  );
  test.each([
    'kms.example',
    '/path',
    'http://kms.example/',
    'http://127.0.0.1.evil.example/',
    'ftp://kms.example/',
    'https://user:pass@kms.example/',
    'https://kms.example/?key=1',
    'https://kms.example/#x',
    'http://',
  ])('%s is refused', (given) => {
    const { environment, issues } = readEnvironment({ [API]: given });
    expect([environment.endpointOverrides, issues.length, issues[0]?.message]).toEqual([
      {},
      1,
      expect.stringContaining(`${API}: expected an absolute https URL`),
    ]);
  });
  test('a refused URL does not print its password', () =>
    expect(readEnvironment({ [API]: 'https://user:hunter22@kms.example/' }).issues[0]?.message).not.toContain('hunter22'));
  test('APIs that are never called are left alone', () =>
    expect(readEnvironment({ CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: 'nonsense' })).toMatchObject({
      environment: { endpointOverrides: {} },
      issues: [],
    }));
  test('everything wrong is said', () =>
    expect(
      readEnvironment({ [API]: 'x', BINAUTHZ_EMULATOR_HOST: 'y', CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINERANALYSIS: 'z' }).issues,
    ).toHaveLength(3));
});

describe('an error on the emulator', () => {
  test.each<[ErrorCode, string, boolean]>([
    ['UNAVAILABLE', 'projects/p/attestors/a', true],
    ['RESPONSE_INVALID', 'us-docker.pkg.dev/p/r/app:v1', true],
    ['UNAVAILABLE', 'https://eu.gcr.io/p/app@sha256:1', true],
    ['UNAVAILABLE', 'gcr.io/p/app:v1', true],
    ['UNAVAILABLE', 'localhost:5000/app:v1', false],
    ['UNAVAILABLE', 'registry.example.com/pkg.dev/app:v1', false],
    ['PERMISSION_DENIED', 'projects/p/attestors/a', false],
  ])('%s of %s points at it: %s', (code, resource, isPointed) => {
    const error = new BinauthzError(code, 'm', { resource, hint: 'wait' });
    expect(onEmulator(error, '127.0.0.1:8899')).toMatchObject({
      code,
      message: 'm',
      resource,
      hint: isPointed ? expect.stringContaining('binauthz emulator --port 8899') : 'wait',
    });
  });
  test('a URL in place of the host is told what to leave out', () =>
    expect(readEnvironment({ BINAUTHZ_EMULATOR_HOST: 'http://127.0.0.1:8899' }).issues[0]?.hint).toContain('leave out the http://'));
});

describe('the rest', () => {
  test.each<[Record<string, string>, string]>([
    [{ DOCKER_CONFIG: '/etc/docker-ci', HOME: '/home/me' }, '/etc/docker-ci/config.json'],
    [{ DOCKER_CONFIG: '', HOME: '/home/me' }, '/home/me/.docker/config.json'],
  ])('%j', (env, path) => expect(readEnvironment(env).environment.dockerConfigPath).toBe(path));
  test('the quota project', () =>
    expect(readEnvironment({ GOOGLE_CLOUD_QUOTA_PROJECT: 'billed' }).environment.quotaProject).toBe('billed'));
});
