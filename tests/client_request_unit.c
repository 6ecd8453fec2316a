/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/request, over transfers that are answered by a script. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/request.h"
#include "tests/fake_transfers.h"
#include "tests/scarce.h"

/* ---- One request ---- */

struct asking {
    struct requests *requests;
    struct request *request;
    struct servers *servers;
    struct loop *loop;
    tnm_options *options;
    unsigned checks;
    uint64_t patience_ms;
    struct request_tried *tried;
    int check_rs[SCRIPT_STEPS]; /* what the check says, one after the other, the last one for ever
                                 */
    unsigned renewed_at; /* which check finds that the server asked first has two new addresses; 0:
                            none */
    size_t first_asked;
    int start_r, r;
    sem_t done;
    char server[32], why[sizeof((struct error *)0)->text];
};

static struct asking asking;

static void renew(struct asking *one)
{
    static const char addresses[2][SERVER_ADDRESS_MAX] = {"127.0.0.2", "127.0.0.3"};
    assert_true(servers_set_addresses(one->servers, one->first_asked, addresses, 2, 0));
}

static int check(void *user, struct answer *answer, struct error *why)
{
    struct asking *one = user;
    unsigned at = one->checks < SCRIPT_STEPS ? one->checks : SCRIPT_STEPS - 1;
    if (one->checks++ == 0)
        one->first_asked = (size_t)(answer->server[strlen("http://")] - 'a');
    if (one->checks == one->renewed_at)
        renew(one);
    return one->check_rs[at] < 0 ? error_set(why, one->check_rs[at], "the check says no") : 0;
}

static void done(void *user, int r, const char *server, const struct error *why)
{
    struct asking *one = user;
    one->r = r;
    snprintf(one->server, sizeof one->server, "%s", server ? server : "none");
    snprintf(one->why, sizeof one->why, "%s", why->text);
    sem_post(&one->done);
}

static void make(void *user)
{
    struct asking *one = user;
    if (requests_new(one->loop, one->options, one->servers, &one->requests) < 0)
        abort();
}

static void start(void *user)
{
    struct asking *one = user;
    char path[] = "/path", what[] = "a thing"; /* copied */
    const struct request_ask ask = {.what = what,
                                    .path = path,
                                    .type = "application/json",
                                    .patience_ms = one->patience_ms,
                                    .tried = one->tried,
                                    .check = check,
                                    .done = done,
                                    .user = one};
    one->start_r = request_start(one->requests, &ask, &one->request);
    memset(path, 'x', sizeof path - 1);
    memset(what, 'x', sizeof what - 1);
}

static void cancel(void *user)
{
    struct asking *one = user;
    request_cancel(one->request);
    request_cancel(NULL);
}

static void unmake(void *user)
{
    struct asking *one = user;
    requests_free(one->requests);
    requests_free(NULL);
}

static void prepare(size_t n_servers)
{
    static const char *const urls[SCRIPT_SERVERS] = {"http://a", "http://b", "http://c", "http://d",
                                                     "http://e"};
    struct error why;
    memset(&script, 0, sizeof script);
    memset(&asking, 0, sizeof asking);
    sem_init(&asking.done, 0, 0);
    assert_int_equal(tnm_options_new(&asking.options), 0);
    asking.options->backoff_ms = asking.options->backoff_max_ms = 1;
    asking.options->retries = 2;
    asking.options->proxy = strdup("http://proxy"); /* a and b are not looked up */
    asking.patience_ms = 60000;
    assert_int_equal(servers_new(urls, n_servers, &asking.servers, &why), 0);
    assert_int_equal(loop_new(&asking.loop, &why), 0);
    loop_call(asking.loop, make, &asking);
}

static void finish(void)
{
    loop_call(asking.loop, unmake, &asking);
    loop_free(asking.loop);
    servers_free(asking.servers);
    tnm_options_free(asking.options);
    sem_destroy(&asking.done);
}

static int ask(void)
{
    asking.r = 1;
    loop_call(asking.loop, start, &asking);
    assert_int_equal(asking.start_r, 0);
    while (sem_wait(&asking.done) < 0)
        assert_int_equal(errno, EINTR);
    return asking.r;
}

