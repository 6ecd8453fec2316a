/* SPDX-License-Identifier: Apache-2.0
 * Superimposes recordings of different digits: the samples of 2NMNIST.
 *
 * Events travel as 64-bit keys, time in the upper bits, so that one comparison orders them. */
#include "common/mixer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_T_SHIFT = 17,             /* below the time: polarity, y, x */
    SEEN_BITS = 1 << KEY_T_SHIFT, /* one for each polarity, y and x that 17 bits can hold */
    SEEN_WORDS = SEEN_BITS / 64,
};

static const uint64_t KEY_FIRST_DIGIT = 1ull << 63; /* set aside for the published order */

struct mixer {
    uint64_t *keys[3]; /* what is merged so far, what comes next, the result */
    size_t capacity;   /* of each */
    uint64_t seen[SEEN_WORDS];
};

int mixer_new(struct mixer **ret)
{
    struct mixer *mixer = calloc(1, sizeof *mixer);
    if (!mixer)
        return -ENOMEM;
    *ret = mixer;
    return 0;
}

void mixer_free(struct mixer *mixer)
{
    if (!mixer)
        return;
    for (int i = 0; i < 3; i++)
        free(mixer->keys[i]);
    free(mixer);
}

static int reserve(struct mixer *mixer, size_t n_events, struct error *why)
{
    if (n_events <= mixer->capacity)
        return 0;
    for (int i = 0; i < 3; i++) {
        uint64_t *keys = reallocarray(mixer->keys[i], n_events, sizeof *keys);
        if (!keys) {
            mixer->capacity = 0;
            return error_set(why, -ENOMEM, "no memory to mix %zu events", n_events);
        }
        mixer->keys[i] = keys;
    }
    mixer->capacity = n_events;
    return 0;
}

static uint64_t key_of(struct event event)
{
    return (uint64_t)event.t_us << KEY_T_SHIFT | (uint64_t)event.p << 16 | (uint64_t)event.y << 8 |
           event.x;
}

static uint32_t key_time(uint64_t key)
{
    return (uint32_t)((key & ~KEY_FIRST_DIGIT) >> KEY_T_SHIFT);
}

static void unpack_forward(struct event_span events, uint64_t *keys)
{
    for (size_t i = 0; i < events.n_events; i++)
        keys[i] = key_of(event_unpack(events.bytes + i * EVENT_BYTES));
}

static void unpack_reversed(struct event_span events, uint64_t *keys)
{
    size_t n = events.n_events;
    if (n == 0)
        return;
    uint32_t t_max = event_unpack(events.bytes + (n - 1) * EVENT_BYTES).t_us;
    for (size_t i = 0; i < n; i++) {
        struct event event = event_unpack(events.bytes + (n - 1 - i) * EVENT_BYTES);
        event.t_us = (t_max - event.t_us) & EVENT_T_MAX;
        keys[i] = key_of(event);
    }
}

/* Stable: at equal times a's events come first. */
static void merge(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, uint64_t *out)
{
    const uint64_t *a_end = a + n_a, *b_end = b + n_b;
    while (a < a_end && b < b_end) {
        bool take_b = key_time(*b) < key_time(*a);
        *out++ = take_b ? *b : *a;
        b += take_b;
        a += !take_b;
    }
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

static int round_times(uint64_t *keys, size_t n, uint32_t timestep_us, struct error *why)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t t_us = key_time(keys[i]);
        uint32_t step = t_us / timestep_us, rest = t_us % timestep_us;
        step += 2 * rest > timestep_us || (2 * rest == timestep_us && step % 2 == 1);
        uint64_t rounded_us = (uint64_t)step * timestep_us;
        if (rounded_us > EVENT_T_MAX)
            return error_set(why, -ERANGE,
                             "event %zu: time %u us rounded to %u us is past the limit of %d us", i,
                             t_us, timestep_us, EVENT_T_MAX);
        keys[i] = (keys[i] & (SEEN_BITS - 1)) | rounded_us << KEY_T_SHIFT;
    }
    return 0;
}

