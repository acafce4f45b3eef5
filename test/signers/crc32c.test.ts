// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/signers/crc32c.js';
import { slowCrc32c } from '../support/fake-key-service.js';

describe('crc32c', () => {
  // Facts 1.3.
  it.each<[string, Uint8Array, number]>([
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['hello', Buffer.from('hello'), 2591144780],
    ['the SHA-256 of hello', createHash('sha256').update('hello').digest(), 492493660],
    ['nothing', new Uint8Array(), 0],
  ])('of %s', (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('is that of another implementation for every byte', () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) & 0xff);
    expect(crc32c(bytes)).toBe(slowCrc32c(bytes));
  });
});
