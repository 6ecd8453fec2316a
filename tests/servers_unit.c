/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/servers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/servers.h"
#include "tests/scarce.h"

static const tnm_options options = {
    .backoff_ms = 100, .backoff_max_ms = 1000, .retry_after_max_ms = 3000};

static struct servers *one(const char *url)
{
    struct servers *servers = NULL;
    struct error why;
    assert_int_equal(servers_new(&url, 1, &servers, &why), 0);
    assert_int_equal(servers->n, 1);
    assert_string_equal(servers->list[0].name, url);
    return servers;
}

/* ---- Which there are ---- */

static void urls_become_what_paths_are_put_behind(void **state)
{
    (void)state;
    static const struct {
        const char *url, *base;
    } cases[] = {
        {"http://host", "http://host"},
        {"http://host:8642/", "http://host:8642"},
        {"https://host/at/last//", "https://host/at/last"},
        {"http://[::1]:80", "http://[::1]:80"},
        {"http://127.0.0.1", "http://127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct servers *servers = one(cases[i].url);
        assert_string_equal(servers->list[0].base, cases[i].base);
        assert_null(servers->list[0].socket);
        servers_free(servers);
    }
}

static void a_socket_is_a_path_and_any_host(void **state)
{
    (void)state;
    char url[5 + 107 + 1] = "unix:/";
    memset(url + 6, 's', sizeof url - 7);
    struct servers *servers = one(url);
    assert_string_equal(servers->list[0].socket, url + 5);
    assert_string_equal(servers->list[0].base, "http://localhost");
    servers_free(servers);
}

static void urls_that_are_none_are_refused(void **state)
{
    (void)state;
    char longer[5 + 108 + 1] = "unix:/";
    memset(longer + 6, 's', sizeof longer - 7);
    const struct {
        const char *url, *words;
    } cases[] = {
        {NULL, "an empty server URL"},
        {"", "an empty server URL"},
        {"host", "\"host\""},
        {"ftp://host", "http, https or unix"},
        {"file:///etc/passwd", "http, https or unix"},
        {"http://", "no server's URL"},
        {"http://host:99999", "no server's URL"},
        {"http://host/?a=1", "ends with its path"},
        {"http://host/#a", "ends with its path"},
        {"http+srv://", "no server's URL"},
        {"http+srv://name:80", "SRV records name the ports"},
        {"https+srv://name:/at", "SRV records name the ports"},
        {"http+srv://name?a=1", "ends with its path"},
        {"http+srv://me@name", "no user or password"},
        {"ftp+srv://name", "\"ftp+srv://name\""},
        {"unix:", "has to begin with /"},
        {"unix:socket", "has to begin with /"},
        {longer, "107 bytes at most"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const urls[] = {"http://good", cases[i].url};
        struct servers *servers = NULL;
        struct error why = {""};
        assert_int_equal(servers_new(urls, 2, &servers, &why), -EINVAL);
        assert_null(servers);
        if (!strstr(why.text, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].words);
    }
}

static void there_are_one_to_as_many_as_fit(void **state)
{
    (void)state;
    const char *urls[SERVERS_MAX + 1];
    struct servers *servers = NULL;
    struct error why;
    for (int i = 0; i <= SERVERS_MAX; i++)
        urls[i] = "http://host";
    assert_int_equal(servers_new(urls, 0, &servers, &why), -EINVAL);
    assert_int_equal(servers_new(urls, SERVERS_MAX + 1, &servers, &why), -EINVAL);
    assert_int_equal(servers_new(NULL, 1, &servers, &why), -EINVAL);
    assert_null(servers);
    assert_int_equal(servers_new(urls, SERVERS_MAX, &servers, &why), 0);
    assert_int_equal(servers->n, SERVERS_MAX);
    servers_free(servers);
    servers_free(NULL);
}

static int make(void *user, struct error *why)
{
    static const char *const urls[] = {"http://host", "unix:/socket"};
    struct servers *servers = NULL;
    (void)user;
    int r = servers_new(urls, 2, &servers, why);
    assert_true(r == 0 || (!servers && why->text[0]));
    servers_free(servers);
    return r;
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make, NULL), 7);
}

/* ---- Which of them rest ---- */

