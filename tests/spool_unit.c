/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/spool: bytes are found again where they were put, in a file without a name. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "generator/spool.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

static struct spool *spool_of(const char *folder)
{
    struct spool *spool;
    struct error why = {""};
    if (spool_new(folder, &spool, &why) < 0)
        fail_msg("%s", why.text);
    return spool;
}

static void bytes_are_found_again_in_any_order(void **state)
{
    (void)state;
    static const char *const texts[] = {"one", "", "three", "four, longer than the others", "5"};
    enum { N = sizeof texts / sizeof *texts };
    uint64_t offsets[N];
    struct spool *spool = spool_of(scratch_folder());
    struct buffer buffer = {0};
    for (int i = 0; i < N; i++)
        assert_int_equal(spool_add(spool, texts[i], strlen(texts[i]), &offsets[i], NULL), 0);
    for (int i = N; i-- > 0;) {
        assert_int_equal(spool_read(spool, offsets[i], strlen(texts[i]), &buffer, NULL), 0);
        assert_int_equal(buffer.size, strlen(texts[i]));
        assert_memory_equal(buffer.bytes, texts[i], buffer.size);
    }
    buffer_free(&buffer);
    spool_free(spool);
    spool_free(NULL);
}

static void spool_has_no_name(void **state)
{
    (void)state;
    struct spool *spool = spool_of(scratch_folder());
    assert_string_equal(scratch_list(""), "");
    spool_free(spool);
    assert_string_equal(scratch_list(""), "");
}

static void reading_past_the_end_is_an_error(void **state)
{
    (void)state;
    struct error why = {""};
    struct spool *spool = spool_of(scratch_folder());
    struct buffer buffer = {0};
    uint64_t offset;
    assert_int_equal(spool_add(spool, "12345", 5, &offset, NULL), 0);
    assert_int_equal(spool_read(spool, offset, 6, &buffer, &why), -EIO);
    assert_non_null(strstr(why.text, scratch_folder()));
    assert_int_equal(spool_read(spool, 100, 1, &buffer, &why), -EIO);
    assert_int_equal(spool_read(spool, UINT64_MAX, 1, &buffer, &why), -EINVAL);
    buffer_free(&buffer);
    spool_free(spool);
}

static int start_spool(void *user)
{
    struct spool *spool;
    return spool_new(scratch_folder(), &spool, user);
}

static void folder_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    struct spool *spool = NULL;
    assert_int_equal(spool_new(scratch_path("nothing"), &spool, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("nothing")));
    assert_null(spool);
    assert_int_equal(scratch_as_stranger(start_spool, &why), -EACCES);
    assert_non_null(strstr(why.text, scratch_folder()));
}

static void disk_that_is_full_is_named(void **state)
{
    (void)state;
    static uint8_t bytes[10000];
    struct error why = {""};
    struct rlimit before;
    uint64_t offset = 77;
    struct spool *spool = spool_of(scratch_folder());
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int r = spool_add(spool, bytes, sizeof bytes, &offset, &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(r, -EFBIG);
    assert_non_null(strstr(why.text, scratch_folder()));
    assert_int_equal(offset, 77);
    spool_free(spool);
}

static int use(void *user, struct error *why)
{
    struct spool *spool;
    struct buffer buffer = {0};
    uint64_t offset;
    (void)user;
    int r = spool_new(scratch_folder(), &spool, why);
    if (r < 0)
        return r;
    r = spool_add(spool, "abc", 3, &offset, why);
    if (r == 0)
        r = spool_read(spool, offset, 3, &buffer, why);
    buffer_free(&buffer);
    spool_free(spool);
    return r;
}

static void spool_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    assert_true(scarce_try(use, NULL) > 2);
    assert_string_equal(scratch_list(""), "");
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(bytes_are_found_again_in_any_order),
        UNIT(spool_has_no_name),
        UNIT(reading_past_the_end_is_an_error),
        UNIT(folder_that_cannot_be_written_is_named),
        UNIT(disk_that_is_full_is_named),
        UNIT(spool_without_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
