/* SPDX-License-Identifier: Apache-2.0
 * Samples and batches as JSON: a row of columns for each sample. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/problem.h"
#include "server/samples/encode.h"
#include "server/samples/text.h"

/* The longest an event can get: "8388607," "33," "33," "1,"; and all else of a sample. */
enum { EVENT_TEXT_MAX = 16, FRAME_TEXT_MAX = 4, SAMPLE_TEXT_MAX = 1024 };

enum column { COLUMN_T, COLUMN_X, COLUMN_Y, COLUMN_P, N_COLUMNS };

static const char *const column_names[N_COLUMNS] = {"t", "x", "y", "p"};

static void add_column(struct text *text, struct event_span events, enum column column)
{
    text_format(text, ",\"%s\":[", column_names[column]);
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        const uint32_t values[N_COLUMNS] = {event.t_us, event.x, event.y, event.p};
        if (i)
            text_add(text, ",");
        text_u64(text, values[column]);
    }
    text_add(text, "]");
}

static void add_frames(struct text *text, const struct frames_rule *rule, const uint8_t *frames)
{
    uint64_t shape[FRAMES_DIMS];
    frames_shape(rule, shape);
    text_format(text, ",\"frames\":{\"shape\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
                shape[0], shape[1], shape[2], shape[3]);
    text_add(text, ",\"data\":[");
    for (size_t i = 0; i < frames_size(rule); i++) {
        if (i)
            text_add(text, ",");
        text_u64(text, frames[i]);
    }
    text_add(text, "]}");
}

static void add_about(struct text *text, const struct request *request, const struct recipe *recipe,
                      size_t n_events)
{
    text_format(text, "{\"split\":\"%s\"", request->entry->name);
    if (recipe->has_index)
        text_format(text, ",\"index\":%" PRIu64, recipe->index);
    text_add(text, ",\"labels\":[");
    bool any = false;
    for (unsigned d = 0; d < N_DIGITS; d++)
        if (recipe->labels[d]) {
            text_format(text, "%s%u", any ? "," : "", d);
            any = true;
        }
    text_add(text, "],\"sources\":[");
    for (unsigned i = 0; i < recipe->n_sources; i++)
        text_format(text, "%s%" PRId32, i ? "," : "", recipe->sources[i]);
    text_format(text, "],\"events\":%zu", n_events);
}

/* Buffers that all samples of an answer use in turn. */
struct workspace {
    uint8_t *events, *frames;
};

static bool add_sample(struct text *text, const struct request *request, struct reply *reply,
                       const struct recipe *recipe, const struct workspace *space)
{
    struct event_span events = {.bytes = space->events};
    struct error why;
    if (recipe_make(recipe, space->events, &events.n_events, &why) < 0) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "%s", why.text);
        return false;
    }
    add_about(text, request, recipe, events.n_events);
    if (space->frames) {
        struct frames_rule rule = encode_frames_rule(request);
        frames_fill(&rule, events, space->frames);
        add_frames(text, &rule, space->frames);
    } else {
        for (enum column column = 0; column < N_COLUMNS; column++)
            add_column(text, events, column);
    }
    text_add(text, "}");
    return true;
}

static bool prepare(const struct request *request, struct reply *reply,
                    const struct recipe *recipes, size_t n, struct workspace *ret)
{
    bool as_frames = request->params[PARAM_AS] == AS_FRAMES;
    struct frames_rule rule = encode_frames_rule(request);
    uint64_t most = 0, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t n_events = recipe_max_events(&recipes[i]);
        most = n_events > most ? n_events : most;
        bytes += SAMPLE_TEXT_MAX +
                 (as_frames ? frames_size(&rule) * FRAME_TEXT_MAX : n_events * EVENT_TEXT_MAX);
    }
    *ret = (struct workspace){0};
    if (!encode_claim(request, reply, bytes))
        return false;
    ret->events = encode_alloc(request, reply, most * EVENT_BYTES);
    if (ret->events && as_frames)
        ret->frames = encode_alloc(request, reply, frames_size(&rule));
    return ret->events && (ret->frames || !as_frames);
}

void encode_json_sample(const struct request *request, struct reply *reply,
                        const struct recipe *recipe)
{
    struct workspace space;
    struct text text = {0};
    if (!prepare(request, reply, recipe, 1, &space))
        return;
    if (!add_sample(&text, request, reply, recipe, &space)) {
        text_free(&text);
        return;
    }
    text_add(&text, "\n");
    text_finish(&text, request, reply);
}

void encode_json_batch(const struct request *request, struct reply *reply,
                       const struct recipe *recipes, size_t n)
{
    struct workspace space;
    struct text text = {0};
    if (!prepare(request, reply, recipes, n, &space))
        return;
    text_format(&text, "{\"split\":\"%s\",\"revision\":\"%s\",\"samples\":[", request->entry->name,
                request->entry->revision);
    for (size_t i = 0; i < n; i++) {
        text_add(&text, i ? ",\n" : "\n");
        if (!add_sample(&text, request, reply, &recipes[i], &space)) {
            text_free(&text);
            return;
        }
    }
    text_add(&text, "]}\n");
    text_finish(&text, request, reply);
}
