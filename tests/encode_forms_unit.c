/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_*, tensor and cut over all that can be cut and filtered: what one
 * encoder says against another, limits, and lengths. (tests/test_forms.py holds the values against
 * the rules.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "common/safetensors.h"
#include "tests/answers.h"
#include "tests/encoding.h"

static const uint64_t indices[] = {SAMPLE_PAIR, SAMPLE_SINGLE, SAMPLE_PAIR, 1, 0};
enum { N = sizeof indices / sizeof *indices };

static struct encoding single_of(const struct form *form, encode_sample *encode, uint64_t i)
{
    return (struct encoding){.sample = encode, .form = form, .entry = small.timed, .i = i};
}

static struct encoding batch_of(const struct form *form, encode_batch *encode, size_t n)
{
    return (struct encoding){
        .batch = encode,
        .form = form,
        .batched = {.entry = small.timed, .kind = BATCH_STORED, .indices = indices, .n = n}};
}

static void for_each_form(void (*check)(const struct form *form))
{
    for (size_t i = 0; i < ENCODING_N_CUTS; i++)
        check(&encoding_cuts[i]);
}

static void check_length(const struct encoding *encoding)
{
    struct reply got = encoding_answer(encoding), head = answer_new();
    struct error why = {""};
    head.head_only = true;
    if (encoding_run(encoding, &head, &why) < 0)
        fail_msg("%s", why.text);
    assert_true(head.unknown_length || head.n_bytes == got.n_bytes);
    assert_int_equal(head.n_parts, 0);
    reply_reset(&got);
    answer_end(&head);
}

static void check_encoding(const struct encoding *encoding)
{
    check_length(encoding);
    encoding_check_limits(encoding);
}

static bool has_shape(const struct form *form)
{
    return form->as != FORM_SPARSE;
}

static bool is_text(const struct form *form)
{
    return form->as != FORM_BITS && !form->is_voxel;
}

static void check_all_encoders(const struct form *form)
{
    struct encoding encodings[] = {
        single_of(form, encode_bin, SAMPLE_PAIR),
        single_of(form, encode_npy, SAMPLE_SINGLE),
        single_of(form, encode_json_sample, SAMPLE_PAIR),
        batch_of(form, encode_json_batch, N),
        batch_of(form, encode_safetensors, N),
        batch_of(form, encode_safetensors, 0),
    };
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        bool text =
            encodings[i].sample == encode_json_sample || encodings[i].batch == encode_json_batch;
        bool shaped = encodings[i].sample == encode_bin || encodings[i].sample == encode_npy;
        if ((!text || is_text(form)) && (!shaped || has_shape(form)))
            check_encoding(&encodings[i]);
    }
}

static void lengths_and_limits_hold_in_every_form(void **state)
{
    (void)state;
    for_each_form(check_all_encoders);
}

/* Row i of the tensor begins with the bytes of the single sample, and zeros are behind. */
static void check_row(const struct form *form, const uint8_t *row, uint64_t size, uint64_t i)
{
    const struct encoding encoding = single_of(form, encode_bin, i);
    struct reply reply = encoding_answer(&encoding);
    char *bytes = answer_body(&reply);
    assert_true(reply.n_bytes <= size);
    assert_memory_equal(row, bytes, reply.n_bytes);
    for (uint64_t at = reply.n_bytes; at < size; at++)
        assert_int_equal(row[at], 0);
    free(bytes);
    answer_end(&reply);
}

static void check_batch(const struct form *form)
{
    if (form->as == FORM_EVENTS || form->as == FORM_SPARSE || form->is_voxel ||
        form->frames.axes == FRAMES_CHWT)
        return;
    const struct encoding encoding = batch_of(form, encode_safetensors, N);
    struct reply reply = encoding_answer(&encoding);
    char *bytes = answer_body(&reply);
    struct safetensors *header;
    struct error why = {""};
    assert_int_equal(safetensors_parse(bytes, reply.n_bytes, &header, &why), 0);
    answer_end(&reply);
    const struct tensor *tensor =
        safetensors_find(header, form->as == FORM_BITS ? "bits" : "frames");
    const struct tensor *sums = safetensors_find(header, "checksums");
    assert_non_null(tensor);
    uint64_t one = (tensor->end - tensor->begin) / N;
    const uint8_t *data = (uint8_t *)bytes + safetensors_data_start(header);
    for (size_t i = 0; i < N; i++) {
        int64_t sum;
        memcpy(&sum, data + sums->begin + i * sizeof sum, sizeof sum);
        assert_int_equal(sum, crc32c(0, data + tensor->begin + i * one, one));
        check_row(form, data + tensor->begin + i * one, one, indices[i]);
    }
    safetensors_free(header);
    free(bytes);
}

