/* SPDX-License-Identifier: Apache-2.0
 * The synthetic source: simulated N-MNIST recordings. */
#include "generator/synthetic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "generator/synthetic_draws.h"
#include "generator/synthetic_glyph.h"
#include "generator/synthetic_hand.h"
#include "generator/synthetic_sensor.h"

enum {
    LAST_EVENT_MIN_US = 297000,
    TRY_BITS = 11,
    NUMBER_BITS = 32,
    SORT_BITS = 10,
    SORT_BUCKETS = 1 << SORT_BITS,
};

static const uint64_t mnist_counts[2][N_DIGITS] = {
    {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
    {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
};

void synthetic_class_counts(bool test, uint64_t total, uint64_t ret[N_DIGITS])
{
    assert(total <= UINT32_MAX);
    const uint64_t of = test ? SYNTHETIC_TEST_COUNT : SYNTHETIC_TRAIN_COUNT;
    uint64_t remainders[N_DIGITS], left = total;
    for (unsigned i = 0; i < N_DIGITS; i++) {
        ret[i] = total * mnist_counts[test][i] / of;
        remainders[i] = total * mnist_counts[test][i] % of;
        left -= ret[i];
    }
    for (; left > 0; left--) {
        unsigned largest = 0;
        for (unsigned i = 1; i < N_DIGITS; i++)
            if (remainders[i] > remainders[largest])
                largest = i;
        ret[largest]++;
        remainders[largest] = 0;
    }
}

struct synthesizer {
    struct sensor sensor;
    struct glyph glyph;
    struct handwriting writing;
    uint32_t sorted[SENSOR_MAX_EVENTS];
};

int synthesizer_new(struct synthesizer **ret)
{
    struct synthesizer *synthesizer = calloc(1, sizeof(*synthesizer));
    if (!synthesizer)
        return -ENOMEM;
    sensor_init(&synthesizer->sensor);
    glyph_init(&synthesizer->glyph);
    *ret = synthesizer;
    return 0;
}

void synthesizer_free(struct synthesizer *synthesizer)
{
    free(synthesizer);
}

/* One pass of a radix sort: stable, by SORT_BITS bits from `shift` on. */
static void sort_pass(const uint32_t *from, uint32_t *to, size_t n, unsigned shift)
{
    uint32_t place[SORT_BUCKETS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        place[(from[i] >> shift) % SORT_BUCKETS + 1]++;
    for (unsigned i = 0; i < SORT_BUCKETS; i++)
        place[i + 1] += place[i];
    for (size_t i = 0; i < n; i++)
        to[place[(from[i] >> shift) % SORT_BUCKETS]++] = from[i];
}

static void sort_by_time(struct synthesizer *synthesizer)
{
    struct sensor *sensor = &synthesizer->sensor;
    sort_pass(sensor->events, synthesizer->sorted, sensor->n_events, SENSOR_TIME_SHIFT);
    sort_pass(synthesizer->sorted, sensor->events, sensor->n_events, SENSOR_TIME_SHIFT + SORT_BITS);
}

/* Whether the recording is one that could be among N-MNIST's. */
static bool is_plausible(const struct sensor *sensor)
{
    size_t n = sensor->n_events;
    return n >= SYNTHETIC_MIN_EVENTS && n <= SYNTHETIC_MAX_EVENTS &&
           sensor_event(sensor->events[n - 1]).t_us >= LAST_EVENT_MIN_US;
}

size_t synthesizer_record(struct synthesizer *synthesizer, uint64_t seed, bool test,
                          uint64_t number, unsigned digit, uint8_t *out)
{
    assert(number >> NUMBER_BITS == 0 && digit < N_DIGITS);
    struct sensor *sensor = &synthesizer->sensor;
    uint64_t stream = (uint64_t)test << (NUMBER_BITS + TRY_BITS) | number << TRY_BITS;
    do { /* one in some thousands is drawn anew */
        struct draws draws = draws_start(seed, stream++);
        hand_write(digit, &draws, &synthesizer->writing);
        glyph_draw(&synthesizer->glyph, &synthesizer->writing);
        sensor_watch(sensor, &synthesizer->glyph, &draws);
        sort_by_time(synthesizer);
    } while (!is_plausible(sensor));

    for (size_t i = 0; i < sensor->n_events; i++)
        event_pack(sensor_event(sensor->events[i]), out + i * EVENT_BYTES);
    return sensor->n_events;
}
