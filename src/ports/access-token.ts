// SPDX-License-Identifier: Apache-2.0

/** The caller's Google identity, for registries that take its token. */
export interface AccessToken {
  /** A fresh OAuth access token; undefined where calls are made without credentials (the emulator). UNAUTHENTICATED. */
  token(): Promise<string | undefined>;
}
