// SPDX-License-Identifier: Apache-2.0
import { EventEmitter, getMaxListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { BinauthzError, type ErrorCode } from '../../src/core/errors.js';
import { reportOf } from '../../src/core/results.js';
import { listenForCancellation, withinGrace } from '../../src/hosts/cancellation.js';
import { emptyResult, endingOf, linesOf, meaningOf, statusOf } from '../../src/hosts/outcome.js';

const error = (code: ErrorCode, hint?: string) => new BinauthzError(code, `${code} happened`, hint === undefined ? {} : { hint });

describe('the end of a run', () => {
  test('success carries no errors', () =>
    expect(endingOf(emptyResult('list'), [], { onEmulator: false })).toEqual({
      result: { schema: 'binauthz.list/v1', attestations: [] },
      errors: [],
      exitCode: 0,
    }));
  test('a failure keeps the result so far', () => {
    const { result, exitCode } = endingOf(emptyResult('attest'), [error('UNAVAILABLE'), error('PERMISSION_DENIED', 'ask')], {
      onEmulator: true,
    });
    expect([exitCode, result]).toEqual([
      5,
      {
        schema: 'binauthz.attest/v1',
        images: [],
        attestations: [],
        emulator: true,
        errors: [
          { code: 'UNAVAILABLE', message: 'UNAVAILABLE happened', exitCode: 9 },
          { code: 'PERMISSION_DENIED', message: 'PERMISSION_DENIED happened', hint: 'ask', exitCode: 5 },
        ],
      },
    ]);
  });
  test('bad input is an error result, even when it shows late', () =>
    expect(endingOf(emptyResult('attest'), [error('PASSPHRASE_REJECTED')], { onEmulator: false })).toMatchObject({
      exitCode: 2,
      result: { schema: 'binauthz.error/v1', errors: [{ code: 'PASSPHRASE_REJECTED' }] },
    }));
  test('whatever a signal cut off, the signal is the reason', () => {
    const { result, exitCode } = endingOf(emptyResult('attest'), [error('UNAVAILABLE')], { cancelledBy: 'SIGTERM', onEmulator: false });
    expect([exitCode, result.errors?.map(({ code, exitCode: code2 }) => [code, code2])]).toEqual([
      143,
      [
        ['CANCELLED', 143],
        ['UNAVAILABLE', 9],
      ],
    ]);
  });
  test('an attestation that SIGTERM cut off says the same status as the run', () => {
    const attestation = {
      image: 'i',
      attestor: 'a',
      note: 'n',
      publicKeyId: 'k',
      status: 'posted',
      error: reportOf(error('CANCELLED')),
    } as const;
    const { result } = endingOf({ schema: 'binauthz.attest/v1', images: [], attestations: [attestation] }, [error('CANCELLED')], {
      cancelledBy: 'SIGTERM',
      onEmulator: false,
    });
    expect(result).toMatchObject({ attestations: [{ error: { code: 'CANCELLED', exitCode: 143 } }], errors: [{ exitCode: 143 }] });
  });
  test('a run that was done before the signal took effect is done', () =>
    expect(endingOf(emptyResult('attest'), [], { cancelledBy: 'SIGINT', onEmulator: false }).exitCode).toBe(0));
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    [undefined, 130],
  ] as const)('cancelled by %s is %d', (signal, status) => expect(statusOf([error('CANCELLED')], signal)).toBe(status));
  test.each([
    [0, /done/],
    [7, /integrity/],
    [143, /cancelled/],
    [130, /cancelled/],
  ])('%d means %s', (code, meaning) => expect(meaningOf(code)).toMatch(meaning));
  test('an error is a line, its hint another', () =>
    expect(linesOf(error('NOT_FOUND', 'look\nelsewhere'))).toEqual([
      'error[NOT_FOUND]: NOT_FOUND happened',
      '  hint: look',
      '        elsewhere',
    ]));
});

describe('cancellation', () => {
  const listen = () => {
    const source = new EventEmitter();
    const exits: number[] = [];
    const cancellation = listenForCancellation({ on: (signal, listener) => source.on(signal, listener), exit: (code) => exits.push(code) });
    return { source, exits, cancellation };
  };
  test('the first signal aborts and is remembered', () => {
    const { source, exits, cancellation } = listen();
    expect([cancellation.signal.aborted, cancellation.receivedSignal()]).toEqual([false, undefined]);
    source.emit('SIGTERM');
    expect([cancellation.signal.aborted, cancellation.receivedSignal(), exits]).toEqual([true, 'SIGTERM', []]);
    source.emit('SIGINT');
    expect([cancellation.receivedSignal(), exits]).toEqual(['SIGTERM', [130]]);
  });
  test('any number of calls may listen', () => {
    expect(getMaxListeners(listen().cancellation.signal)).toBe(0);
  });
  test('work that ends in time is kept', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await withinGrace(Promise.resolve('work'), controller.signal, () => 'instead')).toBe('work');
  });
  test('work that never ends is given up', async () => {
    const controller = new AbortController();
    const waiting = withinGrace(new Promise<string>(() => undefined), controller.signal, () => 'instead', 1);
    controller.abort();
    expect(await waiting).toBe('instead');
  });
  test('without a signal there is no hurry, and a failure is passed on', async () => {
    await expect(withinGrace(Promise.reject(error('NOT_FOUND')), new AbortController().signal, () => 'instead', 1)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
