// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { REJECTION_CODES } from '../../src/core/attestation/verify.js';
import { documentedRows } from '../support/doc-tables.js';

describe('the reasons against an attestation', () => {
  it('are documented with their meaning, each of them and no other', () => {
    const table = Object.entries(REJECTION_CODES).map(([code, meaning]) => [`\`${code}\``, meaning]);
    expect(table).toEqual(documentedRows('docs/ERRORS.md', '# Reasons against an attestation'));
  });

  it.each(Object.entries(REJECTION_CODES))('%s is told in sentences', (_code, meaning) => expect(meaning).toMatch(/^[A-Z].{10,}\.$/));
});
