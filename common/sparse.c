/* SPDX-License-Identifier: Apache-2.0
 * Dense frames without their zeros. */
#include "common/sparse.h"

#include <assert.h>
#include <string.h>

#include "common/places.h"
#include "common/tensors.h"

enum { WORD = 64, WORDS_MAX = SPARSE_PLACES_MAX / WORD };

static uint32_t n_places(const struct tensor_shape *shape)
{
    return shape->channels * shape->geometry.height * shape->geometry.width;
}

bool sparse_fits(const struct tensor_shape *shape)
{
    return n_places(shape) <= SPARSE_PLACES_MAX;
}

uint64_t sparse_most(const struct slices *slices)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < slices->n; t++)
        n += slices->at[t].end - slices->at[t].begin;
    return n;
}

/* A frame of any size: a bit for each place. */
struct bitmap {
    uint32_t n_words;
    uint64_t words[WORDS_MAX];          /* 0 between frames */
    uint32_t counts[SPARSE_PLACES_MAX]; /* of places whose bits are set */
};

static void bitmap_add(struct bitmap *set, const uint32_t *places, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (places[i] == PLACE_NOWHERE)
            continue;
        uint64_t bit = UINT64_C(1) << places[i] % WORD, *word = &set->words[places[i] / WORD];
        uint32_t *count = &set->counts[places[i]];
        *count = *word & bit ? *count + 1 : 1;
        *word |= bit;
    }
}

static int16_t *bitmap_take(struct bitmap *set, bool repeats, int16_t *at)
{
    for (uint32_t i = 0; i < set->n_words; i++)
        for (uint64_t *word = &set->words[i]; *word; *word &= *word - 1) {
            uint32_t place = i * WORD + (uint32_t)__builtin_ctzll(*word);
            for (uint32_t n = repeats ? set->counts[place] : 1; n > 0; n--)
                *at++ = (int16_t)place;
        }
    return at;
}

static int16_t *any_run(struct places *places, const struct slice_run *run, bool repeats,
                        struct bitmap *set, int16_t *at)
{
    for (uint32_t i = run->begin, n; i < run->end; i += n) {
        const uint32_t *some = places_at(places, i, run->end, &n);
        bitmap_add(set, some, n);
    }
    return bitmap_take(set, repeats, at);
}

static sparse_write *write_of_level(void)
{
    static sparse_write *const levels[CPU_LEVELS] = {
#if CPU_X86
        [CPU_AVX2] = sparse_write_avx2,
        [CPU_AVX512] = sparse_write_avx512,
#endif
    };
    return levels[cpu_level()];
}

static bool is_short(const struct slice_run *run)
{
    return run->end - run->begin <= SPARSE_RUN_MAX;
}

/* Short runs from run t on, as many as lie in one block. */
static struct sparse_runs short_runs(struct places *places, const struct slices *slices, uint32_t t,
                                     bool repeats)
{
    const struct slice_run *from = &slices->at[t], *at = from, *end = slices->at + slices->n;
    const uint32_t *first = places_run(places, from->begin, from->end);
    while (at < end && is_short(at) && at->begin >= from->begin && at->end <= places->end)
        at++;
    return (struct sparse_runs){.at = from,
                                .n = (uint32_t)(at - from),
                                .places = first,
                                .first = from->begin,
                                .repeats = repeats};
}

uint64_t sparse_fill(const struct tensor_shape *shape, struct event_span events,
                     const struct slices *slices, int16_t *places, int32_t *counts)
{
    assert(sparse_fits(shape));
    const bool repeats = shape->overlap == FRAMES_SUM;
    sparse_write *const write = write_of_level();
    int16_t *at = places, *const end = places + sparse_most(slices);
    struct places found;
    struct bitmap set;
    set.n_words = (n_places(shape) + WORD - 1) / WORD;
    memset(set.words, 0, set.n_words * sizeof *set.words);
    places_open(&found, &shape->geometry, shape->channels, events);
    for (uint32_t t = 0; t < slices->n;) {
        if (write && is_short(&slices->at[t])) {
            struct sparse_runs runs = short_runs(&found, slices, t, repeats);
            at = write(&runs, at, end, counts + t);
            t += runs.n;
        } else {
            int16_t *frame = at;
            at = any_run(&found, &slices->at[t], repeats, &set, at);
            counts[t++] = (int32_t)(at - frame);
        }
    }
    return (uint64_t)(at - places);
}
