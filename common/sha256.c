/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 as lower-case hexadecimal text: split revisions and sources. The one door to nettle. */
#include "common/sha256.h"

#include <errno.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>

struct sha256 {
    struct sha256_ctx context;
};

int sha256_new(struct sha256 **ret)
{
    struct sha256 *hash = malloc(sizeof *hash);
    if (!hash)
        return -ENOMEM;
    sha256_init(&hash->context);
    *ret = hash;
    return 0;
}

void sha256_free(struct sha256 *hash)
{
    free(hash);
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t size)
{
    sha256_update(&hash->context, size, bytes);
}

static void hex(const uint8_t digest[SHA256_BYTES], char ret[SHA256_HEX + 1])
{
    base16_encode_update(ret, SHA256_BYTES, digest);
    ret[SHA256_HEX] = '\0';
}

void sha256_hex(struct sha256 *hash, char ret[SHA256_HEX + 1])
{
    uint8_t digest[SHA256_BYTES];
    sha256_digest(&hash->context, sizeof digest, digest);
    hex(digest, ret);
}

void sha256_hex_of(const void *bytes, size_t size, char ret[SHA256_HEX + 1])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_BYTES];
    sha256_init(&context);
    sha256_update(&context, size, bytes);
    sha256_digest(&context, sizeof digest, digest);
    hex(digest, ret);
}
