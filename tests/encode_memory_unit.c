/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_* without memory: each allocation of each encoder fails once, and
 * nothing is leaked, left claimed or used after it is gone (a sanitizer sees the latter). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/scratch.h"
#include "tests/answers.h"
#include "tests/encoding.h"

/* The linker brings the library's allocations here. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *bytes, size_t size);
void *__real_reallocarray(void *bytes, size_t n, size_t size);
void __real_free(void *bytes);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *bytes, size_t size);
void *__wrap_reallocarray(void *bytes, size_t n, size_t size);
void __wrap_free(void *bytes);

static bool counting;
static unsigned n_until_failure; /* allocations that still succeed */

/* What was allocated here and not freed: what comes from other libraries is freed here, too. */
enum { MOST_ALIVE = 64 };
static void *alive[MOST_ALIVE];
static unsigned n_alive;

static bool fails(void)
{
    if (!counting)
        return false;
    if (n_until_failure == 0)
        return true;
    n_until_failure--;
    return false;
}

static void *born(void *bytes)
{
    if (counting && bytes && n_alive < MOST_ALIVE)
        alive[n_alive++] = bytes;
    return bytes;
}

static void *forget(void *bytes)
{
    for (unsigned i = 0; i < n_alive; i++)
        if (alive[i] == bytes)
            alive[i] = alive[--n_alive];
    return bytes;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : born(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : born(__real_calloc(n, size));
}

void *__wrap_realloc(void *bytes, size_t size)
{
    return fails() ? NULL : born(__real_realloc(forget(bytes), size));
}

void *__wrap_reallocarray(void *bytes, size_t n, size_t size)
{
    return fails() ? NULL : born(__real_reallocarray(forget(bytes), n, size));
}

void __wrap_free(void *bytes)
{
    __real_free(forget(bytes));
}

/* Encode with the allocation that comes after `n` others failing. Whether none was left to fail. */
static bool encode_after(const struct encoding *encoding, unsigned n)
{
    struct reply reply = answer_new();
    struct error why = {""};
    scratch_free();
    counting = true;
    n_until_failure = n;
    int r = encoding_run(encoding, &reply, &why);
    reply_reset(&reply);
    scratch_free();
    counting = false;
    if (r != 0 && r != -ENOMEM)
        fail_msg("after %u allocations: %d, %s", n, r, why.text);
    if (r < 0)
        assert_non_null(strstr(why.text, "memory"));
    assert_int_equal(n_alive, 0);
    answer_end(&reply);
    return r == 0;
}

static void check(const struct encoding *encoding)
{
    unsigned n = 0;
    while (!encode_after(encoding, n))
        n++;
    assert_in_range(n, encoding->sample == encode_bin ? 0 : 1, 60);
}

static void a_sample_is_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    encode_sample *const encoders[] = {encode_bin, encode_npy, encode_json_sample};
    const struct entry *entries[] = {small.timed, small.published};
    for (size_t k = 0; k < sizeof encoders / sizeof *encoders; k++)
        for (size_t e = 0; e < 2; e++)
            for (size_t f = 0; f < ENCODING_N_FORMS; f++)
                for (uint64_t i = 0; i < SMALL_SAMPLES; i++)
                    check(&(struct encoding){.sample = encoders[k],
                                             .entry = entries[e],
                                             .form = &encoding_forms[f],
                                             .i = i});
}

/* Far more parts than the list of them starts with, so that it grows. */
enum { N = 100 };

static void a_batch_is_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    encode_batch *const encoders[] = {encode_safetensors, encode_json_batch};
    const struct entry *entries[] = {small.timed, small.published};
    uint64_t indices[N];
    for (size_t i = 0; i < N; i++)
        indices[i] = (i * 5) % SMALL_SAMPLES;
    for (size_t k = 0; k < 2; k++)
        for (size_t e = 0; e < 2; e++)
            for (size_t f = 0; f < ENCODING_N_FORMS; f++)
                check(&(struct encoding){
                    .batch = encoders[k],
                    .form = &encoding_forms[f],
                    .batched = {.entry = entries[e], .indices = indices, .n = N}});
}

/* Those with a shape come in these, and all in batches. */
static void every_cut_and_filter_is_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    static const uint64_t few[] = {SAMPLE_PAIR, SAMPLE_SINGLE};
    for (size_t f = 0; f < ENCODING_N_CUTS; f++) {
        const struct form *form = &encoding_cuts[f];
        bool text = form->as != FORM_BITS && !form->is_voxel, shape = form->as != FORM_SPARSE;
        const struct batch batch = {.entry = small.timed, .indices = few, .n = 2};
        check(&(struct encoding){.batch = encode_safetensors, .form = form, .batched = batch});
        if (text)
            check(&(struct encoding){.batch = encode_json_batch, .form = form, .batched = batch});
        if (shape)
            check(&(struct encoding){.sample = encode_npy, .entry = small.timed, .form = form});
    }
}

/* Those of libpng and zlib, too. */
static void a_picture_is_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    static const struct form still = {.frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT,
                                                              N_DIGITS}},
                                      .filter = {.t1_us = FILTER_T1_NONE},
                                      .picture = {.scale = 9, .strip = 9, .frames = 1}},
                             moving = {
                                 .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}},
                                 .filter = {.t1_us = FILTER_T1_NONE},
                                 .picture = {.scale = 2, .strip = 1, .frames = 2}};
    static const uint64_t few[] = {SAMPLE_PAIR, SAMPLE_SINGLE};
    check(&(struct encoding){.sample = encode_png, .entry = small.timed, .form = &still});
    check(&(struct encoding){.sample = encode_png, .entry = small.timed, .form = &moving});
    check(&(struct encoding){.batch = encode_png_sheet,
                             .form = &still,
                             .batched = {.entry = small.timed, .indices = few, .n = 2}});
}

/* Events that were put in order first. */
static void what_is_stored_in_published_order_is_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    static const uint64_t few[] = {SAMPLE_PAIR, SAMPLE_SINGLE};
    for (size_t f = 3; f < 5; f++)
        check(&(struct encoding){.batch = encode_safetensors,
                                 .form = &encoding_cuts[f],
                                 .batched = {.entry = small.published, .indices = few, .n = 2}});
}

static void what_is_alive_is_counted(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    counting = true;
    n_until_failure = 2;
    void *bytes;
    int r = reply_alloc(&reply, 10, &bytes, &why);
    unsigned n_held = n_alive;
    reply_reset(&reply);
    counting = false;
    assert_int_equal(r, 0);
    assert_int_equal(n_held, 1);
    assert_int_equal(n_until_failure, 1);
    assert_int_equal(n_alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alive_is_counted),
        cmocka_unit_test(a_sample_is_refused_whichever_allocation_fails),
        cmocka_unit_test(every_cut_and_filter_is_refused_whichever_allocation_fails),
        cmocka_unit_test(what_is_stored_in_published_order_is_refused_whichever_allocation_fails),
        cmocka_unit_test(a_picture_is_refused_whichever_allocation_fails),
        cmocka_unit_test(a_batch_is_refused_whichever_allocation_fails),
    };
    return cmocka_run_group_tests_name("encode_memory", tests, small_setup, small_teardown);
}
