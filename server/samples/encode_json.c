/* SPDX-License-Identifier: Apache-2.0
 * Samples and batches as JSON: a row of columns for each sample. */
#include <inttypes.h>

#include "server/samples/decimal.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"
#include "server/samples/text.h"

/* The longest an event can get: "8388607," "33," "33," "1,"; and all else of a sample. */
enum { EVENT_TEXT_MAX = 16, FRAME_TEXT_MAX = 4, SAMPLE_TEXT_MAX = 1024, HEAD_TEXT_MAX = 256 };

/* What all samples of an answer use in turn. */
struct writer {
    const struct entry *entry;
    const struct form *form;
    struct text text;
    void *events, *frames;
};

/* The list ends in place of the comma behind its last number. */
static void end_list(struct text *text, char *begin, char *end)
{
    if (end > begin)
        end[-1] = ']';
    else
        *end++ = ']';
    text_took(text, end);
}

static char *put_times(char *at, struct event_span events)
{
    for (const uint8_t *event = events.bytes, *end = event + events.n_events * EVENT_BYTES;
         event < end; event += EVENT_BYTES) {
        at = decimal_put(at, event_unpack(event).t_us);
        *at++ = ',';
    }
    return at;
}

static char *put_xs(char *at, struct event_span events)
{
    for (size_t i = 0; i < events.n_events; i++) {
        at = decimal_put_small(at, event_unpack(events.bytes + i * EVENT_BYTES).x);
        *at++ = ',';
    }
    return at;
}

static char *put_ys(char *at, struct event_span events)
{
    for (size_t i = 0; i < events.n_events; i++) {
        at = decimal_put_small(at, event_unpack(events.bytes + i * EVENT_BYTES).y);
        *at++ = ',';
    }
    return at;
}

static char *put_polarities(char *at, struct event_span events)
{
    for (size_t i = 0; i < events.n_events; i++) {
        *at++ = (char)('0' + event_unpack(events.bytes + i * EVENT_BYTES).p);
        *at++ = ',';
    }
    return at;
}

static const struct {
    const char *begin;
    char *(*put)(char *at, struct event_span events);
    unsigned most; /* characters of a number and its comma */
} columns[] = {
    {",\"t\":[", put_times, sizeof "8388607"},
    {",\"x\":[", put_xs, sizeof "255"},
    {",\"y\":[", put_ys, sizeof "255"},
    {",\"p\":[", put_polarities, sizeof "1"},
};

static void add_column(struct text *text, struct event_span events, unsigned column)
{
    text_add(text, columns[column].begin);
    char *at = text_room(text, events.n_events * columns[column].most + DECIMAL_SLACK);
    if (at)
        end_list(text, at, columns[column].put(at, events));
}

static void add_frames(struct text *text, const struct frames_rule *rule, const uint8_t *frames)
{
    uint64_t shape[FRAMES_DIMS];
    frames_shape(rule, shape);
    text_format(text, ",\"frames\":{\"shape\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
                shape[0], shape[1], shape[2], shape[3]);
    text_add(text, ",\"data\":[");
    size_t n = frames_size(rule);
    char *begin = text_room(text, n * FRAME_TEXT_MAX + DECIMAL_SLACK), *at = begin;
    if (!begin)
        return;
    for (size_t i = 0; i < n; i++) {
        at = decimal_put_small(at, frames[i]);
        *at++ = ',';
    }
    end_list(text, begin, at);
    text_add(text, "}");
}

static void add_about(struct writer *writer, const struct recipe *recipe, size_t n_events)
{
    struct text *text = &writer->text;
    text_format(text, "{\"split\":\"%s\"", writer->entry->name);
    if (recipe->has_index)
        text_format(text, ",\"index\":%" PRIu64, recipe->index);
    text_add(text, ",\"labels\":");
    text_digits(text, recipe->labels);
    text_add(text, ",\"sources\":");
    text_numbers(text, recipe->sources, recipe->n_sources);
    text_format(text, ",\"events\":%zu", n_events);
}