/* Keep the first of equal events within [begin, end), which have one time. */
static size_t drop_repeated_at_one_time(struct mixer *mixer, const uint64_t *begin,
                                        const uint64_t *end, uint64_t *out)
{
    size_t n_kept = 0;
    for (const uint64_t *key = begin; key < end; key++) {
        uint64_t place = *key & (SEEN_BITS - 1), bit = 1ull << (place % 64);
        if (!(mixer->seen[place / 64] & bit))
            out[n_kept++] = *key;
        mixer->seen[place / 64] |= bit;
    }
    for (size_t i = 0; i < n_kept; i++)
        mixer->seen[(out[i] & (SEEN_BITS - 1)) / 64] = 0;
    return n_kept;
}

static size_t drop_repeated(struct mixer *mixer, uint64_t *keys, size_t n)
{
    size_t n_kept = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && key_time(keys[end]) == key_time(keys[begin]);)
            end++;
        if (end - begin == 1)
            keys[n_kept++] = keys[begin];
        else
            n_kept += drop_repeated_at_one_time(mixer, keys + begin, keys + end, keys + n_kept);
    }
    return n_kept;
}

static uint8_t *pack_where(const uint64_t *keys, size_t n, uint64_t mask, uint64_t value,
                           uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if ((keys[i] & mask) != value)
            continue;
        event_pack((struct event){.t_us = key_time(keys[i]),
                                  .x = (uint8_t)keys[i],
                                  .y = (uint8_t)(keys[i] >> 8),
                                  .p = keys[i] >> 16 & 1},
                   out);
        out += EVENT_BYTES;
    }
    return out;
}

static void swap(uint64_t **a, uint64_t **b)
{
    uint64_t *old = *a;
    *a = *b;
    *b = old;
}

/* Merge all parts into keys[0]. */
static int merge_by_time(struct mixer *mixer, const struct event_span *parts, unsigned k,
                         uint32_t timestep_us, size_t *ret_n, struct error *why)
{
    uint64_t **keys = mixer->keys;
    size_t n = 0;
    for (unsigned i = 0; i < k; i++) {
        (i % 2 ? unpack_reversed : unpack_forward)(parts[i], keys[1]);
        merge(keys[0], n, keys[1], parts[i].n_events, keys[2]);
        swap(&keys[0], &keys[2]);
        n += parts[i].n_events;
    }
    *ret_n = n;
    return timestep_us ? round_times(keys[0], n, timestep_us, why) : 0;
}

/* Merge the second digit in keys[0] and, marked, the first in keys[1] into keys[0]: packing the
 * unmarked ones before the marked ones then gives the published order, whatever was dropped. */
static int merge_marked(struct mixer *mixer, size_t n_second, size_t n_first, uint32_t timestep_us,
                        struct error *why)
{
    uint64_t **keys = mixer->keys;
    int r = timestep_us ? round_times(keys[0], n_second, timestep_us, why) : 0;
    if (r == 0 && timestep_us)
        r = round_times(keys[1], n_first, timestep_us, why);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n_first; i++)
        keys[1][i] |= KEY_FIRST_DIGIT;
    merge(keys[0], n_second, keys[1], n_first, keys[2]);
    swap(&keys[0], &keys[2]);
    return 0;
}

static int merge_published(struct mixer *mixer, const struct event_span *parts, unsigned k,
                           uint32_t timestep_us, size_t *ret_n, struct error *why)
{
    size_t n_first = parts[0].n_events, n_second = k == 2 ? parts[1].n_events : 0;
    unpack_forward(parts[0], mixer->keys[1]);
    if (k == 2)
        unpack_reversed(parts[1], mixer->keys[0]);
    *ret_n = n_first + n_second;
    return merge_marked(mixer, n_second, n_first, timestep_us, why);
}

