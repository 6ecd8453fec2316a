/* SPDX-License-Identifier: Apache-2.0
 * What a stream has done and waited for. */
#include <errno.h>
#include <string.h>

#include "client/failure.h"
#include "client/stream.h"

struct reading {
    const tnm_stream *stream;
    tnm_stats stats;
};

static uint64_t us(uint64_t ns)
{
    return ns / 1000;
}

/* What belongs to the loop's thread. */
static void read_network(void *user)
{
    struct reading *reading = user;
    const tnm_stream *stream = reading->stream;
    uint64_t under_way = stream->n_under_way ? stream_now_ns() - stream->network_since_ns : 0;
    reading->stats.bytes = stream->tally.bytes;
    reading->stats.requests = stream->tally.requests;
    reading->stats.retries = stream->tally.retries;
    reading->stats.hedges = stream->tally.hedges;
    reading->stats.failures = stream->tally.failures;
    reading->stats.network_us = us(stream->network_ns + under_way);
}

int tnm_stream_stats(const tnm_stream *stream, tnm_stats *ret, size_t size)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    struct reading reading = {
        .stream = stream,
        .stats = {.batches = stream->n_given,
                  .samples = stream->n_samples,
                  .waited_us = us(stream->waited_ns),
                  .waited_network_us = us(stream->waited_network_ns),
                  .consumer_us = us(stream->consumer_ns),
                  .decoding_us = us(atomic_load(&stream->decoding_ns))},
    };
    loop_call(stream->split->client->loop, read_network, &reading);
    size_t known = size < sizeof reading.stats ? size : sizeof reading.stats;
    memset(ret, 0, size);
    memcpy(ret, &reading.stats, known);
    return 0;
}
