/* SPDX-License-Identifier: Apache-2.0
 * Sorts up to 64 places: the body of sparse_avx2.c and sparse_avx512.c, each of which defines LEVEL
 * (its instructions), SPARSE_WRITE_LEVEL (the name to give), and before
 *
 *     vector, LANES                 a register of so many places
 *     struct lanes, lanes_make()    what the others need in registers; made once, not for each run
 *     load(places, n)               the first n of them; other lanes are 0xffff, as is nowhere
 *     lesser(), greater()           of each lane
 *     flip(v, width)                lanes in reverse, within groups of `width`
 *     swap(v, distance)             each lane with the one `distance` from it
 *     order(lanes, v, w, distance)  the lesser where the lane's number lacks the bit `distance`,
 *                                   the greater where it has it
 *     store(v, before, repeats, at, end)
 *                                   all but nowhere and, without `repeats`, what equals the lane
 *                                   before it (`before` has those of the register before)
 *
 * Source: K. E. Batcher, Sorting Networks and Their Applications, 1968. */

#define LEVEL_INLINE LEVEL __attribute__((always_inline)) static inline

/* What rises and then falls, in groups of twice the distance, rises. */
LEVEL_INLINE vector merge_within(const struct lanes *lanes, vector v, int distance)
{
#pragma GCC unroll 5
    for (; distance > 0; distance /= 2)
        v = order(lanes, v, swap(v, distance), distance);
    return v;
}

LEVEL_INLINE vector sort_one(const struct lanes *lanes, vector v)
{
#pragma GCC unroll 5
    for (int width = 2; width <= LANES; width *= 2)
        v = merge_within(lanes, order(lanes, v, flip(v, width), width / 2), width / 4);
    return v;
}

/* The lesser half and the greater half of two registers, each of them in order. */
LEVEL_INLINE void part(const struct lanes *lanes, vector *low, vector *high)
{
    vector lower = lesser(*low, *high), upper = greater(*low, *high);
    *low = merge_within(lanes, lower, LANES / 2);
    *high = merge_within(lanes, upper, LANES / 2);
}

/* Two that rise become one that does. */
LEVEL_INLINE void merge_two(const struct lanes *lanes, vector v[2])
{
    v[1] = flip(v[1], LANES);
    part(lanes, &v[0], &v[1]);
}

/* Two of two registers. */
LEVEL_INLINE void merge_four(const struct lanes *lanes, vector v[4])
{
    vector back3 = flip(v[3], LANES), back2 = flip(v[2], LANES);
    v[2] = greater(v[0], back3);
    v[3] = greater(v[1], back2);
    v[0] = lesser(v[0], back3);
    v[1] = lesser(v[1], back2);
    part(lanes, &v[0], &v[1]);
    part(lanes, &v[2], &v[3]);
}

LEVEL_INLINE int16_t *write_run(const struct lanes *lanes, const uint32_t *places, uint32_t n,
                                bool repeats, int16_t *at, const int16_t *end)
{
    const vector nothing = load(places, 0);
    vector v[4];
    v[0] = sort_one(lanes, load(places, n));
    if (n <= LANES)
        return store(v[0], nothing, repeats, at, end);
    v[1] = sort_one(lanes, load(places + LANES, n - LANES));
    merge_two(lanes, v);
    if (n > 2 * LANES) {
        v[2] = sort_one(lanes, load(places + 2 * LANES, n - 2 * LANES));
        v[3] = sort_one(lanes, load(places + 3 * LANES, n > 3 * LANES ? n - 3 * LANES : 0));
        merge_two(lanes, v + 2);
        merge_four(lanes, v);
    }
    at = store(v[0], nothing, repeats, at, end);
    at = store(v[1], v[0], repeats, at, end);
    if (n > 2 * LANES) {
        at = store(v[2], v[1], repeats, at, end);
        at = store(v[3], v[2], repeats, at, end);
    }
    return at;
}

LEVEL int16_t *SPARSE_WRITE_LEVEL(const struct sparse_runs *runs, int16_t *at, const int16_t *end,
                                  int32_t *counts)
{
    const struct lanes lanes = lanes_make();
    const bool repeats = runs->repeats;
    for (uint32_t i = 0; i < runs->n; i++) {
        const struct slice_run *run = &runs->at[i];
        int16_t *begin = at;
        at = write_run(&lanes, runs->places + (run->begin - runs->first), run->end - run->begin,
                       repeats, at, end);
        counts[i] = (int32_t)(at - begin);
    }
    return at;
}
