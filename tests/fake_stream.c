/* SPDX-License-Identifier: Apache-2.0
 * A stream over requests that a test answers itself. */
#include "tests/fake_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/order.h"

tnm_client *client;
tnm_split *split;
tnm_stream *stream;
atomic_bool asked_for_places;
int64_t damaged_k;

/* The numbers of the path, by what stands before each. */
static uint64_t number_after(const char *path, const char *before)
{
    const char *at = strstr(path, before);
    if (!at)
        abort();
    return strtoull(at + strlen(before), NULL, 10);
}

static unsigned indices_of(const char *path, uint64_t *ret)
{
    uint64_t k = number_after(path, "/batches/"), size = number_after(path, "size=");
    uint64_t rank = number_after(path, "rank="), world = number_after(path, "world=");
    bool pairs = strncmp(path, "/v1/pairs/", 10) == 0;
    uint32_t order[N];
    unsigned n = 0, seed, epoch;
    if (!pairs) {
        const char *at = strstr(path, "/epochs/");
        if (!at || sscanf(at, "/epochs/%u/%u/", &seed, &epoch) != 2)
            abort();
        order_epoch(seed, epoch, N, order);
    }
    for (uint64_t i = k * size + rank; i < (k + 1) * size && (pairs || i < N); i += world)
        ret[n++] = pairs ? i : order[i];
    return n;
}

/* The indices that are asked for by their list, in the URL or (none at all) in the body. */
static unsigned listed(const struct request_ask *ask, uint64_t *ret)
{
    const char *at = strstr(ask->path, "indices=");
    unsigned n = 0;
    if (!at && (!ask->post || strcmp(ask->post, "{\"indices\": []}") != 0))
        abort();
    for (char *end; at && *at && *at != '&'; at = end)
        ret[n++] = strtoull(at + strcspn(at, "0123456789"), &end, 10);
    return n;
}

static int reply(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    uint64_t indices[SIZE * 2];
    if (strstr(ask->path, "/batch.")) {
        fake_batch(answer, indices, listed(ask, indices));
        return 0;
    }
    if (!strstr(ask->path, "/batches/")) {
        fake_description(answer, "train", "source", N);
        return 0;
    }
    if ((int64_t)number_after(ask->path, "/batches/") == damaged_k)
        return error_set(why, -EBADMSG, "damaged");
    bool places = strstr(ask->path, "as=sparse") != NULL;
    asked_for_places = places;
    (places ? fake_places : fake_batch)(answer, indices, indices_of(ask->path, indices));
    return 0;
}

int setup_split(void **state)
{
    (void)state;
    damaged_k = -1;
    stream = NULL;
    client = fake_open(reply);
    return tnm_split_open(client, "train", &split);
}

int setup_epoch(void **state)
{
    int r = setup_split(state);
    return r < 0 ? r : tnm_epoch_open(split, SEED, 0, SIZE, 0, 1, TNM_LAST_SHORT, DEPTH, &stream);
}

int setup_pairs(void **state)
{
    int r = setup_split(state);
    return r < 0 ? r : tnm_pairs_open(split, SEED, 40, SIZE, 0, 1, DEPTH, &stream);
}

int teardown(void **state)
{
    (void)state;
    tnm_split_close(split);
    tnm_close(client);
    tnm_stream_close(stream); /* keeps them until here */
    return 0;
}
