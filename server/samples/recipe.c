/* SPDX-License-Identifier: Apache-2.0
 * What one sample of an answer is made of: stored bytes, or recordings to mix now. */
#include "server/samples/recipe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/samples/ahead.h"
#include "server/samples/scratch.h"
#include "server/samples/tally.h"

enum { LINE_BYTES = 64 };

static struct mix_rule asked_rule(const struct form *form, enum mix_order standard)
{
    return (struct mix_rule){
        .order = form->has_order ? form->order : standard,
        .timestep_us = form->timestep_us,
    };
}

static const struct form *filter_by(const struct form *form)
{
    return form->is_filtered ? form : NULL;
}

static void take_recordings(struct recipe *recipe, const struct entry *source)
{
    recipe->kind = RECIPE_MIX;
    recipe->lender = source;
    recipe->of_sources = true;
    recipe->k = recipe->n_sources;
    for (unsigned i = 0; i < recipe->k; i++)
        recipe->parts[i] = split_sample(source->split, (uint64_t)recipe->sources[i]).events;
}

static void take_published(struct recipe *recipe, const struct entry *source)
{
    recipe->kind = RECIPE_PUBLISHED;
    recipe->n_second = MIX_NOT_KNOWN;
    if (source && recipe->n_sources == 2)
        recipe->n_second =
            split_sample(source->split, (uint64_t)recipe->sources[1]).events.n_events;
}

int recipe_sample(const struct entry *entry, const struct form *form, uint64_t i,
                  struct recipe *ret, struct error *why)
{
    if (i >= split_n_samples(entry->split))
        return error_set(why, -ENOENT, "there is no sample %" PRIu64 "; split %s has 0 to %" PRIu64,
                         i, entry->name, split_n_samples(entry->split) - 1);
    struct sample sample = split_sample(entry->split, i);
    unsigned n_digits = 0;
    for (unsigned d = 0; d < N_DIGITS; d++)
        n_digits += sample.labels[d];

    struct recipe recipe = {
        .rule = asked_rule(form, entry->order),
        .filtered_by = filter_by(form),
        .k = 1,
        .parts = {sample.events},
        .lender = entry,
        .has_index = true,
        .index = i,
        .n_sources = sample.sources[1] < 0 ? 1 : 2,
        .sources = {sample.sources[0], sample.sources[1]},
        .checksum = sample.checksum,
    };
    memcpy(recipe.labels, sample.labels, N_DIGITS);

    bool as_stored = n_digits < 2 || recipe.rule.order == entry->order;
    if (as_stored && recipe.rule.timestep_us == 0)
        recipe.kind = form->is_filtered ? RECIPE_FILTERED : RECIPE_STORED;
    else if (n_digits < 2 || (as_stored && entry->order == MIX_TIME))
        recipe.kind = RECIPE_MIX;
    else if (entry->order == MIX_PUBLISHED)
        take_published(&recipe, entry->source);
    else if (entry->source)
        take_recordings(&recipe, entry->source);
    else
        return error_set(why, -ENODATA,
                         "the source split of %s is not loaded, and this order needs it",
                         entry->name);
    *ret = recipe;
    return 0;
}

static int add_recording(struct recipe *recipe, const struct split *split, uint64_t recording,
                         struct error *why)
{
    if (recording >= split_n_samples(split))
        return error_set(why, -ENOENT,
                         "recording %" PRIu64 " is past the end; the source has %" PRIu64,
                         recording, split_n_samples(split));
    struct sample sample = split_sample(split, recording);
    for (unsigned d = 0; d < N_DIGITS; d++) {
        if (sample.labels[d] && recipe->labels[d])
            return error_set(why, -EINVAL,
                             "recording %" PRIu64 " shows digit %u, which is in the mix already",
                             recording, d);
        recipe->labels[d] |= sample.labels[d];
    }
    recipe->sources[recipe->n_sources++] = (int32_t)recording;
    return 0;
}

int recipe_mix(const struct entry *source, const struct form *form, const uint64_t *recordings,
               size_t k, struct recipe *ret, struct error *why)
{
    struct recipe recipe = {.rule = asked_rule(form, MIX_TIME), .filtered_by = filter_by(form)};
    if (k < 2 || k > MIX_MAX_DIGITS)
        return error_set(why, -EINVAL, "a mix of %zu recordings; 2 to %d are possible", k,
                         MIX_MAX_DIGITS);
    if (k > 2 && recipe.rule.order == MIX_PUBLISHED)
        return error_set(why, -EINVAL, "the published order is defined for two recordings, not %zu",
                         k);
    for (size_t i = 0; i < k; i++) {
        int r = add_recording(&recipe, source->split, recordings[i], why);
        if (r < 0)
            return r;
    }
    take_recordings(&recipe, source);
    *ret = recipe;
    return 0;
}

