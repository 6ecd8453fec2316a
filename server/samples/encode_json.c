/* SPDX-License-Identifier: Apache-2.0
 * Samples and batches as JSON: a row of columns for each sample. */
#include <errno.h>
#include <inttypes.h>

#include "server/samples/decimal.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"
#include "server/samples/text.h"

/* The longest an event can get: "8388607," "33," "33," "1,"; and all else of a sample. */
enum { EVENT_TEXT_MAX = 16, SAMPLE_TEXT_MAX = 1024, HEAD_TEXT_MAX = 256 };

/* And of values of tensors, with their commas. */
enum { U8_TEXT_MAX = 4, U16_TEXT_MAX = 6, COUNT_TEXT_MAX = 11 };

/* The largest of what an answer's samples can have. */
struct most {
    uint64_t events, places;
    uint32_t frames;
};

/* What all samples of an answer use in turn. */
struct writer {
    const struct entry *entry;
    const struct form *form;
    enum mix_order order;
    struct text text;
    void *events, *ordered; /* one sample's */
    void *values;           /* of dense frames */
    void *counts, *places;  /* of sparse ones */
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

/* A list of whole numbers; `values` are of 1, 2 or 4 bytes. */
static void add_numbers(struct text *text, const void *values, unsigned bytes, uint64_t n,
                        unsigned most)
{
    char *begin = text_room(text, n * most + DECIMAL_SLACK), *at = begin;
    if (!begin)
        return;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t value = bytes == 1   ? ((const uint8_t *)values)[i]
                         : bytes == 2 ? ((const uint16_t *)values)[i]
                                      : ((const uint32_t *)values)[i];
        at = decimal_put(at, value);
        *at++ = ',';
    }
    end_list(text, begin, at);
}

static unsigned value_text_max(const struct form *form)
{
    return form->frames.values == FRAMES_U16 ? U16_TEXT_MAX : U8_TEXT_MAX;
}

static int add_frames(struct writer *writer, const struct cut *cut, struct error *why)
{
    const struct tensor_row *row = tensor_row_of(writer->form, false);
    struct text *text = &writer->text;
    uint64_t dims[TENSOR_DIMS];
    int r = row->fill(writer->form, cut, cut->n_frames, NULL, writer->values, why);
    if (r < 0)
        return r;
    tensor_dims(row, writer->form, cut->n_frames, dims);
    text_format(text, ",\"frames\":{\"shape\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
                dims[0], dims[1], dims[2], dims[3]);
    text_add(text, ",\"data\":[");
    add_numbers(text, writer->values, row->value_bytes, dims[0] * dims[1] * dims[2] * dims[3],
                value_text_max(writer->form));
    text_add(text, "}");
    return 0;
}

