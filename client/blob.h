/* SPDX-License-Identifier: Apache-2.0
 * A batch as it arrives: a safetensors file, whose every byte is checked before it is used. */
#pragma once

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
    uint32_t crc;              /* CRC-32C of the whole file */
};

/* What the answer has to be about. */
struct blob_expected {
    const char *revision;    /* 64 hex digits */
    const uint64_t *indices; /* [n_samples] */
    uint64_t n_samples;
    struct geometry geometry;
    const struct meta *meta; /* [n_meta] what it has to say of itself; value NULL: nothing */
    size_t n_meta;
};

/* Read the blob at `bytes`, which is 8-aligned, and check it: the shapes, the offsets, the labels,
 * the indices, the revision, what was asked for, each sample against its CRC-32C, and that its
 * events lie inside the sensor. ret->crc is left to the caller to compare.
 * Errors: -EBADMSG damaged (why names the sample); -ESTALE another revision; -EPROTO an answer to
 * another request; -ENOMEM. */
int blob_read(const void *bytes, size_t size, const struct blob_expected *expected,
              struct blob *ret, struct error *why);

/* The last of these alone. Errors: -EBADMSG. */
int blob_check_pixels(const struct blob *blob, struct error *why);
