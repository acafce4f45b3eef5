// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { parseDoctor } from '../../src/hosts/commands/doctor/parse.js';
import { ATTESTOR, cliOptions, IMAGE, messagesOf, VERSION_1 } from './world.js';

const parse = (...argv: readonly string[]) => parseDoctor(cliOptions(['doctor', ...argv], { PGP: 'secret' }), {}).request;

describe('the request of doctor', () => {
  it('takes what attest and check take', () => {
    const request = parse(
      ...[IMAGE, '--project', 'prod', '--attestor', ATTESTOR, '--kms-key-version', VERSION_1, '--attestation-project', 'store'],
      ...['--cluster', 'us-central1-a.prod', '--namespace', 'web', '--service-account', 'runner', '--signer', 'serviceAccount:ci@p.com'],
    );
    expect(request).toMatchObject({
      project: 'prod',
      attestors: [ATTESTOR],
      keys: [{ kind: 'kms-key-version', version: VERSION_1 }],
      images: [{ original: IMAGE }],
      platform: 'gke',
      attestationProject: 'store',
      cluster: { key: 'us-central1-a.prod' },
      namespace: 'web',
      serviceAccount: 'runner',
      signer: 'serviceAccount:ci@p.com',
    });
  });

  it('needs no more than a project, and takes secrets by the name of their variable', () => {
    expect(parse('--project', 'prod')).toEqual({ project: 'prod', images: [], attestors: [], keys: [], platform: 'gke' });
    expect(parse('--project', 'prod', '--pgp-private-key-env', 'PGP').keys).toMatchObject([{ kind: 'pgp' }]);
  });

  test.each([
    ['nothing', [], '--project: expected the project whose policy is enforced, got none'],
    ['a name without a tag', ['--project', 'p', 'us-docker.pkg.dev/p/r/app'], '"latest" is never assumed'],
    ['an address', ['--project', 'p', '--signer', 'ci@p.com'], '--signer: expected serviceAccount:EMAIL'],
    ['a place on two platforms', ['--project', 'p', '--platform', 'cloud-run', '--cluster', 'l.c'], '--cluster and --platform'],
    ['a version as a key', ['--project', 'p', '--kms-key', VERSION_1], '--kms-key: expected'],
  ])('refuses %s', (_title, argv, message) => {
    expect(messagesOf(() => parse(...argv)).join('\n')).toContain(message);
  });
});
