/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/arguments: each error of each parameter and each variable of a path, through the
 * routes that take them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/answers.h"
#include "tests/asking.h"

static struct asked_service asked;

static int open_asked(void **state)
{
    (void)state;
    asked_service_init(&asked);
    asked.settings.max_batch_size = 5;
    asked_service_open(&asked);
    return 0;
}

static int close_asked(void **state)
{
    (void)state;
    asked_service_close(&asked);
    return 0;
}

/* A target that takes each parameter, with the parameters that it needs beside it. */
static const struct {
    const char *target;
    uint64_t params;
} targets[] = {
    {"/v1/splits/timed/samples/0.bin?as=frames&slice=window",
     PARAM_BIT(PARAM_STRIDE) | PARAM_BIT(PARAM_INCOMPLETE)},
    {"/v1/splits/timed/samples/0.bin?as=frames&slice=window&start=0", PARAM_BIT(PARAM_END)},
    {"/v1/splits/timed/samples/0.bin?as=frames&slice=window&end=9", PARAM_BIT(PARAM_START)},
    {"/v1/splits/timed/samples/0.bin?as=frames&slice=time-bins", PARAM_BIT(PARAM_BIN_OVERLAP)},
    {"/v1/splits/timed/samples/0.bin?as=frames&slice=event-count", PARAM_BIT(PARAM_EVENTS)},
    {"/v1/splits/timed/samples/0.bin?as=frames&bins=2",
     PARAM_BIT(PARAM_SLICE) | PARAM_BIT(PARAM_VALUES) | PARAM_BIT(PARAM_STABILIZE) |
         PARAM_BIT(PARAM_T0) | PARAM_BIT(PARAM_T1) | PARAM_BIT(PARAM_DENOISE) |
         PARAM_BIT(PARAM_POLARITY)},
    {"/v1/splits/timed/samples/0.bin?as=frames",
     PARAM_BIT(PARAM_TIMESTEP) | PARAM_BIT(PARAM_BINS) | PARAM_BIT(PARAM_BINNING) |
         PARAM_BIT(PARAM_OVERLAP) | PARAM_BIT(PARAM_AXES) | PARAM_BIT(PARAM_ORDER)},
    {"/v1/splits/timed/samples/0.bin?order=time", PARAM_BIT(PARAM_AS)},
    {"/v1/splits/timed/samples/0.png?order=time",
     PARAM_BIT(PARAM_SCALE) | PARAM_BIT(PARAM_STRIP) | PARAM_BIT(PARAM_FRAMES)},
    {"/v1/splits/timed/samples?", PARAM_BIT(PARAM_OFFSET) | PARAM_BIT(PARAM_LENGTH) |
                                      PARAM_BIT(PARAM_SORT) | PARAM_BIT(PARAM_SEED)},
    {"/rows?", PARAM_BIT(PARAM_DATASET) | PARAM_BIT(PARAM_CONFIG) | PARAM_BIT(PARAM_SPLIT)},
    {"/v1/splits/timed/batch.safetensors?", PARAM_BIT(PARAM_INDICES)},
    {"/v1/splits/timed/epochs/1/2/batches/0.safetensors?",
     PARAM_BIT(PARAM_SIZE) | PARAM_BIT(PARAM_RANK) | PARAM_BIT(PARAM_WORLD) |
         PARAM_BIT(PARAM_LAST)},
    {"/v1/splits/timed/shards?", PARAM_BIT(PARAM_PER_SHARD) | PARAM_BIT(PARAM_MEMBER)},
    {"/v1/splits/timed/indices.npy?", PARAM_BIT(PARAM_KIND) | PARAM_BIT(PARAM_ANY) |
                                          PARAM_BIT(PARAM_ALL) | PARAM_BIT(PARAM_NONE) |
                                          PARAM_BIT(PARAM_PER_CLASS)},
    {"/v1/splits/timed/indices.npy?part=held", PARAM_BIT(PARAM_FOLDS)},
    {"/v1/splits/timed/indices.npy?folds=2", PARAM_BIT(PARAM_PART)},
    {"/v1/splits/timed/indices.npy?part=held&folds=1000", PARAM_BIT(PARAM_FOLD)},
    {"/v1/splits/timed/indices.npy?per_class=1", PARAM_BIT(PARAM_FOLD_SEED)},
};

