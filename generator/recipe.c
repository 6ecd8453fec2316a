/* SPDX-License-Identifier: Apache-2.0
 * How the samples of a 2NMNIST split come from a source split. */
#include "generator/recipe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/sha256.h"

static int only_digit(const uint8_t labels[N_DIGITS])
{
    int found = -1;
    for (int digit = 0; digit < N_DIGITS; digit++)
        if (labels[digit]) {
            if (found >= 0)
                return -1;
            found = digit;
        }
    return found;
}

int recipe_new(const struct split *source, struct recipe *ret, struct error *why)
{
    if (strcmp(split_meta(source, "kind"), SPLIT_KIND_SOURCE) != 0)
        return error_set(why, -EBADMSG, "it is not a source split");
    uint64_t n = split_n_samples(source);
    uint8_t *digits = malloc(n);
    if (!digits)
        return error_set(why, -ENOMEM, "no memory for %" PRIu64 " labels", n);
    for (uint64_t i = 0; i < n; i++) {
        int digit = only_digit(split_sample(source, i).labels);
        if (digit < 0) {
            free(digits);
            return error_set(why, -EBADMSG, "recording %" PRIu64 " has not just one label", i);
        }
        digits[i] = (uint8_t)digit;
    }
    *ret = (struct recipe){.source = source, .digits = digits};
    return 0;
}

void recipe_free(struct recipe *recipe)
{
    free(recipe->digits);
    *recipe = (struct recipe){0};
}

int recipe_check_source(const struct recipe *recipe, const struct split *split, struct error *why)
{
    const char *wanted = split_meta(split, "source_sha256");
    char sha256[SHA256_HEX + 1];
    sha256_hex_of(split_bytes(recipe->source), split_size(recipe->source), sha256);
    if (strcmp(sha256, wanted) == 0)
        return 0;
    return error_set(why, -EBADMSG,
                     "the source split beside it has SHA-256 %.12s..., it was mixed from %.12s...",
                     sha256, wanted);
}

int recipe_plan(const struct recipe *recipe, uint32_t seed, struct plan_row **ret,
                size_t *ret_n_rows, struct error *why)
{
    return plan_make(recipe->digits, split_n_samples(recipe->source), seed, ret, ret_n_rows, why);
}

int recipe_check_row(const struct recipe *recipe, const struct plan_row *row, struct error *why)
{
    int64_t n = (int64_t)split_n_samples(recipe->source);
    if (row->a < 0 || row->a >= n || row->b < -1 || row->b >= n)
        return error_set(why, -EBADMSG,
                         "its sources %" PRId32 ", %" PRId32 " are not in 0..%" PRId64, row->a,
                         row->b, n - 1);
    if (row->b >= 0 && recipe->digits[row->a] == recipe->digits[row->b])
        return error_set(why, -EBADMSG, "its sources %" PRId32 ", %" PRId32 " show one digit",
                         row->a, row->b);
    return 0;
}

void recipe_labels(const struct recipe *recipe, const struct plan_row *row, uint8_t ret[N_DIGITS])
{
    memset(ret, 0, N_DIGITS);
    ret[recipe->digits[row->a]] = 1;
    if (row->b >= 0)
        ret[recipe->digits[row->b]] = 1;
}

int recipe_mix(const struct recipe *recipe, const struct plan_row *row, struct mixer *mixer,
               enum mix_order order, struct buffer *out, struct error *why)
{
    const struct mix_rule rule = {.order = order};
    struct event_span parts[2] = {split_sample(recipe->source, (uint64_t)row->a).events};
    unsigned k = 1;
    if (row->b >= 0)
        parts[k++] = split_sample(recipe->source, (uint64_t)row->b).events;
    size_t n_events = parts[0].n_events + parts[1].n_events;
    if (buffer_reserve(out, n_events * EVENT_BYTES) < 0)
        return error_set(why, -ENOMEM, "no memory to mix %zu events", n_events);
    int r = mixer_mix(mixer, parts, k, &rule, out->bytes, &n_events, why);
    if (r == 0)
        out->size = n_events * EVENT_BYTES;
    return r;
}

int recipe_worker_new(void *context, void **ret)
{
    (void)context;
    return mixer_new((struct mixer **)ret);
}

void recipe_worker_free(void *context, void *worker)
{
    (void)context;
    mixer_free(worker);
}
