// SPDX-License-Identifier: Apache-2.0
// Runs that come twice, and runs that are interrupted: the state converges, and nothing bad counts as done.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli, type CliEnded } from '../support/cli.js';
import { startTestEmulator, type TestEmulator } from '../support/emulator.js';
import { pushImage, singleImage } from '../support/images.js';
import { pkixEntry, PROJECT, Stage, type StagedKey } from '../support/stage.js';

let emulator: TestEmulator;
let stage: Stage;
let attestor: string;
let key: StagedKey;
let image: string;

beforeEach(async () => {
  emulator = await startTestEmulator();
  stage = new Stage(emulator);
  ({ attestor, key } = await stage.kmsAttestor('ci'));
  const digest = await pushImage(emulator.url, `${PROJECT}/shop/app`, 'v1', singleImage('app'), {
    headers: { 'x-binauthz-registry': 'us-docker.pkg.dev' },
  });
  image = `us-docker.pkg.dev/${PROJECT}/shop/app@${digest}`;
});
afterEach(() => emulator.close());

function attest(by: StagedKey = key, ...more: readonly string[]): Promise<CliEnded> {
  return cli(['attest', image, '--attestor', attestor, '--kms-key-version', by.version, '--output', 'json', ...more], {
    emulator: emulator.host,
  });
}

const statuses = ({ json }: CliEnded): readonly string[] => (json.attestations as { status: string }[]).map(({ status }) => status);
const posts = async (): Promise<number> => (await stage.requests()).filter((request) => /^POST .*\/occurrences$/.test(request)).length;

describe('a second run', () => {
  it('ends existing, and posts nothing', async () => {
    const first = await attest();
    const second = await attest();
    expect([statuses(first), statuses(second)]).toEqual([['created'], ['existing']]);
    expect(second.json.attestations[0].occurrence).toBe(first.json.attestations[0].occurrence);
    expect(await posts()).toBe(1);
  });

  it('with --dry-run says what would be done, and signs and posts nothing', async () => {
    const dry = await attest(key, '--dry-run');
    expect([dry.code, statuses(dry)]).toEqual([0, ['dry-run']]);
    expect((await stage.requests()).filter((request) => request.includes(':asymmetricSign'))).toEqual([]);
    await attest();
    expect(statuses(await attest(key, '--dry-run'))).toEqual(['existing']);
  });

  it('after the attestor’s key was replaced posts a new one with the new key', async () => {
    const first = await attest();
    const renewed = await stage.kmsKey('renewed');
    await stage.replaceKeys(attestor, [pkixEntry(renewed, 'EC_SIGN_P256_SHA256')]);
    const retired = await attest();
    expect([retired.code, retired.json.errors[0].code]).toEqual([7, 'KEY_NOT_TRUSTED']);
    const second = await attest(renewed);
    expect([second.code, statuses(second)]).toEqual([0, ['created']]);
    expect(second.json.attestations[0].occurrence).not.toBe(first.json.attestations[0].occurrence);
    expect((await stage.occurrences()).length).toBe(2);
    expect(second.json.warnings.join(' ')).toContain(`${first.json.attestations[0].occurrence as string} does not count`);
  });

  it('that may not store a second occurrence ends 7, and the hint says what to do', async () => {
    const first = await attest();
    await stage.call('POST', '/_emulator/faults', { duplicates: 'note-resource' });
    expect(statuses(await attest())).toEqual(['existing']);
    const renewed = await stage.kmsKey('renewed');
    await stage.replaceKeys(attestor, [pkixEntry(renewed, 'EC_SIGN_P256_SHA256')]);
    const second = await attest(renewed);
    const occurrence = first.json.attestations[0].occurrence as string;
    expect([second.code, statuses(second), second.json.errors[0].code]).toEqual([7, ['failed'], 'ATTESTATION_CONFLICT']);
    expect(second.json.errors[0].message).toContain(occurrence);
    expect(second.json.errors[0].hint).toMatch(new RegExp(`DELETE.*${occurrence}`));
  });

  it('finds an attestation that the listing shows late', async () => {
    await attest();
    await stage.call('POST', '/_emulator/faults', {
      duplicates: 'note-resource',
      rules: [{ method: '^GET$', path: '/notes/ci/occurrences$', times: 1, do: 'status', status: 200, body: {} }],
    });
    const second = await attest();
    expect([second.code, statuses(second)]).toEqual([0, ['existing']]);
  });
});

