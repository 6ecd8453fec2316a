/* SPDX-License-Identifier: Apache-2.0
 * Base64 for the digests in headers (RFC 4648). */
#pragma once

#include <stddef.h>

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

void base64(const void *bytes, size_t size, char *ret /* [BASE64_SIZE(size)] */);
