/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/kept: texts that are made once. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/kept.h"

static atomic_uint n_made;

static int make(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    (void)why;
    atomic_fetch_add(&n_made, 1);
    *ret = strdup(user);
    *ret_size = strlen(user);
    return *ret ? 0 : -ENOMEM;
}

static int refuse(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    (void)ret, (void)ret_size;
    return error_set(why, -EBADMSG, "%s", (const char *)user);
}

static void text_is_made_once_and_known(void **state)
{
    (void)state;
    struct kept kept;
    struct error why;
    kept_init(&kept);
    n_made = 0;
    assert_false(kept_is_made(&kept));
    assert_int_equal(kept_make(&kept, refuse, "a reason", &why), -EBADMSG);
    assert_string_equal(why.text, "a reason");
    assert_false(kept_is_made(&kept));
    for (int i = 0; i < 2; i++)
        assert_int_equal(kept_make(&kept, make, "abc", &why), 0);
    assert_true(kept_is_made(&kept));
    assert_int_equal(n_made, 1);
    assert_int_equal(kept.codings[KEPT_PLAIN].size, 3);
    assert_int_equal(kept.codings[KEPT_PLAIN].crc, 0x364b3fb7); /* CRC-32C of "abc" */
    assert_memory_equal(kept.sha256, "ba7816bf8f01cfea", 16);
    assert_memory_equal(kept.codings[KEPT_GZIP].bytes, "\x1f\x8b", 2);
    kept_free(&kept);
}

/* ---- Beside each other ---- */

static sem_t begun, may_end;

static int make_slowly(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    sem_post(&begun);
    sem_wait(&may_end);
    return make(user, ret, ret_size, why);
}

static void *keep_slowly(void *kept)
{
    struct error why;
    assert_int_equal(kept_make(kept, make_slowly, "slow", &why), 0);
    return NULL;
}

static void one_that_takes_long_holds_up_no_other(void **state)
{
    (void)state;
    struct kept slow, other;
    struct error why;
    pthread_t thread;
    kept_init(&slow);
    kept_init(&other);
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    pthread_create(&thread, NULL, keep_slowly, &slow);
    sem_wait(&begun);
    assert_int_equal(kept_make(&other, make, "other", &why), 0); /* or it hangs */
    assert_false(kept_is_made(&slow));
    sem_post(&may_end);
    pthread_join(thread, NULL);
    assert_true(kept_is_made(&slow));
    sem_destroy(&begun);
    sem_destroy(&may_end);
    kept_free(&slow);
    kept_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_made_once_and_known),
        cmocka_unit_test(one_that_takes_long_holds_up_no_other),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
