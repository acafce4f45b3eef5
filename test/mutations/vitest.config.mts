// SPDX-License-Identifier: Apache-2.0
// The tests that a group of mutants is held against (score.mjs names them).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: (process.env['BINAUTHZ_MUTATION_TESTS'] ?? '')
      .split(' ')
      .map((pattern) => (pattern.endsWith('.ts') ? pattern : `${pattern}.test.ts`)),
    testTimeout: 60_000,
    // The same few generated cases for every mutant: a score that changed with the dice would be none.
    env: { BINAUTHZ_CASES: '300', BINAUTHZ_START: '20260101' },
  },
});
