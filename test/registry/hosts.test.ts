// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { registryHost, routeOf } from '../../src/registry/hosts.js';

describe('registryHost', () => {
  it.each([
    ['localhost', 'http://localhost/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['127.9.8.7', 'http://127.9.8.7/'],
    ['127.1:5000', 'http://127.0.0.1:5000/'],
    ['[::1]:5000', 'http://[::1]:5000/'],
    ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/'],
    ['localhost.example.com', 'https://localhost.example.com/'],
    ['10.0.0.1:5000', 'https://10.0.0.1:5000/'],
    ['registry:5000', 'https://registry:5000/'],
    ['ghcr.io', 'https://ghcr.io/'],
    ['docker.io', 'https://registry-1.docker.io/'],
    ['index.docker.io', 'https://registry-1.docker.io/'],
    ['registry-1.docker.io', 'https://registry-1.docker.io/'],
  ])('%s is at %s', (name, base) => {
    expect(registryHost(name)).toMatchObject({ name, base: new URL(base), isGoogle: false });
  });

  it.each([
    'gcr.io',
    'us.gcr.io',
    'eu.gcr.io',
    'mirror.gcr.io',
    'us-docker.pkg.dev',
    'europe-west4-docker.pkg.dev',
    'us-docker.pkg.dev:443',
  ])('%s is Google’s', (name) => {
    expect(registryHost(name).isGoogle).toBe(true);
  });

  it.each([
    'gcr.io.example.com',
    'evilgcr.io',
    'pkg.dev',
    'evilpkg.dev',
    'us-docker.pkg.dev:8443',
    'gcr.io:5000',
    'us-docker.pkg.dev.example.com',
  ])('%s is not Google’s', (name) => {
    expect(registryHost(name).isGoogle).toBe(false);
  });
});

describe('routeOf', () => {
  it('sends Google’s registries to the emulator, naming the one that was meant', () => {
    expect(routeOf(new URL('https://us-docker.pkg.dev/v2/p/r/app/manifests/v1?a=b'), '127.0.0.1:9999')).toEqual({
      url: new URL('http://127.0.0.1:9999/v2/p/r/app/manifests/v1?a=b'),
      headers: { host: 'us-docker.pkg.dev', 'x-binauthz-registry': 'us-docker.pkg.dev' },
    });
  });

  it.each(['https://ghcr.io/v2/', 'http://127.0.0.1:5000/v2/', 'https://auth.docker.io/token'])('leaves %s alone', (url) => {
    expect(routeOf(new URL(url), '127.0.0.1:9999')).toEqual({ url: new URL(url), headers: {} });
  });

  it('leaves Google’s registries alone without an emulator', () => {
    expect(routeOf(new URL('https://gcr.io/v2/'), undefined).url.href).toBe('https://gcr.io/v2/');
  });
});
