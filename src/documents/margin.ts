// SPDX-License-Identifier: Apache-2.0

/** What the lexer puts before a scalar. */
const SCALAR = '\u001f';

/**
 * Watches a lexer's output for the one place where the YAML parser loses the margin: a comment on a line of its own
 * that begins without a blank (`#x`) counts as content there. A text of several lines behind it, plain or as a block,
 * would then take in what follows it further out: the next items of a list, images among them.
 */
export class MarginWatch {
  private isAtLineStart = true;
  private isMarginLost = false;
  private isScalarNext = false;

  /** Whether this piece of the text, the next one, could hold more than other readers see in it. */
  isBlurred(lexeme: string): boolean {
    if (this.isScalarNext) return this.endsScalar(lexeme);
    if (lexeme === SCALAR) {
      this.isScalarNext = true;
      return false;
    }
    if (/^[|>]/.test(lexeme)) return this.isMarginLost;
    if (lexeme.startsWith('#')) this.isMarginLost ||= this.isAtLineStart && /^#[^ \t]/.test(lexeme);
    else if (!/^[\s&!]/.test(lexeme)) this.isMarginLost = false;
    this.isAtLineStart = lexeme.includes('\n') || (this.isAtLineStart && /^ *$/.test(lexeme));
    return false;
  }

  private endsScalar(text: string): boolean {
    const isBlurred = this.isMarginLost && text.includes('\n');
    this.isScalarNext = false;
    this.isMarginLost = false;
    // A block text ends with its line.
    this.isAtLineStart = text.endsWith('\n');
    return isBlurred;
  }
}
