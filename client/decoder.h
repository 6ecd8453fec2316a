/* SPDX-License-Identifier: Apache-2.0
 * What packed events become. decoder.c: columns and structured items, and what all decoders have in
 * common; decoder_frames.c: frames by a rule. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/batch.h"
#include "client/items.h"
#include "client/rule.h"
#include "client/twonmnist.h"
#include "common/error.h"
#include "common/tensors.h"

/* A batch about to be decoded: what is found out before there is memory for the result. */
struct decode {
    size_t size;       /* of the result, at most */
    uint32_t longest;  /* frames of the sample that has most */
    int32_t *n_frames; /* [n_samples]; NULL: it does not become frames */
    struct blob blob;  /* the batch's; or with the events that filters keep, in order of time: */
    uint8_t *events;
    uint64_t *offsets;
};

struct tnm_decoder {
    size_t event_size; /* bytes for each event */
    bool is_frames;
    int (*run)(const tnm_decoder *decoder, const struct decode *what, void *out, struct error *why);
    struct items_layout layout;

    /* Of frames: */
    struct rule rule;
    struct tensor_shape shape;
    bool is_sparse;
    bool is_by_time; /* each event finds its frame by itself (common/frames.h) */
    int axes;        /* enum tnm_axes */
    int dtype;       /* enum tnm_dtype */
    uint32_t most;   /* where counts stop */
    uint32_t fixed;  /* frames of each sample; 0: each has its own number */
};

int decoder_new(const tnm_decoder *made, tnm_decoder **ret);

/* Find out; the caller ends it with decode_clear(). The batch outlives it. Errors: -EINVAL;
 * -ENOMEM. */
int decode_begin(const tnm_decoder *decoder, const tnm_batch *batch, struct decode *ret,
                 struct error *why);
int decode_run(const tnm_decoder *decoder, const struct decode *decoding, void *out,
               struct error *why);
void decode_clear(struct decode *decoding);

/* Whether the size is known before decode_begin(). */
bool decoder_knows_size(const tnm_decoder *decoder);

/* decoder_frames.c: bytes of a sample of so many frames; 0 of other decoders. */
size_t decoder_sample_size(const tnm_decoder *decoder, uint32_t n_frames);

/* The part of decode_begin() that is of frames. */
int decoder_measure_frames(const tnm_decoder *decoder, const tnm_batch *batch, struct decode *ret,
                           struct error *why);

/* The rule by which servers may send places instead of the events of samples that have so many on
 * average; NULL where they cannot, or where that is no less to send and not `always`. */
const struct rule *decoder_wire_rule(const tnm_decoder *decoder, uint64_t events_per_sample,
                                     bool always);