static const char *target_of(enum param param)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (targets[i].params & PARAM_BIT(param))
            return targets[i].target;
    fail_msg("no target takes %s", param_rows[param].name);
    return NULL;
}

static void check_value(enum param param, const char *value, const char *words)
{
    char target[512];
    snprintf(target, sizeof target, "%s&%s=%s", target_of(param), param_rows[param].name, value);
    char *lone = strstr(target, "?&");
    if (lone)
        memmove(lone + 1, lone + 2, strlen(lone + 1));
    asking_fails(&asked, target, 400, "bad-parameter", words);
}

static void every_parameter_refuses_what_it_does_not_take(void **state)
{
    (void)state;
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        char past[32], words[64];
        if (row->kind == PARAM_NAME) {
            asking_fails(&asked, "/rows?split=x", 404, "no-such-split", "no split \"x\"");
            asking_fails(&asked, "/rows?split=", 404, "no-such-split", "no split \"\"");
            asking_fails(&asked, "/rows", 400, "bad-parameter", "split is missing");
            continue;
        }
        check_value(param, "x", row->name);
        check_value(param, "", row->name);
        check_value(param, "-1", row->name);
        if (row->kind == PARAM_CHOICE) {
            snprintf(words, sizeof words, "%s is \"1\"; it is one of %s", row->name,
                     row->choices[0]);
            check_value(param, "1", words);
            continue;
        }
        if (row->kind == PARAM_REAL) {
            check_value(param, "1.0", "it goes from 0 to below 1");
            check_value(param, "1e-3", "a number as 0.25");
            check_value(param, "0,5", "a number as 0.25");
            continue;
        }
        check_value(param, "1.0", "whole number");
        snprintf(words, sizeof words, "to %" PRIu64, row->max);
        snprintf(past, sizeof past, "%" PRIu64, row->max + 1);
        check_value(param, past, words);
        check_value(param, "18446744073709551616", words);
        snprintf(words, sizeof words, "from %" PRIu64 " to", row->min);
        if (row->kind == PARAM_NUMBER && row->min > 0)
            check_value(param, "0", words);
    }
}

static void a_parameter_given_twice_is_refused(void **state)
{
    (void)state;
    for (enum param param = 0; param < N_PARAMS; param++) {
        char value[64];
        const struct param_row *row = &param_rows[param];
        const char *once = row->kind == PARAM_CHOICE ? row->choices[0]
                           : row->kind == PARAM_REAL ? "0.5"
                           : row->min > 1            ? "2"
                                                     : "1";
        snprintf(value, sizeof value, "%s&%s=%s", once, row->name, once);
        if (param == PARAM_AS) /* it stands first, so that nothing else is wrong */
            asking_fails(&asked, "/v1/splits/timed/samples/0.bin?as=events&as=events", 400,
                         "bad-parameter", "as is given twice");
        else
            check_value(param, value, "is given twice");
    }
}

static void a_parameter_that_no_path_or_another_takes_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "/healthz?size=1",
        "/v1/splits?offset=1",
        "/v1/splits/timed.json?as=frames",
        "/v1/splits/timed/labels.npy?length=1",
        "/v1/splits/timed/samples?size=1",
        "/v1/splits/timed/samples/0.bin?indices=1",
        "/v1/splits/timed/batch.safetensors?indices=1&size=1",
        "/v1/splits/timed/epochs/0/0/batches/0.safetensors?offset=1",
        "/v1/pairs/source/0/0.bin?size=1",
        "/v1/pairs/source/0/batches/0.safetensors?last=pad",
        "/healthz?=",
        "/healthz?Size=1",
        "/healthz?%73ize=1",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        asking_fails(&asked, refused[i], 400, "bad-parameter", "this path takes no parameter \"");
}

