/* SPDX-License-Identifier: Apache-2.0
 * How fast the core is: mixes, decoding, frames, filters and checksums over random recordings of a
 * source split, at every level of vector instructions, each beside what memory alone allows.
 *
 * Recordings are drawn anew for every call: one hot pair would teach the branch predictor its
 * order and flatter code that branches. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cpu.h"
#include "common/crc32c.h"
#include "common/event_codec.h"
#include "common/filter.h"
#include "common/frames.h"
#include "common/mixer.h"
#include "common/mt19937.h"
#include "common/slices.h"
#include "common/split.h"
#include "common/tensors.h"

enum { ROUNDS = 9, CALLS = 400, DIGITS = 4, BATCH = 16, VARIANTS = CPU_LEVELS + 1 };

static const char *const level_names[CPU_LEVELS] = {"portable", "AVX2", "AVX-512"};

struct bench {
    struct split *split;
    struct mixer *mixer;
    uint32_t picks[CALLS][DIGITS];
    uint8_t *out; /* room for whatever a call makes */
};

struct bench_case {
    const char *name;
    const char *base_name;
    unsigned k; /* recordings per call */
    void (*run)(struct bench *bench, const struct event_span *parts);
    void (*base)(struct bench *bench, const struct event_span *parts);
};

static void mix(struct bench *bench, const struct event_span *parts, unsigned k,
                enum mix_order order, uint32_t timestep_us)
{
    struct mix_rule rule = {.order = order, .timestep_us = timestep_us};
    size_t n;
    struct error why;
    if (mixer_mix(bench->mixer, parts, k, &rule, bench->out, &n, &why) < 0) {
        fprintf(stderr, "bench/core: %s\n", why.text);
        exit(EXIT_FAILURE);
    }
}

static void mix_by_time(struct bench *bench, const struct event_span *parts)
{
    mix(bench, parts, 2, MIX_TIME, 0);
}

static void mix_four(struct bench *bench, const struct event_span *parts)
{
    mix(bench, parts, 4, MIX_TIME, 0);
}

static void mix_timestep(struct bench *bench, const struct event_span *parts)
{
    mix(bench, parts, 2, MIX_TIME, 1000);
}

static void mix_published(struct bench *bench, const struct event_span *parts)
{
    mix(bench, parts, 2, MIX_PUBLISHED, 0);
}

static void mix_published_timestep(struct bench *bench, const struct event_span *parts)
{
    mix(bench, parts, 2, MIX_PUBLISHED, 1000);
}

static void copy_parts(struct bench *bench, const struct event_span *parts, unsigned k)
{
    uint8_t *out = bench->out;
    for (unsigned i = 0; i < k; i++) {
        size_t size = parts[i].n_events * EVENT_BYTES;
        memcpy(out, parts[i].bytes, size);
        out += size;
    }
}

static void copy_one(struct bench *bench, const struct event_span *parts)
{
    copy_parts(bench, parts, 1);
}

static void copy_two(struct bench *bench, const struct event_span *parts)
{
    copy_parts(bench, parts, 2);
}

static void copy_four(struct bench *bench, const struct event_span *parts)
{
    copy_parts(bench, parts, 4);
}

static void to_columns(struct bench *bench, const struct event_span *parts)
{
    size_t n = parts[0].n_events;
    uint8_t *x = bench->out + n * sizeof(uint32_t);
    event_columns(parts[0], (uint32_t *)(void *)bench->out, x, x + n, x + 2 * n);
}

static void to_structured(struct bench *bench, const struct event_span *parts)
{
    event_structured(parts[0], bench->out);
}

static void checksum(struct bench *bench, const struct event_span *parts)
{
    uint32_t crc = (cpu_level() == CPU_PORTABLE ? crc32c_portable : crc32c)(
        0, parts[0].bytes, parts[0].n_events * EVENT_BYTES);
    memcpy(bench->out, &crc, sizeof crc);
}

static const struct frames_rule tchw = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS},
                                        .timestep_us = 1000,
                                        .bins = 300,
                                        .binning = FRAMES_ROUND,
                                        .axes = FRAMES_TCHW};

static void frames(struct bench *bench, const struct event_span *parts)
{
    frames_fill(&tchw, parts[0], bench->out);
}

