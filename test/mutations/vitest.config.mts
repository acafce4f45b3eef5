// SPDX-License-Identifier: Apache-2.0
// The tests that mutants of the core and the use cases are held against: those that run in this process.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts', 'test/usecases/**/*.test.ts'],
    testTimeout: 60_000,
    // The same few generated cases for every mutant: a score that changed with the dice would be none.
    env: { BINAUTHZ_CASES: '300', BINAUTHZ_START: '20260101' },
  },
});
