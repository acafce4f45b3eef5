// SPDX-License-Identifier: Apache-2.0

/**
 * Text that the runner prints and does not obey: a line that begins with `::`, or holds `##[`, is a command to it
 * (actions/runner, ActionCommand.cs), and names in our messages come from registries and other people's projects.
 */
export function logLine(text: string): string {
  return text
    .split(/\r?\n|\r/)
    .map((line) => line.replace(/^(\s*)::/, '$1: :').replaceAll('##[', '## ['))
    .join('\n');
}
