/* SPDX-License-Identifier: Apache-2.0
 * Superimposes recordings of different digits: the samples of 2NMNIST.
 *
 * The parts are unpacked into lists of keys (common/key.h), numbered in the order in which events
 * of one time shall follow each other; the lists are merged, rid of repeats, and packed. */
#include "common/mixer.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/distinct.h"
#include "common/event_codec.h"
#include "common/key.h"
#include "common/merge.h"
#include "common/timestep.h"

static_assert((int)MIX_TIMESTEP_MAX_US <= (int)TIMESTEP_MAX_US, "timesteps that can be divided by");

enum { FRONT = 8 }; /* keys before the first list, for what looks back */

struct list {
    size_t begin, n; /* keys of a buffer */
};

struct mixer {
    uint64_t *buffers[2]; /* the lists are in [0]; merging moves them to the other */
    size_t capacity;      /* of each, in keys */
    struct list lists[MIX_MAX_DIGITS];
    unsigned n_lists;
    struct distinct distinct;
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
    free(mixer->buffers[0]);
    free(mixer->buffers[1]);
    free(mixer);
}

/* Begin anew, with room for n events in MIX_MAX_DIGITS lists. */
static int reserve(struct mixer *mixer, size_t n_events, struct error *why)
{
    mixer->n_lists = 0;
    if (n_events > KEYS_MAX)
        return error_set(why, -EFBIG, "a mix of %zu events: the limit is %u", n_events, KEYS_MAX);
    size_t need = FRONT + n_events + MIX_MAX_DIGITS * MERGE_SLACK;
    if (need <= mixer->capacity)
        return 0;
    mixer->capacity = 0;
    for (int i = 0; i < 2; i++) {
        free(mixer->buffers[i]);
        mixer->buffers[i] = calloc(need, sizeof *mixer->buffers[i]);
        if (!mixer->buffers[i])
            return error_set(why, -ENOMEM, "no memory to mix %zu events", n_events);
    }
    mixer->capacity = need;
    return 0;
}

/* The place for the next list, of n keys. */
static uint64_t *add_list(struct mixer *mixer, size_t n)
{
    struct list list = {.begin = FRONT, .n = n};
    if (mixer->n_lists > 0) {
        const struct list *last = &mixer->lists[mixer->n_lists - 1];
        list.begin = last->begin + last->n + MERGE_SLACK;
    }
    mixer->lists[mixer->n_lists++] = list;
    return mixer->buffers[0] + list.begin;
}

static uint64_t *list_keys(struct mixer *mixer, unsigned i)
{
    return mixer->buffers[0] + mixer->lists[i].begin;
}

static void add_part(struct mixer *mixer, struct event_span part, bool reversed, size_t seq)
{
    (reversed ? event_keys_reversed : event_keys)(part, (uint32_t)seq,
                                                  add_list(mixer, part.n_events));
}

/* Merge neighbours until one list is left: each key moves log2 k times. */
static void merge_lists(struct mixer *mixer)
{
    while (mixer->n_lists > 1) {
        uint64_t *from = mixer->buffers[0], *to = mixer->buffers[1];
        unsigned n_merged = 0;
        for (unsigned i = 0; i < mixer->n_lists; i += 2) {
            struct list a = mixer->lists[i], b = {0};
            if (i + 1 < mixer->n_lists) {
                b = mixer->lists[i + 1];
                merge_keys(from + a.begin, a.n, from + b.begin, b.n, to + a.begin);
            } else {
                memcpy(to + a.begin, from + a.begin, a.n * sizeof *to);
            }
            mixer->lists[n_merged++] = (struct list){.begin = a.begin, .n = a.n + b.n};
        }
        mixer->n_lists = n_merged;
        mixer->buffers[0] = to;
        mixer->buffers[1] = from;
    }
}

