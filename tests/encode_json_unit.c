/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_json. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/answers.h"
#include "tests/encoding.h"

static json_t *parse_with(const struct reply *reply, size_t flags)
{
    char *body = answer_body(reply);
    json_error_t error;
    json_t *root = json_loadb(body, reply->n_bytes, JSON_REJECT_DUPLICATES | flags, &error);
    if (!root)
        fail_msg("%s at %d: %.80s", error.text, error.position, body);
    assert_int_equal(body[reply->n_bytes - 1], '\n');
    free(body);
    return root;
}

static json_t *parse(const struct reply *reply)
{
    return parse_with(reply, 0);
}

static uint64_t number_at(const json_t *array, size_t i)
{
    const json_t *item = json_array_get(array, i);
    assert_true(json_is_integer(item));
    return (uint64_t)json_integer_value(item);
}

static void check_column(const json_t *sample, const struct made *made, char name)
{
    const json_t *column = json_object_get(sample, (const char[]){name, '\0'});
    assert_int_equal(json_array_size(column), made->events.n_events);
    for (size_t i = 0; i < made->events.n_events; i++) {
        struct event event = event_unpack(made->bytes + i * EVENT_BYTES);
        uint32_t want = name == 't'   ? event.t_us
                        : name == 'x' ? event.x
                        : name == 'y' ? event.y
                                      : event.p;
        assert_int_equal(number_at(column, i), want);
    }
}

static void check_frames(const json_t *sample, const struct form *form, const struct made *made)
{
    const json_t *frames = json_object_get(sample, "frames");
    const json_t *shape = json_object_get(frames, "shape"), *data = json_object_get(frames, "data");
    uint64_t want_shape[FRAMES_DIMS];
    uint8_t *want = encoding_frames(form, made);
    frames_shape(&form->frames, want_shape);
    assert_int_equal(json_array_size(shape), FRAMES_DIMS);
    for (size_t i = 0; i < FRAMES_DIMS; i++)
        assert_int_equal(number_at(shape, i), want_shape[i]);
    assert_int_equal(json_array_size(data), frames_size(&form->frames));
    for (size_t i = 0; i < frames_size(&form->frames); i++)
        assert_int_equal(number_at(data, i), want[i]);
    free(want);
}

static void check_about(const json_t *sample, const struct entry *entry, uint64_t i, size_t n)
{
    const json_t *labels = json_object_get(sample, "labels"),
                 *sources = json_object_get(sample, "sources");
    const struct small_row *row = &small_rows[i];
    assert_string_equal(json_string_value(json_object_get(sample, "split")), entry->name);
    assert_int_equal(json_integer_value(json_object_get(sample, "index")), i);
    assert_int_equal(json_integer_value(json_object_get(sample, "events")), n);
    assert_int_equal(json_array_size(sources), row->b < 0 ? 1 : 2);
    assert_int_equal(number_at(sources, 0), row->a);
    assert_int_equal(json_array_size(labels), i == SAMPLE_UNLABELLED ? 0 : row->b < 0 ? 1 : 2);
    for (size_t label = 0; label < json_array_size(labels); label++)
        assert_true(number_at(labels, label) == (uint64_t)row->a / 2 ||
                    number_at(labels, label) == (uint64_t)row->b / 2);
}

static void check_sample(const json_t *sample, const struct entry *entry, const struct form *form,
                         uint64_t i)
{
    struct made made;
    encoding_make(entry, form, i, &made);
    check_about(sample, entry, i, made.events.n_events);
    if (form->as == FORM_FRAMES)
        check_frames(sample, form, &made);
    else
        for (const char *name = "txyp"; *name; name++)
            check_column(sample, &made, *name);
    assert_int_equal(json_object_size(sample), form->as == FORM_FRAMES ? 6 : 9);
}

static void for_each_sample(void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < ENCODING_N_FORMS; f++)
            for (uint64_t i = 0; i < SMALL_SAMPLES; i++)
                check(&(struct encoding){.sample = encode_json_sample,
                                         .entry = entries[e],
                                         .form = &encoding_forms[f],
                                         .i = i});
}

static void check_single(const struct encoding *encoding)
{
    struct reply reply = encoding_answer(encoding);
    json_t *root = parse(&reply);
    check_sample(root, encoding->entry, encoding->form, encoding->i);
    json_decref(root);
    answer_end(&reply);
}

static void a_sample_is_a_row_of_columns(void **state)
{
    (void)state;
    for_each_sample(check_single);
}

static void a_mix_has_no_index(void **state)
{
    (void)state;
    static const uint64_t recordings[] = {0, 5};
    struct reply reply = encoding_answer(&(struct encoding){.sample = encode_json_sample,
                                                            .entry = small.source,
                                                            .form = &encoding_forms[0],
                                                            .mixed = recordings});
    json_t *root = parse(&reply);
    assert_null(json_object_get(root, "index"));
    assert_int_equal(json_array_size(json_object_get(root, "sources")), 2);
    json_decref(root);
    answer_end(&reply);
}

