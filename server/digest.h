/* SPDX-License-Identifier: Apache-2.0
 * The Repr-Digest header: by what a client checks that it has the whole answer, undamaged.
 * Source: RFC 9530; crc32c as registered with IANA for HTTP digests. */
#pragma once

#include "server/samples/reply.h"

/* Of the body, where its CRC-32C is known. */
void digest_set_crc32c(struct reply *reply);

/* Of a whole file, of which the body may be a part; `hex` as sha256_hex() writes it. */
void digest_set_sha256(struct reply *reply, const char *hex);
