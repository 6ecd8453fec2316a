/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/rank: the fastest server is asked first, the same one for the same request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/rank.h"

enum { N = 3, MANY = 3000 };

static struct servers servers;
static struct rank_of of;

static int setup(void **state)
{
    (void)state;
    memset(&servers, 0, sizeof servers);
    servers.n = servers.n_urls = N;
    for (size_t s = 0; s < N; s++)
        snprintf(servers.list[s].label, sizeof servers.list[s].label, "http://server-%zu:8642", s);
    of = (struct rank_of){.now_ms = 1000000, .seed = 7};
    return 0;
}

/* It was measured just now. */
static void measure(size_t s, double whole_ms)
{
    servers.list[s].typical_whole_ms = whole_ms;
    servers.list[s].measured_ms = of.now_ms;
    servers.list[s].measured_at = of.sent;
}

static size_t choose(const char *path, uint64_t part_begin)
{
    struct rank ranks[N];
    of.key = rank_key(path, part_begin);
    for (size_t s = 0; s < servers.n; s++)
        ranks[s] = rank_server(&servers, s, &of);
    return rank_first(ranks, servers.n);
}

static size_t choose_for(unsigned k)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/splits/train/epochs/1/0/batches/%u.safetensors", k);
    return choose(path, 0);
}

static void requests_are_shared_and_each_goes_to_the_same_server(void **state)
{
    (void)state;
    unsigned counts[N] = {0}, moved = 0;
    size_t before[MANY];
    for (size_t s = 0; s < N; s++)
        measure(s, 10 + 5 * (double)s); /* about as fast */
    for (unsigned k = 0; k < MANY; k++)
        counts[before[k] = choose_for(k)]++;
    for (size_t s = 0; s < N; s++)
        assert_in_range(counts[s], MANY / N * 9 / 10, MANY / N * 11 / 10);

    of.seed = 8; /* of another client, whose list has another order */
    struct server first = servers.list[0];
    servers.list[0] = servers.list[2];
    servers.list[2] = first;
    for (unsigned k = 0; k < MANY; k++)
        assert_int_equal(choose_for(k), 2 - before[k]);

    servers.n = 2; /* the first one is gone: no request of others has moved */
    for (unsigned k = 0; k < MANY; k++) {
        size_t now = choose_for(k);
        if (before[k] == 0)
            moved++;
        else
            assert_int_equal(now, 2 - before[k]);
    }
    assert_int_equal(moved, counts[0]);
}

static void parts_of_a_file_are_shared(void **state)
{
    (void)state;
    unsigned counts[N] = {0};
    for (size_t s = 0; s < N; s++)
        measure(s, 10);
    for (uint64_t part = 0; part < MANY; part++)
        counts[choose("/v1/splits/train.safetensors", part << 20)]++;
    for (size_t s = 0; s < N; s++)
        assert_in_range(counts[s], MANY / N * 9 / 10, MANY / N * 11 / 10);
}

static void who_has_less_to_do_is_asked_where_all_are_as_fast(void **state)
{
    (void)state;
    for (size_t s = 0; s < N; s++)
        measure(s, 10);
    for (unsigned k = 0; k < 8 * N; k++)
        servers.list[choose_for(k)].n_under_way++;
    for (size_t s = 0; s < N; s++)
        assert_in_range(servers.list[s].n_under_way, 6, 10);
}

/* A stream that takes MANY answers in order, `depth` of which are under way or waiting at most; an
 * answer takes as long as its server's do. Returns when the last was there. */
static double stream(unsigned depth, size_t n_servers, const double whole_ms[], unsigned counts[])
{
    struct {
        size_t server;
        double sent_ms, until_ms;
        bool ended;
    } window[16];
    double now_ms = (double)of.now_ms;
    unsigned taken = 0, started = 0;
    servers.n = n_servers;
    while (taken < MANY) {
        for (; started < MANY && started < taken + depth; started++) {
            size_t s = choose_for(started);
            of.sent++;
            counts[s]++;
            servers.list[s].n_under_way++;
            window[started % depth].server = s;
            window[started % depth].sent_ms = now_ms;
            window[started % depth].until_ms = now_ms + whole_ms[s];
            window[started % depth].ended = false;
        }
        unsigned next = started;
        for (unsigned k = taken; k < started; k++)
            if (!window[k % depth].ended &&
                (next == started || window[k % depth].until_ms < window[next % depth].until_ms))
                next = k;
        size_t s = window[next % depth].server;
        now_ms = window[next % depth].until_ms;
        of.now_ms = (uint64_t)now_ms;
        window[next % depth].ended = true;
        servers.list[s].n_under_way--;
        rank_took(&servers.list[s], 1000, (uint64_t)(now_ms - window[next % depth].sent_ms), &of);
        while (taken < started && window[taken % depth].ended)
            taken++;
    }
    return now_ms;
}

static void slow_server_gets_no_more_than_it_is_good_for(void **state)
{
    (void)state;
    static const double whole_ms[] = {10, 100};
    for (unsigned depth = 1; depth <= 16; depth *= 2) {
        unsigned counts[2] = {0}, alone[1] = {0};
        setup(NULL);
        double begun_ms = (double)of.now_ms, with_ms = stream(depth, 2, whole_ms, counts);
        assert_in_range(counts[1], 1, MANY / 6);
        setup(NULL);
        double alone_ms = stream(depth, 1, whole_ms, alone);
        /* it has to be found out that it is slow: once by a try, and by those that it delays */
        if (with_ms - begun_ms > alone_ms - begun_ms + 2 * whole_ms[1])
            fail_msg("depth %u: %.0f ms, %.0f from the fast one alone", depth, with_ms - begun_ms,
                     alone_ms - begun_ms);
    }
}

