/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/samples/encode_*: one thing to encode, and what holds for every encoder. */
#include "tests/encoding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "server/samples/budget.h"
#include "tests/answers.h"

#define FRAMES(...) \
    .as = FORM_FRAMES, .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, __VA_ARGS__}

const struct form encoding_forms[ENCODING_N_FORMS] = {
    {.as = FORM_EVENTS},
    {.timestep_us = 16},
    {.has_order = true, .order = MIX_TIME},
    {.has_order = true, .order = MIX_PUBLISHED},
    {.has_order = true, .order = MIX_PUBLISHED, .timestep_us = 7},
    {FRAMES(.timestep_us = 10, .bins = 3)},
    {FRAMES(.timestep_us = 7, .bins = 20, .binning = FRAMES_FLOOR, .axes = FRAMES_CHWT)},
    {FRAMES(.timestep_us = 100, .bins = 5, .overlap = FRAMES_SUM), .has_order = true,
     .order = MIX_TIME},
    {FRAMES(.timestep_us = 100, .bins = 5, .overlap = FRAMES_SUM), .has_order = true,
     .order = MIX_PUBLISHED},
};

#define AS(as_, axes_, values_)                                                       \
    .as = FORM_##as_, .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, \
                                 .timestep_us = 50,                                   \
                                 .bins = 9,                                           \
                                 .axes = FRAMES_##axes_,                              \
                                 .values = FRAMES_##values_}
#define SLICE(slice_, ...)  .slice = {.slice = SLICE_##slice_, __VA_ARGS__}
#define TIMESTEP            SLICE(TIMESTEP, .timestep_us = 50, .bins = 9)
#define WINDOW(stride, ...) SLICE(WINDOW, .timestep_us = 50, .stride_us = stride, __VA_ARGS__)
#define COUNT(stride)       SLICE(EVENT_COUNT, .n_events = 7, .stride_events = stride)
#define FILTER(...)         .is_filtered = true, .filter = {.t1_us = FILTER_T1_NONE, __VA_ARGS__}

const struct form encoding_cuts[ENCODING_N_CUTS] = {
    {AS(EVENTS, TCHW, U8), FILTER(.merge_polarity = true)},
    {AS(EVENTS, TCHW, U8), FILTER(.denoise_us = 90)},
    {AS(EVENTS, TCHW, U8), FILTER(.t0_us = 5, .stabilize = true), .timestep_us = 3},
    {AS(SPARSE, TCHW, U8), TIMESTEP},
    {AS(BITS, TCHW, U8), TIMESTEP},
    {AS(FRAMES, TCHW, U8), TIMESTEP, FILTER(.merge_polarity = true)},
    {AS(FRAMES, TCHW, U8), TIMESTEP, FILTER(.t0_us = 9)},
    {AS(FRAMES, TCHW, U8), WINDOW(20, .incomplete = false)},
    {AS(SPARSE, TCHW, U8), WINDOW(20, .incomplete = true)},
    {AS(BITS, TCHW, U8), WINDOW(90, .incomplete = false)},
    {AS(SPARSE, TCHW, U8), WINDOW(20, .has_range = true, .end_us = 300)},
    {AS(FRAMES, TCHW, U8), COUNT(7)},
    {AS(SPARSE, TCHW, U8), COUNT(2)},
    {AS(BITS, TCHW, U8), COUNT(7), FILTER(.denoise_us = 1000)},
    {AS(SPARSE, TCHW, U8), SLICE(TIME_BINS, .bins = 9, .bin_overlap = 0.5)},
    {AS(FRAMES, TCHW, U8), SLICE(NUMBER, .bins = 9)},
    {AS(FRAMES, CHWT, U16), SLICE(EVENT_BINS, .bins = 9)},
    {AS(FRAMES, TCHW, U16), SLICE(DURATION, .timestep_us = 50), FILTER(.merge_polarity = true)},
    {AS(FRAMES, TCHW, U8), SLICE(TIME, .bins = 9), .is_voxel = true},
};