static int add_sparse(struct writer *writer, const struct cut *cut)
{
    const struct tensor_shape shape = form_shape(writer->form);
    uint64_t n = sparse_fill(&shape, cut->events, cut->slices, writer->places, writer->counts);
    text_add(&writer->text, ",\"counts\":[");
    add_numbers(&writer->text, writer->counts, sizeof(int32_t), cut->n_frames, COUNT_TEXT_MAX);
    text_add(&writer->text, ",\"places\":[");
    add_numbers(&writer->text, writer->places, sizeof(int16_t), n, U16_TEXT_MAX);
    return 0;
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

static int make_events(const struct writer *writer, const struct recipe *recipe,
                       struct event_span *ret, struct error *why)
{
    ret->bytes = writer->events;
    return recipe_make(recipe, writer->events, &ret->n_events, why);
}

static int add_cut(struct writer *writer, struct event_span events, struct error *why)
{
    struct cut cut;
    int r = cut_events(writer->form, events, writer->ordered, &cut, why);
    if (r < 0)
        return r;
    tally_add(TALLY_FRAMES, 1);
    return writer->places ? add_sparse(writer, &cut) : add_frames(writer, &cut, why);
}

static int add_sample(struct writer *writer, const struct recipe *recipe, struct error *why)
{
    struct event_span events;
    int r = make_events(writer, recipe, &events, why);
    if (r < 0)
        return r;
    add_about(writer, recipe, events.n_events);
    if (writer->form->as == FORM_EVENTS)
        for (unsigned column = 0; column < sizeof columns / sizeof *columns; column++)
            add_column(&writer->text, events, column);
    else
        r = add_cut(writer, events, why);
    text_add(&writer->text, "}");
    return r < 0 ? recipe_failed(recipe, r, why) : 0;
}

static uint64_t values_size(const struct form *form, uint32_t n_frames)
{
    return tensor_size(tensor_row_of(form, false), form, n_frames);
}

static uint64_t text_max(const struct form *form, const struct most *one)
{
    uint64_t most = 0;
    if (form->as == FORM_EVENTS)
        most = one->events * EVENT_TEXT_MAX;
    else if (form->as == FORM_SPARSE)
        most = (uint64_t)one->frames * COUNT_TEXT_MAX + one->places * U16_TEXT_MAX;
    else
        most = values_size(form, one->frames) / tensor_row_of(form, false)->value_bytes *
               value_text_max(form);
    return SAMPLE_TEXT_MAX + DECIMAL_SLACK + most;
}

/* Whether the events alone, once they are made, tell how long the text can get. */
static bool is_measured(const struct form *form)
{
    uint32_t n;
    return !cut_is_fixed(form, &n) || (form->as == FORM_SPARSE && cut_overlaps(form));
}

static int measure(const struct writer *writer, const struct recipe *recipe, struct most *one,
                   struct error *why)
{
    struct event_span events;
    struct cut cut;
    int r = make_events(writer, recipe, &events, why);
    if (r == 0)
        r = cut_events(writer->form, events, writer->ordered, &cut, why);
    if (r < 0)
        return recipe_failed(recipe, r, why);
    one->frames = cut.n_frames;
    one->places = sparse_most(cut.slices);
    return 0;
}

static int alloc_events(struct writer *writer, struct reply *reply, uint64_t n, struct error *why)
{
    uint64_t room = cut_room(writer->form, writer->order, n);
    int r = reply_alloc(reply, n * EVENT_BYTES, &writer->events, why);
    return r == 0 && room ? reply_alloc(reply, room, &writer->ordered, why) : r;
}

static int alloc_frames(struct writer *writer, struct reply *reply, const struct most *most,
                        struct error *why)
{
    if (writer->form->as == FORM_EVENTS)
        return 0;
    if (writer->form->as != FORM_SPARSE)
        return reply_alloc(reply, values_size(writer->form, most->frames), &writer->values, why);
    int r = reply_alloc(reply, most->frames * sizeof(int32_t), &writer->counts, why);
    return r < 0 ? r : reply_alloc(reply, most->places * sizeof(int16_t), &writer->places, why);
}

/* Where the length alone is wanted: whether there could be room, as far as that is known. */
static int check_room(const struct writer *writer, struct reply *reply, const struct most *most,
                      uint64_t text_bytes, struct error *why)
{
    uint64_t n = text_bytes + most->events * EVENT_BYTES +
                 cut_room(writer->form, writer->order, most->events);
    if (writer->form->as == FORM_SPARSE)
        n += most->frames * sizeof(int32_t) + most->places * sizeof(int16_t);
    else if (writer->form->as != FORM_EVENTS)
        n += values_size(writer->form, most->frames);
    return reply_check(reply, n, why);
}

static void set_most(struct most *most, const struct most *one)
{
    most->events = one->events > most->events ? one->events : most->events;
    most->places = one->places > most->places ? one->places : most->places;
    most->frames = one->frames > most->frames ? one->frames : most->frames;
}

/* Of each sample, as far as that is known before it is made. */
static int look_at(const struct batch *batch, struct writer *writer, bool measured,
                   struct most *most, uint64_t *text_bytes, struct error *why)
{
    uint32_t fixed = 0;
    cut_is_fixed(writer->form, &fixed);
    *text_bytes = HEAD_TEXT_MAX;
    for (size_t i = 0; i < batch->n; i++) {
        struct recipe recipe;
        int r = batch_recipe(batch, writer->form, i, &recipe, why);
        if (r < 0)
            return r;
        uint64_t n = recipe_max_events(&recipe);
        struct most one = {.events = n, .places = n, .frames = fixed};
        writer->order = recipe.rule.order;
        if (measured)
            r = measure(writer, &recipe, &one, why);
        if (r < 0)
            return r;
        set_most(most, &one);
        *text_bytes += text_max(writer->form, &one);
    }
    return 0;
}

static int open_writer(struct writer *writer, const struct batch *batch, struct reply *reply,
                       struct error *why)
{
    struct most most = {0};
    uint64_t text_bytes;
    bool measured = is_measured(writer->form);
    if (writer->form->as == FORM_BITS || writer->form->is_voxel)
        return error_set(why, -EINVAL, "JSON has events, frames and sparse frames");
    int r = look_at(batch, writer, false, &most, &text_bytes, why);
    if (r == 0)
        r = check_room(writer, reply, &most, measured ? 0 : text_bytes, why);
    if (r < 0 || reply_skips(reply, false))
        return r;
    if (!measured)
        r = text_open(&writer->text, reply, text_bytes, why);
    if (r == 0)
        r = alloc_events(writer, reply, most.events, why);
    if (r == 0 && measured)
        r = look_at(batch, writer, true, &most, &text_bytes, why);
    if (r == 0 && measured)
        r = text_open(&writer->text, reply, text_bytes, why);
    return r < 0 ? r : alloc_frames(writer, reply, &most, why);
}

int encode_json_sample(const struct entry *entry, const struct form *form,
                       const struct recipe *recipe, struct reply *reply, struct error *why)
{
    struct writer writer = {.entry = entry, .form = form};
    const struct batch batch = {.entry = entry, .kind = BATCH_SINGLE, .single = recipe, .n = 1};
    int r = open_writer(&writer, &batch, reply, why);
    if (r < 0 || reply->unknown_length)
        return r;
    r = add_sample(&writer, recipe, why);
    text_add(&writer.text, "\n");
    return r < 0 ? r : text_close(&writer.text, reply, why);
}

int encode_json_batch(const struct batch *batch, const struct form *form, struct reply *reply,
                      struct error *why)
{
    struct writer writer = {.entry = batch->entry, .form = form};
    int r = open_writer(&writer, batch, reply, why);
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
