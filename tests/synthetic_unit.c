/* SPDX-License-Identifier: Apache-2.0
 * Tests of the synthetic source: the same bytes everywhere, and recordings such as N-MNIST's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/sha256.h"
#include "generator/synthetic.h"

enum { PIXELS = SENSOR_WIDTH * SENSOR_HEIGHT, SET = 400, MEAN_MIN = 3700, MEAN_MAX = 4600 };

static uint8_t events[SYNTHETIC_MAX_EVENTS * EVENT_BYTES];
static uint8_t others[SYNTHETIC_MAX_EVENTS * EVENT_BYTES];

static int start(void **state)
{
    return synthesizer_new((struct synthesizer **)state);
}

static int stop(void **state)
{
    synthesizer_free(*state);
    return 0;
}

/* Recordings come in the order of digits with MNIST's shares, as in a set. */
static unsigned digit_of(uint64_t number, uint64_t total)
{
    uint64_t counts[N_DIGITS];
    synthetic_class_counts(false, total, counts);
    unsigned digit = 0;
    while (number >= counts[digit])
        number -= counts[digit++];
    return digit;
}

static void class_counts_of_full_sets_are_those_of_mnist(void **state)
{
    (void)state;
    static const uint64_t train[N_DIGITS] = {5923, 6742, 5958, 6131, 5842,
                                             5421, 5918, 6265, 5851, 5949};
    static const uint64_t test[N_DIGITS] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    uint64_t counts[N_DIGITS];
    synthetic_class_counts(false, SYNTHETIC_TRAIN_COUNT, counts);
    assert_memory_equal(counts, train, sizeof(train));
    synthetic_class_counts(true, SYNTHETIC_TEST_COUNT, counts);
    assert_memory_equal(counts, test, sizeof(test));
}

static void class_counts_of_any_total_add_up_and_stay_in_proportion(void **state)
{
    (void)state;
    uint64_t full[N_DIGITS], counts[N_DIGITS];
    synthetic_class_counts(false, SYNTHETIC_TRAIN_COUNT, full);
    static const uint64_t totals[] = {0, 1, 2, 9, 10, 11, 99, 700, 12345, 59999, 60001, UINT32_MAX};
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        uint64_t sum = 0;
        synthetic_class_counts(false, totals[i], counts);
        for (unsigned digit = 0; digit < N_DIGITS; digit++) {
            uint64_t exact = totals[i] * full[digit];
            assert_true(counts[digit] * SYNTHETIC_TRAIN_COUNT + SYNTHETIC_TRAIN_COUNT > exact);
            assert_true(counts[digit] * SYNTHETIC_TRAIN_COUNT < exact + SYNTHETIC_TRAIN_COUNT);
            sum += counts[digit];
        }
        assert_int_equal(sum, totals[i]);
    }
}

