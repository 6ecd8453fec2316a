/* SPDX-License-Identifier: Apache-2.0
 * What one batch is asked for by, and what its answer has to be. */
#include "client/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/digest.h"
#include "client/failure.h"
#include "common/crc32c.h"
#include "common/order.h"

enum { MAX_IN_URL = 64 };

int fetch_check_share(const struct fetch_share *share)
{
    if (share->size < 1 || share->size > INT32_MAX)
        return failure_set(-EINVAL, "a batch of %" PRIu64 " samples; 1 to %d are possible",
                           share->size, INT32_MAX);
    if (share->world < 1 || share->world > UINT16_MAX || share->rank >= share->world)
        return failure_set(-EINVAL, "rank %u of a world of %u", share->rank, share->world);
    if (share->last < TNM_LAST_SHORT || share->last > TNM_LAST_PAD)
        return failure_set(-EINVAL, "last is %d; it goes from %d to %d", share->last,
                           TNM_LAST_SHORT, TNM_LAST_PAD);
    return 0;
}

void fetch_clear(struct fetch *fetch)
{
    free(fetch->path);
    free(fetch->post);
    free(fetch->indices);
    tnm_batch_free(fetch->batch);
    *fetch = (struct fetch){0};
}

/* "&order=…&timestep=…", as the form asks. */
static void form_query(struct form form, char *ret, size_t size)
{
    static const char *const orders[] = {[TNM_ORDER_STORED] = "",
                                         [TNM_ORDER_TIME] = "&order=time",
                                         [TNM_ORDER_PUBLISHED] = "&order=published"};
    int used = snprintf(ret, size, "%s", orders[form.order]);
    if (form.timestep_us)
        snprintf(ret + used, size - (size_t)used, "&timestep=%" PRIu32, form.timestep_us);
}

