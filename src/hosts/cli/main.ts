// SPDX-License-Identifier: Apache-2.0
// The real process as the CLI's world: streams that survive a closed reader, and an end that loses no output.
import { flushed } from '../streams.js';
import { runCli, type TextStream } from './run.js';

/** Runs the CLI over this process and ends it. */
export async function runProcess(): Promise<void> {
  const status = await runCli({
    argv: process.argv.slice(2),
    env: process.env,
    stdout: textStream(process.stdout),
    stderr: textStream(process.stderr),
    signals: { on: (signal, listener) => process.on(signal, listener), exit: (code) => process.exit(code) },
  });
  process.exitCode = status;
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Idle connections of a client library may keep the process alive for minutes after its work is done.
  process.exit(status);
}

// `binauthz list … | head` closes the pipe early; that is no failure of the run, and what comes after has no reader.
function textStream(stream: NodeJS.WriteStream): TextStream {
  stream.on('error', () => undefined);
  return {
    write: (text) => {
      if (text !== '' && stream.writable) stream.write(text);
    },
    isTerminal: stream.isTTY,
  };
}
