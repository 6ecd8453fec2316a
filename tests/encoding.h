/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/samples/encode_*: one thing to encode, and what holds for every encoder. */
#pragma once

#include "server/samples/encode.h"
#include "tests/small_catalog.h"

/* A sample of a split, a mix, or a batch. */
struct encoding {
    encode_sample *sample; /* NULL: a batch */
    encode_batch *batch;
    const struct form *form;
    const struct entry *entry;
    uint64_t i;            /* the sample */
    const uint64_t *mixed; /* instead of a sample: two recordings */
    struct batch batched;
};

/* Encode it into the reply. Errors: those of the recipe and of the encoder. */
int encoding_run(const struct encoding *encoding, struct reply *reply, struct error *why);

/* The answer to a GET of it, which succeeds, and says the CRC-32C of its body. */
struct reply encoding_answer(const struct encoding *encoding);

/* Fails unless a HEAD of it tells what a GET does: the length and the digest where they are known
 * without making the body, the headers, the limit; and claims no more. */
void encoding_check_head(const struct encoding *encoding);

/* Fails unless it is refused by its reason with one byte less of limit or of budget than it takes,
 * and all of the budget comes back. */
void encoding_check_limits(const struct encoding *encoding);

/* Orders, timesteps and frames of all kinds. */
enum { ENCODING_N_FORMS = 9 };
extern const struct form encoding_forms[ENCODING_N_FORMS];

/* Filters, slices and shapes of all kinds, that suit every sample but an empty one. */
enum { ENCODING_N_CUTS = 19 };
extern const struct form encoding_cuts[ENCODING_N_CUTS];

/* The events of row i of the split in this form, by common/mixer. */
struct made {
    uint8_t bytes[SMALL_MOST_EVENTS * EVENT_BYTES];
    struct event_span events;
};
void encoding_make(const struct entry *entry, const struct form *form, size_t i, struct made *ret);

/* Their frames, by common/frames, from malloc(). */
uint8_t *encoding_frames(const struct form *form, const struct made *made);
