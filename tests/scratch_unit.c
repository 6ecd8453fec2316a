/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/scratch. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/samples/scratch.h"

static void *mixer_of_this_thread(void *user)
{
    (void)user;
    struct mixer *mixer = scratch_mixer();
    return mixer == scratch_mixer() ? mixer : NULL;
}

static void each_thread_has_one_mixer_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    void *other;
    struct mixer *own = mixer_of_this_thread(NULL);
    assert_non_null(own);
    assert_int_equal(pthread_create(&thread, NULL, mixer_of_this_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &other), 0);
    assert_non_null(other);
    assert_ptr_not_equal(other, own);
    scratch_free();
}

static void *slices_of_this_thread(void *user)
{
    (void)user;
    struct slices *slices = scratch_slices();
    return slices == scratch_slices() ? slices : NULL;
}

static void each_thread_has_slices_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    void *other;
    struct slices *own = slices_of_this_thread(NULL);
    assert_non_null(own);
    assert_int_equal(pthread_create(&thread, NULL, slices_of_this_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &other), 0);
    assert_non_null(other);
    assert_ptr_not_equal(other, own);
    scratch_free();
    assert_non_null(scratch_slices());
    scratch_free();
}

static void a_mixer_that_was_freed_is_made_anew(void **state)
{
    (void)state;
    scratch_free();
    assert_non_null(scratch_mixer());
    scratch_free();
    scratch_free();
    assert_non_null(scratch_mixer());
    scratch_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thread_has_one_mixer_of_its_own),
        cmocka_unit_test(each_thread_has_slices_of_its_own),
        cmocka_unit_test(a_mixer_that_was_freed_is_made_anew),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
