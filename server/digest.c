/* SPDX-License-Identifier: Apache-2.0
 * The Repr-Digest header. */
#include "server/digest.h"

#include <endian.h>

#include "common/wire.h"
#include "server/samples/base64.h"

void digest_set_whole(struct reply *reply, uint32_t crc)
{
    uint32_t big_endian = htobe32(crc);
    char encoded[BASE64_SIZE(sizeof big_endian)];
    base64(&big_endian, sizeof big_endian, encoded);
    reply_set_header(reply, WIRE_DIGEST, WIRE_CRC32C "%s:", encoded);
}

void digest_set_crc32c(struct reply *reply)
{
    if (!reply->unknown_crc && !reply->unknown_length && reply->n_bytes > 0)
        digest_set_whole(reply, reply->crc);
}
