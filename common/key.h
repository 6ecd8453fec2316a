/* SPDX-License-Identifier: Apache-2.0
 * One event as one 64-bit number that orders it among all events of a mix.
 *
 *     bit 63  62 … 40  39 … 17   16  15 … 8  7 … 0
 *          0     time  sequence   p       y      x
 *
 * The sequence number says which of two events at one time comes first, so no two keys are equal
 * and merging needs no care for stability: any network of minima and maxima gives the one right
 * order. Time, y and x begin at whole bytes, so that a byte shuffle turns packed events into keys
 * and back; the top bit is free because AVX2 compares signed numbers only. */
#pragma once

#include <stdint.h>

#include "common/event.h"

enum { KEY_P_SHIFT = 16, KEY_SEQ_SHIFT = 17, KEY_T_SHIFT = 40 };

#define KEY_SEQ_ONE (UINT64_C(1) << KEY_SEQ_SHIFT)
#define KEY_T_ONE   (UINT64_C(1) << KEY_T_SHIFT)
#define KEY_PLACE   (KEY_SEQ_ONE - 1)                           /* p, y and x */
#define KEY_T       (EVENT_T_MAX * KEY_T_ONE)                   /* all bits of the time */
#define KEY_BELOW_T (KEY_T_ONE - 1)                             /* all bits below it */
#define KEY_END     ((uint64_t)INT64_MAX)                       /* behind every key */
#define KEYS_MAX    ((1u << (KEY_T_SHIFT - KEY_SEQ_SHIFT)) - 1) /* events that can be told apart */

static inline uint32_t key_time(uint64_t key)
{
    return (uint32_t)(key >> KEY_T_SHIFT);
}

static inline uint32_t key_place(uint64_t key)
{
    return (uint32_t)(key & KEY_PLACE);
}

static inline uint32_t key_seq(uint64_t key)
{
    return (uint32_t)(key >> KEY_SEQ_SHIFT) & KEYS_MAX;
}

static inline uint64_t key_unpack(const uint8_t bytes[EVENT_BYTES], uint32_t seq)
{
    struct event event = event_unpack(bytes);
    return event.t_us * KEY_T_ONE | seq * KEY_SEQ_ONE | (uint64_t)event.p << KEY_P_SHIFT |
           (uint64_t)event.y << 8 | event.x;
}

static inline void key_pack(uint64_t key, uint8_t bytes[EVENT_BYTES])
{
    event_pack((struct event){.t_us = key_time(key),
                              .x = (uint8_t)key,
                              .y = (uint8_t)(key >> 8),
                              .p = key >> KEY_P_SHIFT & 1},
               bytes);
}
