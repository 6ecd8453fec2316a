/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/rank: the fastest server is asked first, the same one for the same request. */
#include <setjmp.h>
#include <stdarg.h>
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

/* `depth` requests are always under way; each takes as long as its server's answers do. Returns how
 * many the slow one was sent, of MANY. */
static unsigned run(unsigned depth, const double whole_ms[2])
{
    struct {
        size_t server;
        double until_ms;
    } under_way[16];
    double now_ms = 0;
    unsigned slow = 0, n = 0;
    servers.n = 2;
    for (unsigned k = 0; k < MANY; k++) {
        if (n == depth) {
            unsigned next = 0;
            for (unsigned i = 1; i < n; i++)
                if (under_way[i].until_ms < under_way[next].until_ms)
                    next = i;
            now_ms = under_way[next].until_ms;
            of.now_ms = (uint64_t)now_ms;
            servers.list[under_way[next].server].n_under_way--;
            measure(under_way[next].server, whole_ms[under_way[next].server]);
            under_way[next] = under_way[--n];
        }
        size_t s = choose_for(k);
        of.sent++;
        slow += s == 1;
        servers.list[s].n_under_way++;
        under_way[n].server = s;
        under_way[n++].until_ms = now_ms + whole_ms[s];
    }
    return slow;
}

static void slow_server_gets_no_more_than_it_is_good_for(void **state)
{
    (void)state;
    static const double whole_ms[] = {10, 100};
    for (unsigned depth = 1; depth <= 16; depth *= 2) {
        setup(NULL);
        assert_in_range(run(depth, whole_ms), 1, MANY / 6);
    }
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

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        UNIT(requests_are_shared_and_each_goes_to_the_same_server),
        UNIT(parts_of_a_file_are_shared),
        UNIT(who_has_less_to_do_is_asked_where_all_are_as_fast),
        UNIT(slow_server_gets_no_more_than_it_is_good_for),
        UNIT(server_of_which_nothing_is_known_is_tried_but_once_at_a_time),
        UNIT(servers_of_which_nothing_is_known_are_tried_in_each_clients_own_order),
        UNIT(old_figure_counts_no_more),
        UNIT(old_figure_counts_while_nobody_is_asked),
    };
    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