static const uint64_t indices[] = {SAMPLE_SINGLE, SAMPLE_PAIR, SAMPLE_EMPTY, SAMPLE_SINGLE};

static struct encoding batch_of(const struct entry *entry, const struct form *form, size_t n)
{
    return (struct encoding){
        .batch = encode_json_batch,
        .form = form,
        .batched = {.entry = entry, .kind = BATCH_STORED, .indices = indices, .n = n}};
}

static void a_batch_has_its_samples_in_order(void **state)
{
    (void)state;
    for (size_t f = 0; f < ENCODING_N_FORMS; f++)
        for (size_t n = 0; n <= sizeof indices / sizeof *indices; n++) {
            struct encoding encoding = batch_of(small.published, &encoding_forms[f], n);
            struct reply reply = encoding_answer(&encoding);
            json_t *root = parse(&reply), *samples = json_object_get(root, "samples");
            assert_string_equal(json_string_value(json_object_get(root, "split")), "published");
            assert_string_equal(json_string_value(json_object_get(root, "revision")),
                                small.published->revision);
            assert_int_equal(json_array_size(samples), n);
            for (size_t i = 0; i < n; i++)
                check_sample(json_array_get(samples, i), small.published, encoding.form,
                             indices[i]);
            json_decref(root);
            answer_end(&reply);
        }
}

static void a_batch_with_a_sample_that_is_not_there_fails(void **state)
{
    (void)state;
    static const uint64_t past[] = {0, SMALL_SAMPLES};
    struct encoding encoding = batch_of(small.timed, &encoding_forms[0], 2);
    struct reply reply = answer_new();
    struct error why;
    encoding.batched.indices = past;
    assert_int_equal(encoding_run(&encoding, &reply, &why), -ENOENT);
    encoding.batched.entry = small.orphan;
    encoding.batched.indices = indices;
    encoding.form = &encoding_forms[3];
    assert_int_equal(encoding_run(&encoding, &reply, &why), -ENODATA);
    answer_end(&reply);
}

static void a_head_tells_what_a_get_does(void **state)
{
    (void)state;
    for_each_sample(encoding_check_head);
    for (size_t f = 0; f < ENCODING_N_FORMS; f++) {
        struct encoding encoding = batch_of(small.timed, &encoding_forms[f], 4);
        encoding_check_head(&encoding);
    }
}

static void limits_refuse_by_their_reason(void **state)
{
    (void)state;
    for_each_sample(encoding_check_limits);
    for (size_t f = 0; f < ENCODING_N_FORMS; f++) {
        struct encoding encoding = batch_of(small.timed, &encoding_forms[f], 4);
        encoding_check_limits(&encoding);
    }
}

/* As long as any text of a sample can get: every field at its most. */
static void the_longest_sample_fits_its_room(void **state)
{
    (void)state;
    enum { N = 100 };
    uint8_t bytes[N * EVENT_BYTES];
    for (size_t i = 0; i < N; i++)
        event_pack((struct event){.t_us = EVENT_T_MAX, .x = 255, .y = 255, .p = 1},
                   bytes + i * EVENT_BYTES);
    struct recipe recipe = {.kind = RECIPE_STORED,
                            .k = 1,
                            .parts = {{bytes, N}},
                            .has_index = true,
                            .index = UINT64_MAX,
                            .n_sources = MIX_MAX_DIGITS};
    struct entry *entry = calloc(1, sizeof *entry);
    assert_non_null(entry);
    memset(entry->name, 'n', WIRE_NAME_MAX);
    for (unsigned i = 0; i < MIX_MAX_DIGITS; i++) {
        recipe.sources[i] = INT32_MIN;
        recipe.labels[i] = 1;
    }
    static const struct form frames = {
        .as = FORM_FRAMES,
        .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS},
                   .timestep_us = 1,
                   .bins = 1,
                   .overlap = FRAMES_SUM}};
    const struct form *forms[] = {&encoding_forms[0], &frames};
    for (size_t f = 0; f < 2; f++) {
        struct reply reply = answer_new();
        struct error why = {""};
        assert_int_equal(encode_json_sample(entry, forms[f], &recipe, &reply, &why), 0);
        /* jansson's integers end before the largest index does */
        json_decref(parse_with(&reply, JSON_DECODE_INT_AS_REAL));
        answer_end(&reply);
    }
    free(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_a_row_of_columns),
        cmocka_unit_test(a_mix_has_no_index),
        cmocka_unit_test(a_batch_has_its_samples_in_order),
        cmocka_unit_test(a_batch_with_a_sample_that_is_not_there_fails),
        cmocka_unit_test(a_head_tells_what_a_get_does),
        cmocka_unit_test(limits_refuse_by_their_reason),
        cmocka_unit_test(the_longest_sample_fits_its_room),
    };
    return cmocka_run_group_tests_name("encode_json", tests, small_setup, small_teardown);
}
