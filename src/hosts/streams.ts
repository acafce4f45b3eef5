// SPDX-License-Identifier: Apache-2.0

/** Resolves once everything written so far has left the process, or nobody reads it any more. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
