/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/geometry: how a split's header says its sensor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/geometry.h"

static void sensor_of_nmnist_is_read_from_its_text(void **state)
{
    (void)state;
    struct geometry geometry = {.n_labels = N_DIGITS};
    assert_true(geometry_read_sensor(SENSOR_NMNIST, &geometry));
    assert_true(geometry_equal(&geometry, &GEOMETRY_NMNIST));
}

static void sensor_may_have_any_size(void **state)
{
    (void)state;
    struct geometry geometry = {.n_labels = 77};
    assert_true(geometry_read_sensor("1280x720x2", &geometry));
    assert_int_equal(geometry.width, 1280);
    assert_int_equal(geometry.height, 720);
    assert_int_equal(geometry.n_labels, 77);
    assert_true(geometry_read_sensor("999999999x1x2", &geometry));
    assert_int_equal(geometry.width, 999999999);
}

static void text_that_is_no_sensor_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "34",        "34x34",     "34x34x",         "34x34x1",    "34x34x3",
        "34x34x2x1", "34x34x2 ",  " 34x34x2",  "34 x34x2",       "34X34X2",    "+34x34x2",
        "-34x34x2",  "34x-34x2",  "0x22x34x2", "34,34,2",        "34xx34x2",   "x34x34x2",
        "34x34x2\n", "34.0x34x2", "34x34xtwo", "1234567890x1x2", "1x34x0002x", "34x34x4294967298",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct geometry geometry = {1, 2, 3};
        if (geometry_read_sensor(bad[i], &geometry))
            fail_msg("\"%s\" was read", bad[i]);
        assert_true(geometry_equal(&geometry, &(struct geometry){1, 2, 3}));
    }
}

static void geometries_are_equal_in_everything_or_not(void **state)
{
    (void)state;
    const struct geometry own = {34, 35, 10};
    assert_true(geometry_equal(&own, &(struct geometry){34, 35, 10}));
    assert_false(geometry_equal(&own, &(struct geometry){33, 35, 10}));
    assert_false(geometry_equal(&own, &(struct geometry){34, 34, 10}));
    assert_false(geometry_equal(&own, &(struct geometry){34, 35, 11}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sensor_of_nmnist_is_read_from_its_text),
        cmocka_unit_test(sensor_may_have_any_size),
        cmocka_unit_test(text_that_is_no_sensor_is_refused),
        cmocka_unit_test(geometries_are_equal_in_everything_or_not),
    };
    return cmocka_run_group_tests_name("geometry", tests, NULL, NULL);
}