/* Where the first digit's events begin in a sample of published order: where time goes back. */
static size_t find_first_digit(const uint64_t *keys, size_t n)
{
    size_t i = n > 0;
    while (i < n && key_time(keys[i]) >= key_time(keys[i - 1]))
        i++;
    return i;
}

/* Take a sample of published order apart and merge it again, by time or marked, into keys[0]. */
static int merge_again(struct mixer *mixer, struct event_span sample, const struct mix_rule *rule,
                       struct error *why)
{
    uint64_t **keys = mixer->keys;
    size_t n = sample.n_events;
    unpack_forward(sample, keys[0]);
    size_t n_second = find_first_digit(keys[0], n), n_first = n - n_second;
    memcpy(keys[1], keys[0] + n_second, n_first * sizeof *keys[1]);
    if (rule->order == MIX_PUBLISHED)
        return merge_marked(mixer, n_second, n_first, rule->timestep_us, why);
    merge(keys[1], n_first, keys[0], n_second, keys[2]);
    swap(&keys[0], &keys[2]);
    return rule->timestep_us ? round_times(keys[0], n, rule->timestep_us, why) : 0;
}

static int check_rule(const struct mix_rule *rule, unsigned k, struct error *why)
{
    if (k < 1 || k > MIX_MAX_DIGITS)
        return error_set(why, -EINVAL, "a mix of %u recordings: 1 to %d are possible", k,
                         MIX_MAX_DIGITS);
    if (rule->order == MIX_PUBLISHED && k > 2)
        return error_set(why, -EINVAL, "the published order is defined for two digits, not %u", k);
    if (rule->timestep_us > MIX_TIMESTEP_MAX_US)
        return error_set(why, -EINVAL, "a timestep of %u us: the limit is %d us", rule->timestep_us,
                         MIX_TIMESTEP_MAX_US);
    return 0;
}

/* Pack the n merged events by the rule's order. Returns how many are left. */
static size_t pack_by_rule(struct mixer *mixer, size_t n, const struct mix_rule *rule, uint8_t *out)
{
    uint64_t *keys = mixer->keys[0];
    if (rule->order == MIX_TIME || rule->timestep_us)
        n = drop_repeated(mixer, keys, n);
    uint8_t *end = pack_where(keys, n, KEY_FIRST_DIGIT, 0, out);
    if (rule->order == MIX_PUBLISHED)
        end = pack_where(keys, n, KEY_FIRST_DIGIT, KEY_FIRST_DIGIT, end);
    return (size_t)(end - out) / EVENT_BYTES;
}

int mixer_mix(struct mixer *mixer, const struct event_span *parts, unsigned k,
              const struct mix_rule *rule, uint8_t *out, size_t *ret_n_events, struct error *why)
{
    int r = check_rule(rule, k, why);
    if (r < 0)
        return r;
    if (k == 1 && rule->timestep_us == 0) {
        memcpy(out, parts[0].bytes, parts[0].n_events * EVENT_BYTES);
        *ret_n_events = parts[0].n_events;
        return 0;
    }

    size_t n = 0;
    for (unsigned i = 0; i < k; i++)
        n += parts[i].n_events;
    r = reserve(mixer, n, why);
    if (r == 0)
        r = (rule->order == MIX_PUBLISHED ? merge_published : merge_by_time)(
            mixer, parts, k, rule->timestep_us, &n, why);
    if (r == 0)
        *ret_n_events = pack_by_rule(mixer, n, rule, out);
    return r;
}

int mixer_mix_again(struct mixer *mixer, struct event_span sample, const struct mix_rule *rule,
                    uint8_t *out, size_t *ret_n_events, struct error *why)
{
    int r = check_rule(rule, 2, why);
    if (r == 0)
        r = reserve(mixer, sample.n_events, why);
    if (r == 0)
        r = merge_again(mixer, sample, rule, why);
    if (r == 0)
        *ret_n_events = pack_by_rule(mixer, sample.n_events, rule, out);
    return r;
}
