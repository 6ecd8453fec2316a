/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/access_log: files, a file that is renamed, a reader that stands still. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/access_log.h"
#include "server/metrics.h"
#include "tests/scratch.h"

static char path[SCRATCH_TEXT], renamed[SCRATCH_TEXT];
static struct settings settings = {.access_log = path, .access_log_format = (char *)"common"};

static int make_folder(void **state)
{
    int r = scratch_setup(state);
    snprintf(path, sizeof path, "%s", scratch_path("access.log"));
    snprintf(renamed, sizeof renamed, "%s", scratch_path("access.log.1"));
    return r;
}

static int remove_folder(void **state)
{
    access_log_close();
    return scratch_teardown(state);
}

static void add(const char *url)
{
    const struct access access = {.address = "127.0.0.1", .method = "GET", .url = url};
    access_log_add(&access);
}

static char *content_of(const char *file)
{
    static char text[1 << 16];
    FILE *stream = fopen(file, "r");
    text[stream ? fread(text, 1, sizeof text - 1, stream) : 0] = '\0';
    if (stream)
        fclose(stream);
    return text;
}

static void wait_for(const char *file, const char *words)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 60000 && !strstr(content_of(file), words); i++)
        nanosleep(&pause, NULL);
    assert_non_null(strstr(content_of(file), words));
}

static void open_log(void)
{
    struct error why;
    if (access_log_open(&settings, &why) < 0)
        fail_msg("%s", why.text);
}

static void off_writes_nothing(void **state)
{
    (void)state;
    const struct settings off = {.access_log = (char *)"off", .access_log_format = (char *)"json"};
    assert_int_equal(access_log_open(&off, NULL), 0);
    assert_false(access_log_is_open());
    access_log_close();
}

static void lines_are_there_when_it_is_closed(void **state)
{
    (void)state;
    uint64_t before = tally_sum(METRICS_ACCESS_LINES);
    open_log();
    assert_true(access_log_is_open());
    for (int i = 0; i < 100; i++)
        add(i == 99 ? "/last" : "/some");
    access_log_close();
    assert_false(access_log_is_open());
    assert_int_equal(tally_sum(METRICS_ACCESS_LINES), before + 100);
    const char *text = content_of(path);
    unsigned n = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        n++;
    assert_int_equal(n, 100);
    assert_non_null(strstr(text, "\"GET /last HTTP/1.1\""));
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0137, 0);
}

static void a_renamed_file_is_left_when_that_is_asked_for(void **state)
{
    (void)state;
    open_log();
    add("/before");
    wait_for(path, "/before");
    assert_int_equal(rename(path, renamed), 0);
    add("/between");
    wait_for(renamed, "/between");
    access_log_reopen();
    for (int i = 0; i < 60000 && access(path, F_OK) < 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    add("/after");
    access_log_close();
    assert_non_null(strstr(content_of(path), "/after"));
    assert_null(strstr(content_of(renamed), "/after"));
}

static void where_no_file_can_be_made_the_one_before_is_written_on(void **state)
{
    (void)state;
    open_log();
    add("/before");
    wait_for(path, "/before");
    assert_int_equal(rename(path, renamed), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    access_log_reopen();
    add("/after");
    access_log_close();
    assert_int_equal(rmdir(path), 0);
    assert_non_null(strstr(content_of(renamed), "/after"));
}

static void a_reader_that_stands_still_holds_up_nobody_and_drops_are_counted(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    uint64_t before = tally_sum(METRICS_ACCESS_DROPPED);
    uint64_t written = tally_sum(METRICS_ACCESS_LINES);
    enum { N = 60000 }; /* of some 100 bytes: more than both buffers and the pipe */
    open_log();
    for (int i = 0; i < N; i++)
        add("/a/long/enough/path/to/fill/the/buffers/with/not/too/many/of/them");
    assert_true(tally_sum(METRICS_ACCESS_DROPPED) > before);
    access_log_close();
    assert_int_equal(
        tally_sum(METRICS_ACCESS_DROPPED) - before + tally_sum(METRICS_ACCESS_LINES) - written, N);
    close(reader);
}

static void a_full_disk_is_counted_and_passes(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) < 0)
        skip();
    struct settings full = settings;
    full.access_log = (char *)"/dev/full";
    uint64_t before = tally_sum(METRICS_ACCESS_DROPPED);
    assert_int_equal(access_log_open(&full, NULL), 0);
    add("/lost");
    add("/lost");
    access_log_close();
    assert_int_equal(tally_sum(METRICS_ACCESS_DROPPED), before + 2);
}

static void what_is_no_place_and_no_format_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *place, *format, *words;
        int r;
    } cases[] = {
        {"jounral", "json", "access_log: \"jounral\" is none of off, stderr, journal", -EINVAL},
        {"off", "xml", "access_log_format: \"xml\" is neither json nor common", -EINVAL},
        {"/nowhere/at/all", "json", "access_log: /nowhere/at/all: No such file", -ENOENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct settings wrong = {.access_log = (char *)cases[i].place,
                                       .access_log_format = (char *)cases[i].format};
        struct error why = {""};
        assert_int_equal(access_log_open(&wrong, &why), cases[i].r);
        assert_non_null(strstr(why.text, cases[i].words));
        assert_false(access_log_is_open());
        assert_int_equal(access_log_check(&wrong, &why), cases[i].r == -EINVAL ? -EINVAL : 0);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_writes_nothing),
        WITH_FOLDER(lines_are_there_when_it_is_closed),
        WITH_FOLDER(a_renamed_file_is_left_when_that_is_asked_for),
        WITH_FOLDER(where_no_file_can_be_made_the_one_before_is_written_on),
        WITH_FOLDER(a_reader_that_stands_still_holds_up_nobody_and_drops_are_counted),
        cmocka_unit_test(a_full_disk_is_counted_and_passes),
        cmocka_unit_test(what_is_no_place_and_no_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
