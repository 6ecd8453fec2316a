/* SPDX-License-Identifier: Apache-2.0
 * From recipes to the bytes of an answer. Nothing here knows of connections or threads; all memory
 * is sized, limited and claimed from the budget before it is filled. */
#pragma once

#include <stddef.h>

#include "common/frames.h"
#include "server/request.h"
#include "server/samples/recipe.h"
#include "server/samples/reply.h"

/* More pieces than a vectored answer may have are copied into one. */
enum { ENCODE_MAX_PARTS = 256 };

struct frames_rule encode_frames_rule(const struct request *request);

/* Claim `size` bytes for this answer, or make `reply` the problem and say no. */
bool encode_claim(const struct request *request, struct reply *reply, uint64_t size);

/* The same, and memory that the reply owns from then on; NULL after a problem. */
void *encode_alloc(const struct request *request, struct reply *reply, uint64_t size);

/* One sample in the request's format (bin, npy, json), as events or frames. */
void encode_sample(const struct request *request, struct reply *reply, const struct recipe *recipe);

/* A batch in the request's format (safetensors, json), as events or frames. */
void encode_batch(const struct request *request, struct reply *reply, const struct recipe *recipes,
                  size_t n);

/* The shares of encode_sample() and encode_batch() that are written in JSON. */
void encode_json_sample(const struct request *request, struct reply *reply,
                        const struct recipe *recipe);
void encode_json_batch(const struct request *request, struct reply *reply,
                       const struct recipe *recipes, size_t n);

/* Whether all of a batch's events can be answered from the map, without work. */
bool encode_is_ready(const struct request *request, const struct recipe *recipes, size_t n);
