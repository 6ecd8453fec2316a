/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_npy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/npy.h"
#include "tests/answers.h"
#include "tests/encoding.h"

static void for_each_sample(void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < ENCODING_N_FORMS; f++)
            for (uint64_t i = 0; i < SMALL_SAMPLES; i++)
                check(&(struct encoding){
                    .sample = encode_npy, .entry = entries[e], .form = &encoding_forms[f], .i = i});
}

static void check_is(const struct reply *reply, const char *descr, const uint64_t *dims,
                     unsigned n_dims, const uint8_t *data, size_t size)
{
    char header[NPY_HEADER_MAX];
    size_t n = npy_header(header, descr, dims, n_dims);
    char *body = answer_body(reply);
    assert_int_equal(reply->n_bytes, n + size);
    assert_memory_equal(body, header, n);
    assert_memory_equal(body + n, data, size);
    free(body);
}

static void check_bytes(const struct encoding *encoding)
{
    struct reply reply = encoding_answer(encoding);
    const struct frames_rule *rule = &encoding->form->frames;
    struct made made;
    encoding_make(encoding->entry, encoding->form, encoding->i, &made);
    if (encoding->form->as == FORM_FRAMES) {
        uint64_t shape[FRAMES_DIMS];
        uint8_t *frames = encoding_frames(encoding->form, &made);
        frames_shape(rule, shape);
        check_is(&reply, "'|u1'", shape, FRAMES_DIMS, frames, frames_size(rule));
        free(frames);
    } else {
        uint8_t events[SMALL_MOST_EVENTS * NPY_EVENT_BYTES];
        uint64_t n = made.events.n_events;
        npy_events(made.bytes, n, events);
        check_is(&reply, npy_event_descr, &n, 1, events, n * NPY_EVENT_BYTES);
    }
    assert_string_equal(answer_header(&reply, "Twonmnist-Revision"), encoding->entry->revision);
    answer_end(&reply);
}

static void files_are_those_of_the_mixing_rule(void **state)
{
    (void)state;
    for_each_sample(check_bytes);
}

static void a_head_tells_what_a_get_does(void **state)
{
    (void)state;
    for_each_sample(encoding_check_head);
}

static void limits_refuse_by_their_reason(void **state)
{
    (void)state;
    for_each_sample(encoding_check_limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_those_of_the_mixing_rule),
        cmocka_unit_test(a_head_tells_what_a_get_does),
        cmocka_unit_test(limits_refuse_by_their_reason),
    };
    return cmocka_run_group_tests_name("encode_npy", tests, small_setup, small_teardown);
}
