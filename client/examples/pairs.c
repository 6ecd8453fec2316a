/* SPDX-License-Identifier: Apache-2.0
 * Reads batches of fresh pairs as frames, decoded in the background into the program's own buffers:
 *
 *   pairs SOURCE SEED BATCHES URL... */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <twonmnist.h>

enum { DEPTH = 4, SIZE = 16, BINS = 300, TIMESTEP_US = 1000 };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, tnm_last_error());
    return 1;
}

static void print(const tnm_batch *batch)
{
    size_t size, n_set = 0;
    const uint8_t *frames = tnm_batch_decoded(batch, &size);
    for (size_t i = 0; i < size; i++)
        n_set += frames[i];
    printf("batch %" PRIu64 ": %" PRIu64 " pairs, %" PRIu64 " events, %zu of %zu cells set\n",
           tnm_batch_number(batch), tnm_batch_n_samples(batch), tnm_batch_n_events(batch), n_set,
           size);
}

/* Each buffer is lent again when the batch that took it is freed. */
static int read_batches(tnm_stream *stream, unsigned long n, uint8_t *buffers, size_t size)
{
    for (int i = 0; i < DEPTH; i++)
        if (tnm_stream_lend(stream, buffers + (size_t)i * size, size) < 0)
            return fail("lend");
    for (unsigned long i = 0; i < n; i++) {
        tnm_batch *batch;
        size_t decoded_size;
        if (tnm_stream_next(stream, &batch) < 0)
            return fail("pairs");
        print(batch);
        void *buffer = (void *)tnm_batch_decoded(batch, &decoded_size);
        uintptr_t offset = (uintptr_t)buffer - (uintptr_t)buffers;
        tnm_batch_free(batch);
        if (offset < DEPTH * size && tnm_stream_lend(stream, buffer, size) < 0)
            return fail("lend");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: pairs SOURCE SEED BATCHES URL...\n");
        return 2;
    }
    tnm_client *client = NULL;
    tnm_split *source = NULL;
    tnm_stream *stream = NULL;
    tnm_decoder *decoder = NULL;
    tnm_geometry geometry;
    uint8_t *buffers = NULL;
    int status = 1;
    if (tnm_open((const char *const *)argv + 4, (size_t)argc - 4, NULL, &client) < 0 ||
        tnm_split_open(client, argv[1], &source) < 0) {
        fail("open");
        goto end;
    }
    tnm_split_geometry(source, &geometry);
    if (tnm_pairs_open(source, strtoull(argv[2], NULL, 10), 0, SIZE, 0, 1, DEPTH, &stream) < 0 ||
        tnm_decoder_frames(&geometry, TIMESTEP_US, BINS, TNM_BIN_ROUND, TNM_OVERLAP_OR, TNM_BTCHW,
                           TNM_U8, &decoder) < 0 ||
        tnm_stream_set_decoder(stream, decoder) < 0) {
        fail("open");
    } else {
        size_t size = tnm_decoder_size(decoder, SIZE, 0);
        buffers = calloc(DEPTH, size);
        status = buffers ? read_batches(stream, strtoul(argv[3], NULL, 10), buffers, size) : 1;
    }
end:
    tnm_stream_close(stream);
    tnm_decoder_free(decoder);
    tnm_split_close(source);
    tnm_close(client);
    free(buffers);
    return status;
}
