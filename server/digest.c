/* SPDX-License-Identifier: Apache-2.0
 * The Repr-Digest header. */
#include "server/digest.h"

#include <endian.h>
#include <string.h>

#include "common/wire.h"
#include "server/samples/base64.h"

void digest_set_whole(struct reply *reply, uint32_t crc)
{
    uint32_t big_endian = htobe32(crc);
    char value[sizeof WIRE_CRC32C + BASE64_SIZE(sizeof big_endian)] = WIRE_CRC32C;
    base64(&big_endian, sizeof big_endian, value + sizeof WIRE_CRC32C - 1);
    strcat(value, ":");
    reply_add_header(reply, WIRE_DIGEST, value);
}

void digest_set_crc32c(struct reply *reply)
{
    if (!reply->unknown_crc && !reply->unknown_length && reply->n_bytes > 0)
        digest_set_whole(reply, reply->crc);
}
