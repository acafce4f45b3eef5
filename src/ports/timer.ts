// SPDX-License-Identifier: Apache-2.0

/**
 * Rings once after so many milliseconds of real time, unless what it gives is called before: then nothing is left of it.
 * It keeps no process alive.
 */
export type Timer = (ms: number, ring: () => void) => () => void;
