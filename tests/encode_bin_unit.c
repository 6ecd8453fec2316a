/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_bin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/answers.h"
#include "tests/encoding.h"

static void for_each_sample(void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < ENCODING_N_FORMS; f++)
            for (uint64_t i = 0; i < SMALL_SAMPLES; i++)
                check(&(struct encoding){
                    .sample = encode_bin, .entry = entries[e], .form = &encoding_forms[f], .i = i});
}

static void check_bytes(const struct encoding *encoding)
{
    struct reply reply = encoding_answer(encoding);
    struct made made;
    encoding_make(encoding->entry, encoding->form, encoding->i, &made);
    if (encoding->form->as == FORM_FRAMES) {
        uint8_t *frames = encoding_frames(encoding->form, &made);
        answer_is(&reply, frames, frames_size(&encoding->form->frames));
        free(frames);
    } else {
        answer_is(&reply, made.bytes, made.events.n_events * EVENT_BYTES);
    }
    assert_string_equal(answer_header(&reply, "Twonmnist-Revision"), encoding->entry->revision);
    answer_end(&reply);
}

static void bytes_are_those_of_the_mixing_rule(void **state)
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

static void stored_events_are_one_part_of_the_map_and_claim_nothing(void **state)
{
    (void)state;
    struct reply reply = encoding_answer(&(struct encoding){
        .sample = encode_bin, .entry = small.timed, .form = &encoding_forms[0], .i = SAMPLE_PAIR});
    assert_int_equal(reply.n_parts, 1);
    assert_int_equal(reply.n_claimed, 0);
    assert_ptr_equal(reply.parts[0].iov_base,
                     split_sample(small.timed->split, SAMPLE_PAIR).events.bytes);
    answer_end(&reply);
}

static void a_mix_is_encoded_as_a_sample_is(void **state)
{
    (void)state;
    static const uint64_t recordings[] = {0, 5}; /* those of SAMPLE_PAIR */
    struct encoding encoding = {.sample = encode_bin,
                                .entry = small.source,
                                .form = &encoding_forms[4],
                                .mixed = recordings};
    struct made made;
    struct reply reply = encoding_answer(&encoding);
    encoding_make(small.timed, encoding.form, SAMPLE_PAIR, &made);
    answer_is(&reply, made.bytes, made.events.n_events * EVENT_BYTES);
    assert_string_equal(answer_header(&reply, "Twonmnist-Sources"), "0, 5");
    answer_end(&reply);
    encoding_check_head(&encoding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_mixing_rule),
        cmocka_unit_test(a_head_tells_what_a_get_does),
        cmocka_unit_test(limits_refuse_by_their_reason),
        cmocka_unit_test(stored_events_are_one_part_of_the_map_and_claim_nothing),
        cmocka_unit_test(a_mix_is_encoded_as_a_sample_is),
    };
    return cmocka_run_group_tests_name("encode_bin", tests, small_setup, small_teardown);
}