static void a_batch_has_the_single_samples_and_zeros_behind_them(void **state)
{
    (void)state;
    for_each_form(check_batch);
}

static void check_fails(const struct form *form, uint64_t i, int error, const char *words)
{
    static encode_sample *const encoders[] = {encode_bin, encode_npy, encode_json_sample};
    for (size_t e = 0; e < sizeof encoders / sizeof *encoders; e++) {
        const struct encoding encoding = single_of(form, encoders[e], i);
        struct reply reply = answer_new();
        struct error why = {""};
        if (form->is_voxel && encoders[e] == encode_json_sample)
            continue;
        assert_int_equal(encoding_run(&encoding, &reply, &why), error);
        assert_non_null(strstr(why.text, words));
        answer_end(&reply);
    }
    struct encoding batch = batch_of(form, encode_safetensors, 1);
    struct reply reply = answer_new();
    struct error why = {""};
    batch.batched.indices = &i;
    assert_int_equal(encoding_run(&batch, &reply, &why), error);
    assert_non_null(strstr(why.text, "sample 0 of the batch: "));
    assert_non_null(strstr(why.text, words));
    answer_end(&reply);
}

#define CUT(...)                                                    \
    .as = FORM_FRAMES,                                              \
    .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, \
               .timestep_us = 1000,                                 \
               .bins = 4},                                          \
    .slice = {.bins = 4,                                            \
              .timestep_us = 1,                                     \
              .stride_us = 1,                                       \
              .n_events = 1,                                        \
              .stride_events = 1,                                   \
              __VA_ARGS__}

static void what_cannot_be_cut_names_its_sample(void **state)
{
    (void)state;
    static const struct form empty[] = {
        {CUT(.slice = SLICE_TIME)},      {CUT(.slice = SLICE_TIME), .is_voxel = true},
        {CUT(.slice = SLICE_TIME_BINS)}, {CUT(.slice = SLICE_WINDOW)},
        {CUT(.slice = SLICE_DURATION)},
    };
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        check_fails(&empty[i], SAMPLE_EMPTY, -EINVAL, "it has no events");
}

static void a_sensor_with_too_many_places_has_no_sparse_frames(void **state)
{
    (void)state;
    struct form form = {CUT(.slice = SLICE_TIMESTEP)};
    form.as = FORM_SPARSE;
    form.frames.geometry.width = form.frames.geometry.height = 129;
    encode_batch *const encoders[] = {encode_safetensors, encode_json_batch};
    for (size_t e = 0; e < 2; e++) {
        const struct encoding encoding = batch_of(&form, encoders[e], 1);
        struct reply reply = answer_new();
        struct error why = {""};
        assert_int_equal(encoding_run(&encoding, &reply, &why), -EINVAL);
        assert_non_null(strstr(why.text, "its sensor has more than the 32768 places"));
        answer_end(&reply);
    }
}

static void more_frames_than_there_may_be_are_too_many(void **state)
{
    (void)state;
    static const struct form many = {CUT(.slice = SLICE_WINDOW, .has_range = true, .end_us = 4097)};
    check_fails(&many, SAMPLE_PAIR, -EFBIG, "it would have 4097 frames, and the limit is 4096");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_limits_hold_in_every_form),
        cmocka_unit_test(a_batch_has_the_single_samples_and_zeros_behind_them),
        cmocka_unit_test(what_cannot_be_cut_names_its_sample),
        cmocka_unit_test(a_sensor_with_too_many_places_has_no_sparse_frames),
        cmocka_unit_test(more_frames_than_there_may_be_are_too_many),
    };
    return cmocka_run_group_tests_name("encode_forms", tests, small_setup, small_teardown);
}