static void expect_words(const char *words)
{
    if (!strstr(asking.why, words))
        fail_msg("\"%s\" does not say \"%s\"", asking.why, words);
}

static const struct script_step good = {.status = 200, .type = "application/json", .body = "{}"};
static const struct script_step down = {.r = -EHOSTUNREACH};
static const struct script_step busy = {.status = 503,
                                        .type = "application/problem+json",
                                        .body = "{\"code\": \"busy\", \"detail\": \"much to do\"}"};

static struct script_step problem(long status, const char *body)
{
    return (struct script_step){.status = status, .type = "application/problem+json", .body = body};
}

/* ---- With one server ---- */

static void a_good_answer_ends_it(void **state)
{
    (void)state;
    uint64_t answers, bytes, retries;
    prepare(1);
    script.steps[0][0] = good;
    assert_int_equal(ask(), 0);
    assert_string_equal(asking.server, "http://a");
    assert_string_equal(script.log, "a");
    requests_counts(asking.requests, &answers, &bytes, &retries);
    assert_int_equal(answers, 1);
    assert_int_equal(bytes, SCRIPT_BYTES);
    assert_int_equal(retries, 0);
    finish();
}

static void what_may_go_better_is_tried_again(void **state)
{
    (void)state;
    const struct script_step troubles[] = {down,
                                           busy,
                                           {.r = -ETIMEDOUT},
                                           {.status = 502},
                                           {.status = 200, .type = "application/json"}};
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        uint64_t answers, bytes, retries;
        prepare(1);
        script.steps[0][0] = troubles[i];
        script.steps[0][1] = good;
        assert_int_equal(ask(), 0);
        assert_string_equal(script.log, "aa");
        requests_counts(asking.requests, &answers, &bytes, &retries);
        assert_int_equal(answers, 1);
        assert_int_equal(retries, 1);
        finish();
    }
}

static void what_was_tried_elsewhere_is_the_first_try(void **state)
{
    (void)state;
    const struct {
        struct script_step step;
        int check_r;
        bool are_well; /* behind it, as long as nothing else was answered */
        const char *log;
    } cases[] = {
        {down, 0, false, "a"},
        {busy, 0, false, "a"},
        {good, -EBADMSG, true, "a"},
        {good, 0, true, ""}, /* the second look was better */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t answers, bytes, retries;
        prepare(1);
        asking.options->backoff_ms = asking.options->backoff_max_ms = 500;
        assert_true(requests_are_well(asking.requests));
        struct request_tried tried = {
            .r = cases[i].step.r,
            .sent_ms = requests_now_ms() + 1, /* by a clock that is before the loop's */
        };
        tried.answer.status = cases[i].step.status;
        if (cases[i].step.body)
            body_add(&tried.answer.body, cases[i].step.body, strlen(cases[i].step.body));
        snprintf(tried.answer.headers[HEADER_CONTENT_TYPE], HEADER_MAX, "%s",
                 cases[i].step.type ? cases[i].step.type : "");
        asking.tried = &tried;
        asking.check_rs[0] = cases[i].check_r;
        asking.patience_ms = 0; /* it is over where the server has to rest */
        script.steps[0][0] = good;
        int r = ask();
        assert_int_equal(r == 0, cases[i].are_well);
        assert_int_equal(requests_are_well(asking.requests), cases[i].are_well);
        requests_counts(asking.requests, &answers, &bytes, &retries);
        assert_int_equal(retries, cases[i].check_r < 0 || r < 0);
        if (r < 0) {
            asking.tried = NULL;
            asking.patience_ms = 60000;
            assert_int_equal(ask(), 0);
            assert_true(requests_are_well(asking.requests));
        }
        assert_string_equal(script.log, cases[i].log);
        assert_true(asking.servers->list[0].typical_whole_ms < 60000 ||
                    cases[i].check_r < 0); /* of which nobody knows */
        body_clear(&tried.answer.body);
        finish();
    }
}

static void only_one_server_is_tried_elsewhere(void **state)
{
    (void)state;
    prepare(2);
    assert_false(requests_are_well(asking.requests));
    finish();
}