static void a_long_name_is_cut_in_the_answer(void **state)
{
    (void)state;
    asking_fails(&asked, "/healthz?abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz=1", 400,
                 "bad-parameter", "no parameter \"abcdefghijklmnopqrstuvwxyzabcdefghijklmn\"");
}

static void more_parameters_than_a_request_keeps_are_refused(void **state)
{
    (void)state;
    char target[64 + 2 * (REQUEST_MAX_QUERY + 1)] = "/healthz?a";
    for (unsigned i = 0; i < REQUEST_MAX_QUERY; i++)
        strcat(target, "&a");
    asking_fails(&asked, target, 400, "bad-parameter", "more than 32 parameters");
    target[strlen(target) - 2] = '\0';
    asking_fails(&asked, target, 400, "bad-parameter", "no parameter \"a\"");
}

static void parameters_of_frames_go_with_frames_alone(void **state)
{
    (void)state;
    static const char *const params[] = {"bins=5",    "binning=floor", "overlap=sum",
                                         "axes=CHWT", "values=u16",    "slice=number"};
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        char target[128];
        struct asking asking;
        snprintf(target, sizeof target, "/v1/splits/timed/samples/0.bin?%s", params[i]);
        asking_fails(&asked, target, 400, "bad-parameter", "goes with as=frames");
        snprintf(target, sizeof target, "/v1/splits/timed/samples/0.bin?as=events&%s", params[i]);
        asking_fails(&asked, target, 400, "bad-parameter", "not with as=events");
        snprintf(target, sizeof target, "/v1/splits/timed/samples/0.bin?%s&as=frames", params[i]);
        asking_get(&asking, &asked, target, 200);
        asking_end(&asking);
    }
}

