/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/body. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/body.h"

enum { MOST = 4, UNTOUCHED = 77 };

static void a_body_lists_its_indices_in_order(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"indices\": [3, 0, 2147483647, 3]}",
        "{\"indices\":[3,0,2147483647,3]}",
        "\n\t{ \"\\u0069ndices\" : [ 3 , 0 , 2147483647 , 3 ] } \n",
    };
    static const uint64_t want[] = {3, 0, INT32_MAX, 3};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct numbers numbers;
        struct error why;
        assert_int_equal(body_indices(bodies[i], strlen(bodies[i]), MOST, &numbers, &why), 0);
        assert_int_equal(numbers.n, 4);
        assert_memory_equal(numbers.items, want, sizeof want);
        free(numbers.items);
    }
}

static void an_empty_list_is_a_list(void **state)
{
    (void)state;
    struct numbers numbers = {.n = UNTOUCHED};
    struct error why;
    assert_int_equal(body_indices("{\"indices\": []}", 15, MOST, &numbers, &why), 0);
    assert_int_equal(numbers.n, 0);
    free(numbers.items);
}

static void check_refused(const char *body, size_t size, int error, const char *words)
{
    struct numbers numbers = {.n = UNTOUCHED};
    struct error why = {""};
    int r = body_indices(body, size, MOST, &numbers, &why);
    if (r != error || !strstr(why.text, words))
        fail_msg("%.60s: %d, %s", body ? body : "(none)", r, why.text);
    assert_null(numbers.items);
    assert_int_equal(numbers.n, UNTOUCHED);
}

static void every_fault_of_a_body_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int error;
        const char *words;
    } cases[] = {
        {"", -EINVAL, "not JSON"},
        {" ", -EINVAL, "not JSON"},
        {"{", -EINVAL, "line 1, column"},
        {"{\"indices\": [1]", -EINVAL, "not JSON"},
        {"{\"indices\": [1]} x", -EINVAL, "not JSON"},
        {"{\"indices\": [01]}", -EINVAL, "not JSON"},
        {"{\"indices\": [1,]}", -EINVAL, "not JSON"},
        {"{\"indices\": [1], \"indices\": [2]}", -EINVAL, "not JSON"},
        {"{\"indices\": [9223372036854775808]}", -EINVAL, "not JSON"},
        {"{\"indices\": [\"\xff\"]}", -EINVAL, "not JSON"},
        {"{\"indices\": [NaN]}", -EINVAL, "not JSON"},
        {"[1]", -EINVAL, "of the form"},
        {"{}", -EINVAL, "of the form"},
        {"{\"Indices\": [1]}", -EINVAL, "of the form"},
        {"{\"indices\": 1}", -EINVAL, "of the form"},
        {"{\"indices\": null}", -EINVAL, "of the form"},
        {"{\"indices\": {}}", -EINVAL, "of the form"},
        {"{\"indices\": [1], \"more\": 2}", -EINVAL, "of the form"},
        {"{\"indices\": [1, -2]}", -EINVAL, "indices[1]"},
        {"{\"indices\": [-0.0]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [0.5]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [1.0]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [1e2]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [0, 1, \"2\"]}", -EINVAL, "indices[2]"},
        {"{\"indices\": [[0]]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [true]}", -EINVAL, "indices[0]"},
        {"{\"indices\": [2147483648]}", -EINVAL, "0 to 2147483647"},
        {"{\"indices\": [0, 0, 0, 0, 0]}", -E2BIG, "lists 5 numbers; the limit is 4"},
        {"{\"indices\": [0, 0, 0, 0, \"x\"]}", -E2BIG, "lists 5 numbers; the limit is 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(cases[i].body, strlen(cases[i].body), cases[i].error, cases[i].words);
    check_refused(NULL, 0, -EINVAL, "the body is empty");
    check_refused("{\"indices\": [1]}", 14, -EINVAL, "not JSON");
    check_refused("{\"indices\": [1\0]}", 17, -EINVAL, "not JSON");
}

static void a_body_of_many_floors_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *body = malloc(DEPTH);
    assert_non_null(body);
    memset(body, '[', DEPTH);
    check_refused(body, DEPTH, -EINVAL, "not JSON");
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_lists_its_indices_in_order),
        cmocka_unit_test(an_empty_list_is_a_list),
        cmocka_unit_test(every_fault_of_a_body_is_named),
        cmocka_unit_test(a_body_of_many_floors_is_refused),
    };
    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
