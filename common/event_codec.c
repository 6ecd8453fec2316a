/* SPDX-License-Identifier: Apache-2.0
 * Whole recordings between packed events and every other form of them: the plain loops, and the
 * choice of the vector code that runs before them. */
#include "common/event_codec.h"

#include <stdbool.h>

#include "common/event_kernels.h"
#include "common/key.h"

static const struct event_kernels *kernels(void)
{
    static const struct event_kernels *const levels[CPU_LEVELS] = {
#if CPU_X86
        [CPU_AVX2] = &event_kernels_avx2,
        [CPU_AVX512] = &event_kernels_avx512,
#endif
    };
    return levels[cpu_level()];
}

static struct event unpack_at(struct event_span events, size_t i)
{
    return event_unpack(events.bytes + i * EVENT_BYTES);
}

void event_columns(struct event_span events, uint32_t *t_us, uint8_t *x, uint8_t *y, uint8_t *p)
{
    const struct event_kernels *fast = kernels();
    size_t i = fast ? fast->columns(events, t_us, x, y, p) : 0;
    for (; i < events.n_events; i++) {
        struct event event = unpack_at(events, i);
        t_us[i] = event.t_us;
        x[i] = event.x;
        y[i] = event.y;
        p[i] = event.p;
    }
}

void event_structured(struct event_span events, uint8_t *ret)
{
    const struct event_kernels *fast = kernels();
    size_t i = fast ? fast->structured(events, ret) : 0;
    for (uint8_t *at = ret + i * EVENT_STRUCTURED_BYTES; i < events.n_events;
         i++, at += EVENT_STRUCTURED_BYTES) {
        struct event event = unpack_at(events, i);
        at[0] = event.x;
        at[1] = event.y;
        at[2] = (uint8_t)event.t_us;
        at[3] = (uint8_t)(event.t_us >> 8);
        at[4] = (uint8_t)(event.t_us >> 16);
        at[5] = 0;
        at[6] = event.p;
    }
}

void event_keys(struct event_span events, uint32_t seq, uint64_t *ret)
{
    const struct event_kernels *fast = kernels();
    size_t i = fast ? fast->keys(events, seq, ret) : 0;
    for (; i < events.n_events; i++)
        ret[i] = key_unpack(events.bytes + i * EVENT_BYTES, seq + (uint32_t)i);
}

void event_keys_reversed(struct event_span events, uint32_t seq, uint64_t *ret)
{
    size_t n = events.n_events;
    if (n == 0)
        return;
    const struct event_kernels *fast = kernels();
    uint64_t t_last = unpack_at(events, n - 1).t_us * KEY_T_ONE;
    size_t i = fast ? fast->keys_reversed(events, seq, ret) : 0;
    for (; i < n; i++) {
        uint64_t key = key_unpack(events.bytes + (n - 1 - i) * EVENT_BYTES, seq + (uint32_t)i);
        ret[i] = ((t_last - (key & KEY_T)) & KEY_T) | (key & KEY_BELOW_T);
    }
}

void event_pack_keys(const uint64_t *keys, size_t n, uint8_t *ret)
{
    const struct event_kernels *fast = kernels();
    size_t i = fast ? fast->pack(keys, n, ret) : 0;
    for (; i < n; i++)
        key_pack(keys[i], ret + i * EVENT_BYTES);
}

size_t event_pack_distinct_keys(const uint64_t *keys, size_t n, uint8_t *ret)
{
    const struct event_kernels *fast = kernels();
    size_t i = fast ? fast->pack_distinct(keys, n, ret) : 0;
    for (; i < n; i++) {
        const uint64_t *key = keys + i;
        bool equal = ((key[0] ^ key[-1]) & (KEY_T | KEY_PLACE)) == 0;
        bool third = ((key[0] ^ key[-2]) & KEY_T) == 0;
        if (equal | third)
            break;
        key_pack(*key, ret + i * EVENT_BYTES);
    }
    return i;
}
