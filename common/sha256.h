/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 as lower-case hexadecimal text: split revisions and sources. The one door to nettle. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 2 * SHA256_BYTES };

struct sha256;

/* A running hash; the caller owns *ret and must sha256_free() it. Errors: -ENOMEM. */
int sha256_new(struct sha256 **ret);
void sha256_free(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);

/* The digest of all that was added, as hexadecimal text; the hash starts anew. */
void sha256_hex(struct sha256 *hash, char ret[SHA256_HEX + 1]);

/* The digest of one buffer. */
void sha256_hex_of(const void *bytes, size_t size, char ret[SHA256_HEX + 1]);