void recipe_pair(const struct entry *source, const struct form *form, uint64_t seed, uint64_t index,
                 struct recipe *ret)
{
    uint32_t pair[2];
    pairs_draw(&source->pairs, seed, index, pair);
    struct recipe recipe = {
        .rule = asked_rule(form, MIX_TIME),
        .filtered_by = filter_by(form),
        .has_index = true,
        .index = index,
        .n_sources = 2,
        .sources = {(int32_t)pair[0], (int32_t)pair[1]},
    };
    take_recordings(&recipe, source);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned d = 0; d < N_DIGITS; d++)
            recipe.labels[d] |= split_sample(source->split, pair[i]).labels[d];
    *ret = recipe;
}

size_t recipe_max_events(const struct recipe *recipe)
{
    size_t n = 0;
    for (unsigned i = 0; i < recipe->k; i++)
        n += recipe->parts[i].n_events;
    return n;
}

void recipe_prefetch(const struct recipe *recipe)
{
    for (unsigned i = 0; i < recipe->k; i++)
        for (size_t at = 0; at < recipe->parts[i].n_events * EVENT_BYTES; at += LINE_BYTES)
            __builtin_prefetch(recipe->parts[i].bytes + at);
}

void recipe_fetch(const struct recipe *recipe)
{
    for (unsigned i = 0; i < recipe->k; i++)
        ahead_fetch(recipe->parts[i].bytes, recipe->parts[i].n_events * EVENT_BYTES);
}

bool recipe_is_there(const struct recipe *recipe)
{
    const struct split *split = recipe->lender ? recipe->lender->split : NULL;
    bool all = true;
    for (unsigned i = 0; all && split && i < recipe->k; i++)
        all = split_is_cached(split, (uint64_t)(recipe->parts[i].bytes - split_bytes(split)),
                              recipe->parts[i].n_events * EVENT_BYTES);
    return all;
}

/* What the mixer refuses, it refuses for what was asked of these events. */
static int about_form(int r)
{
    return r == 0 || r == -ENOMEM || r == -ENODATA ? r : -EINVAL;
}

int recipe_vouch(const struct recipe *recipe, struct error *why)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && recipe->lender && i < recipe->k; i++)
        r = entry_vouch(recipe->lender,
                        recipe->of_sources ? (uint64_t)recipe->sources[i] : recipe->index, why);
    return r;
}

static int mix(struct mixer *mixer, const struct recipe *recipe, uint8_t *out, size_t *ret_n_events,
               struct error *why)
{
    int r = recipe->kind == RECIPE_PUBLISHED
                ? mixer_mix_again(mixer, recipe->parts[0], recipe->n_second, &recipe->rule, out,
                                  ret_n_events, why)
                : mixer_mix(mixer, recipe->parts, recipe->k, &recipe->rule, out, ret_n_events, why);
    if (r < 0)
        return about_form(r);
    tally_add(TALLY_MIXES, 1);
    tally_add(TALLY_MIXED_EVENTS, *ret_n_events);
    return 0;
}

/* Some of the events, which may lie at `out`. */
static int filter(const struct recipe *recipe, struct event_span events, uint8_t *out,
                  size_t *ret_n_events, struct error *why)
{
    const struct form *form = recipe->filtered_by;
    int r = filter_events(&form->filter, &form->frames.geometry, events, out, ret_n_events);
    return r < 0 ? error_set(why, r, "no memory to filter %zu events", events.n_events) : 0;
}

static int mix_now(const struct recipe *recipe, uint8_t *out, size_t *ret_n_events,
                   struct error *why)
{
    struct event_span mixed = {.bytes = out};
    struct mixer *mixer = scratch_mixer();
    if (!mixer)
        return error_set(why, -ENOMEM, "no memory to mix");
    int r = mix(mixer, recipe, out, &mixed.n_events, why);
    if (r == 0 && recipe->filtered_by)
        return filter(recipe, mixed, out, ret_n_events, why);
    if (r == 0)
        *ret_n_events = mixed.n_events;
    return r;
}

int recipe_make(const struct recipe *recipe, uint8_t *out, size_t *ret_n_events, struct error *why)
{
    int r = recipe_vouch(recipe, why);
    if (r < 0)
        return r;
    switch (recipe->kind) {
    case RECIPE_STORED:
        memcpy(out, recipe->parts[0].bytes, recipe->parts[0].n_events * EVENT_BYTES);
        *ret_n_events = recipe->parts[0].n_events;
        return 0;
    case RECIPE_FILTERED:
        return filter(recipe, recipe->parts[0], out, ret_n_events, why);
    case RECIPE_PUBLISHED:
    case RECIPE_MIX:
        break;
    }
    return mix_now(recipe, out, ret_n_events, why);
}

int recipe_failed(const struct recipe *recipe, int r, struct error *why)
{
    if (recipe->has_index)
        return error_prefix(why, r, "sample %" PRIu64, recipe->index);
    return error_prefix(why, r, "the mix");
}

int batch_recipe(const struct batch *batch, const struct form *form, size_t i, struct recipe *ret,
                 struct error *why)
{
    if (batch->kind == BATCH_SINGLE)
        *ret = *batch->single;
    else if (batch->kind == BATCH_STORED)
        return recipe_sample(batch->entry, form, batch->indices[i], ret, why);
    else
        recipe_pair(batch->entry, form, batch->seed, batch->indices[i], ret);
    return 0;
}