/* Machines and compilers may differ in nothing: these digests were computed once, for all. */
static void recordings_have_the_same_bytes_on_every_machine(void **state)
{
    static const struct {
        uint64_t seed, number;
        bool test;
        const char *hex; /* of ten recordings, one of each digit */
    } rows[] = {
        {0, 0, false, "7ad5ec84a4eba809bbeea16ef8f74fabb3a600c24ac40991f9a9c359b72e57f4"},
        {0, 0, true, "c05d458bd88c11241b015e87d26ee3ca31d9d539e30b6c1651471987a6e45d2a"},
        {UINT64_MAX, UINT32_MAX - 9, false,
         "e3ad39ca24ec8e2fa2d77f4074ec2eaed07d047db944f88117307335ad96c4c8"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sha256 *hash;
        char hex[SHA256_HEX + 1];
        assert_int_equal(sha256_new(&hash), 0);
        for (unsigned digit = 0; digit < N_DIGITS; digit++) {
            size_t n = synthesizer_record(*state, rows[i].seed, rows[i].test,
                                          rows[i].number + digit, digit, events);
            sha256_add(hash, events, n * EVENT_BYTES);
        }
        sha256_hex(hash, hex);
        sha256_free(hash);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void recording_does_not_depend_on_those_before_it(void **state)
{
    struct synthesizer *fresh;
    assert_int_equal(synthesizer_new(&fresh), 0);
    size_t n = synthesizer_record(fresh, 5, false, 77, 3, events);
    synthesizer_free(fresh);
    for (uint64_t number = 70; number < 77; number++)
        synthesizer_record(*state, 5, false, number, 8, others);
    assert_int_equal(synthesizer_record(*state, 5, false, 77, 3, others), n);
    assert_memory_equal(events, others, n * EVENT_BYTES);
}

static void seed_set_and_number_each_make_another_recording(void **state)
{
    static const struct {
        uint64_t seed, number;
        bool test;
    } rows[] = {{2, 1, false}, {1, 2, false}, {1, 1, true}};
    size_t n = synthesizer_record(*state, 1, false, 1, 4, events);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t m =
            synthesizer_record(*state, rows[i].seed, rows[i].test, rows[i].number, 4, others);
        assert_true(n != m || memcmp(events, others, n * EVENT_BYTES) != 0);
    }
}

static void every_recording_is_valid_and_within_the_limits(void **state)
{
    for (uint64_t number = 0; number < SET; number++) {
        struct error why;
        size_t checked;
        size_t n = synthesizer_record(*state, 9, true, number, digit_of(number, SET), events);
        assert_in_range(n, SYNTHETIC_MIN_EVENTS, SYNTHETIC_MAX_EVENTS);
        assert_int_equal(event_check(events, n * EVENT_BYTES, 0, &checked, &why), 0);
        assert_int_equal(checked, n);
        assert_in_range(event_unpack(events).t_us, 0, 20000);
        assert_in_range(event_unpack(events + (n - 1) * EVENT_BYTES).t_us, 297000, 315000);
    }
}

static void on_and_off_are_balanced_in_every_recording(void **state)
{
    for (uint64_t number = 0; number < SET; number++) {
        size_t n = synthesizer_record(*state, 10, false, number, digit_of(number, SET), events);
        size_t n_on = 0;
        for (size_t i = 0; i < n; i++)
            n_on += event_unpack(events + i * EVENT_BYTES).p;
        assert_in_range(n_on * 100 / n, 46, 54);
    }
}

static void number_of_events_is_spread_like_that_of_nmnist(void **state)
{
    uint64_t sum = 0, squares = 0;
    for (uint64_t number = 0; number < SET; number++) {
        size_t n = synthesizer_record(*state, 11, false, number, digit_of(number, SET), events);
        sum += n;
        squares += n * n;
    }
    uint64_t mean = sum / SET, variance = squares / SET - mean * mean;
    assert_in_range(mean, MEAN_MIN, MEAN_MAX);
    assert_in_range(variance, 850 * 850, 1400 * 1400);
}

static void each_saccade_is_one_bump_of_activity(void **state)
{
    enum { BIN_US = 15000, BINS = 21 };
    uint64_t bins[BINS + 1] = {0}, peaks = 0;
    for (uint64_t number = 0; number < SET; number++) {
        size_t n = synthesizer_record(*state, 12, false, number, digit_of(number, SET), events);
        for (size_t i = 0; i < n; i++)
            bins[event_unpack(events + i * EVENT_BYTES).t_us / BIN_US]++;
    }
    for (unsigned i = 1; i + 1 < BINS; i++)
        peaks += bins[i] > bins[i - 1] && bins[i] >= bins[i + 1];
    assert_int_equal(peaks, 3);
    for (unsigned saccade = 0; saccade < 3; saccade++) /* the middle against the pause behind */
        assert_true(bins[saccade * 7 + 3] > 8 * bins[saccade * 7 + 6]);
}

/* Where the events are, scaled to the same brightness. */
static void picture_of(const uint8_t *bytes, size_t n, double ret[PIXELS])
{
    memset(ret, 0, PIXELS * sizeof(*ret));
    for (size_t i = 0; i < n; i++) {
        struct event event = event_unpack(bytes + i * EVENT_BYTES);
        ret[event.y * SENSOR_WIDTH + event.x] += 1.0 / (double)n;
    }
}

static unsigned nearest(const double means[N_DIGITS][PIXELS], const double picture[PIXELS])
{
    unsigned ret = 0;
    double least = 0;
    for (unsigned digit = 0; digit < N_DIGITS; digit++) {
        double distance = 0;
        for (size_t i = 0; i < PIXELS; i++)
            distance += (picture[i] - means[digit][i]) * (picture[i] - means[digit][i]);
        if (digit == 0 || distance < least) {
            least = distance;
            ret = digit;
        }
    }
    return ret;
}

static void digits_can_be_told_apart(void **state)
{
    enum { LEARNT = 40, ASKED = 20 };
    static double means[N_DIGITS][PIXELS], picture[PIXELS];
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        for (uint64_t number = 0; number < LEARNT; number++) {
            size_t n = synthesizer_record(*state, 13, false, number, digit, events);
            picture_of(events, n, picture);
            for (size_t i = 0; i < PIXELS; i++)
                means[digit][i] += picture[i] / LEARNT;
        }
    unsigned n_right = 0;
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        for (uint64_t number = 0; number < ASKED; number++) {
            size_t n = synthesizer_record(*state, 13, true, number, digit, events);
            picture_of(events, n, picture);
            n_right += nearest(means, picture) == digit;
        }
    /* chance would be one in ten */
    assert_in_range(n_right, N_DIGITS * ASKED * 70 / 100, N_DIGITS * ASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_counts_of_full_sets_are_those_of_mnist),
        cmocka_unit_test(class_counts_of_any_total_add_up_and_stay_in_proportion),
        cmocka_unit_test(recordings_have_the_same_bytes_on_every_machine),
        cmocka_unit_test(recording_does_not_depend_on_those_before_it),
        cmocka_unit_test(seed_set_and_number_each_make_another_recording),
        cmocka_unit_test(every_recording_is_valid_and_within_the_limits),
        cmocka_unit_test(on_and_off_are_balanced_in_every_recording),
        cmocka_unit_test(number_of_events_is_spread_like_that_of_nmnist),
        cmocka_unit_test(each_saccade_is_one_bump_of_activity),
        cmocka_unit_test(digits_can_be_told_apart),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
