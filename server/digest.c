/* SPDX-License-Identifier: Apache-2.0
 * The Repr-Digest header. */
#include "server/digest.h"

#include <endian.h>
#include <stdlib.h>

#include "common/sha256.h"
#include "common/wire.h"
#include "server/samples/base64.h"

void digest_set_crc32c(struct reply *reply)
{
    if (reply->unknown_crc || reply->unknown_length || reply->n_bytes == 0)
        return;
    uint32_t big_endian = htobe32(reply->crc);
    char encoded[BASE64_SIZE(sizeof big_endian)];
    base64(&big_endian, sizeof big_endian, encoded);
    reply_set_header(reply, WIRE_DIGEST, WIRE_CRC32C "%s:", encoded);
}

void digest_set_sha256(struct reply *reply, const char *hex)
{
    uint8_t digest[SHA256_BYTES];
    char encoded[BASE64_SIZE(SHA256_BYTES)];
    for (unsigned i = 0; i < SHA256_BYTES; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1]};
        digest[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    base64(digest, sizeof digest, encoded);
    reply_set_header(reply, WIRE_DIGEST, "sha-256=:%s:", encoded);
}
