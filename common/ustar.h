/* SPDX-License-Identifier: Apache-2.0
 * Headers of a tar archive whose bytes depend on nothing but what is in it: no time, no owner of
 * this machine.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". */
#pragma once

#include <stdint.h>

enum {
    USTAR_BLOCK = 512,
    USTAR_END = 2 * USTAR_BLOCK, /* zeros, behind the last member */
    USTAR_NAME_MAX = 100,
};

/* The longest member that a header can tell: eleven octal digits. */
#define USTAR_SIZE_MAX ((UINT64_C(1) << 33) - 1)

/* The header of a file of that name and size, which anyone may read. Errors: -ENAMETOOLONG; -EFBIG.
 */
int ustar_header(const char *name, uint64_t size, uint8_t ret[USTAR_BLOCK]);

/* The zeros behind a member of that size, up to the next block. */
static inline unsigned ustar_padding(uint64_t size)
{
    return (unsigned)(-size % USTAR_BLOCK);
}
