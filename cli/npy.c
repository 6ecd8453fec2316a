/* SPDX-License-Identifier: Apache-2.0
 * The header of NumPy's `.npy` files, version 1.0. */
#include "cli/npy.h"

#include <inttypes.h>

enum { PREFIX = 10, ALIGN = 64 }; /* magic, version, length of the text; all of it */

void npy_write_header(FILE *out, const char *descr, uint64_t n_rows, unsigned columns)
{
    char shape[64], text[256];
    if (columns)
        snprintf(shape, sizeof shape, "%" PRIu64 ", %u", n_rows, columns);
    else
        snprintf(shape, sizeof shape, "%" PRIu64 ",", n_rows);
    int used = snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': False, 'shape': (%s), }",
                        descr, shape);
    int length = (PREFIX + used + 1 + ALIGN - 1) / ALIGN * ALIGN - PREFIX;
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    fputc(length & 0xff, out);
    fputc(length >> 8, out);
    fprintf(out, "%-*s\n", length - 1, text);
}
