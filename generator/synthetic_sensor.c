/* SPDX-License-Identifier: Apache-2.0
 * A sensor like ATIS, moved by three saccades before the picture of a digit. */
#include "generator/synthetic_sensor.h"

#include <stdbool.h>

/* Times are in µs, spreads are standard deviations. What they amount to was fitted to N-MNIST
 * (bench/synthetic_statistics.py). */
enum {
    ONE = 4096,
    MOMENTS = 158,
    MOMENT_US = 2000,
    SACCADES = 3,
    THRESHOLD = GLYPH_OCTAVE * 17 / 100,
    THRESHOLD_SPREAD = GLYPH_OCTAVE * 25 / 1000,
    THRESHOLD_MIN = GLYPH_OCTAVE * 10 / 100,
    BLIND_MIN = 1800,
    BLIND_MAX = 2500,
    LATENCY_MAX = 1500,
    JITTER_MAX = 1200,
    START_SPREAD = 2000,  /* of all saccades of a recording together */
    MIDDLE_SPREAD = 1300, /* of one saccade */
    LENGTH_SPREAD = 3500,
    END = 308800,
    END_SPREAD = 2800,
    END_MIN = 298500,
    END_MAX = 314900,
    NOISE_SLOT = 512,
    NOISE_CHANCE = 65536 * 28 / 100, /* of an event in a slot, of 65536 */
    NOISE_HOT = 65536 * 12 / 100,    /* that it comes from a hot pixel */
    NOISE_ON = 65536 * 66 / 100,
};

/* The sensor's own stream of random numbers, the same for every set. */
static const uint64_t SENSOR_SEED = 0x41544953, SENSOR_STREAM = ((uint64_t)1 << 44) - 1;

/* How the image moves, (0,0) → (3.5,7) → (7,0) → (0,0) pixels in all. In N-MNIST the horizontal
 * motor is behind the vertical one in the first saccade and slower in the second; its events say
 * so: ON and OFF stand above one another first, then side by side. */
static const struct move {
    unsigned saccade;
    int32_t x, y; /* cells of the glyph */
    int32_t middle_us, length_us;
} moves[] = {
    {0, 0, 7 * GLYPH_CELLS, 43500, 72000},   {0, 7 * GLYPH_CELLS / 2, 0, 58000, 74000},
    {1, 0, -7 * GLYPH_CELLS, 148500, 78000}, {1, 7 * GLYPH_CELLS / 2, 0, 153000, 96000},
    {2, -7 * GLYPH_CELLS, 0, 257500, 82000},
};

/* A moment of a recording: how far the image has moved by then. */
struct moment {
    int32_t t_us, offset; /* of cells */
};

/* The share of a move that is done at a time, in 1/ONE, with the smoothest start and stop (minimum
 * jerk: Flash, Hogan, J. Neurosci. 5:1688, 1985). */
static int32_t way_done(int32_t t_us, int32_t length_us)
{
    if (t_us <= 0)
        return 0;
    if (t_us >= length_us)
        return ONE;
    int64_t time = (int64_t)t_us * ONE / length_us, square = time * time / ONE;
    return (int32_t)(square * time / ONE * (10 * ONE - 15 * time + 6 * square) / ONE);
}

void sensor_init(struct sensor *ret)
{
    struct draws draws = draws_start(SENSOR_SEED, SENSOR_STREAM);
    for (unsigned y = 0; y < SENSOR_HEIGHT; y++)
        for (unsigned x = 0; x < SENSOR_WIDTH; x++) {
            int32_t on = THRESHOLD + draws_bell(&draws, THRESHOLD_SPREAD);
            int32_t off = THRESHOLD + draws_bell(&draws, THRESHOLD_SPREAD);
            ret->pixels[y][x] = (struct sensor_pixel){
                .on = on > THRESHOLD_MIN ? on : THRESHOLD_MIN,
                .off = off > THRESHOLD_MIN ? off : THRESHOLD_MIN,
                .blind_us = draws_between(&draws, BLIND_MIN, BLIND_MAX),
                .latency_us = draws_between(&draws, 0, LATENCY_MAX),
            };
        }
    for (unsigned i = 0; i < SENSOR_HOT_PIXELS; i++)
        ret->hot[i] = (uint16_t)draws_between(&draws, 0, SENSOR_WIDTH * SENSOR_HEIGHT - 1);
}