static void a_damaged_answer_is_asked_for_again(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0] = good;
    asking.check_rs[0] = -EBADMSG;
    assert_int_equal(ask(), 0);
    assert_int_equal(asking.checks, 2);
    finish();
}

static void without_patience_or_after_so_many_damaged_answers_it_gives_up(void **state)
{
    (void)state;
    static const struct {
        int r;
        bool damaged;
        const char *words, *log;
    } cases[] = {
        {-EHOSTUNREACH, false, "a thing: http://a: the network is down", "a"},
        {-ETIMEDOUT, false, "a thing: http://a: the network is down", "a"},
        {-EBADMSG, true, "a thing: http://a: the check says no", "aaa"}, /* two retries */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prepare(1);
        asking.patience_ms = 0;
        script.steps[0][0] = cases[i].damaged ? good : (struct script_step){.r = cases[i].r};
        for (int k = 0; k < SCRIPT_STEPS; k++)
            asking.check_rs[k] = -EBADMSG;
        assert_int_equal(ask(), cases[i].r);
        assert_string_equal(asking.server, "none");
        assert_string_equal(script.log, cases[i].log);
        expect_words(cases[i].words);
        finish();
    }
}

static void what_is_wrong_with_the_request_ends_it_at_once(void **state)
{
    (void)state;
    const struct {
        struct script_step step;
        int r;
        const char *words;
    } cases[] = {
        {problem(400, "{\"code\": \"bad-parameter\", \"detail\": \"no such k\"}"), -EINVAL,
         ": no such k"},
        {problem(404, "{\"code\": \"no-such-sample\"}"), -ENOENT, "HTTP status 404"},
        {{.r = -EMSGSIZE}, -EMSGSIZE, "the network is down"},
        {{.r = -ENOMEM}, -ENOMEM, "a thing: http://"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prepare(2);
        script.steps[0][0] = script.steps[1][0] = cases[i].step;
        assert_int_equal(ask(), cases[i].r);
        assert_int_equal(strlen(script.log), 1);
        expect_words(cases[i].words);
        finish();
    }
}

static void an_error_of_the_check_ends_it_with_its_words(void **state)
{
    (void)state;
    prepare(2);
    script.steps[0][0] = script.steps[1][0] = good;
    asking.check_rs[0] = -ENOMEM;
    assert_int_equal(ask(), -ENOMEM);
    assert_int_equal(strlen(script.log), 1);
    expect_words("the check says no");
    finish();
}

/* ---- With two ---- */

/* Server a gives this, server b what is good: b's answer is taken, whoever was asked first. */
static void expect_other(struct script_step step)
{
    prepare(2);
    script.steps[0][0] = step;
    script.steps[1][0] = good;
    for (int i = 0; i < 2; i++) { /* they take turns: one of the two begins with a */
        assert_int_equal(ask(), 0);
        assert_string_equal(asking.server, "http://b");
    }
    assert_non_null(strchr(script.log, 'a'));
    finish();
}

static void what_one_server_does_not_have_another_gives(void **state)
{
    (void)state;
    expect_other(down);
    expect_other(busy);
    expect_other(problem(404, "{\"code\": \"no-such-split\"}"));
    expect_other(problem(404, "{\"code\": \"no-such-revision\"}"));
    expect_other(problem(500, "{\"code\": \"split-damaged\"}"));
    expect_other((struct script_step){.status = 401});
    expect_other((struct script_step){.status = 302});
    expect_other((struct script_step){.status = 200, .type = "text/html", .body = "<html>"});
}

static void a_server_that_refused_is_not_asked_again(void **state)
{
    (void)state;
    prepare(2);
    script.steps[0][0] = problem(404, "{\"code\": \"no-such-revision\", \"detail\": \"it is 9\"}");
    script.steps[1][0] = (struct script_step){.status = 200, .type = "text/html", .body = "<html>"};
    assert_int_equal(ask(), -ESTALE); /* the worse of the two */
    assert_int_equal(strlen(script.log), 2);
    expect_words("http://a: has other data: it is 9");
    expect_words("http://b: no twonmnist daemon: an answer of type \"text/html\"");
    finish();
}

static void other_data_is_looked_for_elsewhere(void **state)
{
    (void)state;
    prepare(2);
    script.steps[0][0] = script.steps[1][0] = good;
    asking.check_rs[0] = -ESTALE;
    assert_int_equal(ask(), 0);
    assert_int_equal(strlen(script.log), 2);
    assert_int_not_equal(script.log[0], script.log[1]);
    assert_int_equal(asking.server[strlen("http://")], script.log[1]);
    finish();
}

static unsigned n_asked(char server)
{
    unsigned n = 0;
    for (const char *at = script.log; *at; at++)
        n += *at == server;
    return n;
}

/* Which costs each request a round trip. */
static void who_gives_nothing_is_not_asked_first_by_all(void **state)
{
    (void)state;
    const struct script_step nothing[] = {
        problem(404, "{\"code\": \"no-such-revision\", \"detail\": \"it is 9\"}"),
        problem(401, "{}"),
        problem(500, "{\"code\": \"split-damaged\", \"detail\": \"of this split\"}"),
        {.status = 200, .type = "text/html", .body = "<html>"},
        {.status = 200, .type = "application/json"},
    };
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        prepare(2);
        script.steps[0][0] = nothing[i];
        script.steps[1][0] = good;
        script.steps[1][0].after_ms = 10;
        for (unsigned k = 0; k < 10; k++)
            assert_int_equal(ask(), 0);
        assert_in_range(n_asked('a'), 0, 1);
        assert_int_equal(asking.servers->list[0].failures, 0); /* it does not rest */
        finish();
    }
}

