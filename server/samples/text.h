/* SPDX-License-Identifier: Apache-2.0
 * A piece of text of bounded length, for answers whose arrays of numbers are too long for a JSON
 * library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/samples/reply.h"

struct text {
    char *at; /* not terminated */
    size_t used, size;
    bool overflown; /* it did not fit: everything after is ignored */
};

/* Room for `size` bytes, in memory of the reply. Errors: reply_alloc(). */
int text_open(struct text *text, struct reply *reply, uint64_t size, struct error *why);

/* The same in memory of the caller; text_end() says whether all fitted. */
void text_in(struct text *text, char *memory, size_t size);
int text_end(const struct text *text, struct error *why); /* Errors: -EOVERFLOW */

void text_add(struct text *text, const char *piece);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_u64(struct text *text, uint64_t value);
void text_hex32(struct text *text, uint32_t value); /* eight digits */

/* Where `size` more bytes may be written, or NULL where they do not fit; text_took() says how far
 * they were. */
char *text_room(struct text *text, uint64_t size);
void text_took(struct text *text, const char *end);

/* "[3,8]": the digits of a multi-hot row, or those numbers. */
void text_digits(struct text *text, const uint8_t *labels);
void text_numbers(struct text *text, const int32_t *numbers, unsigned n);

/* Append the text to the body of `reply`. Errors: -EOVERFLOW it did not fit; reply_borrow(). */
int text_close(struct text *text, struct reply *reply, struct error *why);
