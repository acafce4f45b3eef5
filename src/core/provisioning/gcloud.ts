// SPDX-License-Identifier: Apache-2.0

/** A command line for a POSIX shell: every word quoted where the shell would read anything else in it. */
export function shellLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  // A word of these letters alone means itself in every shell; `=` too, since it never comes first here.
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
