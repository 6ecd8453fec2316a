/* SPDX-License-Identifier: Apache-2.0
 * Values of dense tensors, and how events are counted in them. */
#include "common/counting.h"

#include "common/places.h"

#define COUNTINGS(name, type)                                                          \
    static void or_##name(const uint32_t *places, size_t n, uint32_t most, void *out)  \
    {                                                                                  \
        (void)most;                                                                    \
        for (size_t i = 0; i < n; i++)                                                 \
            if (places[i] != PLACE_NOWHERE)                                            \
                ((type *)out)[places[i]] = 1;                                          \
    }                                                                                  \
    static void sum_##name(const uint32_t *places, size_t n, uint32_t most, void *out) \
    {                                                                                  \
        for (size_t i = 0; i < n; i++)                                                 \
            if (places[i] != PLACE_NOWHERE) {                                          \
                type *value = (type *)out + places[i];                                 \
                *value = (type)(*value + (type)(*value < (type)most));                 \
            }                                                                          \
    }

COUNTINGS(u8, uint8_t)
COUNTINGS(u16, uint16_t)
COUNTINGS(f32, float)

counting *counting_of(enum frames_overlap overlap, enum frames_values values)
{
    static counting *const all[][3] = {
        [FRAMES_OR] = {[FRAMES_U8] = or_u8, [FRAMES_U16] = or_u16, [FRAMES_F32] = or_f32},
        [FRAMES_SUM] = {[FRAMES_U8] = sum_u8, [FRAMES_U16] = sum_u16, [FRAMES_F32] = sum_f32},
    };
    return all[overlap][values];
}

void counting_bits(const uint32_t *places, size_t n, uint32_t most, void *out)
{
    (void)most;
    for (size_t i = 0; i < n; i++)
        if (places[i] != PLACE_NOWHERE)
            ((uint8_t *)out)[places[i] / 8] |= (uint8_t)(0x80 >> places[i] % 8);
}
