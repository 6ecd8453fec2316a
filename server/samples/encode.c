/* SPDX-License-Identifier: Apache-2.0
 * What the encoders share. */
#include "server/samples/encode.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t encode_events_size(const struct recipe *recipe)
{
    return recipe->kind == RECIPE_STORED ? 0 : recipe_max_events(recipe) * EVENT_BYTES;
}

int encode_events(const struct recipe *recipe, struct reply *reply, struct event_span *ret,
                  struct error *why)
{
    *ret = recipe->parts[0];
    if (recipe->kind == RECIPE_STORED)
        return 0;
    void *bytes;
    int r = reply_alloc(reply, encode_events_size(recipe), &bytes, why);
    ret->bytes = bytes;
    return r < 0 ? r : recipe_make(recipe, bytes, &ret->n_events, why);
}

int encode_frames(const struct form *form, const struct recipe *recipe, struct reply *reply,
                  const uint8_t **ret, struct error *why)
{
    struct event_span events;
    void *frames;
    *ret = NULL;
    if (reply->head_only)
        return reply_check(reply, encode_events_size(recipe) + frames_size(&form->frames), why);
    int r = encode_events(recipe, reply, &events, why);
    if (r == 0)
        r = reply_alloc(reply, frames_size(&form->frames), &frames, why);
    if (r < 0)
        return r;
    frames_fill(&form->frames, events, frames);
    *ret = frames;
    return 0;
}

static void list(char ret[REPLY_HEADER_VALUE], const int32_t *numbers, unsigned n)
{
    size_t used = 0;
    ret[0] = '\0';
    for (unsigned i = 0; i < n; i++)
        used += (size_t)snprintf(ret + used, REPLY_HEADER_VALUE - used, "%s%" PRId32,
                                 used ? ", " : "", numbers[i]);
}

void encode_about(const struct entry *entry, const struct recipe *recipe, struct reply *reply)
{
    char text[REPLY_HEADER_VALUE];
    int32_t digits[N_DIGITS];
    unsigned n = 0;
    for (int32_t digit = 0; digit < N_DIGITS; digit++)
        if (recipe->labels[digit])
            digits[n++] = digit;
    list(text, digits, n);
    if (n > 0) /* an empty value is no header */
        reply_set_header(reply, "Twonmnist-Labels", "%s", text);
    list(text, recipe->sources, recipe->n_sources);
    reply_set_header(reply, "Twonmnist-Sources", "%s", text);
    reply_set_header(reply, "Twonmnist-Revision", "%s", entry->revision);
}