/* When the image is where. */
static void plan_moments(struct draws *draws, struct moment ret[MOMENTS])
{
    int32_t late_us = draws_bell(draws, START_SPREAD), middle_us[SACCADES], length_us[SACCADES];
    for (unsigned i = 0; i < SACCADES; i++) {
        middle_us[i] = late_us + draws_bell(draws, MIDDLE_SPREAD);
        length_us[i] = draws_bell(draws, LENGTH_SPREAD);
    }
    for (int32_t i = 0; i < MOMENTS; i++) {
        int32_t x = ONE / 2, y = ONE / 2;
        for (size_t k = 0; k < sizeof(moves) / sizeof(moves[0]); k++) {
            const struct move *move = &moves[k];
            int32_t length = move->length_us + length_us[move->saccade];
            int32_t begin = move->middle_us + middle_us[move->saccade] - length / 2;
            int32_t way = way_done(i * MOMENT_US - begin, length);
            x += move->x * way;
            y += move->y * way;
        }
        ret[i].t_us = i * MOMENT_US;
        ret[i].offset = y / ONE * GLYPH_WIDTH + x / ONE;
    }
}

static void emit(struct sensor *sensor, unsigned x, unsigned y, bool on, int32_t t_us, int32_t end)
{
    if (t_us < 0 || t_us > end || sensor->n_events == SENSOR_MAX_EVENTS)
        return;
    sensor->events[sensor->n_events++] =
        (uint32_t)t_us << SENSOR_TIME_SHIFT | y << 7 | x << 1 | (unsigned)on;
}

/* A straight piece of a pixel's brightness over time. */
struct piece {
    int32_t t0, t1, level0, level1;
};

static int32_t level_at(const struct piece *piece, int32_t t)
{
    return piece->level0 + (int32_t)((int64_t)(piece->level1 - piece->level0) * (t - piece->t0) /
                                     (piece->t1 - piece->t0));
}

static int32_t time_of(const struct piece *piece, int32_t level)
{
    return piece->t0 + (int32_t)((int64_t)(piece->t1 - piece->t0) * (level - piece->level0) /
                                 (piece->level1 - piece->level0));
}

/* Follow one pixel: an event each time its brightness is a threshold away from where it was when
 * the pixel last became able to see. N-MNIST's ON is at the edge that a stroke leaves behind, so
 * it is brightness that falls. */
static void watch_pixel(struct sensor *sensor, unsigned x, unsigned y, const uint16_t *cell,
                        const struct moment moments[MOMENTS], int32_t end, struct draws *draws)
{
    const struct sensor_pixel *pixel = &sensor->pixels[y][x];
    int32_t level = cell[0], reference = level, sees_at = INT32_MIN;
    bool blind = false;
    for (unsigned i = 1; i < MOMENTS; i++) {
        struct piece piece = {moments[i - 1].t_us, moments[i].t_us, level,
                              cell[-moments[i].offset]};
        level = piece.level1;
        if ((piece.level0 == level && !blind) || (blind && piece.t1 <= sees_at))
            continue;
        for (;;) {
            if (blind) {
                if (sees_at > piece.t0) {
                    piece.level0 = level_at(&piece, sees_at);
                    piece.t0 = sees_at;
                }
                reference = piece.level0;
                blind = false;
            }
            bool falls = reference - level >= pixel->on;
            if (!falls && level - reference < pixel->off)
                break;
            int32_t t = time_of(&piece, falls ? reference - pixel->on : reference + pixel->off);
            int32_t jitter = (int32_t)(draws_u16(draws) * (uint32_t)JITTER_MAX >> 16);
            emit(sensor, x, y, falls, t + pixel->latency_us + jitter, end);
            blind = true;
            sees_at = t + pixel->blind_us;
            if (sees_at >= piece.t1)
                break;
        }
    }
}

static void add_noise(struct sensor *sensor, int32_t end, struct draws *draws)
{
    for (int32_t slot = 0; slot < end; slot += NOISE_SLOT) {
        if (draws_u16(draws) >= NOISE_CHANCE)
            continue;
        int32_t t = slot + draws_between(draws, 0, NOISE_SLOT - 1);
        int32_t at = draws_between(draws, 0, SENSOR_WIDTH * SENSOR_HEIGHT - 1);
        if (draws_u16(draws) < NOISE_HOT)
            at = sensor->hot[at % SENSOR_HOT_PIXELS];
        bool on = draws_u16(draws) < NOISE_ON;
        emit(sensor, (unsigned)at % SENSOR_WIDTH, (unsigned)at / SENSOR_WIDTH, on, t, end);
    }
}

void sensor_watch(struct sensor *sensor, const struct glyph *glyph, struct draws *draws)
{
    struct moment moments[MOMENTS];
    plan_moments(draws, moments);
    int32_t end = END + draws_bell(draws, END_SPREAD);
    end = end < END_MIN ? END_MIN : end > END_MAX ? END_MAX : end;

    sensor->n_events = 0;
    for (unsigned y = 0; y < SENSOR_HEIGHT; y++)
        for (unsigned x = 0; x < SENSOR_WIDTH; x++) {
            const uint16_t *cell =
                &glyph->cells[(y + GLYPH_MARGIN) * GLYPH_CELLS][(x + GLYPH_MARGIN) * GLYPH_CELLS];
            watch_pixel(sensor, x, y, cell, moments, end, draws);
        }
    add_noise(sensor, end, draws);
}