int encoding_run(const struct encoding *encoding, struct reply *reply, struct error *why)
{
    struct recipe recipe;
    if (!encoding->sample)
        return encoding->batch(&encoding->batched, encoding->form, reply, why);
    int r = encoding->mixed
                ? recipe_mix(encoding->entry, encoding->form, encoding->mixed, 2, &recipe, why)
                : recipe_sample(encoding->entry, encoding->form, encoding->i, &recipe, why);
    return r < 0 ? r : encoding->sample(encoding->entry, encoding->form, &recipe, reply, why);
}

/* What is said of the body's CRC-32C from those of its parts. */
static void check_crc(const struct reply *reply)
{
    char *body = answer_body(reply);
    assert_false(reply->unknown_crc);
    assert_int_equal(reply->crc, crc32c(0, body, reply->n_bytes));
    free(body);
}

struct reply encoding_answer(const struct encoding *encoding)
{
    struct reply reply = answer_new();
    struct error why = {""};
    if (encoding_run(encoding, &reply, &why) < 0)
        fail_msg("%s", why.text);
    assert_false(reply.unknown_length);
    assert_int_equal(reply.status, 0);
    check_crc(&reply);
    return reply;
}

static void check_same_headers(const struct reply *got, const struct reply *head)
{
    assert_int_equal(got->n_headers, head->n_headers);
    for (unsigned i = 0; i < head->n_headers; i++)
        assert_string_equal(answer_header(got, head->headers[i].name), head->headers[i].value);
}

void encoding_check_head(const struct encoding *encoding)
{
    struct reply got = encoding_answer(encoding), head = answer_new();
    uint64_t n_claimed = got.n_claimed;
    struct error why = {""};
    head.head_only = true;
    head.max_bytes = n_claimed;
    if (encoding_run(encoding, &head, &why) < 0)
        fail_msg("%s", why.text);
    if (!head.unknown_length) {
        assert_int_equal(head.n_bytes, got.n_bytes);
        assert_true(head.unknown_crc || head.crc == got.crc);
    }
    assert_int_equal(head.n_parts, 0);
    assert_true(head.n_claimed <= n_claimed);
    check_same_headers(&got, &head);
    reply_reset(&got);
    answer_end(&head);
    if (n_claimed > 0) {
        head.max_bytes = n_claimed / 3;
        assert_int_equal(encoding_run(encoding, &head, &why), -E2BIG);
        answer_end(&head);
    }
}

void encoding_check_limits(const struct encoding *encoding)
{
    struct reply reply = encoding_answer(encoding);
    uint64_t n_claimed = reply.n_claimed;
    struct error why = {""};
    answer_end(&reply);
    if (n_claimed == 0)
        return;
    reply.max_bytes = n_claimed - 1;
    assert_int_equal(encoding_run(encoding, &reply, &why), -E2BIG);
    assert_non_null(strstr(why.text, "max_answer_bytes"));
    answer_end(&reply);

    reply.max_bytes = n_claimed;
    budget_set(n_claimed - 1, n_claimed);
    assert_int_equal(encoding_run(encoding, &reply, &why), -EAGAIN);
    assert_non_null(strstr(why.text, "max_pending_bytes"));
    answer_end(&reply);
    budget_set(n_claimed, n_claimed);
    assert_int_equal(encoding_run(encoding, &reply, &why), 0);
    assert_int_equal(reply.n_claimed, n_claimed);
    answer_end(&reply);
}

void encoding_make(const struct entry *entry, const struct form *form, size_t i, struct made *ret)
{
    const struct mix_rule rule = {.order = form->has_order ? form->order : entry->order,
                                  .timestep_us = form->timestep_us};
    ret->events = (struct event_span){ret->bytes, small_mix(i, rule, ret->bytes)};
}

uint8_t *encoding_frames(const struct form *form, const struct made *made)
{
    uint8_t *frames = malloc(frames_size(&form->frames));
    assert_non_null(frames);
    frames_fill(&form->frames, made->events, frames);
    return frames;
}
