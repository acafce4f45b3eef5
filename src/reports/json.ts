// SPDX-License-Identifier: Apache-2.0

/**
 * A result as JSON text, the way standard output and the report file carry it. Names in it come from other people, and
 * GitHub's runner obeys a log line that holds `##[`: the bracket is written as an escape, which reads the same.
 */
export function renderJson(result: object): string {
  return `${JSON.stringify(result, null, 2).replaceAll('##[', '##\\u005b')}\n`;
}