static void what_has_no_meaning_beside_another_is_refused_by_both_names(void **state)
{
    (void)state;
    static const struct {
        const char *query, *words;
    } cases[] = {
        {"as=frames&slice=time-bins&stride=5",
         "stride goes with slice=window or event-count, not with slice=time-bins"},
        {"as=frames&slice=event-count&events=5&timestep=5",
         "timestep goes with slice=timestep, window or duration, not with slice=event-count"},
        {"as=frames&slice=window&bins=5",
         "bins goes with slice=timestep, time-bins, event-bins, number, time or voxel, not with "
         "slice=window"},
        {"as=frames&slice=number&binning=round",
         "binning goes with slice=timestep, not with slice=number"},
        {"as=sparse&slice=number&overlap=sum",
         "overlap goes with slice=timestep, not with slice=number"},
        {"as=bits&overlap=or", "overlap goes with as=frames or sparse, not with as=bits"},
        {"as=sparse&axes=TCHW", "axes goes with as=frames, not with as=sparse"},
        {"as=bits&values=u8", "values goes with as=frames, not with as=bits"},
        {"as=frames&slice=voxel&axes=CHWT", "axes goes with slice=timestep, window, time-bins, "
                                            "event-count, event-bins, number, time or duration, "
                                            "not with slice=voxel"},
        {"as=sparse&slice=voxel", "slice=voxel goes with as=frames, not with as=sparse"},
        {"as=bits&slice=voxel", "slice=voxel goes with as=frames, not with as=bits"},
        {"slice=window", "slice goes with as=frames, sparse or bits, not with as=events"},
        {"as=frames&start=5&end=9", "start goes with slice=window, not with slice=timestep"},
        {"as=frames&slice=time&incomplete=yes",
         "incomplete goes with slice=window or event-count, not with slice=time"},
        {"as=frames&slice=event-bins&bin_overlap=0.5",
         "bin_overlap goes with slice=time-bins, not with slice=event-bins"},
        {"as=frames&slice=number&events=5",
         "events goes with slice=event-count, not with slice=number"},
        {"as=frames&slice=event-count", "slice=event-count needs events"},
        {"as=frames&slice=window&start=5", "start and end go together; end is missing"},
        {"as=frames&slice=window&end=5", "start and end go together; start is missing"},
        {"as=frames&slice=window&start=5&end=5", "start is 5 and end 5; it has to be less"},
        {"as=frames&slice=window&start=6&end=5", "start is 6 and end 5; it has to be less"},
        {"t0=7&t1=7", "t0 is 7 and t1 7; it has to be less"},
        {"as=frames&slice=window&stride=0", "stride is 0; it goes from 1 to"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char target[256];
        snprintf(target, sizeof target, "/v1/splits/timed/samples/0.safetensors?%s",
                 cases[i].query);
        asking_fails(&asked, target, 400, "bad-parameter", cases[i].words);
    }
}

static void what_needs_order_of_time_is_refused_without(void **state)
{
    (void)state;
    static const char *const queries[] = {"stabilize=yes",
                                          "t0=1",
                                          "t1=5",
                                          "denoise=5",
                                          "polarity=merge",
                                          "as=frames&slice=number",
                                          "as=frames&slice=voxel"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        char target[256];
        struct asking asking;
        snprintf(target, sizeof target, "/v1/splits/timed/samples/0.bin?order=published&%s",
                 queries[i]);
        asking_fails(&asked, target, 400, "bad-parameter",
                     "need events in order of time; order=published is not");
        snprintf(target, sizeof target, "/v1/splits/published/samples/0.bin?%s", queries[i]);
        asking_fails(&asked, target, 400, "bad-parameter",
                     "in which this split is stored: order=time goes");
        snprintf(target, sizeof target, "/v1/splits/published/samples/0.bin?order=time&%s",
                 queries[i]);
        asking_begin(&asking, &asked, METHOD_GET, target);
        assert_int_equal(asking_check(&asking), 0);
        asking_end(&asking);
    }
}

static void more_windows_than_there_may_be_are_refused_before_a_sample_is_looked_at(void **state)
{
    (void)state;
    struct asking asking;
    asking_get(&asking, &asked,
               "/v1/splits/timed/samples/0.bin?as=frames&slice=window&timestep=1&start=0&end=4097",
               413);
    asking_is_problem(&asking, "too-large", "4097 windows; the limit is 4096");
    asking_end(&asking);
    asking_begin(
        &asking, &asked, METHOD_GET,
        "/v1/splits/timed/samples/0.bin?as=frames&slice=window&timestep=1&start=0&end=4096");
    assert_int_equal(asking_check(&asking), 0);
    asking_end(&asking);
}

static void a_form_comes_in_its_formats_alone(void **state)
{
    (void)state;
    static const struct {
        const char *target, *words;
    } cases[] = {
        {"samples/0.bin?as=sparse", "come here as json, safetensors"},
        {"samples/0.npy?as=sparse", "come here as json, safetensors"},
        {"samples/0.json?as=bits", "come here as bin, npy, safetensors"},
        {"samples/0.json?as=frames&slice=voxel", "come here as bin, npy, safetensors"},
        {"batch.json?indices=0&as=bits", "come here as safetensors"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char target[256];
        snprintf(target, sizeof target, "/v1/splits/timed/%s", cases[i].target);
        asking_fails(&asked, target, 406, "not-acceptable", cases[i].words);
    }
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0?as=bits");
    assert_int_equal(asking_check(&asking), 0);
    assert_int_equal(asking.request.format, FORMAT_BIN);
    asking_end(&asking);
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0?as=sparse");
    asking.request.accept = "application/x-npy, */*;q=0.1";
    assert_int_equal(asking_check(&asking), 0);
    assert_int_equal(asking.request.format, FORMAT_JSON);
    asking_end(&asking);
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0?as=sparse");
    asking.request.accept = "application/x-npy";
    assert_int_equal(asking_check(&asking), 406);
    asking_end(&asking);
}

static void a_form_holds_what_was_asked_for(void **state)
{
    (void)state;
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_GET,
                 "/v1/splits/timed/samples/0.bin?as=frames&timestep=7&bins=9&binning=floor"
                 "&overlap=sum&axes=CHWT&order=published");
    assert_int_equal(asking_check(&asking), 0);
    const struct form *form = &asking.request.form;
    assert_int_equal(form->as, FORM_FRAMES);
    assert_true(form->has_order && form->order == MIX_PUBLISHED);
    assert_int_equal(form->timestep_us, 0);
    assert_int_equal(form->frames.timestep_us, 7);
    assert_int_equal(form->frames.bins, 9);
    assert_int_equal(form->frames.binning, FRAMES_FLOOR);
    assert_int_equal(form->frames.overlap, FRAMES_SUM);
    assert_int_equal(form->frames.axes, FRAMES_CHWT);
    assert_int_equal(form->slice.slice, SLICE_TIMESTEP);
    assert_false(form->is_filtered || form->is_voxel);
    asking_end(&asking);
    asking_begin(&asking, &asked, METHOD_GET,
                 "/v1/splits/timed/samples/0.bin?as=bits&slice=window&timestep=7&incomplete=yes"
                 "&start=5&end=90&stabilize=yes&t0=3&t1=99&denoise=8&polarity=merge");
    assert_int_equal(asking_check(&asking), 0);
    assert_int_equal(form->as, FORM_BITS);
    assert_int_equal(form->slice.slice, SLICE_WINDOW);
    assert_int_equal(form->slice.timestep_us, 7);
    assert_int_equal(form->slice.stride_us, 7);
    assert_true(form->slice.incomplete && form->slice.has_range);
    assert_int_equal(form->slice.start_us, 5);
    assert_int_equal(form->slice.end_us, 90);
    assert_true(form->is_filtered && form->filter.stabilize && form->filter.merge_polarity);
    assert_int_equal(form->filter.t0_us, 3);
    assert_int_equal(form->filter.t1_us, 99);
    assert_int_equal(form->filter.denoise_us, 8);
    asking_end(&asking);
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0.bin?timestep=7");
    assert_int_equal(asking_check(&asking), 0);
    assert_int_equal(form->as, FORM_EVENTS);
    assert_int_equal(form->timestep_us, 7);
    assert_false(form->has_order);
    asking_end(&asking);
}

static void without_parameters_a_form_is_as_stored(void **state)
{
    (void)state;
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0.bin");
    assert_int_equal(asking_check(&asking), 0);
    const struct form *form = &asking.request.form;
    assert_int_equal(form->as, FORM_EVENTS);
    assert_int_equal(form->timestep_us, 0);
    assert_false(form->has_order);
    for (enum param param = 0; param < N_PARAMS; param++)
        assert_int_equal(asking.request.params[param], param_rows[param].standard);
    asking_end(&asking);
}

static void every_variable_refuses_what_it_does_not_take(void **state)
{
    (void)state;
    static const struct {
        enum variable variable;
        const char *before, *behind;
    } places[] = {
        {VARIABLE_I, "/v1/splits/timed/samples/", ".bin"},
        {VARIABLE_I, "/v1/sources/source/samples/", ".bin"},
        {VARIABLE_ORDER_SEED, "/v1/splits/timed/epochs/", "/0/batches/0.safetensors"},
        {VARIABLE_EPOCH, "/v1/splits/timed/epochs/0/", "/batches/0.safetensors"},
        {VARIABLE_K, "/v1/splits/timed/epochs/0/0/batches/", ".safetensors"},
        {VARIABLE_SEED, "/v1/pairs/source/", "/0.bin"},
        {VARIABLE_INDEX, "/v1/pairs/source/0/", ".bin"},
        {VARIABLE_K, "/v1/pairs/source/0/batches/", ".safetensors"},
        {VARIABLE_RECORDINGS, "/v1/mix/source/", ".bin"},
    };
    static const char *const values[] = {"x", "-1", "1e3", "0x1", "1 ", "+1", "1;2", "1.5"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct variable_row *row = &variable_rows[places[i].variable];
        char target[256], words[64], past[32];
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            snprintf(target, sizeof target, "%s%s%s", places[i].before, values[v],
                     places[i].behind);
            snprintf(words, sizeof words, "%s takes a whole number, not \"%s\"", row->name,
                     values[v]);
            asking_fails(&asked, target, 400, "bad-parameter", words);
        }
        snprintf(words, sizeof words, "from 0 to %" PRIu64, row->max);
        snprintf(past, sizeof past, "%" PRIu64 "%s",
                 row->max == UINT64_MAX ? row->max : row->max + 1,
                 row->max == UINT64_MAX ? "0" : "");
        snprintf(target, sizeof target, "%s%s%s", places[i].before, past, places[i].behind);
        asking_fails(&asked, target, 400, "bad-parameter", words);
    }
}

