/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/metrics and server/exposition: the table, which cell a request falls into, and
 * how it is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/exposition.h"
#include "server/metrics.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static void names_are_those_of_the_conventions(void **state)
{
    (void)state;
    for (enum metric metric = 0; metric < N_METRICS; metric++) {
        const struct metric_row *row = &metric_rows[metric];
        assert_true(strncmp(row->name, "twonmnist_", 10) == 0 ||
                    strncmp(row->name, "process_", 8) == 0);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->name));
        assert_int_equal(ends_with(row->name, "_total"), row->type == METRIC_COUNTER);
        assert_true(strlen(row->help) > 0);
        for (enum metric other = 0; other < metric; other++)
            assert_string_not_equal(metric_rows[other].name, row->name);
    }
}

static unsigned request_cell(unsigned route, unsigned format, unsigned code)
{
    return METRICS_REQUESTS + (route * METRICS_N_FORMATS + format) * METRICS_N_CODES + code;
}

static void a_request_is_counted_by_route_format_and_code(void **state)
{
    (void)state;
    struct metrics_request request = {.route = 3, .format = FORMAT_NPY, .status = 206};
    metrics_count_request(&request);
    metrics_count_request(&request);
    assert_int_equal(tally_sum(request_cell(3, FORMAT_NPY, 1)), 2);
    request = (struct metrics_request){METRICS_NO_ROUTE, N_FORMATS, .status = 299};
    metrics_count_request(&request);
    assert_int_equal(tally_sum(request_cell(METRICS_NO_ROUTE, N_FORMATS, METRICS_OTHER_CODE)), 1);
    assert_int_equal(request_cell(METRICS_NO_ROUTE, N_FORMATS, METRICS_OTHER_CODE),
                     METRICS_CELLS_END - 1);
}

static void every_code_has_its_own_cell(void **state)
{
    (void)state;
    for (unsigned code = 0; code < METRICS_OTHER_CODE; code++) {
        const struct metrics_request request = {.route = 7, .status = metrics_codes[code]};
        uint64_t before = tally_sum(request_cell(7, 0, code));
        metrics_count_request(&request);
        assert_int_equal(tally_sum(request_cell(7, 0, code)), before + 1);
    }
    assert_int_equal(metrics_codes[METRICS_OTHER_CODE], 0);
}

static void a_value_at_a_limit_is_in_its_bucket(void **state)
{
    (void)state;
    const uint64_t *limits = metrics_durations.limits;
    unsigned series = METRICS_DURATIONS + 5 * METRICS_SERIES(METRICS_N_DURATIONS);
    const uint64_t values[] = {0, limits[0], limits[0] + 1, limits[METRICS_N_DURATIONS - 1],
                               limits[METRICS_N_DURATIONS - 1] + 1};
    const unsigned buckets[] = {0, 0, 1, METRICS_N_DURATIONS - 1, METRICS_N_DURATIONS};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const struct metrics_request request = {.route = 5, .duration_ns = values[i]};
        uint64_t before = tally_sum(series + buckets[i]);
        metrics_count_request(&request);
        sum += values[i];
        assert_int_equal(tally_sum(series + buckets[i]), before + 1);
        assert_int_equal(tally_sum(series + METRICS_N_DURATIONS + 1), sum);
    }
}

static char *printed;
static size_t printed_size;

static FILE *open_page(void)
{
    FILE *out = open_memstream(&printed, &printed_size);
    assert_non_null(out);
    return out;
}

static void is_printed(FILE *out, const char *expected)
{
    assert_int_equal(fclose(out), 0);
    assert_string_equal(printed, expected);
    free(printed);
}

static void labels_are_escaped_and_named_by_the_table(void **state)
{
    (void)state;
    char labels[EXPOSITION_LABELS_SIZE];
    exposition_labels(METRIC_SPLIT_INFO, (const char *const[]){"a\"b", "c\\d", "e\nf"}, labels);
    assert_string_equal(labels, "split=\"a\\\"b\",revision=\"c\\\\d\",kind=\"e\\nf\"");
    char lengthy[2 * EXPOSITION_LABELS_SIZE];
    memset(lengthy, '"', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    exposition_labels(METRIC_SPLIT_SAMPLES, (const char *const[]){lengthy}, labels);
    assert_in_range(strlen(labels), EXPOSITION_LABELS_SIZE - 8, EXPOSITION_LABELS_SIZE - 1);
    assert_true(ends_with(labels, "\\\"\""));
}

static void a_value_is_a_line_and_seconds_have_a_point(void **state)
{
    (void)state;
    FILE *out = open_page();
    exposition_begin(out, METRIC_MIXES);
    exposition_value(out, METRIC_MIXES, "", UINT64_MAX);
    exposition_seconds(out, METRIC_QUEUE_COST, "", 10007, 1000);
    exposition_value(out, METRIC_SPLIT_SAMPLES, "split=\"a\"", 3);
    is_printed(out, "# HELP twonmnist_mixes_total samples that were mixed for an answer\n"
                    "# TYPE twonmnist_mixes_total counter\n"
                    "twonmnist_mixes_total 18446744073709551615\n"
                    "twonmnist_queue_cost_seconds 10.007\n"
                    "twonmnist_split_samples{split=\"a\"} 3\n");
}

static void buckets_add_up(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1000, 2500000000};
    const struct metrics_histogram histogram = {limits, 2, true};
    unsigned cell = TALLY_N_CELLS - 4;
    tally_add(cell, 1);
    tally_add(cell + 1, 2);
    tally_add(cell + 2, 3);
    tally_add(cell + 3, 10000000007);
    FILE *out = open_page();
    exposition_histogram(out, METRIC_DURATION, "route=\"r\"", &histogram, cell);
    is_printed(out, "twonmnist_http_request_duration_seconds_bucket{route=\"r\",le=\"1e-06\"} 1\n"
                    "twonmnist_http_request_duration_seconds_bucket{route=\"r\",le=\"2.5\"} 3\n"
                    "twonmnist_http_request_duration_seconds_bucket{route=\"r\",le=\"+Inf\"} 6\n"
                    "twonmnist_http_request_duration_seconds_sum{route=\"r\"} 10.000000007\n"
                    "twonmnist_http_request_duration_seconds_count{route=\"r\"} 6\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_conventions),
        cmocka_unit_test(a_request_is_counted_by_route_format_and_code),
        cmocka_unit_test(every_code_has_its_own_cell),
        cmocka_unit_test(a_value_at_a_limit_is_in_its_bucket),
        cmocka_unit_test(labels_are_escaped_and_named_by_the_table),
        cmocka_unit_test(a_value_is_a_line_and_seconds_have_a_point),
        cmocka_unit_test(buckets_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
