/* SPDX-License-Identifier: Apache-2.0
 * The Repr-Digest header: by what a client checks that it has the whole answer, undamaged.
 * Source: RFC 9530; crc32c as registered with IANA for HTTP digests. */
#pragma once

#include "server/samples/reply.h"

/* Of the body, where its CRC-32C is known. */
void digest_set_crc32c(struct reply *reply);

/* Of what the body is a part of (206): its CRC-32C is `crc`. */
void digest_set_whole(struct reply *reply, uint32_t crc);
