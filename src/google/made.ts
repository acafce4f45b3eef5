// SPDX-License-Identifier: Apache-2.0
// What reading something that may not be there, and making something that may be, have in common.
import { BinauthzError, type ErrorCode } from '../core/errors.js';

/** The answer, or undefined where the call ended with the code of its 404. */
export async function foundOrNot<T>(notFound: ErrorCode, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BinauthzError && error.code === notFound) return undefined;
    throw error;
  }
}

/**
 * Ends where the thing is there: the call’s 409 must be RESOURCE_MISMATCH. An earlier attempt may have made it and lost
 * its answer, and somebody else may have been faster; what it is then, the next reading tells.
 */
export async function madeOrThere(call: Promise<unknown>): Promise<void> {
  await foundOrNot('RESOURCE_MISMATCH', call);
}