describe('a service that fails', () => {
  it.each([
    ['resets the connection after storing', { do: 'reset-after' }],
    ['resets the connection before storing', { do: 'reset-before' }],
    ['answers 503 once', { do: 'status', status: 503 }],
    ['answers 429 with Retry-After', { do: 'status', status: 429, headers: { 'retry-after': '1' } }],
    ['cuts its answer short after storing', { do: 'truncate', bytes: 5 }],
  ])('%s: one attestation exists in the end', async (_title, action) => {
    await stage.call('POST', '/_emulator/faults', { rules: [{ method: '^POST$', path: '/occurrences$', times: 1, ...action }] });
    const ended = await attest();
    expect([ended.code, statuses(ended)]).toEqual([0, ['created']]);
    expect((await stage.occurrences()).length).toBe(1);
  });

  it('corrupts a signature once: it is signed again; for good: 7, and nothing is posted', async () => {
    const corrupt = { path: ':asymmetricSign$', do: 'corrupt', field: 'signature' };
    await stage.call('POST', '/_emulator/faults', { rules: [{ ...corrupt, times: -1 }] });
    const failed = await attest();
    expect([failed.code, failed.json.errors[0].code, await posts()]).toEqual([7, 'CHECKSUM_MISMATCH', 0]);
    await stage.call('POST', '/_emulator/faults', { rules: [{ ...corrupt, times: 1 }] });
    expect(statuses(await attest())).toEqual(['created']);
  });

  it.each(['pemCrc32c', 'signatureCrc32c', 'verifiedDigestCrc32c'])('corrupts %s for good: 7', async (field) => {
    await stage.call('POST', '/_emulator/faults', { rules: [{ path: 'cryptoKeyVersions', times: -1, do: 'corrupt', field }] });
    const failed = await attest();
    expect([failed.code, failed.json.errors[0].code, await posts()]).toEqual([7, 'CHECKSUM_MISMATCH', 0]);
  });

  it('does not say whether the attestation will verify: 4, and nothing is posted', async () => {
    await stage.call('POST', '/_emulator/faults', {
      rules: [{ path: ':validateAttestationOccurrence$', times: -1, do: 'status', status: 200, body: {} }],
    });
    const ended = await attest();
    expect([ended.code, ended.json.errors[0].code, await posts()]).toEqual([4, 'UNDECIDED', 0]);
  });

  it('serves other manifest bytes than the digest says: 7', async () => {
    await stage.call('POST', '/_emulator/faults', { rules: [{ path: '/manifests/', times: -1, do: 'corrupt', field: 'size' }] });
    const ended = await attest();
    expect([ended.code, ended.json.errors[0].code, await posts()]).toEqual([7, 'DIGEST_MISMATCH', 0]);
  });

  it('stops listing while it is waited for: 9', async () => {
    await stage.call('POST', '/_emulator/faults', {
      rules: [{ method: '^GET$', path: '/notes/ci/occurrences$', after: 1, times: -1, do: 'status', status: 503 }],
    });
    const ended = await attest(key, '--wait-timeout', '2s');
    expect([ended.code, statuses(ended), ended.json.errors[0].code]).toEqual([9, ['posted'], 'UNAVAILABLE']);
  });

  it('hangs while it is waited for: 9, not long after the wait timeout', async () => {
    await stage.call('POST', '/_emulator/faults', {
      rules: [{ method: '^GET$', path: '/notes/ci/occurrences$', after: 1, times: -1, do: 'delay', delayMs: 30_000 }],
    });
    const startedAt = Date.now();
    const ended = await attest(key, '--wait-timeout', '1s');
    expect([ended.code, statuses(ended)]).toEqual([9, ['posted']]);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });
});

describe('a cancelled run', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends %i with the result so far, and a re-run converges', async (signal, code) => {
    await stage.call('POST', '/_emulator/faults', { propagationDelayMs: 3_600_000 });
    let isSent = false;
    const ended = await cli(['attest', image, '--attestor', attestor, '--kms-key-version', key.version, '--output', 'json'], {
      emulator: emulator.host,
      onStderr: (text, kill) => {
        if (isSent || !text.includes('posted projects/')) return;
        isSent = true;
        kill(signal);
      },
    });
    expect([ended.code, ended.json.schema, ended.json.errors[0].code]).toEqual([code, 'binauthz.attest/v1', 'CANCELLED']);
    await stage.call('POST', '/_emulator/faults', {});
    expect(statuses(await attest())).toEqual(['existing']);
    expect((await stage.occurrences()).length).toBe(1);
  });
});
