/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from the places that are set in them. */
#include "client/places.h"

/* `set` makes of *value what it is when its place stands there once more. */
#define FILLER(name, type, set)                                                       \
    static void name(const struct places *from, const struct places_strides *strides, \
                     uint32_t most, void *out)                                        \
    {                                                                                 \
        const int16_t *place = from->places;                                          \
        const int32_t *count = from->counts;                                          \
        const size_t stride = strides->place;                                         \
        (void)most;                                                                   \
        for (uint64_t i = 0; i < from->n_samples; i++)                                \
            for (uint32_t t = 0; t < from->n_frames; t++) {                           \
                type *frame = (type *)out + i * strides->sample + t * strides->frame; \
                for (const int16_t *end = place + *count++; place < end; place++) {   \
                    type *value = frame + (size_t)*place * stride;                    \
                    *value = (set);                                                   \
                }                                                                     \
            }                                                                         \
    }

FILLER(set_u8, uint8_t, 1)
FILLER(set_u16, uint16_t, 1)
FILLER(set_f32, float, 1)
FILLER(count_u8, uint8_t, (uint8_t)(*value + (*value < most)))
FILLER(count_u16, uint16_t, (uint16_t)(*value + (*value < most)))
FILLER(count_f32, float, *value + (*value < (float)most ? 1.0F : 0.0F))

typedef void filler(const struct places *from, const struct places_strides *strides, uint32_t most,
                    void *out);

static filler *const setters[] = {
    [FRAMES_U8] = set_u8, [FRAMES_F32] = set_f32, [FRAMES_U16] = set_u16};
static filler *const counters[] = {
    [FRAMES_U8] = count_u8, [FRAMES_F32] = count_f32, [FRAMES_U16] = count_u16};

void places_set(const struct places *from, const struct places_strides *strides,
                enum frames_values values, void *out)
{
    setters[values](from, strides, 1, out);
}

void places_count(const struct places *from, const struct places_strides *strides,
                  enum frames_values values, uint32_t most, void *out)
{
    counters[values](from, strides, most, out);
}
