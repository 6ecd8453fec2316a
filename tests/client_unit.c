/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/client, over requests that the test answers: opening, waiting, cancelling. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake_requests.h"
#include "tests/scarce.h"

enum { LONG_MS = 20000 }; /* more than any test waits, less than a hung one would */

static tnm_client *client;

static int say_hello(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    (void)ask;
    (void)why;
    fake_text(answer, "hello");
    return 0;
}

static int take(void *user, struct answer *answer, struct error *why)
{
    (void)why;
    body_take(&answer->body, user);
    return 0;
}

static int ask_for(struct body *body, char **ret_server)
{
    const struct request_ask ask = {.what = "a greeting", .path = "/", .check = take, .user = body};
    return client_request(client, &ask, ret_server);
}

static void a_request_gives_what_came_and_who_sent_it(void **state)
{
    (void)state;
    struct body body = {0};
    char *server = NULL;
    client = fake_open(say_hello);
    assert_int_equal(ask_for(&body, &server), 0);
    assert_string_equal(server, FAKE_SERVER);
    assert_memory_equal(body.bytes, "hello", 5);
    free(server);
    body_clear(&body);
    assert_int_equal(ask_for(&body, NULL), 0);
    assert_int_equal(body.size, 5);
    body_clear(&body);
    tnm_close(client);
}

static int damaged(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    (void)answer;
    return error_set(why, -EBADMSG, "%s: damaged", ask->what);
}

static void a_request_that_fails_says_why(void **state)
{
    (void)state;
    struct body body = {0};
    char *server = NULL;
    client = fake_open(damaged);
    assert_int_equal(ask_for(&body, &server), -EBADMSG);
    assert_string_equal(tnm_last_error(), "a greeting: damaged");
    fake.no_memory = true;
    assert_int_equal(ask_for(&body, &server), -ENOMEM);
    assert_non_null(strstr(tnm_last_error(), "no memory"));
    assert_null(server);
    assert_null(body.bytes);
    tnm_close(client);
}

static void cancel_it(void)
{
    tnm_cancel(client);
}

static void a_cancel_before_the_call_begins_to_wait_is_not_lost(void **state)
{
    (void)state;
    struct body body = {0};
    client = fake_open(say_hello);
    fake.delay_ms = LONG_MS;
    fake.on_start = cancel_it;
    assert_int_equal(ask_for(&body, NULL), -ECANCELED);
    assert_string_equal(tnm_last_error(), "cancelled");
    assert_int_equal(fake.cancelled, 1);
    tnm_close(client);
}

static void a_cancel_is_over_when_the_next_call_begins(void **state)
{
    (void)state;
    struct body body = {0};
    client = fake_open(say_hello);
    tnm_cancel(client);
    assert_int_equal(ask_for(&body, NULL), 0);
    body_clear(&body);
    tnm_close(client);
}

/* ---- Several threads ---- */

enum { N_WAITING = 4 };

static atomic_uint n_started;
static pthread_t canceller;

static void *cancel_main(void *user)
{
    (void)user;
    tnm_cancel(client);
    return NULL;
}

/* The last one that starts has another thread cancel them all. */
static void count_start(void)
{
    if (atomic_fetch_add(&n_started, 1) == N_WAITING - 1 &&
        pthread_create(&canceller, NULL, cancel_main, NULL) != 0)
        abort();
}

static void *wait_main(void *user)
{
    struct body body = {0};
    *(int *)user = ask_for(&body, NULL);
    return NULL;
}

static void one_cancel_is_for_all_that_wait(void **state)
{
    (void)state;
    pthread_t threads[N_WAITING];
    int results[N_WAITING];
    client = fake_open(say_hello);
    fake.delay_ms = LONG_MS;
    fake.on_start = count_start;
    atomic_store(&n_started, 0);
    for (int i = 0; i < N_WAITING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_main, &results[i]), 0);
    for (int i = 0; i < N_WAITING; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(results[i], -ECANCELED);
    }
    pthread_join(canceller, NULL);
    assert_int_equal(fake.cancelled, N_WAITING);
    tnm_close(client);
}

/* ---- Progress ---- */

static unsigned n_told;

static int stop_at_the_third(void *user, uint64_t answers, uint64_t bytes, uint64_t retries)
{
    assert_ptr_equal(user, &n_told);
    assert_int_equal(answers, 11);
    assert_int_equal(bytes, 22);
    assert_int_equal(retries, 33);
    return ++n_told == 3;
}

