/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C (Castagnoli), the checksum of a sample's event bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The CRC-32C of `size` bytes that follow bytes whose CRC-32C is `crc` (0 at the start).
 * Any thread. Source: RFC 3720, appendix B.4; polynomial 0x1EDC6F41. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/* The CRC-32C of A and B one behind the other, from theirs and the length of B: the bytes are not
 * read again. Any thread. */
uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t size_b);

/* The same without special instructions: what the fast paths are tested against. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t size);
uint32_t crc32c_combine_portable(uint32_t a, uint32_t b, uint64_t size_b);
