/* SPDX-License-Identifier: Apache-2.0
 * A batch in the making, as a safetensors blob: the columns that are the same in all forms, the
 * samples made one behind the other, and what is written in the end. */
#pragma once

#include "common/safetensors.h"
#include "server/samples/cut.h"
#include "server/samples/recipe.h"
#include "server/samples/reply.h"

enum { BLOB_HEADER_MAX = 4096 };

struct blob {
    const struct batch *batch;
    const struct form *form;
    struct reply *reply;
    char *header; /* BLOB_HEADER_MAX, then the columns one behind the other */
    uint64_t *offsets, *indices;
    int64_t *checksums;
    int32_t *sources, *n_frames;
    uint8_t *labels;
    bool has_n_frames;
    bool all_stored;
    uint64_t all_events, most_events; /* of all samples, of one: at most */
    /* where samples are made */
    uint8_t *room, *ordered;
    bool keeps; /* all of them, `made`; else one at a time */
    struct event_span *made;
};

/* Take the columns, and fill in what is known before anything is made; offsets and checksums of
 * stored samples too. Errors: reply_alloc(); batch_recipe(). */
int blob_open(struct blob *blob, struct error *why);

/* Take memory for the samples, of one or of all. Errors: reply_alloc(). */
uint64_t blob_room_size(const struct blob *blob);
int blob_take_room(struct blob *blob, struct error *why);

/* Sample i: its events, from the map or made at `out`, the next one's being fetched meanwhile; the
 * same in the room, cut. Errors: recipe_make(); cut_events(). */
int blob_make(const struct blob *blob, size_t i, uint8_t *out, struct event_span *ret,
              struct error *why);
int blob_cut(struct blob *blob, size_t i, struct cut *ret, struct error *why);

/* Put before an error of sample i which one it is. */
int blob_failed(const struct blob *blob, size_t i, int r, struct error *why);

/* Write it: header, columns, and `main`, whose bytes `add` appends, among them by the size of its
 * values; before it `counts`, which lie at `numbers`, unless it is NULL. */
typedef int blob_adder(struct blob *blob, const void *user, struct error *why);
int blob_write(struct blob *blob, const struct tensor *main, const struct tensor *counts,
               const int32_t *numbers, blob_adder *add, const void *user, struct error *why);
