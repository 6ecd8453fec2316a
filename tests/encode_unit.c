/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode: what the encoders share. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/answers.h"
#include "tests/encoding.h"

static struct recipe recipe_of(const struct entry *entry, const struct form *form, uint64_t i)
{
    struct recipe recipe;
    struct error why;
    assert_int_equal(recipe_sample(entry, form, i, &recipe, &why), 0);
    return recipe;
}

static const struct form as_stored, published = {.has_order = true, .order = MIX_PUBLISHED};

static void stored_events_are_borrowed_from_the_map(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct recipe recipe = recipe_of(small.timed, &as_stored, SAMPLE_PAIR);
    struct event_span events;
    struct error why;
    assert_int_equal(encode_events_size(&recipe), 0);
    assert_int_equal(encode_events(&recipe, &reply, &events, &why), 0);
    assert_ptr_equal(events.bytes, split_sample(small.timed->split, SAMPLE_PAIR).events.bytes);
    assert_int_equal(reply.n_claimed, 0);
    answer_end(&reply);
}

static void made_events_are_in_memory_of_the_reply(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct recipe recipe = recipe_of(small.timed, &published, SAMPLE_PAIR);
    struct event_span events;
    struct made made;
    struct error why;
    encoding_make(small.timed, &published, SAMPLE_PAIR, &made);
    assert_int_equal(encode_events(&recipe, &reply, &events, &why), 0);
    assert_int_equal(events.n_events, made.events.n_events);
    assert_memory_equal(events.bytes, made.bytes, events.n_events * EVENT_BYTES);
    assert_int_equal(reply.n_claimed, encode_events_size(&recipe));
    answer_end(&reply);
}

static void frames_are_made_unless_the_length_alone_is_wanted(void **state)
{
    (void)state;
    const struct form *form = &encoding_forms[5];
    struct reply reply = answer_new();
    struct recipe recipe = recipe_of(small.timed, form, SAMPLE_PAIR);
    struct encoded tensor;
    struct made made;
    struct error why;
    encoding_make(small.timed, form, SAMPLE_PAIR, &made);
    uint8_t *want = encoding_frames(form, &made);
    assert_int_equal(encode_tensor(form, &recipe, &reply, &tensor, &why), 0);
    assert_int_equal(tensor.size, frames_size(&form->frames));
    assert_memory_equal(tensor.bytes, want, tensor.size);
    free(want);
    answer_end(&reply);
    reply.head_only = true;
    assert_int_equal(encode_tensor(form, &recipe, &reply, &tensor, &why), 0);
    assert_null(tensor.bytes);
    assert_int_equal(tensor.size, frames_size(&form->frames));
    assert_int_equal(reply.n_claimed, 0);
    reply.max_bytes = frames_size(&form->frames) - 1;
    assert_int_equal(encode_tensor(form, &recipe, &reply, &tensor, &why), -E2BIG);
    answer_end(&reply);
}

static void check_about(const struct recipe *recipe, const char *labels, const char *sources)
{
    struct reply reply = answer_new();
    encode_about(small.timed, recipe, &reply);
    if (labels)
        assert_string_equal(answer_header(&reply, "Twonmnist-Labels"), labels);
    else
        assert_null(answer_header(&reply, "Twonmnist-Labels"));
    assert_string_equal(answer_header(&reply, "Twonmnist-Sources"), sources);
    assert_string_equal(answer_header(&reply, "Twonmnist-Revision"), small.timed->revision);
    answer_end(&reply);
}

static void headers_tell_of_the_sample(void **state)
{
    (void)state;
    struct recipe recipe = recipe_of(small.timed, &as_stored, SAMPLE_PAIR);
    check_about(&recipe, "0, 2", "0, 5");
    recipe = recipe_of(small.timed, &as_stored, SAMPLE_SINGLE);
    check_about(&recipe, "1", "3");
}

static void a_sample_without_labels_has_no_header_of_them(void **state)
{
    (void)state;
    struct recipe recipe = recipe_of(small.timed, &as_stored, SAMPLE_UNLABELLED);
    check_about(&recipe, NULL, "10");
}

static void the_longest_headers_fit(void **state)
{
    (void)state;
    struct recipe recipe = {.n_sources = MIX_MAX_DIGITS};
    char sources[REPLY_HEADER_VALUE] = "2147483647";
    for (unsigned i = 0; i < MIX_MAX_DIGITS; i++) {
        recipe.sources[i] = INT32_MAX;
        recipe.labels[i] = 1;
        if (i)
            strcat(sources, ", 2147483647");
    }
    check_about(&recipe, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9", sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_events_are_borrowed_from_the_map),
        cmocka_unit_test(made_events_are_in_memory_of_the_reply),
        cmocka_unit_test(frames_are_made_unless_the_length_alone_is_wanted),
        cmocka_unit_test(headers_tell_of_the_sample),
        cmocka_unit_test(a_sample_without_labels_has_no_header_of_them),
        cmocka_unit_test(the_longest_headers_fit),
    };
    return cmocka_run_group_tests_name("encode", tests, small_setup, small_teardown);
}
