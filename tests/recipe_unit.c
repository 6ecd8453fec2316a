/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/recipe: what is stored, mixed again or mixed, and that all of it gives
 * the bytes of the mixing rule. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/recipe.h"
#include "tests/small_catalog.h"

static const struct form as_stored, by_time = {.has_order = true, .order = MIX_TIME},
                                    published = {.has_order = true, .order = MIX_PUBLISHED};

/* All orders and timesteps that a form can ask for. */
static const struct form forms[] = {
    {.timestep_us = 0},
    {.timestep_us = 1},
    {.timestep_us = 16},
    {.timestep_us = 1000000},
    {.has_order = true, .order = MIX_TIME},
    {.has_order = true, .order = MIX_TIME, .timestep_us = 7},
    {.has_order = true, .order = MIX_PUBLISHED},
    {.has_order = true, .order = MIX_PUBLISHED, .timestep_us = 7},
};

enum { N_FORMS = sizeof forms / sizeof *forms };

static struct recipe sample_of(const struct entry *entry, const struct form *form, uint64_t i)
{
    struct recipe recipe;
    struct error why;
    assert_int_equal(recipe_sample(entry, form, i, &recipe, &why), 0);
    return recipe;
}

static void check_makes(const struct recipe *recipe, const uint8_t *want, size_t n_want)
{
    size_t most = recipe_max_events(recipe), n = SIZE_MAX;
    uint8_t *out = malloc(most * EVENT_BYTES + 1);
    struct error why;
    assert_non_null(out);
    assert_true(n_want <= most);
    assert_int_equal(recipe_make(recipe, out, &n, &why), 0);
    assert_int_equal(n, n_want);
    assert_memory_equal(out, want, n * EVENT_BYTES);
    free(out);
}

static struct mix_rule rule_of(const struct form *form, enum mix_order standard)
{
    return (struct mix_rule){.order = form->has_order ? form->order : standard,
                             .timestep_us = form->timestep_us};
}

static void check_samples_of(const struct entry *entry)
{
    for (size_t f = 0; f < N_FORMS; f++)
        for (size_t i = 0; i < SMALL_SAMPLES; i++) {
            uint8_t want[SMALL_MOST_EVENTS * EVENT_BYTES];
            struct recipe recipe = sample_of(entry, &forms[f], i);
            size_t n = small_mix(i, rule_of(&forms[f], entry->order), want);
            check_makes(&recipe, want, n);
        }
}

static void a_sample_is_the_mix_of_its_recordings_however_it_is_stored(void **state)
{
    (void)state;
    check_samples_of(small.timed);
    check_samples_of(small.published);
}

/* Of whatever kind it is without a filter, what is left of its events is filtered. */
static void a_filter_comes_behind_all_else(void **state)
{
    (void)state;
    static const struct form filtered[] = {
        {.is_filtered = true, .filter = {.t0_us = 5, .t1_us = FILTER_T1_NONE}},
        {.is_filtered = true, .filter = {.t1_us = FILTER_T1_NONE, .merge_polarity = true}},
        {.is_filtered = true, .filter = {.t1_us = 90, .denoise_us = 30}, .timestep_us = 7},
    };
    const struct geometry geometry = GEOMETRY_NMNIST;
    for (size_t f = 0; f < sizeof filtered / sizeof *filtered; f++)
        for (size_t i = 0; i < SMALL_SAMPLES; i++) {
            uint8_t want[SMALL_MOST_EVENTS * EVENT_BYTES];
            struct form form = filtered[f];
            form.frames.geometry = geometry;
            struct recipe recipe = sample_of(small.timed, &form, i);
            struct event_span whole = {want, small_mix(i, rule_of(&form, MIX_TIME), want)};
            size_t n;
            assert_int_not_equal(recipe.kind, RECIPE_STORED);
            assert_int_equal(filter_events(&form.filter, &geometry, whole, want, &n), 0);
            check_makes(&recipe, want, n);
        }
}

