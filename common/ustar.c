/* SPDX-License-Identifier: Apache-2.0
 * Headers of a tar archive whose bytes depend on nothing but what is in it. */
#include "common/ustar.h"

#include <errno.h>
#include <string.h>

static const char OWNER[] = "root";

enum { MODE = 0444, TYPE_FILE = '0' };

/* A field of `n` bytes at `at`: octal digits, then a zero. */
static void put_octal(uint8_t *at, unsigned n, uint64_t value)
{
    at[n - 1] = '\0';
    for (unsigned i = n - 1; i-- > 0; value /= 8)
        at[i] = (uint8_t)('0' + value % 8);
}

int ustar_header(const char *name, uint64_t size, uint8_t ret[USTAR_BLOCK])
{
    size_t n = strlen(name);
    if (n > USTAR_NAME_MAX)
        return -ENAMETOOLONG;
    if (size > USTAR_SIZE_MAX)
        return -EFBIG;
    memset(ret, 0, USTAR_BLOCK);
    memcpy(ret, name, n);
    put_octal(ret + 100, 8, MODE);
    put_octal(ret + 108, 8, 0); /* user */
    put_octal(ret + 116, 8, 0); /* group */
    put_octal(ret + 124, 12, size);
    put_octal(ret + 136, 12, 0); /* time */
    ret[156] = TYPE_FILE;
    memcpy(ret + 257,
           "ustar\0"
           "00",
           8);
    memcpy(ret + 265, OWNER, sizeof OWNER);
    memcpy(ret + 297, OWNER, sizeof OWNER);
    put_octal(ret + 329, 8, 0); /* device */
    put_octal(ret + 337, 8, 0);

    /* The sum is of the header with blanks for itself. */
    uint32_t sum = 8 * ' ';
    for (unsigned i = 0; i < USTAR_BLOCK; i++)
        sum += ret[i];
    put_octal(ret + 148, 7, sum);
    ret[155] = ' ';
    return 0;
}
