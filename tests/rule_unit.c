/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/rule: parameters by name, as text; what goes together; and one text for equal
 * rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/rule.h"
#include "tests/scarce.h"

/* Set "name=value" of each, up to NULL; the last error stays. */
static int set_all(tnm_rule *rule, const char *const *params)
{
    int r = 0;
    for (; r == 0 && *params; params++) {
        char name[64];
        size_t n = strcspn(*params, "=");
        memcpy(name, *params, n);
        name[n] = '\0';
        r = tnm_rule_set(rule, name, *params + n + 1);
    }
    return r;
}

enum { MOST = 8 };

static void expect_query(const char *const params[MOST], const char *query)
{
    tnm_rule *rule;
    char *text = NULL;
    assert_int_equal(tnm_rule_new(&rule), 0);
    if (set_all(rule, params) < 0 || tnm_rule_query(rule, &text) < 0)
        fail_msg("%s: %s", query, tnm_last_error());
    assert_string_equal(text, query);
    tnm_free(text);
    tnm_rule_free(rule);
}

static void a_rule_says_all_that_shapes_the_result(void **state)
{
    (void)state;
    static const struct {
        const char *params[MOST], *query;
    } cases[] = {
        {{NULL}, "timestep=1000&bins=300&binning=round&overlap=or"},
        {{"slice=timestep", "overlap=sum", "bins=7", NULL},
         "timestep=1000&bins=7&binning=round&overlap=sum"},
        {{"timestep=5", "slice=window", NULL}, "slice=window&timestep=5&stride=5&incomplete=no"},
        {{"slice=window", "stride=4096", "start=0", "end=8388608", "incomplete=yes", NULL},
         "slice=window&timestep=1000&stride=4096&incomplete=yes&start=0&end=8388608"},
        {{"slice=time-bins", NULL}, "slice=time-bins&bins=300&bin_overlap=0"},
        {{"slice=time-bins", "bins=10", "bin_overlap=0.250", NULL},
         "slice=time-bins&bins=10&bin_overlap=0.25"},
        {{"slice=event-count", "events=500", NULL},
         "slice=event-count&stride=500&incomplete=no&events=500"},
        {{"slice=event-count", "events=500", "stride=250", NULL},
         "slice=event-count&stride=250&incomplete=no&events=500"},
        {{"slice=event-bins", "bins=1", NULL}, "slice=event-bins&bins=1"},
        {{"slice=number", "bins=4096", NULL}, "slice=number&bins=4096"},
        {{"slice=time", NULL}, "slice=time&bins=300"},
        {{"slice=duration", "timestep=1000000", NULL}, "slice=duration&timestep=1000000"},
        {{"slice=voxel", "bins=10", NULL}, "slice=voxel&bins=10"},
        {{"t1=100000", "stabilize=yes", "denoise=1", "slice=time", "polarity=merge", "t0=7", NULL},
         "stabilize=yes&t0=7&t1=100000&denoise=1&polarity=merge&slice=time&bins=300"},
        {{"t1=8388608", "stabilize=no", "t0=0", "polarity=keep", "slice=time", NULL},
         "slice=time&bins=300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_query(cases[i].params, cases[i].query);
}

static void what_is_set_to_nothing_was_never_set(void **state)
{
    (void)state;
    tnm_rule *rule;
    char *text;
    assert_int_equal(tnm_rule_new(&rule), 0);
    assert_int_equal(tnm_rule_set(rule, "stride", "5"), 0);
    assert_int_equal(tnm_rule_query(rule, &text), -EINVAL);
    assert_int_equal(tnm_rule_set(rule, "stride", NULL), 0);
    assert_int_equal(tnm_rule_query(rule, &text), 0);
    tnm_free(text);
    tnm_rule_free(rule);
    tnm_rule_free(NULL);
}

static void what_does_not_go_together_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *params[MOST], *words;
    } cases[] = {
        {{"slices=time", NULL}, "no parameter \"slices\""},
        {{"slice=frames", NULL}, "slice is \"frames\"; it is one of timestep, window, time-bins, "},
        {{"bins=0", NULL}, "bins"},
        {{"bins=4097", NULL}, "4096"},
        {{"timestep=1000001", NULL}, "1000000"},
        {{"timestep=-1", NULL}, "timestep"},
        {{"t1=0", NULL}, "t1"},
        {{"denoise=0", NULL}, "denoise"},
        {{"bin_overlap=1", NULL}, "bin_overlap"},
        {{"bin_overlap=0,5", NULL}, "bin_overlap"},
        {{"stabilize=true", NULL}, "stabilize is \"true\"; it is one of no, yes"},
        {{"stride=5", NULL}, "slice=timestep has no parameter stride"},
        {{"slice=voxel", "overlap=sum", NULL}, "slice=voxel has no parameter overlap"},
        {{"slice=number", "timestep=9", NULL}, "slice=number has no parameter timestep"},
        {{"slice=event-count", NULL}, "slice=event-count needs the parameter events"},
        {{"slice=window", "start=5", NULL}, "start and end go together"},
        {{"slice=window", "end=5", NULL}, "start and end go together"},
        {{"slice=window", "start=5", "end=5", NULL}, "start is 5 and end 5; it has to be less"},
        {{"t0=9", "t1=9", NULL}, "t0 is 9 and t1 9; it has to be less"},
        {{"slice=window", "timestep=1", "start=0", "end=4097", NULL}, "makes 4097 frames"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tnm_rule *rule;
        char *text = NULL;
        assert_int_equal(tnm_rule_new(&rule), 0);
        int r = set_all(rule, cases[i].params);
        assert_int_equal(r == 0 ? tnm_rule_query(rule, &text) : r, -EINVAL);
        if (!strstr(tnm_last_error(), cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", tnm_last_error(), cases[i].words);
        assert_null(text);
        tnm_rule_free(rule);
    }
    assert_int_equal(tnm_rule_set(NULL, "t0", "1"), -EINVAL);
    assert_int_equal(tnm_rule_query(NULL, NULL), -EINVAL);
}

static void every_parameter_has_a_name_and_a_word_on_it(void **state)
{
    (void)state;
    tnm_rule *rule;
    assert_int_equal(tnm_rule_new(&rule), 0);
    for (size_t i = 0; i < RULE_N_PARAMS; i++) {
        assert_int_equal(tnm_rule_set(rule, tnm_rule_name(i), NULL), 0);
        assert_true(strlen(tnm_rule_help(i)) > 0);
    }
    assert_null(tnm_rule_name(RULE_N_PARAMS));
    assert_null(tnm_rule_help(RULE_N_PARAMS));
    tnm_rule_free(rule);
}

static void filters_alone_are_a_rule_without_frames(void **state)
{
    (void)state;
    tnm_rule *rule;
    struct rule checked, frames = rule_of_timestep(10, 20, FRAMES_FLOOR, FRAMES_SUM);
    char query[RULE_QUERY_MAX];
    struct error why;
    assert_int_equal(tnm_rule_new(&rule), 0);
    assert_int_equal(tnm_rule_set(rule, "t1", "100000"), 0);
    assert_int_equal(rule_check_filters(rule, &checked, &why), 0);
    assert_int_equal(rule_query(&checked, query), strlen("&t1=100000"));
    assert_string_equal(query, "&t1=100000");
    assert_true(rule_has_filters(&checked));
    assert_false(rule_has_filters(&rule_none));
    assert_false(rule_has_filters(&frames));
    rule_set_filters(&frames, &checked);
    rule_query(&frames, query);
    assert_string_equal(query, "&t1=100000&timestep=10&bins=20&binning=floor&overlap=sum");
    assert_int_equal(frames.filter.t1_us, 100000);
    assert_int_equal(tnm_rule_set(rule, "bins", "3"), 0);
    assert_int_equal(rule_check_filters(rule, &checked, &why), -EINVAL);
    assert_string_equal(why.text, "bins is no filter");
    tnm_rule_free(rule);
}

static void a_batch_says_each_parameter_or_nothing(void **state)
{
    (void)state;
    const struct rule frames = rule_of_timestep(10, 20, FRAMES_FLOOR, FRAMES_SUM);
    struct meta meta[RULE_N_PARAMS];
    rule_meta(&frames, meta);
    assert_string_equal(meta[RULE_BINS].key, "bins");
    assert_string_equal(meta[RULE_BINS].value, "20");
    assert_string_equal(meta[RULE_STRIDE].key, "stride");
    assert_null(meta[RULE_STRIDE].value);
    assert_null(meta[RULE_SLICE].value);
    const struct rule same = rule_of_timestep(10, 20, FRAMES_FLOOR, FRAMES_SUM);
    const struct rule other = rule_of_timestep(10, 20, FRAMES_ROUND, FRAMES_SUM);
    assert_true(rule_equal(&frames, &same));
    assert_false(rule_equal(&frames, &other));
}

static int make(void *user, struct error *why)
{
    tnm_rule *rule = NULL;
    char *text = NULL;
    (void)user;
    int r = tnm_rule_new(&rule);
    if (r == 0)
        r = tnm_rule_query(rule, &text);
    tnm_free(text);
    tnm_rule_free(rule);
    return error_set(why, r, "%s", r < 0 ? tnm_last_error() : "");
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_says_all_that_shapes_the_result),
        cmocka_unit_test(what_is_set_to_nothing_was_never_set),
        cmocka_unit_test(what_does_not_go_together_is_named),
        cmocka_unit_test(every_parameter_has_a_name_and_a_word_on_it),
        cmocka_unit_test(filters_alone_are_a_rule_without_frames),
        cmocka_unit_test(a_batch_says_each_parameter_or_nothing),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
