/* SPDX-License-Identifier: Apache-2.0
 * A batch as it arrives: a safetensors file, whose every byte is checked before it is used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/geometry.h"
#include "common/safetensors.h"

/* Borrowed from the bytes. */
struct blob {
    struct geometry geometry;
    uint64_t n_samples, n_events;
    const uint8_t *events;     /* [n_events][EVENT_BYTES] */
    const uint64_t *offsets;   /* [n_samples + 1] */
    const uint8_t *labels;     /* [n_samples][n_labels] */
    const uint64_t *indices;   /* [n_samples] */
    const int32_t *sources;    /* [n_samples][2] */
    const uint64_t *checksums; /* [n_samples], CRC-32C */
    /* Of one that came as places of frames, and has no events; `counts` is NULL of any other: */
    const int16_t *places;   /* [n_places], one frame's behind the other */
    const int32_t *counts;   /* [n_samples][longest] of them in each frame */
    const int32_t *n_frames; /* [n_samples]; NULL: each sample has `longest` */
    uint64_t n_places;
    uint32_t longest;
    uint32_t crc; /* CRC-32C of the whole file */
};

/* What places have to be like. */
struct blob_frames {
    uint32_t n_channels;
    bool counts;    /* a place stands as often as it has events */
    uint32_t fixed; /* frames of each sample; 0: each has its own number */
};

/* What the answer has to be about. */
struct blob_expected {
    const char *revision;    /* 64 hex digits */
    const uint64_t *indices; /* [n_samples] */
    uint64_t n_samples;
    struct geometry geometry;
    const struct blob_frames *frames; /* it has to hold places; NULL: events */
    const struct meta *meta; /* [n_meta] what it has to say of itself; value NULL: nothing */
    size_t n_meta;
};

/* Read the blob at `bytes`, which is 8-aligned, and check it: the shapes, the offsets, the labels,
 * the indices, the revision, what was asked for, each sample against its CRC-32C, and that its
 * events lie inside the sensor, or its places inside their frames, ascending and as many as are
 * counted. ret->crc is left to the caller to compare.
 * Errors: -EBADMSG damaged (why names the sample); -ESTALE another revision; -EPROTO an answer to
 * another request; -ENOMEM. */
int blob_read(const void *bytes, size_t size, const struct blob_expected *expected,
              struct blob *ret, struct error *why);

/* The last of these alone. Errors: -EBADMSG. */
int blob_check_pixels(const struct blob *blob, struct error *why);
