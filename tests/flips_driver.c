/* SPDX-License-Identifier: Apache-2.0
 * Asks a server for one and the same thing until it says that there is none any more, and compares
 * what libtwonmnist hands over with its first answer:
 *
 *   flips_driver KIND URL
 *
 * Prints how many answers it took that were right, and how many that were wrong. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/twonmnist.h"

enum { N_DIGITS = 10, SIZE_OF_ALL = 1000, ROUNDS_MOST = 1000000 };

static const uint64_t some[] = {2, 0};
static const uint64_t parts[] = {0, 7}; /* of different digits */

/* What was handed over, as bytes. */
struct taken {
    uint8_t *bytes;
    size_t size;
};

static void keep(struct taken *taken, const void *bytes, size_t size)
{
    taken->bytes = realloc(taken->bytes, taken->size + size + 1);
    if (!taken->bytes)
        abort();
    memcpy(taken->bytes + taken->size, bytes, size);
    taken->size += size;
}

static int keep_batch(int r, tnm_batch *batch, struct taken *ret)
{
    if (r < 0)
        return r;
    uint64_t n = tnm_batch_n_samples(batch);
    keep(ret, tnm_batch_events(batch), tnm_batch_n_events(batch) * TNM_EVENT_BYTES);
    keep(ret, tnm_batch_offsets(batch), (n + 1) * sizeof(uint64_t));
    keep(ret, tnm_batch_labels(batch), n * tnm_batch_n_labels(batch));
    keep(ret, tnm_batch_indices(batch), n * sizeof(uint64_t));
    keep(ret, tnm_batch_sources(batch), n * 2 * sizeof(int32_t));
    keep(ret, tnm_batch_checksums(batch), n * sizeof(uint64_t));
    tnm_batch_free(batch);
    return 0;
}

static int get_samples(tnm_split *split, struct taken *ret)
{
    tnm_batch *batch = NULL;
    int r = tnm_samples(split, some, sizeof some / sizeof *some, &batch);
    return keep_batch(r, batch, ret);
}

static int get_epoch(tnm_split *split, struct taken *ret)
{
    tnm_batch *batch = NULL;
    int r = tnm_epoch_batch(split, 3, 1, 0, 2, 0, 1, TNM_LAST_SHORT, &batch);
    return keep_batch(r, batch, ret);
}

/* One batch of all of it, so that there is nothing to be fetched ahead. */
static int get_stream(tnm_split *split, struct taken *ret)
{
    tnm_stream *stream = NULL;
    tnm_batch *batch = NULL;
    int r = tnm_epoch_open(split, 3, 1, SIZE_OF_ALL, 0, 1, TNM_LAST_SHORT, 1, &stream);
    if (r == 0)
        r = tnm_stream_next(stream, &batch);
    r = keep_batch(r < 0 ? r : 0, batch, ret);
    tnm_stream_close(stream);
    return r;
}

static int get_pairs(tnm_split *split, struct taken *ret)
{
    tnm_batch *batch = NULL;
    int r = tnm_pair_batch(split, 3, 1, 2, 0, 1, &batch);
    return keep_batch(r, batch, ret);
}

static int get_mix(tnm_split *split, struct taken *ret)
{
    tnm_batch *batch = NULL;
    int r = tnm_mix(split, parts, sizeof parts / sizeof *parts, &batch);
    return keep_batch(r, batch, ret);
}

static int get_labels(tnm_split *split, struct taken *ret)
{
    size_t size = tnm_split_n_samples(split) * N_DIGITS;
    uint8_t *labels = calloc(1, size);
    if (!labels)
        abort();
    int r = tnm_split_labels(split, labels, size);
    if (r == 0)
        keep(ret, labels, size);
    free(labels);
    return r;
}

static const struct {
    const char *name, *split;
    int (*get)(tnm_split *split, struct taken *ret);
} kinds[] = {
    {"samples", "nmnist-train", get_samples}, {"epoch", "train", get_epoch},
    {"stream", "train", get_stream},          {"pairs", "nmnist-train", get_pairs},
    {"mix", "nmnist-train", get_mix},         {"labels", "train", get_labels},
};

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, tnm_last_error());
    return 1;
}

static bool is_equal(const struct taken *one, const struct taken *other)
{
    return one->size == other->size && memcmp(one->bytes, other->bytes, one->size) == 0;
}

static int ask_until_there_is_none(size_t kind, tnm_split *split)
{
    struct taken first = {0};
    unsigned long n_right = 0, n_wrong = 0;
    if (kinds[kind].get(split, &first) < 0)
        return fail("the first answer");
    int r = 0;
    for (int i = 0; r != -ENOENT && i < ROUNDS_MOST; i++) {
        struct taken taken = {0};
        r = kinds[kind].get(split, &taken);
        if (r == 0 && is_equal(&first, &taken))
            n_right++;
        else if (r == 0)
            n_wrong++;
        free(taken.bytes);
    }
    free(first.bytes);
    if (r != -ENOENT)
        return fail("it has no end");
    printf("right %lu wrong %lu\n", n_right, n_wrong);
    return 0;
}

int main(int argc, char **argv)
{
    /* What was damaged is an error at once; a server that failed is asked again after 1 ms. */
    static const char *const options[][2] = {
        {"retries", "0"}, {"call_patience_s", "10"}, {"backoff_ms", "1"}, {"backoff_max_ms", "1"}};
    size_t kind = 0;
    tnm_options *set = NULL;
    tnm_client *client = NULL;
    tnm_split *split = NULL;
    int status = 2;
    while (argc == 3 && kind < sizeof kinds / sizeof *kinds &&
           strcmp(kinds[kind].name, argv[1]) != 0)
        kind++;
    if (argc != 3 || kind == sizeof kinds / sizeof *kinds || tnm_options_new(&set) < 0)
        return status;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        tnm_options_set(set, options[i][0], options[i][1]);
    if (tnm_open((const char *const *)argv + 2, 1, set, &client) < 0)
        status = fail("open");
    else if (tnm_split_open(client, kinds[kind].split, &split) < 0)
        status = fail(kinds[kind].split);
    else
        status = ask_until_there_is_none(kind, split);
    tnm_split_close(split);
    tnm_close(client);
    tnm_options_free(set);
    return status;
}