static bool rounds_past_limit(uint64_t key, struct timestep step)
{
    return (uint64_t)timestep_round(step, key_time(key)) * step.us > EVENT_T_MAX;
}

static int round_list(struct mixer *mixer, unsigned list, uint32_t timestep_us, struct error *why)
{
    struct timestep step = timestep_of(timestep_us);
    uint64_t *keys = list_keys(mixer, list);
    size_t n = mixer->lists[list].n, i = 0;
    if (n == 0 || !rounds_past_limit(keys[n - 1], step)) {
        timestep_round_keys(step, keys, n);
        return 0;
    }
    while (!rounds_past_limit(keys[i], step))
        i++;
    return error_set(why, -ERANGE,
                     "event %zu: time %u us rounded to %u us is past the limit of %d us", i,
                     key_time(keys[i]), timestep_us, EVENT_T_MAX);
}

/* The lists, numbered as they come, merged and packed in order of time. */
static int pack_by_time(struct mixer *mixer, uint32_t timestep_us, uint8_t *out,
                        size_t *ret_n_events, struct error *why)
{
    merge_lists(mixer);
    uint64_t *keys = list_keys(mixer, 0);
    size_t n = mixer->lists[0].n;
    if (timestep_us == 0) {
        *ret_n_events = distinct_pack(&mixer->distinct, keys, n, out);
        return 0;
    }
    int r = round_list(mixer, 0, timestep_us, why);
    if (r < 0)
        return r;
    n = distinct_keys(&mixer->distinct, keys, n);
    event_pack_keys(keys, n, out);
    *ret_n_events = n;
    return 0;
}

/* Bring the keys numbered below n_second to the front, the others to `rest`, without a branch.
 * Returns how many are in front. */
static size_t part_keys(uint64_t *keys, size_t n, size_t n_second, uint64_t *rest)
{
    size_t n_front = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = keys[i];
        size_t in_front = key_seq(key) < n_second;
        keys[n_front] = key;
        rest[i - n_front] = key;
        n_front += in_front;
    }
    return n_front;
}

/* Two lists, the second digit's and the first's, numbered in this order, rounded and packed in the
 * published order. They are merged only to find what has become equal: there, too, the second
 * digit's event counts as the earlier one. */
static int pack_published(struct mixer *mixer, uint32_t timestep_us, uint8_t *out,
                          size_t *ret_n_events, struct error *why)
{
    size_t n_second = mixer->lists[0].n;
    int r = round_list(mixer, 0, timestep_us, why);
    if (r == 0)
        r = round_list(mixer, 1, timestep_us, why);
    if (r < 0)
        return r;
    merge_lists(mixer);
    uint64_t *keys = list_keys(mixer, 0);
    size_t n = distinct_keys(&mixer->distinct, keys, mixer->lists[0].n);
    uint64_t *rest = mixer->buffers[1];
    n_second = part_keys(keys, n, n_second, rest);
    event_pack_keys(keys, n_second, out);
    event_pack_keys(rest, n - n_second, out + n_second * EVENT_BYTES);
    *ret_n_events = n;
    return 0;
}

/* Where the first digit's events begin in a sample of published order: where time goes back, or n.
 * Then *ret_has_ties says whether events come at one time. */
static size_t find_first_digit(const uint64_t *keys, size_t n, bool *ret_has_ties)
{
    size_t i = n > 0;
    bool has_ties = false;
    for (; i < n && keys[i] > keys[i - 1]; i++)
        has_ties |= key_time(keys[i]) == key_time(keys[i - 1]);
    *ret_has_ties = has_ties;
    return i;
}

