/* SPDX-License-Identifier: Apache-2.0
 * Checks an answer against its Repr-Digest header. */
#include "client/digest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/wire.h"

enum { CODED = 8 }; /* letters of base64 for 4 bytes, with "==" */

static int letter_value(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? (int)(at - letters) : -1;
}

static bool read_crc(const char *header, uint32_t *ret)
{
    const char *coded = strstr(header, WIRE_CRC32C);
    if (!coded)
        return false;
    coded += strlen(WIRE_CRC32C);
    uint64_t bits = 0;
    for (int i = 0; i < CODED - 2; i++) {
        int value = letter_value(coded[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
    }
    if (strncmp(coded + CODED - 2, "==:", 3) != 0)
        return false;
    *ret = (uint32_t)(bits >> 4); /* 36 bits hold the 32 */
    return true;
}

int digest_compare(const struct answer *answer, uint32_t crc, struct error *why)
{
    const char *header = answer->headers[HEADER_DIGEST];
    uint32_t said;
    if (!header[0])
        return error_set(why, -EBADMSG, "the answer has no " WIRE_DIGEST);
    if (!read_crc(header, &said))
        return error_set(why, -EBADMSG, "the answer's " WIRE_DIGEST " \"%.64s\" is no CRC-32C",
                         header);
    if (crc != said)
        return error_set(why, -EBADMSG,
                         "the answer was damaged: its CRC-32C is %08x, the server said %08x", crc,
                         said);
    return 0;
}

int digest_check(const struct answer *answer, struct error *why)
{
    return digest_compare(answer, crc32c(0, answer->body.bytes, answer->body.size), why);
}