static int add_sample(struct writer *writer, const struct recipe *recipe, struct error *why)
{
    struct event_span events = {.bytes = writer->events};
    int r = recipe_make(recipe, writer->events, &events.n_events, why);
    if (r < 0)
        return r;
    add_about(writer, recipe, events.n_events);
    if (writer->frames) {
        frames_fill(&writer->form->frames, events, writer->frames);
        tally_add(TALLY_FRAMES, 1);
        add_frames(&writer->text, &writer->form->frames, writer->frames);
    } else {
        for (unsigned column = 0; column < sizeof columns / sizeof *columns; column++)
            add_column(&writer->text, events, column);
    }
    text_add(&writer->text, "}");
    return 0;
}

static uint64_t text_max(const struct form *form, uint64_t n_events)
{
    return SAMPLE_TEXT_MAX + (form->as == FORM_FRAMES ? frames_size(&form->frames) * FRAME_TEXT_MAX
                                                      : n_events * EVENT_TEXT_MAX);
}

/* Room for samples of `most_events` at most, and `text_bytes` about all of them; where the length
 * alone is wanted, whether there could be. */
static int open_writer(struct writer *ret, struct reply *reply, uint64_t most_events,
                       uint64_t text_bytes, struct error *why)
{
    uint64_t events = most_events * EVENT_BYTES;
    uint64_t frames = ret->form->as == FORM_FRAMES ? frames_size(&ret->form->frames) : 0;
    int r = reply_check(reply, text_bytes + events + frames, why);
    if (r < 0 || reply_skips(reply, false))
        return r;
    r = text_open(&ret->text, reply, text_bytes, why);
    if (r == 0)
        r = reply_alloc(reply, events, &ret->events, why);
    if (r == 0 && frames > 0)
        r = reply_alloc(reply, frames, &ret->frames, why);
    return r;
}

int encode_json_sample(const struct entry *entry, const struct form *form,
                       const struct recipe *recipe, struct reply *reply, struct error *why)
{
    struct writer writer = {.entry = entry, .form = form};
    uint64_t n_events = recipe_max_events(recipe);
    int r = open_writer(&writer, reply, n_events, text_max(form, n_events), why);
    if (r < 0 || reply->unknown_length)
        return r;
    r = add_sample(&writer, recipe, why);
    text_add(&writer.text, "\n");
    return r < 0 ? r : text_close(&writer.text, reply, why);
}

static int open_batch(struct writer *writer, const struct batch *batch, struct reply *reply,
                      struct error *why)
{
    uint64_t most = 0, bytes = HEAD_TEXT_MAX;
    for (size_t i = 0; i < batch->n; i++) {
        struct recipe recipe;
        int r = batch_recipe(batch, writer->form, i, &recipe, why);
        if (r < 0)
            return r;
        uint64_t n_events = recipe_max_events(&recipe);
        most = n_events > most ? n_events : most;
        bytes += text_max(writer->form, n_events);
    }
    return open_writer(writer, reply, most, bytes, why);
}

int encode_json_batch(const struct batch *batch, const struct form *form, struct reply *reply,
                      struct error *why)
{
    struct writer writer = {.entry = batch->entry, .form = form};
    int r = open_batch(&writer, batch, reply, why);
    if (r < 0 || reply->unknown_length)
        return r;
    text_format(&writer.text, "{\"split\":\"%s\",\"revision\":\"%s\",\"samples\":[",
                batch->entry->name, batch->entry->revision);
    for (size_t i = 0; i < batch->n; i++) {
        struct recipe recipe;
        text_add(&writer.text, i ? ",\n" : "\n");
        r = batch_recipe(batch, form, i, &recipe, why);
        if (r == 0)
            r = add_sample(&writer, &recipe, why);
        if (r < 0)
            return error_prefix(why, r, "sample %zu of the batch", i);
    }
    text_add(&writer.text, "]}\n");
    return text_close(&writer.text, reply, why);
}
