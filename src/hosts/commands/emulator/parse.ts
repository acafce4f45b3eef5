// SPDX-License-Identifier: Apache-2.0
import { OptionReader, type RawOptions } from '../../option-reader.js';
import { throwIfWrong } from '../../request-readers.js';

/** `binauthz emulator`, fully parsed. */
export interface ParsedEmulator {
  readonly port: number;
  readonly latencyMs: number;
  readonly propagationDelayMs: number;
  /** A file of fault rules. */
  readonly faults?: string;
}

/** The settings of `emulator`; throws BinauthzErrors with everything that is wrong. */
export function parseEmulator(raw: RawOptions): ParsedEmulator {
  const reader = new OptionReader(raw);
  const port = reader.port('port') ?? 0;
  const latencyMs = reader.duration('latency') ?? 0;
  const propagationDelayMs = reader.duration('propagation-delay') ?? 0;
  const faults = reader.one('faults', (text) => (text === '' ? { expected: 'the name of a file' } : { value: text }));
  throwIfWrong(reader);
  return { port, latencyMs, propagationDelayMs, ...(faults === undefined ? {} : { faults }) };
}
