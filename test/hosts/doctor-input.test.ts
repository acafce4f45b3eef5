// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest';
import { parseDoctor } from '../../src/hosts/commands/doctor/parse.js';
import { ATTESTOR, cliOptions, IMAGE, issuesOf, messagesOf, VERSION_1 } from './world.js';

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
      target: { kind: 'cluster', key: 'us-central1-a.prod' },
      namespace: 'web',
      serviceAccount: 'runner',
      signer: 'serviceAccount:ci@p.com',
    });
  });

  it('needs no more than a project, and takes secrets by the name of their variable', () => {
    expect(parse('--project', 'prod')).toEqual({ project: 'prod', images: [], attestors: [], keys: [], platform: 'gke' });
    expect(parse('--project', 'prod', '--pgp-private-key-env', 'PGP').keys).toMatchObject([{ kind: 'pgp' }]);
  });

  it('looks at one place, which says the platform', () => {
    const base = { project: 'prod', images: [], attestors: [], keys: [], platform: 'cloud-run' };
    const target = { key: 'europe-west1.web', location: 'europe-west1', name: 'web' };
    expect(parse('--project', 'prod', '--cloud-run-service', 'europe-west1.web')).toEqual({
      ...base,
      target: { kind: 'service', ...target },
    });
    expect(parse('--project', 'prod', '--cloud-run-job', 'europe-west1.web', '--platform', 'cloud-run')).toEqual({
      ...base,
      target: { kind: 'job', ...target },
    });
  });

  test.each([
    ['a cluster beside a service', ['--cluster', 'l.c'], '--cloud-run-service and --cluster: expected one of the two, got both'],
    ['a namespace beside a service', ['--namespace', 'web'], '--cloud-run-service and --namespace: expected one of the two'],
    ['a job beside a service', ['--cloud-run-job', 'us-east1.j'], '--cloud-run-service and --cloud-run-job: expected one of the two'],
    ['GKE beside a service', ['--platform', 'gke'], '--cloud-run-service and --platform: expected cloud-run beside it, got gke'],
  ])('refuses %s', (_title, argv, message) => {
    const messages = messagesOf(() => parse('--project', 'p', '--cloud-run-service', 'us-east1.web', ...argv));
    expect(messages).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    ['web', '--cloud-run-service: expected REGION.NAME, such as europe-west1.web, got "web"', undefined],
    ['projects/p/locations/us-east1/services/web', '--cloud-run-service: expected REGION.NAME', 'write us-east1.web'],
  ])('refuses the service %s', (text, message, hint) => {
    const errors = issuesOf(() => parse('--project', 'p', '--cloud-run-service', text));
    expect(errors).toMatchObject([{ message: expect.stringContaining(message) as string, ...(hint && { hint }) }]);
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
