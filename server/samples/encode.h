/* SPDX-License-Identifier: Apache-2.0
 * From recipes to the bytes of an answer. Nothing here knows of connections, requests or threads;
 * all memory is sized, limited and claimed before it is filled.
 *
 * An encoder appends to the body of `reply`; what it says about the sample beside the body becomes
 * headers. Where it fails, the reply is to be reset.
 * Errors: reply_alloc(); recipe_make(). */
#pragma once

#include <stddef.h>

#include "server/samples/form.h"
#include "server/samples/recipe.h"
#include "server/samples/reply.h"

typedef int encode_sample(const struct entry *entry, const struct form *form,
                          const struct recipe *recipe, struct reply *reply, struct error *why);

typedef int encode_batch(const struct batch *batch, const struct form *form, struct reply *reply,
                         struct error *why);

/* Single samples, as events or frames: the plain bytes, NumPy's file, JSON. */
encode_sample encode_bin, encode_npy, encode_json_sample;

/* Batches, as events or frames. */
encode_batch encode_safetensors, encode_json_batch;

/* What encoders share. */

/* The sample's events, from the map or mixed into memory of the reply. */
int encode_events(const struct recipe *recipe, struct reply *reply, struct event_span *ret,
                  struct error *why);

/* The bytes of the reply that encode_events() takes. */
uint64_t encode_events_size(const struct recipe *recipe);

/* Its frames in memory of the reply, frames_size() bytes; NULL where only the length is wanted. */
int encode_frames(const struct form *form, const struct recipe *recipe, struct reply *reply,
                  const uint8_t **ret, struct error *why);

/* Labels, sources and revision of a single sample as headers. */
void encode_about(const struct entry *entry, const struct recipe *recipe, struct reply *reply);