/* Try `number` of `last_number` that were sent fails. */
static bool fails(struct server *server, uint64_t number, uint64_t last_number, uint64_t now_ms,
                  uint64_t at_least_ms)
{
    return server_failed(server, &options,
                         &(struct server_failure){.number = number,
                                                  .last_number = last_number,
                                                  .now_ms = now_ms,
                                                  .at_least_ms = at_least_ms,
                                                  .error = -EHOSTUNREACH,
                                                  .reason = "down"});
}

static void failures_one_after_the_other_make_longer_rests(void **state)
{
    (void)state;
    static const uint64_t rests[] = {100, 200, 400, 800, 1000, 1000};
    struct server server = {.name = NULL};
    uint64_t now = 5000, number = 1;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++, number++) {
        assert_true(fails(&server, number, number, now, 0));
        assert_int_equal(server.failures, i + 1);
        assert_int_equal(server.rest_until_ms, now + rests[i]);
        now = server.rest_until_ms;
    }
    assert_string_equal(server.reason, "down");
    assert_true(server_answered(&server, number++));
    assert_int_equal(server.failures, 0);
    assert_int_equal(server.rest_until_ms, 0);
    assert_true(fails(&server, number, number, now, 0));
    assert_int_equal(server.rest_until_ms, now + 100);
}

static void tries_that_fail_together_count_once(void **state)
{
    (void)state;
    struct server server = {.name = NULL};
    for (uint64_t number = 1; number <= 5; number++)
        assert_int_equal(fails(&server, number, 5, 1000 + number, 0), number == 1);
    assert_int_equal(server.failures, 1);
    assert_int_equal(server.rest_until_ms, 1101);
}

static void the_rest_that_any_of_them_asked_for_is_kept(void **state)
{
    (void)state;
    struct server server = {.name = NULL};
    fails(&server, 1, 3, 1000, 0);
    assert_false(fails(&server, 2, 3, 1010, 2000));
    assert_int_equal(server.rest_until_ms, 3010);
    assert_false(fails(&server, 3, 3, 1020, 0));
    assert_int_equal(server.rest_until_ms, 3010);
}

static void an_answer_to_what_was_sent_before_lifts_no_rest(void **state)
{
    (void)state;
    struct server server = {.name = NULL};
    fails(&server, 2, 3, 1000, 2000);
    assert_false(server_answered(&server, 1));
    assert_false(server_answered(&server, 3));
    assert_int_equal(server.rest_until_ms, 3000);
    assert_true(server_answered(&server, 4));
    assert_int_equal(server_free_at(&server), 0);
    assert_false(fails(&server, 3, 4, 4000, 0)); /* old news */
    assert_int_equal(server.failures, 0);
}

static void while_one_try_looks_whether_it_works_others_wait(void **state)
{
    (void)state;
    struct server server = {.name = NULL};
    assert_int_equal(server_free_at(&server), 0);
    fails(&server, 1, 1, 1000, 0);
    assert_int_equal(server_free_at(&server), 1100);
    server.is_probed = true;
    assert_true(server_free_at(&server) == UINT64_MAX);
}

