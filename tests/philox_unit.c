/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/philox against numbers that NumPy printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/philox.h"

/* [hex(x) for x in np.random.Philox(key=seed, counter=index).random_raw(4)] */
static const struct {
    uint64_t seed, index, want[4];
} rows[] = {
    {0, 0, {0x2f4ba6408e4d89b, 0x3dd62b0b9ca8c5b2, 0x1c8667a55d902e79, 0x907d7a052fd5b4dc}},
    {42, 0, {0xd1f8817d4d62880e, 0x307266b65cc8797e, 0xde1f04e7f084ed03, 0x65034a8e78cd1e59}},
    {42, 1, {0x5e3daa8961c3e3d3, 0x6f37dea4a04bd05c, 0x31d3a1ae26e190b9, 0xfef7fae0ab2a01a}},
    {1,
     UINT64_MAX - 1,
     {0x70dfd3872e0ff73f, 0xb06d4f8458f1ed44, 0x2a9ac0cf0a61a0a1, 0xb3182730fde0a546}},
    /* NumPy counts up before it draws, here into the second word of the counter. */
    {1,
     UINT64_MAX,
     {0xbbf738c62d3516b3, 0x7faed3926853226b, 0xc175b4809d5da923, 0x7a77f6c341cec732}},
    {UINT64_MAX,
     UINT64_MAX,
     {0xe23d141355b65d09, 0x885845897c1f936, 0xf0023f1538b3534, 0x2163c75b2f7fece9}},
};

static void philox_is_that_of_numpy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t got[4];
        philox4x64(rows[i].seed, rows[i].index, got);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(got[k], rows[i].want[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_is_that_of_numpy),
    };
    return cmocka_run_group_tests_name("philox", tests, NULL, NULL);
}