/* What one said says nothing of another that has come in its place, be it before or after. */
static void servers_that_came_meanwhile_are_asked(void **state)
{
    (void)state;
    for (unsigned n_servers = 1; n_servers <= 2; n_servers++) {
        prepare(n_servers);
        script.steps[0][0] = script.steps[1][0] = good;
        asking.renewed_at = n_servers;
        for (unsigned i = 0; i <= n_servers; i++)
            asking.check_rs[i] = -ESTALE;
        assert_int_equal(ask(), 0);
        assert_int_equal(asking.checks, n_servers + 2);
        assert_int_equal(script.log[n_servers], script.log[0]);
        assert_int_equal(script.log[n_servers + 1], script.log[0]);
        finish();
    }
}

static void an_answer_of_a_server_that_is_gone_is_not_the_new_ones(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0] = good;
    asking.renewed_at = 1;
    assert_int_equal(ask(), 0);
    assert_string_equal(asking.server, "http://a"); /* without an address */
    finish();
}

static void a_type_may_have_parameters_but_no_other_end(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int r;
    } cases[] = {
        {"application/json", 0},      {"Application/JSON; charset=utf-8", 0},
        {"application/json ;q=1", 0}, {"application/jsonl", -EPROTO},
        {"application/jso", -EPROTO}, {"", -EPROTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prepare(1);
        script.steps[0][0] =
            (struct script_step){.status = 200, .type = cases[i].type, .body = "{}"};
        assert_int_equal(ask(), cases[i].r);
        assert_int_equal(strlen(script.log), 1);
        assert_int_equal(asking.checks, cases[i].r == 0);
        finish();
    }
}

/* ---- With many ---- */

/* All but one are silent, and answers usually come soon. */
static void prepare_silent(struct script_step silent, size_t good_one)
{
    silent.is_silent = true;
    prepare(SCRIPT_SERVERS);
    for (size_t s = 0; s < SCRIPT_SERVERS; s++) {
        script.steps[s][0] = s == good_one ? good : silent;
        asking.servers->list[s].typical_ms = 1;
    }
}

static void those_that_come_to_no_connection_are_left_one_after_the_other(void **state)
{
    (void)state;
    for (size_t good_one = 0; good_one < SCRIPT_SERVERS; good_one++) {
        char label[] = "http://a";
        prepare_silent((struct script_step){.is_connected = false}, good_one);
        label[sizeof label - 2] = (char)('a' + good_one);
        assert_int_equal(ask(), 0);
        assert_string_equal(asking.server, label);
        assert_in_range(strlen(script.log), 1, SCRIPT_SERVERS); /* nobody twice */
        finish();
    }
}