static void frames_time_last(struct bench *bench, const struct event_span *parts)
{
    struct frames_rule rule = tchw;
    rule.axes = FRAMES_CHWT;
    frames_fill(&rule, parts[0], bench->out);
}

static void frames_sum(struct bench *bench, const struct event_span *parts)
{
    struct frames_rule rule = tchw;
    rule.overlap = FRAMES_SUM;
    frames_fill(&rule, parts[0], bench->out);
}

static void frames_batch(struct bench *bench, const struct event_span *parts)
{
    for (size_t i = 0; i < BATCH; i++)
        frames_fill(&tchw, parts[i % DIGITS], bench->out + i * frames_size(&tchw));
}

static void zero(struct bench *bench, const struct event_span *parts)
{
    (void)parts;
    memset(bench->out, 0, frames_size(&tchw));
}

static void zero_batch(struct bench *bench, const struct event_span *parts)
{
    for (size_t i = 0; i < BATCH; i++)
        zero(&(struct bench){.out = bench->out + i * frames_size(&tchw)}, parts);
}

static const struct slice_rule milliseconds = {
    .slice = SLICE_TIMESTEP, .timestep_us = 1000, .bins = 300, .binning = FRAMES_ROUND};
static const struct tensor_shape shape = {
    .geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, .channels = 2, .overlap = FRAMES_OR};

