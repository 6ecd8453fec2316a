/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_safetensors: blobs as common/safetensors reads them. */
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

enum { N = 12 };

static const uint64_t indices[N] = {3, 0, 3, SAMPLE_EMPTY, SAMPLE_UNLABELLED, 1, 8, 2, 6, 4, 10, 9};

static const struct meta about[] = {{"split", "of a \"batch\""}, {"order", "time"}};

static struct encoding batch_of(const struct entry *entry, const struct form *form, size_t n)
{
    return (struct encoding){.batch = encode_safetensors,
                             .form = form,
                             .batched = {.entry = entry,
                                         .kind = BATCH_STORED,
                                         .indices = indices,
                                         .n = n,
                                         .about = about,
                                         .n_about = sizeof about / sizeof *about}};
}

static void for_each_batch(void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    static const size_t sizes[] = {0, 1, 2, N};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < ENCODING_N_FORMS; f++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                struct encoding encoding = batch_of(entries[e], &encoding_forms[f], sizes[s]);
                check(&encoding);
            }
}

/* A blob that was read again. */
struct blob {
    char *bytes;
    struct safetensors *header;
};

static struct blob read_blob(const struct reply *reply)
{
    struct blob blob = {.bytes = answer_body(reply)};
    struct error why = {""};
    if (safetensors_parse(blob.bytes, reply->n_bytes, &blob.header, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(safetensors_data_start(blob.header) % SAFETENSORS_ALIGN, 0);
    return blob;
}

static void free_blob(struct blob blob)
{
    safetensors_free(blob.header);
    free(blob.bytes);
}

/* The data of a tensor, which has this dtype and `rows` rows of `width` bytes. */
static const void *tensor_of(const struct blob *blob, const char *name, enum tensor_dtype dtype,
                             uint64_t rows, uint64_t width)
{
    const struct tensor *tensor = safetensors_find(blob->header, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->dims[0], rows);
    assert_int_equal(tensor->end - tensor->begin, rows * width);
    return blob->bytes + safetensors_data_start(blob->header) + tensor->begin;
}

static void check_columns(const struct blob *blob, const struct encoding *encoding)
{
    uint64_t n = encoding->batched.n;
    const uint64_t *got_indices = tensor_of(blob, "indices", TENSOR_I64, n, 8);
    const int32_t *sources = tensor_of(blob, "sources", TENSOR_I32, n, 8);
    const uint8_t *labels = tensor_of(blob, "labels", TENSOR_U8, n, N_DIGITS);
    assert_memory_equal(got_indices, indices, n * sizeof *indices);
    for (uint64_t i = 0; i < n; i++) {
        struct sample sample = split_sample(encoding->batched.entry->split, indices[i]);
        assert_memory_equal(sources + 2 * i, sample.sources, 2 * sizeof *sources);
        assert_memory_equal(labels + N_DIGITS * i, sample.labels, N_DIGITS);
    }
    for (size_t i = 0; i < encoding->batched.n_about; i++)
        assert_string_equal(safetensors_meta(blob->header, about[i].key), about[i].value);
}

static void check_events(const struct blob *blob, const struct encoding *encoding)
{
    uint64_t n = encoding->batched.n;
    const uint64_t *offsets = tensor_of(blob, "offsets", TENSOR_I64, n + 1, 8);
    const uint64_t *checksums = tensor_of(blob, "checksums", TENSOR_I64, n, 8);
    const uint8_t *events = tensor_of(blob, "events", TENSOR_U8, offsets[n], EVENT_BYTES);
    assert_int_equal(offsets[0], 0);
    for (uint64_t i = 0; i < n; i++) {
        struct made made;
        encoding_make(encoding->batched.entry, encoding->form, indices[i], &made);
        size_t size = made.events.n_events * EVENT_BYTES;
        assert_int_equal(offsets[i + 1] - offsets[i], made.events.n_events);
        assert_memory_equal(events + offsets[i] * EVENT_BYTES, made.bytes, size);
        assert_int_equal(checksums[i], crc32c(0, made.bytes, size));
    }
    assert_null(safetensors_find(blob->header, "frames"));
}

static void check_frames(const struct blob *blob, const struct encoding *encoding)
{
    uint64_t n = encoding->batched.n, shape[FRAMES_DIMS];
    size_t size = frames_size(&encoding->form->frames);
    const uint64_t *checksums = tensor_of(blob, "checksums", TENSOR_I64, n, 8);
    const uint8_t *frames = tensor_of(blob, "frames", TENSOR_U8, n, size);
    frames_shape(&encoding->form->frames, shape);
    assert_memory_equal(&safetensors_find(blob->header, "frames")->dims[1], shape, sizeof shape);
    for (uint64_t i = 0; i < n; i++) {
        struct made made;
        encoding_make(encoding->batched.entry, encoding->form, indices[i], &made);
        uint8_t *want = encoding_frames(encoding->form, &made);
        assert_memory_equal(frames + i * size, want, size);
        assert_int_equal(checksums[i], crc32c(0, want, size));
        free(want);
    }
    assert_null(safetensors_find(blob->header, "events"));
    assert_null(safetensors_find(blob->header, "offsets"));
}

static void check_blob(const struct encoding *encoding)
{
    struct reply reply = encoding_answer(encoding);
    struct blob blob = read_blob(&reply);
    check_columns(&blob, encoding);
    (encoding->form->as == FORM_FRAMES ? check_frames : check_events)(&blob, encoding);
    free_blob(blob);
    answer_end(&reply);
}

static void blobs_have_the_samples_by_the_mixing_rule(void **state)
{
    (void)state;
    for_each_batch(check_blob);
}

static void a_head_tells_what_a_get_does(void **state)
{
    (void)state;
    for_each_batch(encoding_check_head);
}

static void limits_refuse_by_their_reason(void **state)
{
    (void)state;
    for_each_batch(encoding_check_limits);
}

static void stored_events_are_answered_from_the_map(void **state)
{
    (void)state;
    struct encoding encoding = batch_of(small.timed, &encoding_forms[0], N);
    struct reply reply = encoding_answer(&encoding);
    uint64_t n_events = 0;
    for (size_t i = 0; i < N; i++)
        n_events += split_sample(small.timed->split, indices[i]).events.n_events;
    assert_true(reply.n_bytes >= n_events * EVENT_BYTES);
    assert_true(reply.n_claimed < n_events * EVENT_BYTES);
    assert_int_equal(reply.n_owned, 1);
    assert_int_equal(reply.n_parts, N); /* the head, and a part for each that has events */
    answer_end(&reply);
}

static void fresh_pairs_are_mixed_into_a_batch(void **state)
{
    (void)state;
    static const uint64_t pairs[] = {5, 6, UINT64_MAX};
    const struct encoding encoding = {
        .batch = encode_safetensors,
        .form = &encoding_forms[0],
        .batched = {
            .entry = small.source, .kind = BATCH_PAIRS, .seed = 9, .indices = pairs, .n = 3}};
    struct reply reply = encoding_answer(&encoding);
    struct blob blob = read_blob(&reply);
    const uint64_t *offsets = tensor_of(&blob, "offsets", TENSOR_I64, 4, 8);
    const uint8_t *events = tensor_of(&blob, "events", TENSOR_U8, offsets[3], EVENT_BYTES);
    assert_memory_equal(tensor_of(&blob, "indices", TENSOR_I64, 3, 8), pairs, sizeof pairs);
    for (size_t i = 0; i < 3; i++) {
        uint8_t want[2 * SMALL_MOST_EVENTS * EVENT_BYTES];
        struct recipe recipe;
        struct error why;
        size_t n;
        recipe_pair(small.source, encoding.form, 9, pairs[i], &recipe);
        assert_int_equal(recipe_make(&recipe, want, &n, &why), 0);
        assert_int_equal(offsets[i + 1] - offsets[i], n);
        assert_memory_equal(events + offsets[i] * EVENT_BYTES, want, n * EVENT_BYTES);
    }
    free_blob(blob);
    answer_end(&reply);
    encoding_check_head(&encoding);
    encoding_check_limits(&encoding);
}

static void a_batch_with_a_sample_that_is_not_there_fails(void **state)
{
    (void)state;
    static const uint64_t past[] = {0, SMALL_SAMPLES};
    struct encoding encoding = batch_of(small.timed, &encoding_forms[0], 2);
    struct reply reply = answer_new();
    struct error why = {""};
    encoding.batched.indices = past;
    assert_int_equal(encoding_run(&encoding, &reply, &why), -ENOENT);
    assert_non_null(strstr(why.text, "sample 13"));
    encoding.batched.entry = small.orphan;
    encoding.batched.indices = indices;
    encoding.form = &encoding_forms[3];
    assert_int_equal(encoding_run(&encoding, &reply, &why), -ENODATA);
    answer_end(&reply);
}

static void a_form_that_a_sample_does_not_suit_names_the_sample(void **state)
{
    (void)state;
    static const struct form late = {.timestep_us = MIX_TIMESTEP_MAX_US + 1};
    struct encoding encoding = batch_of(small.timed, &late, 3);
    struct reply reply = answer_new();
    struct error why = {""};
    assert_int_equal(encoding_run(&encoding, &reply, &why), -EINVAL);
    assert_non_null(strstr(why.text, "sample 0 of the batch: "));
    answer_end(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_have_the_samples_by_the_mixing_rule),
        cmocka_unit_test(a_head_tells_what_a_get_does),
        cmocka_unit_test(limits_refuse_by_their_reason),
        cmocka_unit_test(stored_events_are_answered_from_the_map),
        cmocka_unit_test(fresh_pairs_are_mixed_into_a_batch),
        cmocka_unit_test(a_batch_with_a_sample_that_is_not_there_fails),
        cmocka_unit_test(a_form_that_a_sample_does_not_suit_names_the_sample),
    };
    return cmocka_run_group_tests_name("encode_safetensors", tests, small_setup, small_teardown);
}