static void a_sample_is_mixed_only_where_its_bytes_would_differ(void **state)
{
    (void)state;
    const struct form step = {.timestep_us = 5}, published_step = {.has_order = true,
                                                                   .order = MIX_PUBLISHED,
                                                                   .timestep_us = 5};
    const struct {
        const struct entry *entry;
        const struct form *form;
        uint64_t i;
        enum recipe_kind kind;
        unsigned k;
    } cases[] = {
        {small.timed, &as_stored, SAMPLE_PAIR, RECIPE_STORED, 1},
        {small.timed, &by_time, SAMPLE_PAIR, RECIPE_STORED, 1},
        {small.timed, &published, SAMPLE_PAIR, RECIPE_MIX, 2},
        {small.timed, &step, SAMPLE_PAIR, RECIPE_MIX, 1},
        {small.timed, &published_step, SAMPLE_PAIR, RECIPE_MIX, 2},
        {small.published, &as_stored, SAMPLE_PAIR, RECIPE_STORED, 1},
        {small.published, &published, SAMPLE_PAIR, RECIPE_STORED, 1},
        {small.published, &by_time, SAMPLE_PAIR, RECIPE_PUBLISHED, 1},
        {small.published, &step, SAMPLE_PAIR, RECIPE_PUBLISHED, 1},
        {small.orphan, &by_time, SAMPLE_PAIR, RECIPE_STORED, 1},
        {small.orphan, &step, SAMPLE_PAIR, RECIPE_MIX, 1},
        {small.orphan, &published, SAMPLE_SINGLE, RECIPE_STORED, 1},
        {small.timed, &published, SAMPLE_SINGLE, RECIPE_STORED, 1},
        {small.timed, &published, SAMPLE_EMPTY, RECIPE_STORED, 1},
        {small.timed, &published, SAMPLE_UNLABELLED, RECIPE_STORED, 1},
        {small.published, &by_time, SAMPLE_SINGLE, RECIPE_STORED, 1},
        {small.published, &step, SAMPLE_SINGLE, RECIPE_MIX, 1},
        {small.source, &published, 3, RECIPE_STORED, 1},
        {small.source, &step, 3, RECIPE_MIX, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe recipe = sample_of(cases[i].entry, cases[i].form, cases[i].i);
        assert_int_equal(recipe.kind, cases[i].kind);
        assert_int_equal(recipe.k, cases[i].k);
    }
}

static void a_recipe_tells_of_its_sample(void **state)
{
    (void)state;
    struct recipe recipe = sample_of(small.timed, &as_stored, SAMPLE_PAIR);
    struct sample sample = split_sample(small.timed->split, SAMPLE_PAIR);
    assert_true(recipe.has_index);
    assert_int_equal(recipe.index, SAMPLE_PAIR);
    assert_int_equal(recipe.checksum, sample.checksum);
    assert_int_equal(recipe.n_sources, 2);
    assert_int_equal(recipe.sources[0], small_rows[SAMPLE_PAIR].a);
    assert_int_equal(recipe.sources[1], small_rows[SAMPLE_PAIR].b);
    assert_memory_equal(recipe.labels, sample.labels, N_DIGITS);
    recipe = sample_of(small.timed, &as_stored, SAMPLE_SINGLE);
    assert_int_equal(recipe.n_sources, 1);
    recipe = sample_of(small.timed, &as_stored, SAMPLE_UNLABELLED);
    assert_memory_equal(recipe.labels, ((const uint8_t[N_DIGITS]){0}), N_DIGITS);
}

static void check_no_sample(const struct entry *entry, const struct form *form, uint64_t i,
                            int error, const char *words)
{
    struct recipe recipe = {.k = 77};
    struct error why = {""};
    assert_int_equal(recipe_sample(entry, form, i, &recipe, &why), error);
    assert_int_equal(recipe.k, 77);
    if (!strstr(why.text, words))
        fail_msg("%s", why.text);
}

static void a_sample_past_the_end_is_not_there(void **state)
{
    (void)state;
    check_no_sample(small.timed, &as_stored, SMALL_SAMPLES, -ENOENT,
                    "no sample 13; split timed has 0 to 12");
    check_no_sample(small.timed, &as_stored, UINT64_MAX, -ENOENT, "18446744073709551615");
    check_no_sample(small.source, &as_stored, SMALL_RECORDINGS, -ENOENT, "0 to 19");
}

static void an_order_that_needs_the_recordings_says_so_where_they_are_not(void **state)
{
    (void)state;
    check_no_sample(small.orphan, &published, SAMPLE_PAIR, -ENODATA,
                    "source split of orphan is not loaded");
}

static void a_mix_is_that_of_its_recordings(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FORMS; f++)
        for (size_t i = 0; i < SMALL_SAMPLES; i++) {
            uint8_t want[SMALL_MOST_EVENTS * EVENT_BYTES];
            struct small_row row = small_rows[i];
            struct recipe recipe;
            struct error why;
            if (row.b < 0)
                continue;
            assert_int_equal(recipe_mix(small.source, &forms[f],
                                        (const uint64_t[]){(uint64_t)row.a, (uint64_t)row.b}, 2,
                                        &recipe, &why),
                             0);
            assert_false(recipe.has_index);
            assert_int_equal(recipe.n_sources, 2);
            assert_int_equal(recipe.labels[row.a / 2] + recipe.labels[row.b / 2], 2);
            check_makes(&recipe, want, small_mix(i, rule_of(&forms[f], MIX_TIME), want));
        }
}