static void every_variable_takes_its_largest_number(void **state)
{
    (void)state;
    static const char *const largest[] = {
        "/v1/splits/timed/epochs/4294967295/4294967295/batches/0.safetensors?size=1",
        "/v1/pairs/source/18446744073709551615/18446744073709551615.bin",
    };
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++) {
        struct asking asking;
        asking_get(&asking, &asked, largest[i], 200);
        asking_end(&asking);
    }
    asking_fails(&asked, "/v1/splits/timed/samples/18446744073709551615.bin", 404, "no-such-sample",
                 "18446744073709551615");
    asking_fails(&asked,
                 "/v1/splits/timed/epochs/0/0/batches/18446744073709551615.safetensors?size=5", 404,
                 "no-such-batch", "18446744073709551615");
}

static void a_list_is_bounded_by_the_batch_size(void **state)
{
    (void)state;
    struct asking asking;
    asking_get(&asking, &asked, "/v1/splits/timed/batch.safetensors?indices=0,1,2,3,4", 200);
    assert_int_equal(asking.request.numbers.n, 5);
    asking_end(&asking);
    asking_get(&asking, &asked, "/v1/splits/timed/batch.safetensors?indices=0,1,2,3,4,5", 413);
    asking_is_problem(&asking, "too-large", "indices lists 6 numbers; the limit is 5");
    char *body = answer_body(&asking.reply);
    assert_non_null(strstr(body, "\"limit\": 5"));
    free(body);
    asking_end(&asking);
    asking_fails(&asked, "/v1/mix/source/0,2,4,6,8,10.bin", 413, "too-large", "lists 6 numbers");
    asking_fails(&asked, "/v1/mix/source/0,,2.bin", 400, "bad-parameter", "recordings is empty");
}