__attribute__((format(printf, 3, 4))) static int set_path(struct fetch *fetch, struct form form,
                                                          const char *format, ...)
{
    char *path, query[64];
    va_list args;
    va_start(args, format);
    int n = vasprintf(&path, format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    form_query(form, query, sizeof query);
    n = asprintf(&fetch->path, "%s%s", path, query);
    free(path);
    if (n < 0)
        fetch->path = NULL;
    return n < 0 ? -ENOMEM : 0;
}

/* The numbers between commas; NULL: no memory. */
static char *join(const uint64_t *numbers, size_t n)
{
    enum { NUMBER_MAX = 21 };
    char *text = malloc(n * NUMBER_MAX + 1);
    size_t used = 0;
    if (text)
        text[0] = '\0';
    for (size_t i = 0; text && i < n; i++)
        used += (size_t)sprintf(text + used, "%s%" PRIu64, i ? "," : "", numbers[i]);
    return text;
}

static int keep_indices(struct fetch *fetch, const uint64_t *indices, size_t n)
{
    fetch->n = n;
    fetch->indices = calloc(n ? n : 1, sizeof *fetch->indices);
    if (!fetch->indices)
        return -ENOMEM;
    memcpy(fetch->indices, indices, n * sizeof *indices);
    return 0;
}

static int ended(struct fetch *fetch, int r, struct fetch *ret)
{
    if (r < 0)
        fetch_clear(fetch);
    else
        *ret = *fetch;
    return r;
}

int fetch_samples(const tnm_split *split, struct form form, const uint64_t *indices, size_t n,
                  struct fetch *ret)
{
    struct fetch fetch = {.split = split};
    snprintf(fetch.what, sizeof fetch.what, "%zu samples of %s", n, split->name);
    char *list = join(indices, n);
    int r = list ? keep_indices(&fetch, indices, n) : -ENOMEM;
    bool in_url = n > 0 && n <= MAX_IN_URL;
    if (r == 0)
        r = set_path(&fetch, form, "/v1/splits/%s@%s/batch.safetensors?%s%s", split->name,
                     split->revision, in_url ? "indices=" : "", in_url ? list : "");
    if (r == 0 && !in_url && asprintf(&fetch.post, "{\"indices\": [%s]}", list) < 0) {
        fetch.post = NULL;
        r = -ENOMEM;
    }
    free(list);
    return ended(&fetch, r, ret);
}

static int alloc_share(struct fetch *fetch, struct order_share share)
{
    fetch->n = share.count;
    fetch->indices = calloc(share.count ? share.count : 1, sizeof *fetch->indices);
    return fetch->indices ? 0 : -ENOMEM;
}

int fetch_epoch(const tnm_split *split, struct form form, uint32_t seed, uint32_t epoch,
                const uint32_t *order, const struct fetch_share *share, uint64_t k,
                struct fetch *ret)
{
    static const char *const names[] = {
        [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad"};
    static const enum order_last lasts[] = {
        [TNM_LAST_SHORT] = ORDER_SHORT, [TNM_LAST_DROP] = ORDER_DROP, [TNM_LAST_PAD] = ORDER_PAD};
    struct fetch fetch = {.split = split, .number = k};
    snprintf(fetch.what, sizeof fetch.what, "batch %" PRIu64 " of epoch %" PRIu32 " of %s", k,
             epoch, split->name);
    struct order_share part = order_share(split->n_samples, share->size, lasts[share->last], k,
                                          share->rank, share->world);
    int r = alloc_share(&fetch, part);
    for (uint64_t i = 0; r == 0 && i < part.count; i++)
        fetch.indices[i] = order[(part.first + i * part.step) % split->n_samples];
    if (r == 0)
        r = set_path(&fetch, form,
                     "/v1/splits/%s@%s/epochs/%" PRIu32 "/%" PRIu32 "/batches/%" PRIu64
                     ".safetensors?size=%" PRIu64 "&rank=%" PRIu32 "&world=%" PRIu32 "&last=%s",
                     split->name, split->revision, seed, epoch, k, share->size, share->rank,
                     share->world, names[share->last]);
    return ended(&fetch, r, ret);
}

int fetch_pairs(const tnm_split *split, struct form form, uint64_t seed,
                const struct fetch_share *share, uint64_t k, struct fetch *ret)
{
    struct fetch fetch = {.split = split, .number = k};
    snprintf(fetch.what, sizeof fetch.what, "batch %" PRIu64 " of the pairs of %s", k, split->name);
    struct order_share part =
        order_share(UINT64_MAX, share->size, ORDER_PAD, k, share->rank, share->world);
    int r = alloc_share(&fetch, part);
    for (uint64_t i = 0; r == 0 && i < part.count; i++)
        fetch.indices[i] = part.first + i * part.step;
    if (r == 0)
        r = set_path(&fetch, form,
                     "/v1/pairs/%s@%s/%" PRIu64 "/batches/%" PRIu64 ".safetensors?size=%" PRIu64
                     "&rank=%" PRIu32 "&world=%" PRIu32,
                     split->name, split->revision, seed, k, share->size, share->rank, share->world);
    return ended(&fetch, r, ret);
}

int fetch_mix(const tnm_split *split, struct form form, const uint64_t *parts, size_t n,
              struct fetch *ret)
{
    struct fetch fetch = {.split = split, .is_mix = true};
    snprintf(fetch.what, sizeof fetch.what, "a mix of %zu recordings of %s", n, split->name);
    char *list = join(parts, n);
    int r = list ? keep_indices(&fetch, parts, n) : -ENOMEM;
    if (r == 0)
        r = set_path(&fetch, form, "/v1/mix/%s@%s/%s.bin?", split->name, split->revision, list);
    free(list);
    return ended(&fetch, r, ret);
}

/* "3, 5" as multi-hot labels. */
static int read_labels(const char *header, uint8_t ret[N_DIGITS], struct error *why)
{
    memset(ret, 0, N_DIGITS);
    for (const char *at = header; *at; at += strspn(at, ", ")) {
        char *end;
        unsigned long digit = strtoul(at, &end, 10);
        if (end == at || digit >= N_DIGITS)
            return error_set(why, -EBADMSG, "the labels \"%.40s\" are no digits", header);
        ret[digit] = 1;
        at = end;
    }
    return header[0] ? 0 : error_set(why, -EBADMSG, "the answer has no labels");
}

static int read_mix(const struct fetch *fetch, struct answer *answer, tnm_batch *batch,
                    struct error *why)
{
    struct batch_single *single = &batch->single;
    size_t size = answer->body.size;
    int r = digest_check(answer, true, why);
    if (r == 0)
        r = read_labels(answer->headers[HEADER_LABELS], single->labels, why);
    if (r < 0)
        return r;
    if (strcmp(answer->headers[HEADER_REVISION], fetch->split->revision) != 0)
        return error_set(why, -ESTALE, "has other data: revision %.12s instead of %.12s",
                         answer->headers[HEADER_REVISION], fetch->split->revision);
    if (size % EVENT_BYTES != 0)
        return error_set(why, -EBADMSG, "%zu bytes are no whole number of events", size);
    single->offsets[1] = size / EVENT_BYTES;
    single->sources[0] = (int32_t)fetch->indices[0];
    single->sources[1] = fetch->n > 1 ? (int32_t)fetch->indices[1] : -1;
    single->checksum = crc32c(0, answer->body.bytes, size);
    batch->blob = (struct blob){
        .n_samples = 1,
        .n_events = single->offsets[1],
        .events = answer->body.bytes,
        .offsets = single->offsets,
        .labels = single->labels,
        .indices = &single->index,
        .sources = single->sources,
        .checksums = &single->checksum,
    };
    return 0;
}

static int read_blob(const struct fetch *fetch, struct answer *answer, tnm_batch *batch,
                     struct error *why)
{
    const struct blob_expected expected = {
        .revision = fetch->split->revision, .indices = fetch->indices, .n_samples = fetch->n};
    batch->is_blob = true;
    return blob_read(answer->body.bytes, answer->body.size, &expected, &batch->blob, why);
}

static int check(void *arg, struct answer *answer, struct error *why)
{
    struct fetch *fetch = arg;
    tnm_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return error_set(why, -ENOMEM, "no memory for a batch");
    batch->number = fetch->number;
    int r = (fetch->is_mix ? read_mix : read_blob)(fetch, answer, batch, why);
    if (r < 0) {
        tnm_batch_free(batch);
        return r;
    }
    body_take(&answer->body, &batch->body);
    tnm_batch_free(fetch->batch);
    fetch->batch = batch;
    return 0;
}

struct request_ask fetch_ask(struct fetch *fetch)
{
    return (struct request_ask){.what = fetch->what,
                                .path = fetch->path,
                                .post = fetch->post,
                                .type = fetch->is_mix ? "application/octet-stream"
                                                      : "application/x-safetensors",
                                .check = check,
                                .arg = fetch};
}