/* The first of three is silent, answers usually come soon, and the second has failed and may be
 * asked again. */
static void prepare_failed(size_t n)
{
    prepare(n);
    for (size_t s = 0; s < n; s++) {
        asking.servers->list[s].priority = (unsigned)s;
        asking.servers->list[s].typical_ms = 1;
        script.steps[s][0] = good;
    }
    script.steps[0][0].is_silent = true;
    asking.servers->list[1].failures = 1;
}

static void one_that_has_failed_does_not_keep_a_well_one_from_being_asked(void **state)
{
    (void)state;
    prepare_failed(3);
    assert_int_equal(ask(), 0);
    assert_string_equal(script.log, "ac");
    finish();
}

static void beside_a_slow_one_the_last_that_is_back_is_asked(void **state)
{
    (void)state;
    for (int is_silent = 0; is_silent < 2; is_silent++) {
        prepare_failed(2);
        asking.servers->list[1].is_silent = is_silent;
        assert_int_equal(ask(), 0);
        assert_string_equal(script.log, "ab");
        finish();
    }
}

static void patience_ends_with_slow_failures_too(void **state)
{
    (void)state;
    prepare(2);
    asking.patience_ms = 0;
    for (size_t s = 0; s < 2; s++) {
        script.steps[s][0] = busy;
        script.steps[s][0].after_ms = 20; /* the other one's rest is over by then */
        script.steps[s][1] = good;
    }
    assert_int_equal(ask(), -EHOSTUNREACH);
    assert_int_equal(strlen(script.log), 2); /* each was asked once */
    finish();
}

static void count_asked(void *user)
{
    *(size_t *)user = strlen(script.log);
}

static void no_more_than_three_are_kept_busy_with_one_request(void **state)
{
    (void)state;
    prepare_silent((struct script_step){.is_connected = true}, SCRIPT_SERVERS);
    loop_call(asking.loop, start, &asking);
    for (size_t asked = 0; asked < 3; loop_call(asking.loop, count_asked, &asked))
        usleep(10000);
    usleep(1000000); /* five times as long as until the next would be asked */
    loop_call(asking.loop, cancel, &asking);
    assert_int_equal(strlen(script.log), 3);
    assert_int_equal(script.cancelled, 3);
    finish();
}

/* ---- Servers that become others ---- */

/* Server a has failed, and may be asked again. */
static void fail_first(void *user)
{
    struct asking *one = user;
    struct server *server = &one->servers->list[0];
    server->failures = 1;
    server->is_silent = true;
}

static void renew_and_fail_first(void *user)
{
    ((struct asking *)user)->first_asked = 0;
    renew(user);
    fail_first(user);
}

static void a_probe_of_a_server_that_is_another_one_by_now_is_left(void **state)
{
    (void)state;
    prepare(2);
    script.steps[1][0] = good;
    script.probes_are_silent = true;
    loop_call(asking.loop, fail_first, &asking);
    assert_int_equal(ask(), 0);
    loop_call(asking.loop, renew_and_fail_first, &asking);
    script.steps[0][0] = good;
    assert_int_equal(ask(), 0);
    assert_true(asking.servers->list[0].is_probed);
    assert_int_equal(script.probes, 2);
    finish(); /* nothing is under way any more */
}

static void ask_anew(void *user)
{
    struct asking *one = user;
    renew(user);
    one->servers->list[0].is_probed = true;
    cancel(user);
}

static void who_asked_the_one_before_ends_no_probe_of_the_new_one(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0].is_silent = true;
    asking.servers->list[0].failures = 1;
    loop_call(asking.loop, start, &asking);
    for (size_t asked = 0; asked < 1; loop_call(asking.loop, count_asked, &asked))
        usleep(10000);
    assert_true(asking.servers->list[0].is_probed);
    assert_int_equal(asking.servers->list[0].n_under_way, 1);
    loop_call(asking.loop, ask_anew, &asking);
    assert_true(asking.servers->list[0].is_probed);
    assert_int_equal(asking.servers->list[0].n_under_way, 0);
    finish();
}

