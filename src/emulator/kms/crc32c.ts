// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli), the checksum of Cloud KMS' integrity protocol.

/** The Castagnoli polynomial with its bits reversed, as the table form of the algorithm takes it. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_value, index) => {
  let entry = index;
  for (let bit = 0; bit < 8; bit += 1) entry = entry & 1 ? (entry >>> 1) ^ POLYNOMIAL : entry >>> 1;
  return entry >>> 0;
});

/** The CRC32C of some bytes, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (const byte of bytes) state = (state >>> 8) ^ (TABLE[(state ^ byte) & 0xff] ?? 0);
  return (state ^ 0xffffffff) >>> 0;
}

/** The CRC32C as Google's JSON writes it: an int64, hence a decimal string. */
export function crc32cText(bytes: Uint8Array): string {
  return String(crc32c(bytes));
}
