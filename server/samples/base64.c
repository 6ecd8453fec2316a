/* SPDX-License-Identifier: Apache-2.0
 * Base64 for the digests in headers (RFC 4648). */
#include "server/samples/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64(const void *bytes, size_t size, char *ret)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)at[i] << 16;
        group |= i + 1 < size ? (uint32_t)at[i + 1] << 8 : 0;
        group |= i + 2 < size ? at[i + 2] : 0;
        *ret++ = digits[group >> 18];
        *ret++ = digits[group >> 12 & 63];
        *ret++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
        *ret++ = i + 2 < size ? digits[group & 63] : '=';
    }
    *ret = '\0';
}