/* Add n keys numbered from `seq` on as a list numbered from `seq_new` on. */
static void add_renumbered(struct mixer *mixer, const uint64_t *keys, size_t n, size_t seq,
                           size_t seq_new)
{
    uint64_t change = (seq_new - seq) * KEY_SEQ_ONE, *list = add_list(mixer, n);
    for (size_t i = 0; i < n; i++)
        list[i] = keys[i] + change;
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

static void copy_events(struct event_span events, uint8_t *out)
{
    if (events.n_events)
        memcpy(out, events.bytes, events.n_events * EVENT_BYTES);
}

static int mix_by_time(struct mixer *mixer, const struct event_span *parts, unsigned k,
                       uint32_t timestep_us, uint8_t *out, size_t *ret_n_events, struct error *why)
{
    size_t seq = 0;
    for (unsigned i = 0; i < k; seq += parts[i++].n_events)
        add_part(mixer, parts[i], i % 2 == 1, seq);
    return pack_by_time(mixer, timestep_us, out, ret_n_events, why);
}

static int mix_published(struct mixer *mixer, struct event_span first, struct event_span second,
                         uint32_t timestep_us, uint8_t *out, size_t *ret_n_events,
                         struct error *why)
{
    add_part(mixer, second, true, 0);
    if (timestep_us) {
        add_part(mixer, first, false, second.n_events);
        return pack_published(mixer, timestep_us, out, ret_n_events, why);
    }
    event_pack_keys(list_keys(mixer, 0), second.n_events, out);
    copy_events(first, out + second.n_events * EVENT_BYTES);
    *ret_n_events = first.n_events + second.n_events;
    return 0;
}

int mixer_mix(struct mixer *mixer, const struct event_span *parts, unsigned k,
              const struct mix_rule *rule, uint8_t *out, size_t *ret_n_events, struct error *why)
{
    int r = check_rule(rule, k, why);
    if (r < 0)
        return r;
    if (k == 1 && rule->timestep_us == 0) {
        copy_events(parts[0], out);
        *ret_n_events = parts[0].n_events;
        return 0;
    }

    size_t n = 0;
    for (unsigned i = 0; i < k; i++)
        n += parts[i].n_events;
    r = reserve(mixer, n, why);
    if (r < 0)
        return r;
    if (rule->order == MIX_PUBLISHED)
        return mix_published(mixer, parts[0], k == 2 ? parts[1] : (struct event_span){0},
                             rule->timestep_us, out, ret_n_events, why);
    return mix_by_time(mixer, parts, k, rule->timestep_us, out, ret_n_events, why);
}

int mixer_mix_again(struct mixer *mixer, struct event_span sample, size_t n_second,
                    const struct mix_rule *rule, uint8_t *out, size_t *ret_n_events,
                    struct error *why)
{
    int r = check_rule(rule, 2, why);
    if (r < 0)
        return r;
    if (rule->order == MIX_PUBLISHED && rule->timestep_us == 0) {
        copy_events(sample, out);
        *ret_n_events = sample.n_events;
        return 0;
    }

    r = reserve(mixer, sample.n_events, why);
    if (r < 0)
        return r;
    uint64_t *keys = mixer->buffers[1] + FRONT;
    event_keys(sample, 0, keys);
    bool has_ties;
    size_t begin = find_first_digit(keys, sample.n_events, &has_ties);
    if (begin < sample.n_events || n_second > sample.n_events) {
        if (begin == sample.n_events && has_ties && rule->order == MIX_TIME)
            return error_set(why, -ENODATA,
                             "nothing in this sample in published order says where the first digit "
                             "begins, and events at one time depend on it");
        n_second = begin;
    }
    size_t n_first = sample.n_events - n_second;
    if (rule->order == MIX_PUBLISHED) {
        add_renumbered(mixer, keys, n_second, 0, 0);
        add_renumbered(mixer, keys + n_second, n_first, n_second, n_second);
        return pack_published(mixer, rule->timestep_us, out, ret_n_events, why);
    }
    add_renumbered(mixer, keys + n_second, n_first, n_second, 0);
    add_renumbered(mixer, keys, n_second, 0, n_first);
    return pack_by_time(mixer, rule->timestep_us, out, ret_n_events, why);
}
