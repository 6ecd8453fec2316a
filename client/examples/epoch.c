/* SPDX-License-Identifier: Apache-2.0
 * Reads one rank's share of an epoch, batch by batch, and prints a line for each:
 *
 *   epoch SPLIT SEED EPOCH SIZE RANK WORLD LAST CURSOR|- URL...
 *
 * Every line ends with the cursor behind its batch, with which another process goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <twonmnist.h>

enum { DEPTH = 4 };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, tnm_last_error());
    return 1;
}

static int parse_last(const char *word)
{
    static const char *const words[] = {
        [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad"};
    for (int last = 0; last < 3; last++)
        if (strcmp(words[last], word) == 0)
            return last;
    return -1;
}

/* A number that every byte of the batch's events and labels and every index goes into. */
static uint64_t mixed_up(const tnm_batch *batch)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    const uint8_t *events = tnm_batch_events(batch), *labels = tnm_batch_labels(batch);
    for (uint64_t i = 0; i < tnm_batch_n_events(batch) * TNM_EVENT_BYTES; i++)
        sum = (sum ^ events[i]) * 1099511628211u;
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch) * tnm_batch_n_labels(batch); i++)
        sum = (sum ^ labels[i]) * 1099511628211u;
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++)
        sum = (sum ^ tnm_batch_indices(batch)[i]) * 1099511628211u;
    return sum;
}

static void print(const tnm_batch *batch, const char *cursor)
{
    printf("%" PRIu64 " %016" PRIx64 " ", tnm_batch_number(batch), mixed_up(batch));
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++)
        printf("%s%" PRIu64, i ? "," : "", tnm_batch_indices(batch)[i]);
    printf(" %s\n", cursor);
    fflush(stdout);
}

static int read_epoch(tnm_stream *stream)
{
    tnm_batch *batch;
    char cursor[TNM_CURSOR_SIZE];
    int r;
    while ((r = tnm_stream_next(stream, &batch)) > 0) {
        tnm_stream_tell(stream, cursor, sizeof cursor);
        print(batch, cursor);
        tnm_batch_free(batch);
    }
    return r < 0 ? fail("stream") : 0;
}

int main(int argc, char **argv)
{
    if (argc < 10) {
        fprintf(stderr, "usage: epoch SPLIT SEED EPOCH SIZE RANK WORLD LAST CURSOR|- URL...\n");
        return 2;
    }
    tnm_client *client = NULL;
    tnm_split *split = NULL;
    tnm_stream *stream = NULL;
    int status = 0;
    if (tnm_open((const char *const *)argv + 9, (size_t)argc - 9, NULL, &client) < 0)
        status = fail("open");
    else if (tnm_split_open(client, argv[1], &split) < 0)
        status = fail(argv[1]);
    else if (tnm_epoch_open(
                 split, (uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10),
                 strtoull(argv[4], NULL, 10), (uint32_t)strtoul(argv[5], NULL, 10),
                 (uint32_t)strtoul(argv[6], NULL, 10), parse_last(argv[7]), DEPTH, &stream) < 0)
        status = fail("epoch");
    else if (strcmp(argv[8], "-") != 0 && tnm_stream_seek(stream, argv[8]) < 0)
        status = fail("cursor");
    else
        status = read_epoch(stream);
    tnm_stream_close(stream);
    tnm_split_close(split);
    tnm_close(client);
    return status;
}
