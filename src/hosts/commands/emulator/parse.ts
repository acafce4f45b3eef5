// SPDX-License-Identifier: Apache-2.0
import { OptionReader, type RawOptions } from '../../option-reader.js';

/** `binauthz emulator`, parsed as far as that goes without the emulator, which alone can judge the file of faults. */
export interface ParsedEmulator {
  /** Knows what is wrong with the options; whoever judges the file throws that together with what is wrong in there. */
  readonly reader: OptionReader;
  readonly port: number;
  readonly latencyMs: number;
  readonly propagationDelayMs: number;
  /** A file of fault rules. */
  readonly faults?: string;
}

/** The settings of `emulator`, to be used only once the reader was found to have no issue. */
export function parseEmulator(raw: RawOptions): ParsedEmulator {
  const reader = new OptionReader(raw);
  const port = reader.port('port') ?? 0;
  const latencyMs = reader.duration('latency') ?? 0;
  const propagationDelayMs = reader.duration('propagation-delay') ?? 0;
  const faults = reader.one('faults', (text) => (text === '' ? { expected: 'the name of a file' } : { value: text }));
  return { reader, port, latencyMs, propagationDelayMs, ...(faults === undefined ? {} : { faults }) };
}