static const struct slices *cut(const struct event_span *parts)
{
    static struct slices slices;
    struct error why;
    if (slices_cut(&milliseconds, parts[0], &slices, &why) < 0) {
        fprintf(stderr, "bench/core: %s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return &slices;
}

static void cut_only(struct bench *bench, const struct event_span *parts)
{
    memcpy(bench->out, cut(parts), sizeof(struct slice_run));
}

static void cut_dense(struct bench *bench, const struct event_span *parts)
{
    const struct slices *slices = cut(parts);
    dense_fill(&shape, parts[0], slices, slices->n, FRAMES_TCHW, FRAMES_U8, bench->out);
}

static void cut_sparse(struct bench *bench, const struct event_span *parts)
{
    const struct slices *slices = cut(parts);
    int32_t *counts = (int32_t *)(void *)bench->out;
    sparse_fill(&shape, parts[0], slices, (int16_t *)(void *)(counts + slices->n), counts);
}

static void cut_bits(struct bench *bench, const struct event_span *parts)
{
    const struct slices *slices = cut(parts);
    bits_fill(&shape, parts[0], slices, slices->n, bench->out);
}

static void filter(struct bench *bench, const struct event_span *parts, const struct filter *filter)
{
    size_t n;
    if (filter_events(filter, &GEOMETRY_NMNIST, parts[0], bench->out, &n) < 0)
        exit(EXIT_FAILURE);
}

static void stabilize(struct bench *bench, const struct event_span *parts)
{
    filter(bench, parts, &(struct filter){.stabilize = true, .t1_us = FILTER_T1_NONE});
}

static void denoise(struct bench *bench, const struct event_span *parts)
{
    filter(bench, parts, &(struct filter){.denoise_us = 10000, .t1_us = FILTER_T1_NONE});
}

static const struct bench_case cases[] = {
    {"mix of two", "memcpy", 2, mix_by_time, copy_two},
    {"mix of four", "memcpy", 4, mix_four, copy_four},
    {"mix of two, timestep", "memcpy", 2, mix_timestep, copy_two},
    {"mix of two, published", "memcpy", 2, mix_published, copy_two},
    {"same with timestep", "memcpy", 2, mix_published_timestep, copy_two},
    {"columns", "memcpy", 1, to_columns, copy_one},
    {"7-byte structs (.npy)", "memcpy", 1, to_structured, copy_one},
    {"CRC-32C", "memcpy", 1, checksum, copy_one},
    {"frames TCHW", "memset", 1, frames, zero},
    {"frames CHWT", "memset", 1, frames_time_last, zero},
    {"frames TCHW, sum", "memset", 1, frames_sum, zero},
    {"frames TCHW, 16 samples", "memset", DIGITS, frames_batch, zero_batch},
    {"cut in 300 timesteps", "memcpy", 1, cut_only, copy_one},
    {"the same, dense frames", "memset", 1, cut_dense, zero},
    {"the same, sparse frames", "memcpy", 1, cut_sparse, copy_one},
    {"the same, bits", "memcpy", 1, cut_bits, copy_one},
    {"stabilize", "memcpy", 1, stabilize, copy_one},
    {"denoise", "memcpy", 1, denoise, copy_one},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void pick(struct bench *bench, struct mt19937 *random)
{
    uint64_t last = split_n_samples(bench->split) - 1;
    for (size_t i = 0; i < CALLS; i++)
        for (size_t d = 0; d < DIGITS; d++)
            bench->picks[i][d] = (uint32_t)mt19937_bounded(random, last);
}

/* µs per call */
static double measure(struct bench *bench, void (*run)(struct bench *, const struct event_span *),
                      size_t n_calls)
{
    double begin_us = now_us();
    for (size_t i = 0; i < n_calls; i++) {
        struct event_span parts[DIGITS];
        for (size_t d = 0; d < DIGITS; d++)
            parts[d] = split_sample(bench->split, bench->picks[i][d]).events;
        run(bench, parts);
        __asm__ volatile("" : : "r"(bench->out) : "memory"); /* someone might read the result */
    }
    return (now_us() - begin_us) / (double)n_calls;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double times_us[ROUNDS])
{
    qsort(times_us, ROUNDS, sizeof times_us[0], compare);
    return times_us[ROUNDS / 2];
}

/* The variants take turns within each round, so that a disturbance meets all of them, and another
 * one begins each time, so that none is always the first to touch the recordings. */
static void run_case(struct bench *bench, const struct bench_case *row, struct mt19937 *random)
{
    double times_us[VARIANTS][ROUNDS];
    size_t n_calls = row->run == frames_batch ? CALLS / BATCH : CALLS;
    cpu_limit(CPU_LEVELS - 1);
    enum cpu_level best = cpu_level();
    int n_variants = (int)best + 2; /* the levels, then the base */
    for (int round = 0; round < ROUNDS; round++) {
        pick(bench, random);
        for (int i = 0; i < n_variants; i++) {
            int variant = (round + i) % n_variants;
            bool is_level = variant <= (int)best;
            if (is_level)
                cpu_limit((enum cpu_level)variant);
            times_us[is_level ? variant : CPU_LEVELS][round] =
                measure(bench, is_level ? row->run : row->base, n_calls);
        }
    }

    double base_us = median(times_us[CPU_LEVELS]), portable_us = median(times_us[CPU_PORTABLE]);
    double events = (double)split_n_events(bench->split) / (double)split_n_samples(bench->split) *
                    (row->run == frames_batch ? BATCH : row->k);
    printf("%-24s %s %.2f us\n", row->name, row->base_name, base_us);
    for (int level = 0; level <= (int)best; level++) {
        double level_us = level == CPU_PORTABLE ? portable_us : median(times_us[level]);
        printf("    %-20s %9.2f us %8.0f M events/s %7.2f x portable %7.2f x %s\n",
               level_names[level], level_us, events / level_us, portable_us / level_us,
               base_us / level_us, row->base_name);
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static struct mt19937 random;
    struct error why = {""};
    if (argc != 2) {
        fprintf(stderr, "usage: bench/core SPLIT.safetensors\n");
        return 2;
    }
    if (split_open(argv[1], &bench.split, &why) < 0 || mixer_new(&bench.mixer) < 0) {
        fprintf(stderr, "bench/core: %s\n", why.text);
        return EXIT_FAILURE;
    }
    size_t room = BATCH * frames_size(&tchw) + DIGITS * split_n_events(bench.split) * 8;
    bench.out = calloc(room, 1);
    if (!bench.out) {
        fprintf(stderr, "bench/core: no memory for %zu bytes\n", room);
        return EXIT_FAILURE;
    }
    mt19937_init_genrand(&random, 42);
    printf("%s: recordings of %.0f events on average; medians of %d rounds of %d calls\n", argv[1],
           (double)split_n_events(bench.split) / (double)split_n_samples(bench.split), ROUNDS,
           CALLS);
    for (size_t i = 0; i < N_CASES; i++)
        run_case(&bench, &cases[i], &random);
    free(bench.out);
    mixer_free(bench.mixer);
    split_close(bench.split);
    return 0;
}