static void a_mix_may_show_every_digit(void **state)
{
    (void)state;
    uint64_t recordings[MIX_MAX_DIGITS];
    struct recipe recipe;
    struct error why;
    for (unsigned i = 0; i < MIX_MAX_DIGITS; i++)
        recordings[i] = 2 * i;
    assert_int_equal(
        recipe_mix(small.source, &as_stored, recordings, MIX_MAX_DIGITS, &recipe, &why), 0);
    assert_int_equal(recipe.k, MIX_MAX_DIGITS);
    size_t n = 0, n_made;
    for (unsigned d = 0; d < MIX_MAX_DIGITS; d++) {
        assert_int_equal(recipe.labels[d], 1);
        n += split_sample(small.source->split, 2 * d).events.n_events;
    }
    assert_int_equal(recipe_max_events(&recipe), n);
    uint8_t *out = malloc(n * EVENT_BYTES);
    assert_non_null(out);
    assert_int_equal(recipe_make(&recipe, out, &n_made, &why), 0);
    assert_in_range(n_made, 1, n);
    free(out);
}

static void a_mix_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const struct form *form;
        uint64_t recordings[MIX_MAX_DIGITS + 1];
        size_t k;
        int error;
        const char *words;
    } cases[] = {
        {&as_stored, {0}, 0, -EINVAL, "a mix of 0 recordings; 2 to 10"},
        {&as_stored, {0}, 1, -EINVAL, "a mix of 1 recordings; 2 to 10"},
        {&as_stored, {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19}, 11, -EINVAL, "a mix of 11"},
        {&published, {0, 2, 4}, 3, -EINVAL, "two recordings, not 3"},
        {&as_stored, {0, SMALL_RECORDINGS}, 2, -ENOENT, "recording 20 is past the end"},
        {&as_stored, {UINT64_MAX, 0}, 2, -ENOENT, "the source has 20"},
        {&as_stored, {2, 5, 3}, 3, -EINVAL, "recording 3 shows digit 1"},
        {&as_stored, {4, 4}, 2, -EINVAL, "recording 4 shows digit 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe recipe = {.k = 77};
        struct error why = {""};
        int r =
            recipe_mix(small.source, cases[i].form, cases[i].recordings, cases[i].k, &recipe, &why);
        if (r != cases[i].error || !strstr(why.text, cases[i].words))
            fail_msg("%d, %s", r, why.text);
        assert_int_equal(recipe.k, 77);
    }
}

static void a_fresh_pair_is_the_draw_of_its_index(void **state)
{
    (void)state;
    static const uint64_t draws[][2] = {
        {0, 0}, {1, 5}, {42, 1000000000000}, {UINT64_MAX, UINT64_MAX}};
    assert_true(small.source->has_pairs);
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
        uint32_t pair[2];
        struct recipe recipe, mix;
        struct error why;
        pairs_draw(&small.source->pairs, draws[i][0], draws[i][1], pair);
        recipe_pair(small.source, &as_stored, draws[i][0], draws[i][1], &recipe);
        assert_int_equal(recipe_mix(small.source, &as_stored, (const uint64_t[]){pair[0], pair[1]},
                                    2, &mix, &why),
                         0);
        assert_true(recipe.has_index);
        assert_true(recipe.index == draws[i][1]);
        assert_memory_equal(recipe.labels, mix.labels, sizeof mix.labels);
        assert_memory_equal(recipe.sources, mix.sources, sizeof mix.sources);
        uint8_t want[2 * SMALL_MOST_EVENTS * EVENT_BYTES];
        size_t n;
        assert_int_equal(recipe_make(&mix, want, &n, &why), 0);
        check_makes(&recipe, want, n);
    }
}

