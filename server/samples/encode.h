/* SPDX-License-Identifier: Apache-2.0
 * From recipes to the bytes of an answer. Nothing here knows of connections, requests or threads;
 * all memory is sized, limited and claimed before it is filled.
 *
 * An encoder appends to the body of `reply`; what it says about the sample beside the body becomes
 * headers. Where it fails, the reply is to be reset.
 * Errors: reply_alloc(); recipe_make(); cut_events(). */
#pragma once

#include <stddef.h>

#include "common/shard.h"
#include "server/samples/form.h"
#include "server/samples/recipe.h"
#include "server/samples/reply.h"
#include "server/samples/tensor.h"

typedef int encode_sample(const struct entry *entry, const struct form *form,
                          const struct recipe *recipe, struct reply *reply, struct error *why);

typedef int encode_batch(const struct batch *batch, const struct form *form, struct reply *reply,
                         struct error *why);

/* Single samples: the plain bytes, NumPy's file, JSON. */
encode_sample encode_bin, encode_npy, encode_json_sample;

/* A picture, a strip, or an animation. */
encode_sample encode_png;

/* Batches. */
encode_batch encode_safetensors, encode_json_batch;

/* A contact sheet of 1 to PICTURE_SHEET_MAX samples, row by row. */
encode_batch encode_png_sheet;

/* A shard of samples, each of which is a member as the plain bytes, or as NumPy's file. Of HEAD's
 * length, the CRC-32C is known where the samples are as they are stored. No form is sparse. */
enum shard_member { SHARD_BIN, SHARD_NPY };
int encode_shard(const struct batch *batch, const struct form *form, const struct shard_rule *rule,
                 enum shard_member member, struct reply *reply, struct error *why);

/* Pixels of a picture, in all of its frames; and of a sheet of n samples: for limits and costs. */
uint64_t encode_png_pixels(const struct form *form);
uint64_t encode_png_sheet_pixels(const struct form *form, uint64_t n);

/* What encoders share. */

/* The sample's events, from the map or mixed into memory of the reply. */
int encode_events(const struct recipe *recipe, struct reply *reply, struct event_span *ret,
                  struct error *why);

/* The bytes of the reply that encode_events() takes. */
uint64_t encode_events_size(const struct recipe *recipe);

/* Its events, cut into frames. */
int encode_cut(const struct form *form, const struct recipe *recipe, struct reply *reply,
               struct cut *ret, struct error *why);

/* Its tensor in memory of the reply; `bytes` is NULL where only the length is wanted, and nothing
 * is set where that is not known (reply_skips()). */
struct encoded {
    const struct tensor_row *row;
    uint64_t dims[TENSOR_DIMS], size;
    const void *bytes;
};
int encode_tensor(const struct form *form, const struct recipe *recipe, struct reply *reply,
                  struct encoded *ret, struct error *why);

/* Labels, sources and revision of a single sample as headers. */
void encode_about(const struct entry *entry, const struct recipe *recipe, struct reply *reply);

/* The batches of encode_safetensors() that have files of their own; the columns are filled in. */
struct blob;
int encode_tensors(struct blob *blob, struct error *why);
int encode_sparse(struct blob *blob, struct error *why);
