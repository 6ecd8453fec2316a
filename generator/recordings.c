/* SPDX-License-Identifier: Apache-2.0
 * How the samples of a 2NMNIST split come from a source split. */
#include "generator/recordings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"

int recordings_new(const struct split *source, struct recordings *ret, struct error *why)
{
    if (strcmp(split_meta(source, "kind"), SPLIT_KIND_SOURCE) != 0)
        return error_set(why, -EBADMSG, "it is not a source split");
    uint64_t n = split_n_samples(source);
    uint8_t *digits = malloc(n);
    if (!digits)
        return error_set(why, -ENOMEM, "no memory for %" PRIu64 " labels", n);
    for (uint64_t i = 0; i < n; i++) {
        int digit = digits_only(split_sample(source, i).labels);
        if (digit < 0) {
            free(digits);
            return error_set(why, -EBADMSG, "recording %" PRIu64 " has not just one label", i);
        }
        digits[i] = (uint8_t)digit;
    }
    *ret = (struct recordings){.source = source, .digits = digits};
    return 0;
}

void recordings_free(struct recordings *recordings)
{
    free(recordings->digits);
    *recordings = (struct recordings){0};
}

int recordings_check_source(const struct recordings *recordings, const struct split *split,
                            struct error *why)
{
    const char *wanted = split_meta(split, "source_sha256");
    const char *revision = split_revision(recordings->source);
    if (strcmp(revision, wanted) == 0)
        return 0;
    return error_set(why, -EBADMSG,
                     "the source split beside it has revision %.12s..., it was mixed from %.12s...",
                     revision, wanted);
}

int recordings_plan(const struct recordings *recordings, uint32_t seed, struct plan_row **ret,
                    size_t *ret_n_rows, struct error *why)
{
    return plan_make(recordings->digits, split_n_samples(recordings->source), seed, ret, ret_n_rows,
                     why);
}

int recordings_check_row(const struct recordings *recordings, const struct plan_row *row,
                         struct error *why)
{
    int64_t n = (int64_t)split_n_samples(recordings->source);
    if (row->a < 0 || row->a >= n || row->b < -1 || row->b >= n)
        return error_set(why, -EBADMSG,
                         "its sources %" PRId32 ", %" PRId32 " are not in 0..%" PRId64, row->a,
                         row->b, n - 1);
    if (row->b >= 0 && recordings->digits[row->a] == recordings->digits[row->b])
        return error_set(why, -EBADMSG, "its sources %" PRId32 ", %" PRId32 " show one digit",
                         row->a, row->b);
    return 0;
}

void recordings_labels(const struct recordings *recordings, const struct plan_row *row,
                       uint8_t ret[N_DIGITS])
{
    memset(ret, 0, N_DIGITS);
    ret[recordings->digits[row->a]] = 1;
    if (row->b >= 0)
        ret[recordings->digits[row->b]] = 1;
}

int recordings_mix_events(const struct event_span *parts, unsigned k, struct mixer *mixer,
                          enum mix_order order, struct buffer *out, struct error *why)
{
    const struct mix_rule rule = {.order = order};
    size_t n_events = 0;
    for (unsigned i = 0; i < k; i++)
        n_events += parts[i].n_events;
    if (buffer_reserve(out, n_events * EVENT_BYTES) < 0)
        return error_set(why, -ENOMEM, "no memory to mix %zu events", n_events);
    int r = mixer_mix(mixer, parts, k, &rule, out->bytes, &n_events, why);
    if (r == 0)
        out->size = n_events * EVENT_BYTES;
    return r;
}

int recordings_mix(const struct recordings *recordings, const struct plan_row *row,
                   struct mixer *mixer, enum mix_order order, struct buffer *out, struct error *why)
{
    struct event_span parts[2] = {split_sample(recordings->source, (uint64_t)row->a).events};
    unsigned k = 1;
    if (row->b >= 0)
        parts[k++] = split_sample(recordings->source, (uint64_t)row->b).events;
    return recordings_mix_events(parts, k, mixer, order, out, why);
}

int recordings_worker_new(void *user, void **ret)
{
    (void)user;
    return mixer_new((struct mixer **)ret);
}

void recordings_worker_free(void *user, void *worker)
{
    (void)user;
    mixer_free(worker);
}