static void indices_stand_in_the_url_or_in_the_body(void **state)
{
    (void)state;
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_POST, "/v1/splits/timed/batch.safetensors?indices=1");
    assert_int_equal(asking_answer(&asking), 400);
    asking_is_problem(&asking, "bad-parameter", "in the URL and in the body");
    asking_end(&asking);
}

static const char *revision_of(const char *name)
{
    struct catalog *catalog = service_catalog(asked.service);
    const char *revision = catalog_find(catalog, name, strlen(name))->revision;
    catalog_unref(catalog);
    return revision;
}

static void a_revision_pins_a_split(void **state)
{
    (void)state;
    const char *revision = revision_of("timed");
    for (int n = WIRE_REVISION_MIN; n <= SHA256_HEX; n += 13) {
        char target[256];
        struct asking asking;
        snprintf(target, sizeof target, "/v1/splits/timed@%.*s/samples/0.bin", n, revision);
        asking_get(&asking, &asked, target, 200);
        assert_true(asking.request.pinned);
        asking_end(&asking);
    }
    struct asking asking;
    asking_get(&asking, &asked, "/v1/splits/timed/samples/0.bin", 200);
    assert_false(asking.request.pinned);
    asking_end(&asking);
}

#define ZEROS_65 "00000000000000000000000000000000000000000000000000000000000000000"

static void a_revision_is_of_the_loaded_split(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "0123456789a", "0123456789AB", "0123456789ag", "0123456789ab@", ZEROS_65};
    char target[256];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(target, sizeof target, "/v1/splits/timed@%s/samples/0.bin", wrong[i]);
        asking_fails(&asked, target, 400, "bad-parameter", "12 to 64 lower-case");
    }
    snprintf(target, sizeof target, "/v1/splits/timed@%.12s/samples/0.bin",
             revision_of("published"));
    asking_fails(&asked, target, 404, "no-such-revision", revision_of("timed"));
}

