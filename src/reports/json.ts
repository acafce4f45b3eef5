// SPDX-License-Identifier: Apache-2.0

/** A result as JSON text, the way standard output and the report file carry it. */
export function renderJson(result: object): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
