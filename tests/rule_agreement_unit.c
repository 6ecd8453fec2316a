/* SPDX-License-Identifier: Apache-2.0
 * The library's table of rules (client/rule) and the daemon's of parameters (server/param, meaning)
 * say the same: names, values and ranges, and which of them go with which slices. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/rule.h"
#include "server/meaning.h"
#include "server/samples/form.h"

/* Both have to take it, or both to refuse it. */
static void agree_on(enum param param, const char *text)
{
    const char *name = param_rows[param].name;
    uint64_t value;
    struct error why;
    tnm_rule *rule;
    assert_int_equal(tnm_rule_new(&rule), 0);
    int of_library = tnm_rule_set(rule, name, text);
    tnm_rule_free(rule);
    int of_daemon = param_value(param, text, &value, &why);
    if ((of_library == 0) != (of_daemon == 0))
        fail_msg("%s=%s: the library says %d, the daemon %d", name, text, of_library, of_daemon);
}

static void agree_on_number(enum param param, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    agree_on(param, text);
}

static void values_and_ranges_are_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "0",   "-1",   "01",    "x",   "yes",  "No",
                                        "1", "0.5", "0.99", "1e400", "nan", "1e-9", " 1"};
    for (size_t i = 0; i < RULE_N_PARAMS; i++) {
        enum param param = param_find(tnm_rule_name(i));
        assert_int_not_equal(param, N_PARAMS);
        const struct param_row *row = &param_rows[param];
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            agree_on(param, texts[j]);
        for (size_t j = 0; row->choices[j]; j++)
            agree_on(param, row->choices[j]);
        agree_on_number(param, row->min - 1);
        agree_on_number(param, row->min);
        agree_on_number(param, row->max);
        agree_on_number(param, row->max + 1);
    }
}

/* Something that the parameter may be, and that goes with what it needs. */
static void any_value(enum param param, char ret[24])
{
    const struct param_row *row = &param_rows[param];
    if (row->kind == PARAM_CHOICE)
        snprintf(ret, 24, "%s", row->choices[1]);
    else if (row->kind == PARAM_REAL)
        snprintf(ret, 24, "0.5");
    else
        snprintf(ret, 24, "%" PRIu64, row->min + (param == PARAM_T1 || param == PARAM_END));
}

/* The rule that gives the parameter, beside `slice` and what that slice needs, as both sides see
 * it. */
static void agree_on_meaning(enum param param, uint64_t slice)
{
    enum param given[4] = {PARAM_SLICE};
    char texts[4][24];
    uint64_t values[N_PARAMS], bits = 0;
    size_t n = 1;
    struct error why;
    struct rule checked;
    tnm_rule *rule;
    snprintf(texts[0], sizeof texts[0], "%s", param_rows[PARAM_SLICE].choices[slice]);
    if (slice == SLICE_EVENT_COUNT && param != PARAM_EVENTS)
        given[n++] = PARAM_EVENTS;
    if (param == PARAM_START || param == PARAM_END)
        given[n++] = param == PARAM_START ? PARAM_END : PARAM_START;
    if (param != PARAM_SLICE)
        given[n++] = param;
    for (size_t i = 1; i < n; i++)
        any_value(given[i], texts[i]);
    assert_int_equal(tnm_rule_new(&rule), 0);
    for (enum param each = 0; each < N_PARAMS; each++)
        values[each] = param_rows[each].standard;
    values[PARAM_AS] = FORM_FRAMES;
    bits |= PARAM_BIT(PARAM_AS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(tnm_rule_set(rule, param_rows[given[i]].name, texts[i]), 0);
        assert_int_equal(param_value(given[i], texts[i], &values[given[i]], &why), 0);
        bits |= PARAM_BIT(given[i]);
    }
    int of_daemon = meaning_check(values, bits, &why);
    int of_library = rule_check(rule, &checked, &why);
    tnm_rule_free(rule);
    if ((of_library == 0) != (of_daemon == 0))
        fail_msg("slice=%s with %s: the library says %d, the daemon %d", texts[0],
                 param_rows[param].name, of_library, of_daemon);
}

static void the_same_goes_with_the_same_slices(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULE_N_PARAMS; i++)
        for (uint64_t slice = 0; param_rows[PARAM_SLICE].choices[slice]; slice++)
            agree_on_meaning(param_find(tnm_rule_name(i)), slice);
}

/* Whether the parameter changes what there is is for the daemon to say, too: it goes with all that
 * makes frames, and is not of the wire alone. */
static void each_parameter_of_frames_and_filters_is_in_both(void **state)
{
    (void)state;
    static const enum param of_the_wire[] = {PARAM_AS, PARAM_AXES, PARAM_VALUES};
    for (enum param param = PARAM_TIMESTEP; param <= PARAM_POLARITY; param++) {
        bool is_of_the_wire = false, is_in = false;
        for (size_t i = 0; i < sizeof of_the_wire / sizeof *of_the_wire; i++)
            is_of_the_wire |= of_the_wire[i] == param;
        for (size_t i = 0; i < RULE_N_PARAMS; i++)
            is_in |= strcmp(tnm_rule_name(i), param_rows[param].name) == 0;
        if (is_in == is_of_the_wire)
            fail_msg("%s: in the library's table %d, of the wire alone %d", param_rows[param].name,
                     is_in, is_of_the_wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_ranges_are_the_same),
        cmocka_unit_test(the_same_goes_with_the_same_slices),
        cmocka_unit_test(each_parameter_of_frames_and_filters_is_in_both),
    };
    return cmocka_run_group_tests_name("rule_agreement", tests, NULL, NULL);
}