static void a_batch_is_of_stored_samples_or_of_fresh_pairs(void **state)
{
    (void)state;
    const uint64_t indices[] = {3, 1, 99};
    struct batch batch = {
        .entry = small.timed, .kind = BATCH_STORED, .indices = indices, .n = 3, .seed = 5};
    struct recipe recipe, pair;
    struct error why;
    assert_int_equal(batch_recipe(&batch, &as_stored, 1, &recipe, &why), 0);
    assert_int_equal(recipe.index, 1);
    assert_int_equal(batch_recipe(&batch, &as_stored, 2, &recipe, &why), -ENOENT);
    batch.entry = small.source;
    batch.kind = BATCH_PAIRS;
    assert_int_equal(batch_recipe(&batch, &as_stored, 2, &recipe, &why), 0);
    recipe_pair(small.source, &as_stored, 5, 99, &pair);
    assert_memory_equal(recipe.sources, pair.sources, sizeof pair.sources);
    assert_int_equal(recipe.index, 99);
}

static void
a_published_sample_that_does_not_say_where_its_digits_meet_needs_the_recordings(void **state)
{
    (void)state;
    uint8_t want[SMALL_MOST_EVENTS * EVENT_BYTES], out[SMALL_MOST_EVENTS * EVENT_BYTES];
    struct recipe recipe = sample_of(small.published, &by_time, SAMPLE_SECOND_EMPTY);
    size_t n = small_mix(SAMPLE_SECOND_EMPTY, (struct mix_rule){.order = MIX_TIME}, want);
    struct error why;
    assert_int_equal(recipe.kind, RECIPE_PUBLISHED);
    assert_int_equal(recipe.n_second, 0);
    check_makes(&recipe, want, n);
    recipe.n_second = MIX_NOT_KNOWN; /* as without the source */
    assert_int_equal(recipe_make(&recipe, out, &n, &why), -ENODATA);
    recipe = sample_of(small.published, &by_time, SAMPLE_PAIR);
    recipe.n_second = MIX_NOT_KNOWN;
    check_makes(&recipe, want, small_mix(SAMPLE_PAIR, (struct mix_rule){.order = MIX_TIME}, want));
}

static void what_the_mixer_refuses_is_the_forms_fault(void **state)
{
    (void)state;
    uint8_t bytes[EVENT_BYTES], out[EVENT_BYTES];
    event_pack((struct event){.t_us = EVENT_T_MAX}, bytes);
    const struct recipe recipe = {
        .kind = RECIPE_MIX, .k = 1, .parts = {{bytes, 1}}, .rule = {.timestep_us = 200000}};
    size_t n = 77;
    struct error why = {""};
    assert_int_equal(recipe_make(&recipe, out, &n, &why), -EINVAL);
    assert_non_null(strstr(why.text, "past the limit"));
    assert_int_equal(n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_the_mix_of_its_recordings_however_it_is_stored),
        cmocka_unit_test(a_filter_comes_behind_all_else),
        cmocka_unit_test(a_sample_is_mixed_only_where_its_bytes_would_differ),
        cmocka_unit_test(a_recipe_tells_of_its_sample),
        cmocka_unit_test(a_sample_past_the_end_is_not_there),
        cmocka_unit_test(an_order_that_needs_the_recordings_says_so_where_they_are_not),
        cmocka_unit_test(a_mix_is_that_of_its_recordings),
        cmocka_unit_test(a_mix_may_show_every_digit),
        cmocka_unit_test(a_mix_that_cannot_be_is_refused),
        cmocka_unit_test(a_fresh_pair_is_the_draw_of_its_index),
        cmocka_unit_test(a_batch_is_of_stored_samples_or_of_fresh_pairs),
        cmocka_unit_test(
            a_published_sample_that_does_not_say_where_its_digits_meet_needs_the_recordings),
        cmocka_unit_test(what_the_mixer_refuses_is_the_forms_fault),
    };
    return cmocka_run_group_tests_name("recipe", tests, small_setup, small_teardown);
}
