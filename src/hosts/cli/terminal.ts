// SPDX-License-Identifier: Apache-2.0

/** The colours that a stream may carry; each returns the text unchanged where it may not. */
export interface Style {
  bad(text: string): string;
  doubtful(text: string): string;
  good(text: string): string;
  faint(text: string): string;
}

/** Colours for a terminal, none for a file or where NO_COLOR is set (https://no-color.org). */
export function styleFor(isTerminal: boolean, noColor: string | undefined): Style {
  const isColoured = isTerminal && (noColor ?? '') === '';
  const paint = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bad: paint(31), doubtful: paint(33), good: paint(32), faint: paint(2) };
}

/** A line that cannot steer a terminal or start another line: names come from registries and other people's projects. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}
