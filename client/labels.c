/* SPDX-License-Identifier: Apache-2.0
 * All labels of a split, without its events. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/digest.h"
#include "client/failure.h"
#include "client/split.h"
#include "common/digits.h"
#include "common/npy.h"
#include "common/wire.h"

struct wanted {
    const tnm_split *split;
    uint8_t *out;
};

/* The answer has to be what the split's own description says, digit by digit. */
static int check_counts(const tnm_split *split, const uint8_t *labels, struct error *why)
{
    const uint32_t n_labels = split->geometry.n_labels;
    uint64_t counts[GEOMETRY_LABELS_MAX] = {0}, n_pairs = 0;
    for (uint64_t i = 0; i < split->n_samples; i++, labels += n_labels) {
        int r = digits_check(labels, n_labels, why);
        if (r < 0)
            return error_prefix(why, r, "sample %" PRIu64, i);
        unsigned n = 0;
        for (uint32_t digit = 0; digit < n_labels; digit++) {
            n += labels[digit];
            counts[digit] += labels[digit];
        }
        n_pairs += n == 2;
    }
    if (memcmp(counts, split->label_counts, n_labels * sizeof *counts) != 0 ||
        n_pairs != split->n_pairs)
        return error_set(why, -EBADMSG, "the labels are not those that the description counts");
    return 0;
}

static int check_labels(void *user, struct answer *answer, struct error *why)
{
    const struct wanted *wanted = user;
    const tnm_split *split = wanted->split;
    char header[NPY_HEADER_MAX];
    const uint64_t dims[] = {split->n_samples, split->geometry.n_labels};
    size_t start = npy_header(header, "'|u1'", dims, 2);
    size_t size = (size_t)(dims[0] * dims[1]);
    if (answer->body.size != start + size || memcmp(answer->body.bytes, header, start) != 0)
        return error_set(why, -EBADMSG, "the answer is no array of %" PRIu64 " x %u labels",
                         split->n_samples, split->geometry.n_labels);
    int r = digest_check(answer, why);
    if (r == 0)
        r = check_counts(split, answer->body.bytes + start, why);
    if (r == 0)
        memcpy(wanted->out, answer->body.bytes + start, size);
    return r;
}

int tnm_split_labels(tnm_split *split, uint8_t *out, size_t size)
{
    char what[160], path[256];
    int r = split_check(split);
    if (r < 0)
        return r;
    uint64_t needed = split->n_samples * split->geometry.n_labels;
    if (size < needed)
        return failure_set(-ENOBUFS, "the labels have %" PRIu64 " bytes; the buffer has %zu",
                           needed, size);
    snprintf(what, sizeof what, "labels of %s", split->name);
    snprintf(path, sizeof path, "/v1/splits/%s@%s/labels." WIRE_NPY, split->name, split->revision);
    struct wanted wanted = {.split = split, .out = out};
    const struct request_ask ask = {.what = what,
                                    .revision = split->revision,
                                    .path = path,
                                    .type = WIRE_NPY_TYPE,
                                    .max_bytes = NPY_HEADER_MAX + needed,
                                    .check = check_labels,
                                    .user = &wanted};
    return client_request(split->client, &ask, NULL);
}
