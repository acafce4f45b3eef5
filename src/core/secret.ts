// SPDX-License-Identifier: Apache-2.0

/** A secret on its way from the environment to the one signer that needs it. Printing or serialising it shows nothing. */
export class Secret {
  readonly #value: string;

  constructor(
    value: string,
    /** Where it came from, as the host spells it: a variable's or an input's name. */
    readonly source: string,
  ) {
    this.#value = value;
  }

  /** The secret itself; only a signer or the masker of a host asks for it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `[secret from ${this.source}]`;
  }

  toJSON(): string {
    return this.toString();
  }
}