static void who_is_gone_gives_the_new_one_no_rest(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0] = busy;
    script.steps[0][0].retry_after = "30";
    script.steps[0][0].after_ms = 200; /* later than what follows */
    script.steps[0][1] = good;
    loop_call(asking.loop, start, &asking);
    for (size_t asked = 0; asked < 1; loop_call(asking.loop, count_asked, &asked))
        usleep(10000);
    loop_call(asking.loop, renew_and_fail_first, &asking);
    while (sem_wait(&asking.done) < 0)
        assert_int_equal(errno, EINTR);
    assert_int_equal(asking.r, 0);
    assert_int_equal(asking.servers->list[0].rest_until_ms, 0);
    finish();
}

/* ---- Cancelling ---- */

static void a_cancelled_request_is_told_of_nothing(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0].is_silent = true;
    loop_call(asking.loop, start, &asking);
    loop_call(asking.loop, cancel, &asking); /* before or after its transfer began */
    assert_int_equal(sem_trywait(&asking.done), -1);
    assert_int_equal(script.cancelled, strlen(script.log));
    finish();
    assert_int_equal(asking.checks, 0);
}

static void start_and_cancel(void *user)
{
    struct asking *one = user;
    start(one);
    if (one->start_r == 0)
        cancel(one);
}

static int start_once(void *user, struct error *why)
{
    struct asking *one = user;
    loop_call(one->loop, start_and_cancel, one);
    return error_set(why, one->start_r, "no memory");
}

static void a_request_that_finds_no_memory_is_none(void **state)
{
    (void)state;
    prepare(2);
    assert_int_equal(scarce_try(start_once, &asking), 4); /* itself, two texts, a timer */
    finish();
}

static void a_request_may_be_cancelled_before_it_began(void **state)
{
    (void)state;
    prepare(1);
    script.steps[0][0] = good;
    loop_call(asking.loop, start_and_cancel, &asking);
    assert_string_equal(script.log, "");
    assert_int_equal(ask(), 0); /* and others go on */
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_answer_ends_it),
        cmocka_unit_test(what_may_go_better_is_tried_again),
        cmocka_unit_test(what_was_tried_elsewhere_is_the_first_try),
        cmocka_unit_test(only_one_server_is_tried_elsewhere),
        cmocka_unit_test(a_damaged_answer_is_asked_for_again),
        cmocka_unit_test(without_patience_or_after_so_many_damaged_answers_it_gives_up),
        cmocka_unit_test(what_is_wrong_with_the_request_ends_it_at_once),
        cmocka_unit_test(an_error_of_the_check_ends_it_with_its_words),
        cmocka_unit_test(what_one_server_does_not_have_another_gives),
        cmocka_unit_test(a_server_that_refused_is_not_asked_again),
        cmocka_unit_test(other_data_is_looked_for_elsewhere),
        cmocka_unit_test(servers_that_came_meanwhile_are_asked),
        cmocka_unit_test(an_answer_of_a_server_that_is_gone_is_not_the_new_ones),
        cmocka_unit_test(who_gives_nothing_is_not_asked_first_by_all),
        cmocka_unit_test(a_type_may_have_parameters_but_no_other_end),
        cmocka_unit_test(those_that_come_to_no_connection_are_left_one_after_the_other),
        cmocka_unit_test(one_that_has_failed_does_not_keep_a_well_one_from_being_asked),
        cmocka_unit_test(beside_a_slow_one_the_last_that_is_back_is_asked),
        cmocka_unit_test(patience_ends_with_slow_failures_too),
        cmocka_unit_test(a_probe_of_a_server_that_is_another_one_by_now_is_left),
        cmocka_unit_test(who_asked_the_one_before_ends_no_probe_of_the_new_one),
        cmocka_unit_test(who_is_gone_gives_the_new_one_no_rest),
        cmocka_unit_test(no_more_than_three_are_kept_busy_with_one_request),
        cmocka_unit_test(a_request_that_finds_no_memory_is_none),
        cmocka_unit_test(a_cancelled_request_is_told_of_nothing),
        cmocka_unit_test(a_request_may_be_cancelled_before_it_began),
    };
    return cmocka_run_group_tests_name("client_request", tests, NULL, NULL);
}
