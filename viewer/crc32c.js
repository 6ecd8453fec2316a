// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli), as in the Repr-Digest header of answers.

const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++)
    crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

export function crc32c(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++)
    crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The sum that a header `crc32c=:base64:` states, or null where it states none. */
export function statedCrc(header) {
  const found = /(?:^|[ ,])crc32c=:([A-Za-z0-9+/=]+):/.exec(header ?? "");
  if (!found) return null;
  return [...atob(found[1])].reduce((sum, letter) => (sum * 256 + letter.charCodeAt(0)) >>> 0, 0);
}
