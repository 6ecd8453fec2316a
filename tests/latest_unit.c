/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/latest and the texts of server/samples/kept. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "server/samples/latest.h"
#include "tests/answers.h"
#include "tests/scarce.h"

struct made {
    unsigned n; /* how often */
};

static int write_text(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    struct made *made = *(struct made *const *)user;
    *ret = malloc(64);
    if (!*ret)
        return error_set(why, -ENOMEM, "no memory for a text");
    *ret_size = (size_t)sprintf(*ret, "%60u", ++made->n);
    return 0;
}

static int fails(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    (void)user;
    (void)ret;
    (void)ret_size;
    return error_set(why, -EIO, "it does");
}

static struct reply add(struct latest *latest, uint64_t state, enum kept_coding coding,
                        struct made *made)
{
    struct error why;
    struct reply reply = answer_new();
    assert_int_equal(
        latest_add(latest, &state, sizeof state, coding, write_text, &made, &reply, &why), 0);
    return reply;
}

static void is_text(struct latest *latest, uint64_t state, struct made *made, unsigned number)
{
    char want[64];
    int n = sprintf(want, "%60u", number);
    struct reply reply = add(latest, state, KEPT_PLAIN, made);
    answer_is(&reply, want, (size_t)n);
    answer_end(&reply);
}

static void is_gzip(struct latest *latest, uint64_t state, struct made *made, unsigned number)
{
    char want[64], got[64];
    int n = sprintf(want, "%60u", number);
    struct reply reply = add(latest, state, KEPT_GZIP, made);
    char *body = answer_body(&reply);
    z_stream stream = {.next_in = (Bytef *)body,
                       .avail_in = (uInt)reply.n_bytes,
                       .next_out = (Bytef *)got,
                       .avail_out = sizeof got};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, n);
    assert_memory_equal(got, want, (size_t)n);
    inflateEnd(&stream);
    free(body);
    answer_end(&reply);
}

static void a_text_is_made_when_the_state_has_changed(void **unused)
{
    (void)unused;
    struct latest latest;
    struct made made = {0};
    latest_init(&latest);
    is_text(&latest, 7, &made, 1);
    is_text(&latest, 7, &made, 1);
    is_gzip(&latest, 7, &made, 1);
    is_text(&latest, 8, &made, 2);
    is_gzip(&latest, 8, &made, 2);
    is_gzip(&latest, 7, &made, 3);
    is_text(&latest, 7, &made, 3);
    assert_int_equal(made.n, 3);
    latest_free(&latest);
}

static void an_answer_outlives_the_text_it_was_taken_from(void **unused)
{
    (void)unused;
    struct latest latest;
    struct made made = {0};
    char want[64];
    latest_init(&latest);
    struct reply reply = add(&latest, 1, KEPT_PLAIN, &made);
    struct reply later = add(&latest, 2, KEPT_PLAIN, &made);
    assert_int_equal(made.n, 2);
    reply_end(&later);
    latest_free(&latest);
    answer_is(&reply, want, (size_t)sprintf(want, "%60u", 1U));
    answer_end(&reply);
}

static void what_fails_is_tried_again(void **unused)
{
    (void)unused;
    struct latest latest;
    struct made made = {0};
    struct error why;
    struct reply reply = answer_new();
    uint64_t state = 1;
    latest_init(&latest);
    assert_int_equal(
        latest_add(&latest, &state, sizeof state, KEPT_GZIP, fails, NULL, &reply, &why), -EIO);
    assert_string_equal(why.text, "it does");
    answer_end(&reply);
    is_text(&latest, state, &made, 1);
    latest_free(&latest);
}

static int add_with_little_memory(void *user, struct error *why)
{
    struct latest latest;
    struct made made = {0}, *of = &made;
    struct reply reply = answer_new();
    uint64_t state = *(uint64_t *)user;
    latest_init(&latest);
    int r = latest_add(&latest, &state, sizeof state, KEPT_GZIP, write_text, &of, &reply, why);
    answer_end(&reply);
    latest_free(&latest);
    return r;
}

static void lack_of_memory_is_told(void **unused)
{
    (void)unused;
    uint64_t state = 3;
    assert_true(scarce_try(add_with_little_memory, &state) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_made_when_the_state_has_changed),
        cmocka_unit_test(an_answer_outlives_the_text_it_was_taken_from),
        cmocka_unit_test(what_fails_is_tried_again),
        cmocka_unit_test(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
