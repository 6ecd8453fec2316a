/* SPDX-License-Identifier: Apache-2.0
 * Pictures as PNG files, animated where they have several frames (APNG: who does not know it shows
 * the first). The one door to libpng.
 *
 * Pixels are 8-bit RGB, not filtered, compressed with fixed settings: the bytes are those of the
 * libraries at hand. */
#pragma once

#include <stdint.h>

#include "server/samples/reply.h"

struct image {
    uint32_t width;           /* pixels */
    uint32_t n_rows, repeats; /* each row is drawn once and stands there `repeats` times */
    uint32_t n_frames;        /* 1: it does not move */
    uint16_t frame_ms;        /* how long one is shown */

    /* Draw row `row` of a frame into rgb [width][3]. */
    void (*draw)(const void *user, uint32_t frame, uint32_t row, uint8_t *rgb);
    const void *user;
};

/* What is claimed for making it, beside the file itself. */
uint64_t image_room(const struct image *image);

/* Append the file to the reply. Errors: -E2BIG, -EAGAIN, -ENOMEM. */
int image_add(const struct image *image, struct reply *reply, struct error *why);

/* The libraries that the bytes are of, "1.6.39-1.2.13": by one of another age they may differ. */
enum { IMAGE_MAKERS_SIZE = 32 };
typedef void image_maker(char ret[IMAGE_MAKERS_SIZE]);
image_maker image_makers;
