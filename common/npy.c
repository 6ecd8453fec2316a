/* SPDX-License-Identifier: Apache-2.0
 * The header of NumPy's `.npy` files, version 1.0. */
#include "common/npy.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 10, ALIGN = 64 }; /* magic, version, length of the text */

const char npy_event_descr[] = "[('x', '|u1'), ('y', '|u1'), ('t', '<u4'), ('p', '|u1')]";

size_t npy_header(char ret[NPY_HEADER_MAX], const char *descr, const uint64_t *dims,
                  unsigned n_dims)
{
    char *text = ret + PREFIX;
    size_t room = NPY_HEADER_MAX - PREFIX, used;
    used = (size_t)snprintf(text, room, "{'descr': %s, 'fortran_order': False, 'shape': (", descr);
    for (unsigned i = 0; i < n_dims; i++)
        used += (size_t)snprintf(text + used, room - used, "%" PRIu64 "%s", dims[i],
                                 i + 1 < n_dims ? ", "
                                 : n_dims == 1  ? ","
                                                : "");
    used += (size_t)snprintf(text + used, room - used, "), }");

    size_t size = (PREFIX + used + 1 + ALIGN - 1) / ALIGN * ALIGN;
    assert(size <= NPY_HEADER_MAX);
    memset(text + used, ' ', size - PREFIX - used - 1);
    ret[size - 1] = '\n';
    size_t length = size - PREFIX;
    memcpy(ret, "\x93NUMPY\x01\x00", 8);
    ret[8] = (char)(length & 0xff);
    ret[9] = (char)(length >> 8);
    return size;
}

void npy_events(const uint8_t *events, size_t n_events, uint8_t *out)
{
    event_structured((struct event_span){events, n_events}, out);
}
