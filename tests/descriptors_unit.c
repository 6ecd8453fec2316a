/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/descriptors: how many connections fit under a limit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "server/descriptors.h"

static const struct descriptors two_loops = {
    .n_loops = 2, .n_listeners = 1, .n_splits = 4, .max_connections = 4096};

static uint64_t fit(const struct descriptors *needed, uint64_t limit)
{
    uint64_t connections = 0;
    struct error why;
    return descriptors_fit(needed, limit, &connections, &why) < 0 ? 0 : connections;
}

static void descriptors_leave_what_is_wanted_where_there_are_enough(void **state)
{
    (void)state;
    assert_int_equal(fit(&two_loops, 65536), 4096);
    assert_int_equal(fit(&two_loops, UINT64_MAX), 4096);
}

static void descriptors_clamp_the_connections_by_what_else_takes_some(void **state)
{
    (void)state;
    uint64_t one = fit(&two_loops, 1024);
    assert_in_range(one, 800, 1020);
    assert_int_equal(fit(&two_loops, 1025), one + 1);
    struct descriptors more = two_loops;
    more.n_listeners = 3;
    assert_int_equal(fit(&more, 1024), one - 4);
    more.n_splits += 10;
    assert_int_equal(fit(&more, 1024), one - 24);
    more.n_loops++;
    assert_in_range(fit(&more, 1024), one - 40, one - 28);
}

static void descriptors_fit_at_the_edge_and_not_below(void **state)
{
    (void)state;
    uint64_t limit = 0;
    while (fit(&two_loops, limit) == 0 && limit < 1000)
        limit++;
    assert_in_range(limit, 20, 100);
    struct error why = {""};
    uint64_t unchanged = 7;
    assert_int_equal(descriptors_fit(&two_loops, limit - 1, &unchanged, &why), -EMFILE);
    assert_int_equal(unchanged, 7);
    assert_non_null(strstr(why.text, "RLIMIT_NOFILE"));
}

static void descriptors_raise_the_limit_to_the_hard_one(void **state)
{
    (void)state;
    struct rlimit before, now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(descriptors_raise_limit(), before.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_cur, before.rlim_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_leave_what_is_wanted_where_there_are_enough),
        cmocka_unit_test(descriptors_clamp_the_connections_by_what_else_takes_some),
        cmocka_unit_test(descriptors_fit_at_the_edge_and_not_below),
        cmocka_unit_test(descriptors_raise_the_limit_to_the_hard_one),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