static void progress_is_told_while_a_call_waits_and_may_stop_it(void **state)
{
    (void)state;
    struct body body = {0};
    client = fake_open(say_hello);
    fake.delay_ms = LONG_MS;
    n_told = 0;
    assert_int_equal(tnm_set_progress(client, stop_at_the_third, &n_told), 0);
    assert_int_equal(ask_for(&body, NULL), -ECANCELED);
    assert_non_null(strstr(tnm_last_error(), "progress callback"));
    assert_int_equal(n_told, 3);
    assert_int_equal(tnm_set_progress(client, NULL, NULL), 0);
    fake.delay_ms = 0;
    assert_int_equal(ask_for(&body, NULL), 0);
    assert_int_equal(n_told, 3);
    body_clear(&body);
    tnm_close(client);
}

static void counts_are_those_of_the_requests(void **state)
{
    (void)state;
    uint64_t answers, bytes, retries;
    client = fake_open(say_hello);
    assert_int_equal(tnm_counts(client, &answers, &bytes, &retries), 0);
    assert_int_equal(answers, 11);
    assert_int_equal(bytes, 22);
    assert_int_equal(retries, 33);
    tnm_close(client);
}

/* ---- What is no client, or not ours ---- */

static void what_is_wrong_with_the_servers_is_said_on_opening(void **state)
{
    (void)state;
    tnm_client *none = NULL;
    assert_int_equal(tnm_open(NULL, 0, NULL, &none), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "0 servers"));
    assert_int_equal(tnm_open((const char *const[]){"ftp://a"}, 1, NULL, &none), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "ftp://a"));
    assert_null(none);
}

static void no_client_is_an_argument_that_is_wrong(void **state)
{
    (void)state;
    uint64_t count = 7;
    char *text = NULL;
    tnm_close(NULL);
    tnm_cancel(NULL);
    assert_int_equal(tnm_counts(NULL, &count, &count, &count), -EINVAL);
    assert_string_equal(tnm_last_error(), "there is no client");
    assert_int_equal(tnm_set_progress(NULL, NULL, NULL), -EINVAL);
    assert_int_equal(tnm_catalog_json(NULL, &text), -EINVAL);
    assert_int_equal(tnm_get(NULL, "/", "text/plain", &text, &(size_t){0}), -EINVAL);
    assert_int_equal(count, 7);
}

static void in_the_child(void)
{
    uint64_t count;
    if (tnm_counts(client, &count, &count, &count) != -ECHILD)
        _exit(1);
    if (!strstr(tnm_last_error(), "before the fork"))
        _exit(2);
    tnm_cancel(client); /* these forget it */
    tnm_close(client);
    _exit(0);
}

static void a_forked_child_is_told_to_open_its_own(void **state)
{
    (void)state;
    int status;
    client = fake_open(say_hello);
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0)
        in_the_child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    tnm_close(client);
}

static void a_client_lives_until_the_last_reference_is_dropped(void **state)
{
    (void)state;
    struct body body = {0};
    client = fake_open(say_hello);
    assert_ptr_equal(client_ref(client), client);
    tnm_close(client);
    assert_int_equal(ask_for(&body, NULL), 0);
    body_clear(&body);
    client_unref(client);
}

static int open_and_close(void *user, struct error *why)
{
    const char *const urls[] = {FAKE_SERVER};
    tnm_client *opened = NULL;
    (void)user;
    int r = tnm_open(urls, 1, NULL, &opened);
    error_set(why, r, "%s", tnm_last_error());
    assert_true(r == 0 || (!opened && why->text[0]));
    tnm_close(opened);
    return r;
}

static void memory_that_runs_out_is_said_on_opening(void **state)
{
    (void)state;
    assert_true(scarce_try(open_and_close, NULL) >=
                5); /* client, options, servers, loop, requests */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gives_what_came_and_who_sent_it),
        cmocka_unit_test(a_request_that_fails_says_why),
        cmocka_unit_test(a_cancel_before_the_call_begins_to_wait_is_not_lost),
        cmocka_unit_test(a_cancel_is_over_when_the_next_call_begins),
        cmocka_unit_test(one_cancel_is_for_all_that_wait),
        cmocka_unit_test(progress_is_told_while_a_call_waits_and_may_stop_it),
        cmocka_unit_test(counts_are_those_of_the_requests),
        cmocka_unit_test(what_is_wrong_with_the_servers_is_said_on_opening),
        cmocka_unit_test(no_client_is_an_argument_that_is_wrong),
        cmocka_unit_test(a_forked_child_is_told_to_open_its_own),
        cmocka_unit_test(a_client_lives_until_the_last_reference_is_dropped),
        cmocka_unit_test(memory_that_runs_out_is_said_on_opening),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
