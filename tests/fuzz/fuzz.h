/* SPDX-License-Identifier: Apache-2.0
 * What all fuzz targets share: the function that libFuzzer (or replay.c) calls, taking an input
 * apart, and ending the process where something is not as it must be. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One target is one file that has this; it returns 0, for any bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Stays in builds with NDEBUG. */
#define FUZZ_CHECK(condition)                                                       \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* What is left of an input; what it no longer has reads as 0. */
struct input {
    const uint8_t *at;
    size_t left;
};

uint8_t input_u8(struct input *input);
uint32_t input_u32(struct input *input); /* little-endian */

/* The next `size` bytes, or as many as are left, in a block of exactly their size, so that
 * AddressSanitizer sees who reads beside them; the caller frees it. */
uint8_t *input_bytes(struct input *input, size_t size, size_t *ret_size);

/* The same up to the next line feed, which is passed over, and with a NUL behind it. */
char *input_line(struct input *input);

/* All that is left, with a NUL behind it. */
char *input_text(struct input *input);

/* Memory, or the end. */
void *fuzz_alloc(size_t size);

/* A path under which these bytes can be opened as a regular file, until the next call. */
const char *fuzz_file(const void *bytes, size_t size);
