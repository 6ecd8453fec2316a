/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/reload over a service that is only played: what is asked for is done, what fails
 * is not done over and over, and nobody waits for what hangs. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/log.h"
#include "server/reload.h"

enum { SOON_MS = 60000, AT_ONCE_MS = 20 };

/* What stands in place of the service; a test and the thread of the reload share it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct settings settings;
    struct catalog catalog;
    int result; /* of the next loads */
    bool stale; /* what the looks find */
    bool held;  /* loads wait */
    unsigned n_begun, n_done, n_looks;
    unsigned n_files; /* of tokens and certificates that were read again */
} play = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

const struct settings *service_settings(const struct service *service)
{
    (void)service;
    return &play.settings;
}

struct catalog *service_catalog(struct service *service)
{
    (void)service;
    return catalog_ref(&play.catalog);
}

bool service_is_stale(struct service *service)
{
    (void)service;
    pthread_mutex_lock(&play.lock);
    play.n_looks++;
    bool stale = play.stale;
    pthread_cond_broadcast(&play.changed);
    pthread_mutex_unlock(&play.lock);
    return stale;
}

int service_reload(struct service *service, struct error *why)
{
    (void)service;
    pthread_mutex_lock(&play.lock);
    play.n_begun++;
    pthread_cond_broadcast(&play.changed);
    while (play.held)
        pthread_cond_wait(&play.changed, &play.lock);
    play.n_done++;
    int r = play.result;
    pthread_cond_broadcast(&play.changed);
    pthread_mutex_unlock(&play.lock);
    return r < 0 ? error_set(why, r, "load %u went wrong", play.n_begun) : 0;
}

/* Neither tokens nor a certificate, but files of theirs that cannot be read. */
struct tokens *service_tokens(struct service *service)
{
    (void)service;
    return NULL;
}

struct tls *service_tls(struct service *service)
{
    (void)service;
    return NULL;
}

static int read_badly(struct error *why)
{
    pthread_mutex_lock(&play.lock);
    play.n_files++;
    pthread_mutex_unlock(&play.lock);
    return error_set(why, -ENOENT, "there is no such file");
}

int service_reload_tokens(struct service *service, struct error *why)
{
    (void)service;
    return read_badly(why);
}

int service_reload_tls(struct service *service, struct error *why)
{
    (void)service;
    return read_badly(why);
}

static void wait_until(const unsigned *count, unsigned most)
{
    pthread_mutex_lock(&play.lock);
    while (*count < most)
        pthread_cond_wait(&play.changed, &play.lock);
    pthread_mutex_unlock(&play.lock);
}

static void hold(bool held)
{
    pthread_mutex_lock(&play.lock);
    play.held = held;
    pthread_cond_broadcast(&play.changed);
    pthread_mutex_unlock(&play.lock);
}

static void next_loads(bool stale, int result)
{
    pthread_mutex_lock(&play.lock);
    play.stale = stale;
    play.result = result;
    pthread_mutex_unlock(&play.lock);
}

static char folder[] = "/tmp/reload_unit.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    return mkdtemp(folder) ? 0 : -1;
}

static void split_path(char *ret, size_t size)
{
    snprintf(ret, size, "%s/a%s", folder, SPLIT_SUFFIX);
}

static int remove_folder(void **state)
{
    (void)state;
    char path[100];
    split_path(path, sizeof path);
    unlink(path);
    return rmdir(folder);
}

static void write_split_file(const char *text)
{
    char path[100];
    split_path(path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct reload *start(uint64_t watch_interval_s)
{
    play.settings.watch_interval_s = watch_interval_s;
    play.settings.data = folder;
    play.result = 0;
    play.stale = play.held = false;
    play.n_begun = play.n_done = play.n_looks = play.n_files = 0;
    atomic_init(&play.catalog.n_users, 1);
    struct reload *reload;
    assert_int_equal(reload_start(NULL, &reload, NULL), 0);
    return reload;
}

static void reload_does_nothing_until_it_is_asked(void **state)
{
    (void)state;
    struct reload *reload = start(0);
    assert_true(reload_close(reload, SOON_MS));
    assert_int_equal(play.n_begun, 0);
    assert_true(reload_close(NULL, 0));
}

static void reload_does_once_more_what_is_asked_while_it_runs(void **state)
{
    (void)state;
    struct reload *reload = start(0);
    hold(true);
    reload_ask(reload);
    wait_until(&play.n_begun, 1);
    reload_ask(reload);
    reload_ask(reload);
    hold(false);
    wait_until(&play.n_done, 2);
    assert_true(reload_close(reload, SOON_MS));
    assert_int_equal(play.n_begun, 2);
}

static void reload_looks_by_itself_and_loads_what_is_stale(void **state)
{
    (void)state;
    struct reload *reload = start(1);
    wait_until(&play.n_looks, 1);
    assert_int_equal(play.n_begun, 0);
    next_loads(true, 0);
    wait_until(&play.n_done, 1);
    assert_true(reload_close(reload, SOON_MS));
    assert_int_equal(play.n_files, 0);
}

static void
reload_reads_tokens_and_certificate_when_it_is_asked_and_loads_whatever_is_in_them(void **state)
{
    (void)state;
    struct reload *reload = start(0);
    reload_ask(reload);
    wait_until(&play.n_done, 1);
    assert_true(reload_close(reload, SOON_MS));
    assert_int_equal(play.n_files, 2);
}

static void reload_leaves_a_folder_alone_that_failed_until_its_files_change(void **state)
{
    (void)state;
    write_split_file("broken");
    struct reload *reload = start(1);
    next_loads(true, -EBADMSG);
    wait_until(&play.n_looks, 2);
    assert_int_equal(play.n_begun, 1);
    write_split_file("broken in another way");
    wait_until(&play.n_begun, 2);
    reload_ask(reload); /* who asks gets it tried in any case */
    wait_until(&play.n_begun, 3);
    assert_true(reload_close(reload, SOON_MS));
}

static void reload_tries_again_what_failed_for_a_passing_reason(void **state)
{
    (void)state;
    struct reload *reload = start(1);
    next_loads(true, -EMFILE);
    wait_until(&play.n_begun, 2);
    assert_true(reload_close(reload, SOON_MS));
}

static void reload_is_not_waited_for_while_a_load_hangs(void **state)
{
    (void)state;
    struct reload *reload = start(0);
    hold(true);
    reload_ask(reload);
    wait_until(&play.n_begun, 1);
    reload_ask(reload);
    assert_false(reload_close(reload, AT_ONCE_MS));
    hold(false);
    assert_true(reload_close(reload, SOON_MS));
    assert_int_equal(play.n_begun, 1); /* none is begun at the end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reload_does_nothing_until_it_is_asked),
        cmocka_unit_test(reload_does_once_more_what_is_asked_while_it_runs),
        cmocka_unit_test(reload_looks_by_itself_and_loads_what_is_stale),
        cmocka_unit_test(
            reload_reads_tokens_and_certificate_when_it_is_asked_and_loads_whatever_is_in_them),
        cmocka_unit_test(reload_leaves_a_folder_alone_that_failed_until_its_files_change),
        cmocka_unit_test(reload_tries_again_what_failed_for_a_passing_reason),
        cmocka_unit_test(reload_is_not_waited_for_while_a_load_hangs),
    };
    return cmocka_run_group_tests_name("reload", tests, make_folder, remove_folder);
}