static void filled_server_is_helped_by_slower_ones(void **state)
{
    (void)state;
    unsigned counts[2] = {0};
    servers.n = 2;
    measure(0, 60); /* 10, before it had so much to do */
    measure(1, 100);
    for (unsigned k = 0; k < 100; k++)
        counts[choose_for(k)]++;
    assert_in_range(counts[1], 1, 99);
}

static void what_was_slow_is_found_to_be_fast_by_one_answer(void **state)
{
    (void)state;
    servers.n = 2;
    rank_took(&servers.list[0], 1000, 10, &of);
    rank_took(&servers.list[1], 1000, 500, &of);
    of.now_ms += 30000;
    of.sent += 32;
    rank_took(&servers.list[0], 1000, 10, &of);
    assert_int_equal(choose_for(0), 1);
    rank_took(&servers.list[1], 1000, 10, &of);
    unsigned counts[2] = {0};
    for (unsigned k = 0; k < 100; k++)
        counts[choose_for(k)]++;
    assert_in_range(counts[1], 30, 70);

    rank_took(&servers.list[1], 1000, 90, &of); /* and once is not always */
    assert_true(servers.list[1].typical_whole_ms == 20);
}

static void server_of_which_nothing_is_known_is_tried_but_once_at_a_time(void **state)
{
    (void)state;
    measure(0, 10);
    measure(1, 10);
    for (unsigned k = 0; k < 20; k++) {
        servers.list[2].n_under_way = 0;
        assert_int_equal(choose_for(k), 2);
        servers.list[2].n_under_way = 1;
        assert_int_not_equal(choose_for(k), 2);
    }
}

static void servers_of_which_nothing_is_known_are_tried_in_each_clients_own_order(void **state)
{
    (void)state;
    unsigned counts[N] = {0};
    for (of.seed = 0; of.seed < MANY; of.seed++)
        counts[choose_for(0)]++;
    for (size_t s = 0; s < N; s++)
        assert_in_range(counts[s], MANY / N * 9 / 10, MANY / N * 11 / 10);
}

static void old_figure_counts_no_more(void **state)
{
    (void)state;
    measure(2, 500);
    of.now_ms += 29999;
    of.sent += 100;
    measure(0, 10);
    measure(1, 10);
    for (unsigned k = 0; k < 20; k++)
        assert_int_not_equal(choose_for(k), 2);
    of.now_ms++;
    measure(0, 10);
    measure(1, 10);
    assert_int_equal(choose_for(0), 2);
    measure(2, 3); /* it has become fast */
    for (unsigned k = 0; k < 20; k++)
        assert_int_equal(choose_for(k), 2);
}

static void old_figure_counts_while_nobody_is_asked(void **state)
{
    (void)state;
    measure(0, 10);
    measure(1, 10);
    measure(2, 500);
    of.now_ms += 3600000;
    of.sent += 31;
    for (unsigned k = 0; k < 20; k++)
        assert_int_not_equal(choose_for(k), 2);
    of.sent++;
    measure(0, 10);
    measure(1, 10);
    assert_int_equal(choose_for(0), 2);
}

static void who_gives_nothing_is_asked_after_others_for_some_time(void **state)
{
    (void)state;
    measure(0, 10);
    measure(1, 500);
    rank_gave_nothing(&servers.list[1], &of); /* to this one */
    assert_true(servers.list[1].typical_whole_ms == 500);
    rank_gave_nothing(&servers.list[2], &of);
    for (unsigned k = 0; k < 20; k++)
        assert_int_equal(choose_for(k), 0);
    of.now_ms += 30000;
    of.sent += 32;
    measure(0, 10);
    measure(1, 500);
    assert_int_equal(choose_for(0), 2);
    rank_gave_nothing(&servers.list[2], &of);
    rank_took(&servers.list[2], 1000, 3, &of);
    for (unsigned k = 0; k < 20; k++)
        assert_int_equal(choose_for(k), 2);
}

static void where_all_give_nothing_any_is_asked(void **state)
{
    (void)state;
    for (size_t s = 0; s < N; s++)
        rank_gave_nothing(&servers.list[s], &of);
    assert_in_range(choose_for(0), 0, N - 1);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        UNIT(requests_are_shared_and_each_goes_to_the_same_server),
        UNIT(parts_of_a_file_are_shared),
        UNIT(who_has_less_to_do_is_asked_where_all_are_as_fast),
        UNIT(slow_server_gets_no_more_than_it_is_good_for),
        UNIT(filled_server_is_helped_by_slower_ones),
        UNIT(what_was_slow_is_found_to_be_fast_by_one_answer),
        UNIT(server_of_which_nothing_is_known_is_tried_but_once_at_a_time),
        UNIT(servers_of_which_nothing_is_known_are_tried_in_each_clients_own_order),
        UNIT(old_figure_counts_no_more),
        UNIT(old_figure_counts_while_nobody_is_asked),
        UNIT(who_gives_nothing_is_asked_after_others_for_some_time),
        UNIT(where_all_give_nothing_any_is_asked),
    };
    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