static void a_split_is_found_by_its_whole_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "time", "timedd", "Timed", "nope", "..", "%2e%2e", "@", "@0123456789ab", ZEROS_65,
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char target[256];
        snprintf(target, sizeof target, "/v1/splits/%s/samples/0.bin", names[i]);
        asking_fails(&asked, target, 404, "no-such-split", "there is no split \"");
    }
}

static void a_source_is_needed_where_recordings_are_named(void **state)
{
    (void)state;
    static const char *const targets_of_sources[] = {
        "/v1/sources/timed/samples",
        "/v1/sources/timed/samples/0.bin",
        "/v1/mix/timed/0,2.bin",
        "/v1/pairs/timed/0/0.bin",
        "/v1/pairs/timed/0/batches/0.safetensors",
    };
    for (size_t i = 0; i < sizeof targets_of_sources / sizeof *targets_of_sources; i++)
        asking_fails(&asked, targets_of_sources[i], 404, "no-such-split",
                     "timed is not a source split");
    asking_fails(&asked, "/v1/sources/nope/samples/0.bin", 404, "no-such-split", "\"nope\"");
}

static void a_damaged_split_is_refused_by_its_name(void **state)
{
    (void)state;
    struct catalog *catalog = service_catalog(asked.service);
    struct entry *entry = catalog_find(catalog, "timed", 5);
    atomic_store(&entry->holding->damaged, true);
    asking_fails(&asked, "/v1/splits/timed/samples/0.bin", 500, "split-damaged",
                 "split timed is damaged");
    asking_fails(&asked, "/readyz", 500, "split-damaged", "split timed is damaged");
    struct asking asking;
    asking_get(&asking, &asked, "/v1/splits/published/samples/0.bin", 200);
    asking_end(&asking);
    asking_get(&asking, &asked, "/healthz", 200);
    asking_end(&asking);
    atomic_store(&entry->holding->damaged, false);
    asking_get(&asking, &asked, "/readyz", 200);
    asking_end(&asking);
    catalog_unref(catalog);
}

static void parameters_are_judged_before_the_split_is_looked_for(void **state)
{
    (void)state;
    asking_fails(&asked, "/v1/splits/nope/samples/x.bin?colour=red", 400, "bad-parameter",
                 "\"colour\"");
    asking_fails(&asked, "/v1/splits/nope/samples/x.bin", 404, "no-such-split", "\"nope\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_refuses_what_it_does_not_take),
        cmocka_unit_test(a_parameter_given_twice_is_refused),
        cmocka_unit_test(a_parameter_that_no_path_or_another_takes_is_refused),
        cmocka_unit_test(a_long_name_is_cut_in_the_answer),
        cmocka_unit_test(more_parameters_than_a_request_keeps_are_refused),
        cmocka_unit_test(parameters_of_frames_go_with_frames_alone),
        cmocka_unit_test(what_has_no_meaning_beside_another_is_refused_by_both_names),
        cmocka_unit_test(what_needs_order_of_time_is_refused_without),
        cmocka_unit_test(more_windows_than_there_may_be_are_refused_before_a_sample_is_looked_at),
        cmocka_unit_test(a_form_comes_in_its_formats_alone),
        cmocka_unit_test(a_form_holds_what_was_asked_for),
        cmocka_unit_test(without_parameters_a_form_is_as_stored),
        cmocka_unit_test(every_variable_refuses_what_it_does_not_take),
        cmocka_unit_test(every_variable_takes_its_largest_number),
        cmocka_unit_test(a_list_is_bounded_by_the_batch_size),
        cmocka_unit_test(indices_stand_in_the_url_or_in_the_body),
        cmocka_unit_test(a_revision_pins_a_split),
        cmocka_unit_test(a_revision_is_of_the_loaded_split),
        cmocka_unit_test(a_split_is_found_by_its_whole_name),
        cmocka_unit_test(a_source_is_needed_where_recordings_are_named),
        cmocka_unit_test(a_damaged_split_is_refused_by_its_name),
        cmocka_unit_test(parameters_are_judged_before_the_split_is_looked_for),
    };
    return cmocka_run_group_tests_name("arguments", tests, open_asked, close_asked);
}
