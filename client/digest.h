/* SPDX-License-Identifier: Apache-2.0
 * Checks an answer against its Repr-Digest header. */
#pragma once

#include <stdint.h>

#include "client/transfer.h"
#include "common/error.h"

/* Check `crc32c=:<base64, big-endian>:`. Errors: -EBADMSG another, or none. Source: RFC 9530. */
int digest_check(const struct answer *answer, struct error *why);

/* The same of a body whose CRC-32C was found to be `crc`. */
int digest_compare(const struct answer *answer, uint32_t crc, struct error *why);
