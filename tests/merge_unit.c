/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/merge, at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/key.h"
#include "common/merge.h"
#include "tests/levels.h"

enum { ROUNDS = 1000 };

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Deal ascending keys out to two lists at random, in runs of random length. */
static void check_merge_of(size_t n)
{
    enum { ROOM = RECORDING_MAX + MERGE_SLACK };
    static uint64_t all[ROOM], lists[2][ROOM];
    size_t counts[2] = {0, 0};
    uint32_t to = random_below(2), run = 1 + random_below(40);
    for (size_t i = 0; i < n; i++)
        all[i] = (uint64_t)random_below(EVENT_T_MAX) << KEY_T_SHIFT | i << KEY_SEQ_SHIFT;
    qsort(all, n, sizeof *all, compare_keys);
    for (size_t i = 0; i < n; i++) {
        to ^= random_below(run) == 0;
        lists[to][counts[to]++] = all[i];
    }
    struct buffer out = buffer_new((n + MERGE_SLACK) * sizeof *all);
    merge_keys(lists[0], counts[0], lists[1], counts[1], (uint64_t *)out.bytes);
    assert_memory_equal(out.bytes, all, n * sizeof *all);
    buffer_check_and_free(out);
}

static void check_merges(void)
{
    for (size_t i = 0; i < ROUNDS; i++)
        check_merge_of(i < 100 ? i : random_below(RECORDING_MAX));
}

static void merges_lists_of_any_length(void **state)
{
    (void)state;
    for_each_level(check_merges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_lists_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
