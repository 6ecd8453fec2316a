/* SPDX-License-Identifier: Apache-2.0
 * For tests of what makes frames: a value of a tensor, of whichever type it has. */
#pragma once

#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/frames.h"

/* Value i, which is a whole number also as a float. */
static inline uint32_t frame_value(enum frames_values values, const uint8_t *tensor, size_t i)
{
    uint16_t u16;
    float f32;
    switch (values) {
    case FRAMES_U8:
        return tensor[i];
    case FRAMES_U16:
        memcpy(&u16, tensor + i * sizeof u16, sizeof u16);
        return u16;
    default:
        memcpy(&f32, tensor + i * sizeof f32, sizeof f32);
        assert_true(f32 == (float)(uint32_t)f32);
        return (uint32_t)f32;
    }
}