static void a_server_may_ask_for_a_longer_rest_but_not_for_any(void **state)
{
    (void)state;
    static const struct {
        uint64_t asked, rest;
    } cases[] = {{0, 100}, {50, 100}, {2000, 2000}, {3000, 3000}, {3001, 3000}, {UINT64_MAX, 3000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server = {.name = NULL};
        fails(&server, 1, 1, 1000, cases[i].asked);
        assert_int_equal(server.rest_until_ms, 1000 + cases[i].rest);
    }
}

static void what_others_usually_take_leaves_out_the_one_in_question(void **state)
{
    (void)state;
    struct servers servers = {.n = 3};
    assert_true(servers_typical_ms(&servers, 0) == 0);
    server_took(&servers.list[0], 1000);
    assert_true(servers_typical_ms(&servers, 0) == 0);
    for (int i = 0; i < 100; i++)
        server_took(&servers.list[1], i ? 20 : 80);
    assert_in_range((unsigned)servers_typical_ms(&servers, 0), 19, 21);
    assert_in_range((unsigned)servers_typical_ms(&servers, 2), 500, 520);
}

static void servers_are_local_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *urls[2];
        bool local;
    } cases[] = {
        {{"http://localhost:8642", "unix:/run/socket"}, true},
        {{"https://LOCALHOST", "http://127.0.0.2:1/"}, true},
        {{"http://[::1]:8642", "http://127.1"}, true},
        {{"http://localhost:8642", "http://one:8642"}, false},
        {{"http://localhost.example", "unix:/run/socket"}, false},
        {{"http://127.example", "unix:/run/socket"}, false},
        {{"http://[::2]:8642", "unix:/run/socket"}, false},
        {{"http://10.0.0.1:127", "unix:/run/socket"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct servers *servers;
        struct error why;
        assert_int_equal(servers_new(cases[i].urls, 2, &servers, &why), 0);
        if (servers_are_local(servers) != cases[i].local)
            fail_msg("%s, %s", cases[i].urls[0], cases[i].urls[1]);
        servers_free(servers);
    }
}

/* ---- Addresses ---- */

typedef char address[SERVER_ADDRESS_MAX];

/* "10.0.0.1 10.0.0.3": those of the first URL's servers that there are, in order of their places.
 */
static const char *addresses_of(const struct servers *servers)
{
    static char text[256];
    text[0] = '\0';
    for (size_t s = 0; s < servers->n; s++)
        if (servers->list[s].url == 0 && !servers->list[s].is_absent) {
            strcat(text, text[0] ? " " : "");
            strcat(text, servers->list[s].address[0] ? servers->list[s].address : "-");
        }
    return text;
}

static void a_name_with_several_addresses_is_several_servers(void **state)
{
    (void)state;
    const address three[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
    struct servers *servers = one("http://service:80/at");
    assert_string_equal(servers->list[0].host, "service");
    assert_string_equal(servers->list[0].label, "http://service:80/at");
    assert_true(servers_set_addresses(servers, 0, three, 3, 0));
    assert_false(servers_set_addresses(servers, 0, three, 3, 0));
    assert_string_equal(addresses_of(servers), "10.0.0.1 10.0.0.2 10.0.0.3");
    assert_int_equal(servers_count(servers), 3);
    for (size_t s = 0; s < 3; s++)
        assert_string_equal(servers->list[s].base, "http://service:80/at");
    assert_string_equal(servers->list[1].label, "http://service:80/at (10.0.0.2)");
    servers_free(servers);
}

static void one_address_is_found_by_the_name(void **state)
{
    (void)state;
    const address two[] = {"10.0.0.1", "10.0.0.2"};
    struct servers *servers = one("http://service");
    assert_false(servers_set_addresses(servers, 0, two, 1, 0));
    assert_string_equal(addresses_of(servers), "-");
    assert_true(servers_set_addresses(servers, 0, two, 2, 0));
    assert_true(servers_set_addresses(servers, 0, two + 1, 1, 0));
    assert_string_equal(addresses_of(servers), "-");
    assert_int_equal(servers_count(servers), 1);
    assert_string_equal(servers->list[0].label, "http://service");
    servers_free(servers);
}

static void what_stays_keeps_its_health_and_what_comes_is_new(void **state)
{
    (void)state;
    const address before[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
    const address after[] = {"10.0.0.3", "10.0.0.4", "10.0.0.5"};
    struct servers *servers = one("http://service");
    servers_set_addresses(servers, 0, before, 3, 0);
    const struct server_failure failure = {.number = 5, .last_number = 9, .reason = "down"};
    for (size_t s = 0; s < 3; s++)
        assert_true(server_failed(&servers->list[s], &options, &failure));
    assert_true(servers_set_addresses(servers, 0, after, 3, 12));
    assert_string_equal(addresses_of(servers), "10.0.0.4 10.0.0.5 10.0.0.3");
    assert_int_equal(servers->list[2].failures, 1);
    for (size_t s = 0; s < 2; s++) {
        assert_int_equal(servers->list[s].failures, 0);
        assert_int_equal(server_free_at(&servers->list[s]), 0);
        const struct server_failure late = {
            .number = 12, .last_number = 13, .reason = "the old one"};
        assert_false(server_failed(&servers->list[s], &options, &late));
    }
    servers_free(servers);
}

static void there_is_an_end_to_addresses(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://one", "http://two"};
    address many[SERVERS_MAX];
    struct servers *servers;
    struct error why;
    for (unsigned i = 0; i < SERVERS_MAX; i++)
        snprintf(many[i], sizeof many[i], "10.0.0.%u", i);
    assert_int_equal(servers_new(urls, 2, &servers, &why), 0);
    assert_true(servers_set_addresses(servers, 0, (const address *)many, SERVERS_MAX, 0));
    assert_int_equal(servers->n, servers->n_most);
    assert_int_equal(servers->n_most, 2 + SERVERS_MORE);
    servers_set_addresses(servers, 1, (const address *)many, SERVERS_MAX, 0);
    assert_int_equal(servers->n, servers->n_most);
    assert_string_not_equal(servers->list[1].address, ""); /* its own place it has always */
    servers_free(servers);
}

/* ---- More of them than places ---- */

enum { N_MANY = 40, N_PLACES = 1 + SERVERS_MORE };

/* From 10.0.0.`first` on, `step` apart, round the circle. */
static void list_many(unsigned first, unsigned step, address *ret)
{
    for (unsigned i = 0; i < N_MANY; i++)
        snprintf(ret[i], sizeof ret[i], "10.0.0.%u", (first + i * step) % N_MANY);
}

/* Bit i: 10.0.0.i is one of them. */
static uint64_t which(const struct servers *servers)
{
    uint64_t bits = 0;
    unsigned i;
    for (size_t s = 0; s < servers->n; s++)
        if (!servers->list[s].is_absent && sscanf(servers->list[s].address, "10.0.0.%u", &i) == 1)
            bits |= UINT64_C(1) << i;
    return bits;
}

static void clients_do_not_all_have_the_same_ones(void **state)
{
    (void)state;
    unsigned n_clients[N_MANY] = {0};
    address many[N_MANY];
    list_many(0, 1, many);
    for (uint32_t seed = 0; seed < 1000; seed++) {
        struct servers *servers = one("http://service");
        servers->seed = seed;
        servers_set_addresses(servers, 0, (const address *)many, N_MANY, 0);
        assert_int_equal(__builtin_popcountll(which(servers)), N_PLACES);
        for (unsigned i = 0; i < N_MANY; i++)
            n_clients[i] += (which(servers) >> i & 1) != 0;
        servers_free(servers);
    }
    for (unsigned i = 0; i < N_MANY; i++) /* 400, +- six times 15 */
        assert_in_range(n_clients[i], 310, 490);
}

static void a_client_keeps_its_own_in_whatever_order(void **state)
{
    (void)state;
    address many[N_MANY];
    struct servers *servers = one("http://service");
    list_many(0, 1, many);
    servers_set_addresses(servers, 0, (const address *)many, N_MANY, 0);
    uint64_t before_that = which(servers);
    list_many(17, 39, many);
    assert_false(servers_set_addresses(servers, 0, (const address *)many, N_MANY, 0));
    assert_true(which(servers) == before_that);

    /* One that it has is gone: one other comes for it. */
    char gone[SERVER_ADDRESS_MAX];
    snprintf(gone, sizeof gone, "%s", servers->list[3].address);
    for (unsigned i = 0; i < N_MANY; i++)
        if (strcmp(many[i], gone) == 0)
            memmove(&many[i], &many[i + 1], (N_MANY - 1 - i) * sizeof many[0]);
    assert_true(servers_set_addresses(servers, 0, (const address *)many, N_MANY - 1, 0));
    assert_int_equal(__builtin_popcountll(which(servers)), N_PLACES);
    assert_int_equal(__builtin_popcountll(which(servers) & before_that), N_PLACES - 1);
    servers_free(servers);
}

static void a_servers_own_place_is_empty_where_its_address_is_gone(void **state)
{
    (void)state;
    const address three[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
    struct servers *servers = one("http://service");
    servers_set_addresses(servers, 0, three, 3, 0);
    assert_true(servers_set_addresses(servers, 0, three + 1, 2, 0));
    assert_string_equal(addresses_of(servers), "10.0.0.2 10.0.0.3");
    assert_int_equal(servers_count(servers), 2);
    assert_true(servers_set_addresses(servers, 0, three, 3, 0));
    assert_string_equal(addresses_of(servers), "10.0.0.1 10.0.0.2 10.0.0.3");
    servers_free(servers);
}

/* ---- SRV records ---- */

static void urls_of_records_say_which(void **state)
{
    (void)state;
    static const struct {
        const char *url, *srv;
    } cases[] = {
        {"http+srv://service.example", "_http._tcp.service.example"},
        {"HTTPS+SRV://service/at", "_HTTPS._tcp.service"},
        {"https+srv://_data._tcp.service.example/", "_data._tcp.service.example"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct servers *servers = one(cases[i].url);
        assert_string_equal(servers->list[0].srv, cases[i].srv);
        assert_string_equal(servers->list[0].label, cases[i].url);
        assert_true(servers->list[0].is_unknown);
        assert_null(servers->list[0].base);
        assert_int_equal(servers->n_most, 1 + SERVERS_MORE);
        assert_false(servers_are_local(servers));
        servers_free(servers);
    }
}

/* "http://a:1 http://b:2": those that there are. */
static const char *bases_of(const struct servers *servers)
{
    static char text[512];
    text[0] = '\0';
    for (size_t s = 0; s < servers->n; s++)
        if (!servers->list[s].is_absent) {
            strcat(text, text[0] ? " " : "");
            strcat(text, servers->list[s].base ? servers->list[s].base : "-");
        }
    return text;
}

static const struct srv_records before = {
    .n = 3, .list = {{1, 81, "a.example"}, {2, 82, "b.example"}, {2, 83, "b.example"}}};

static void each_record_is_a_server(void **state)
{
    (void)state;
    struct servers *servers = one("https+srv://service/at/");
    assert_true(servers_set_records(servers, 0, &before, 0));
    assert_false(servers_set_records(servers, 0, &before, 0));
    assert_string_equal(bases_of(servers),
                        "https://a.example:81/at https://b.example:82/at https://b.example:83/at");
    assert_false(servers->list[0].is_unknown);
    assert_int_equal(servers->list[0].priority, 1);
    assert_int_equal(servers->list[2].priority, 2);
    assert_string_equal(servers->list[2].label, servers->list[2].base);
    servers_free(servers);
}

static void records_come_and_go(void **state)
{
    (void)state;
    static const struct srv_records after = {.n = 2,
                                             .list = {{0, 82, "b.example"}, {5, 84, "c.example"}}};
    static const struct srv_records last = {.n = 1, .list = {{0, 82, "b.example"}}};
    const struct server_failure failure = {.number = 5, .last_number = 9, .reason = "down"};
    struct servers *servers = one("http+srv://service");
    servers_set_records(servers, 0, &before, 0);
    unsigned life = servers->list[0].life;
    for (size_t s = 0; s < 3; s++)
        assert_true(server_failed(&servers->list[s], &options, &failure));
    servers->list[0].is_probed = true; /* the one before */
    assert_true(servers_set_records(servers, 0, &after, 12));
    assert_string_equal(bases_of(servers), "http://c.example:84 http://b.example:82");
    assert_int_equal(servers->list[0].failures, 0);
    assert_int_equal(server_free_at(&servers->list[0]), 0);
    assert_int_equal(servers->list[0].life, life + 1);
    assert_int_equal(servers->list[0].priority, 5);
    assert_int_equal(servers->list[1].failures, 1);
    assert_int_equal(servers->list[1].priority, 0);
    assert_true(servers_set_records(servers, 0, &last, 13));
    assert_string_equal(bases_of(servers), "http://b.example:82");
    assert_int_equal(servers_count(servers), 1);
    servers_free(servers);
}

static void lower_priorities_have_places_first(void **state)
{
    (void)state;
    static struct srv_records many = {.n = N_MANY};
    for (unsigned i = 0; i < N_MANY; i++)
        many.list[i] = (struct srv_record){i < 10 ? 1 : 2, (uint16_t)(1 + i), "a.example"};
    for (uint32_t seed = 0; seed < 50; seed++) {
        struct servers *servers = one("http+srv://service");
        servers->seed = seed;
        assert_true(servers_set_records(servers, 0, &many, 0));
        assert_false(servers_set_records(servers, 0, &many, 0));
        unsigned n_first = 0;
        for (size_t s = 0; s < servers->n; s++)
            n_first += servers->list[s].priority == 1;
        assert_int_equal(n_first, 10);
        assert_int_equal(servers_count(servers), N_PLACES);
        servers_free(servers);
    }
}

static void places_of_records_serve_addresses_too(void **state)
{
    (void)state;
    static const char *const urls[] = {"http+srv://service", "http://name:80"};
    static const struct srv_records less = {.n = 1, .list = {{1, 81, "a.example"}}};
    const address two[] = {"10.0.0.1", "10.0.0.2"};
    struct servers *servers;
    struct error why;
    assert_int_equal(servers_new(urls, 2, &servers, &why), 0);
    servers_set_records(servers, 0, &before, 0);
    servers_set_records(servers, 0, &less, 0);
    assert_true(servers_set_addresses(servers, 1, two, 2, 0));
    assert_string_equal(bases_of(servers), "http://a.example:81 http://name:80 http://name:80");
    assert_string_equal(servers->list[2].label, "http://name:80 (10.0.0.2)");
    assert_int_equal(servers->list[2].priority, 0);
    servers_free(servers);
}

static int set_records(void *user, struct error *why)
{
    static const char *const url = "http+srv://service";
    struct servers *servers;
    (void)user;
    int r = servers_new(&url, 1, &servers, why);
    if (r < 0)
        return r;
    bool is_set = servers_set_records(servers, 0, &before, 0);
    size_t n = servers_count(servers);
    assert_true(is_set == !servers->list[0].is_unknown);
    assert_int_equal(n, is_set ? before.n : 1);
    servers_free(servers);
    return is_set ? 0 : error_set(why, -ENOMEM, "%zu server", n);
}

static void without_memory_servers_stay_as_they_are(void **state)
{
    (void)state;
    /* The servers, the URL, the records' name, and the bases, beside what libcurl looks at. */
    assert_true(scarce_try(set_records, NULL) >= 3 + before.n);
}

static void addresses_and_this_machine_are_no_names(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://127.0.0.1:80", "http://[::1]:80", "http://localhost",
                                       "http://LOCALHOST/at", "unix:/socket"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct servers *servers = one(urls[i]);
        assert_null(servers->list[0].host);
        assert_int_equal(servers->n_most, 1);
        servers_free(servers);
    }
}

static void a_rate_is_of_long_answers(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://one", "http://two"};
    struct servers *servers;
    struct error why;
    assert_int_equal(servers_new(urls, 2, &servers, &why), 0);
    server_sent(&servers->list[0], 1000, 1);
    assert_true(servers_typical_rate(servers, 1) == 0);
    server_sent(&servers->list[0], 1000000, 10);
    assert_true(servers_typical_rate(servers, 1) == 100000);
    assert_true(servers_typical_rate(servers, 0) == 0);
    server_sent(&servers->list[0], 1000000, 0);
    assert_true(servers_typical_rate(servers, 1) > 100000);
    servers_free(servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_local_by_their_names),
        cmocka_unit_test(a_name_with_several_addresses_is_several_servers),
        cmocka_unit_test(one_address_is_found_by_the_name),
        cmocka_unit_test(what_stays_keeps_its_health_and_what_comes_is_new),
        cmocka_unit_test(there_is_an_end_to_addresses),
        cmocka_unit_test(clients_do_not_all_have_the_same_ones),
        cmocka_unit_test(a_client_keeps_its_own_in_whatever_order),
        cmocka_unit_test(addresses_and_this_machine_are_no_names),
        cmocka_unit_test(a_servers_own_place_is_empty_where_its_address_is_gone),
        cmocka_unit_test(urls_of_records_say_which),
        cmocka_unit_test(each_record_is_a_server),
        cmocka_unit_test(records_come_and_go),
        cmocka_unit_test(lower_priorities_have_places_first),
        cmocka_unit_test(places_of_records_serve_addresses_too),
        cmocka_unit_test(without_memory_servers_stay_as_they_are),
        cmocka_unit_test(a_rate_is_of_long_answers),
        cmocka_unit_test(urls_become_what_paths_are_put_behind),
        cmocka_unit_test(a_socket_is_a_path_and_any_host),
        cmocka_unit_test(urls_that_are_none_are_refused),
        cmocka_unit_test(there_are_one_to_as_many_as_fit),
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(failures_one_after_the_other_make_longer_rests),
        cmocka_unit_test(tries_that_fail_together_count_once),
        cmocka_unit_test(the_rest_that_any_of_them_asked_for_is_kept),
        cmocka_unit_test(an_answer_to_what_was_sent_before_lifts_no_rest),
        cmocka_unit_test(while_one_try_looks_whether_it_works_others_wait),
        cmocka_unit_test(a_server_may_ask_for_a_longer_rest_but_not_for_any),
        cmocka_unit_test(what_others_usually_take_leaves_out_the_one_in_question),
    };
    return cmocka_run_group_tests_name("servers", tests, NULL, NULL);
}
