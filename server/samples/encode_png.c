/* SPDX-License-Identifier: Apache-2.0
 * A sample as a picture, a strip of them or an animation; several as a contact sheet. */
#include <errno.h>
#include <string.h>

#include "common/picture.h"
#include "server/samples/encode.h"
#include "server/samples/image.h"

/* An animation takes ten times as long as the sample did. */
enum { SLOWED = 10, US_IN_MS = 1000 };

struct drawing {
    struct picture picture;
    struct picture_grid grid; /* of the first frame */
    uint32_t n_frames, scale;
    uint32_t frame_ms;
};

static struct drawing drawing_new(const struct form *form, uint32_t n_cells, uint32_t n_frames,
                                  uint32_t columns)
{
    return (struct drawing){
        .picture = {.width = form->frames.geometry.width,
                    .height = form->frames.geometry.height,
                    .n_cells = n_cells * n_frames,
                    .is_merged = form->filter.merge_polarity},
        .grid = {.first = 0, .n = n_cells, .columns = columns},
        .n_frames = n_frames,
        .scale = form->picture.scale,
    };
}

static struct drawing drawing_of(const struct form *form)
{
    return drawing_new(form, form->picture.strip, form->picture.frames, form->picture.strip);
}

static struct drawing drawing_of_sheet(const struct form *form, uint32_t n)
{
    return drawing_new(form, n, 1, n < PICTURE_SHEET_COLUMNS ? n : PICTURE_SHEET_COLUMNS);
}

static uint64_t n_pixels(const struct drawing *drawing)
{
    uint64_t width, height;
    picture_grid_size(&drawing->picture, &drawing->grid, &width, &height);
    return width * height * drawing->scale * drawing->scale * drawing->n_frames;
}

uint64_t encode_png_pixels(const struct form *form)
{
    const struct drawing drawing = drawing_of(form);
    return n_pixels(&drawing);
}

uint64_t encode_png_sheet_pixels(const struct form *form, uint64_t n)
{
    const struct drawing drawing = drawing_of_sheet(form, (uint32_t)n);
    return n_pixels(&drawing);
}

static void draw(const void *user, uint32_t frame, uint32_t row, uint8_t *rgb)
{
    const struct drawing *drawing = user;
    struct picture_grid grid = drawing->grid;
    grid.first += frame * grid.n;
    picture_draw_row(&drawing->picture, &grid, row, drawing->scale, rgb);
}

static struct image image_of(const struct drawing *drawing)
{
    uint64_t width, height;
    picture_grid_size(&drawing->picture, &drawing->grid, &width, &height);
    return (struct image){
        .width = (uint32_t)width * drawing->scale,
        .n_rows = (uint32_t)height,
        .repeats = drawing->scale,
        .n_frames = drawing->n_frames,
        .frame_ms = (uint16_t)(drawing->frame_ms < UINT16_MAX ? drawing->frame_ms : UINT16_MAX),
        .draw = draw,
        .user = drawing,
    };
}

static int alloc_counts(struct drawing *drawing, struct reply *reply, struct error *why)
{
    void *counts;
    uint64_t size = picture_counts_size(&drawing->picture);
    int r = reply_alloc(reply, size, &counts, why);
    if (r < 0)
        return r;
    drawing->picture.counts = memset(counts, 0, size);
    return 0;
}

static int finish(struct drawing *drawing, struct reply *reply, struct error *why)
{
    picture_end(&drawing->picture);
    const struct image image = image_of(drawing);
    return image_add(&image, reply, why);
}

/* Where the length alone is wanted, which making it alone would tell. */
static int check(const struct drawing *drawing, struct reply *reply, uint64_t events,
                 struct error *why)
{
    const struct image image = image_of(drawing);
    return reply_check(reply, events + picture_counts_size(&drawing->picture) + image_room(&image),
                       why);
}

/* How long a frame is shown, to the nearest millisecond. */
static uint32_t frame_ms(uint32_t end_us, uint32_t n_frames)
{
    uint32_t ms = (end_us * SLOWED / US_IN_MS + n_frames / 2) / n_frames;
    return ms ? ms : 1;
}

int encode_png(const struct entry *entry, const struct form *form, const struct recipe *recipe,
               struct reply *reply, struct error *why)
{
    struct drawing drawing = drawing_of(form);
    struct event_span events;
    encode_about(entry, recipe, reply);
    if (reply_skips(reply, false))
        return check(&drawing, reply, encode_events_size(recipe), why);
    int r = encode_events(recipe, reply, &events, why);
    if (r == 0)
        r = alloc_counts(&drawing, reply, why);
    if (r < 0)
        return r;
    uint32_t end_us = picture_count(&drawing.picture, 0, drawing.picture.n_cells, events);
    drawing.frame_ms = frame_ms(end_us, drawing.n_frames);
    return finish(&drawing, reply, why);
}

/* The most events that one of the samples can have. */
static int most_events(const struct batch *batch, const struct form *form, uint64_t *ret,
                       struct error *why)
{
    *ret = 0;
    for (size_t i = 0; i < batch->n; i++) {
        struct recipe recipe;
        int r = batch_recipe(batch, form, i, &recipe, why);
        if (r < 0)
            return r;
        uint64_t n = recipe_max_events(&recipe);
        *ret = n > *ret ? n : *ret;
    }
    return 0;
}

static int count_sample(const struct batch *batch, const struct form *form, size_t i, void *room,
                        struct picture *picture, struct error *why)
{
    struct recipe recipe;
    struct event_span events = {.bytes = room};
    int r = batch_recipe(batch, form, i, &recipe, why);
    if (r == 0)
        r = recipe_make(&recipe, room, &events.n_events, why);
    if (r < 0)
        return error_prefix(why, r, "picture %zu of the sheet", i);
    picture_count(picture, (uint32_t)i, 1, events);
    return 0;
}

int encode_png_sheet(const struct batch *batch, const struct form *form, struct reply *reply,
                     struct error *why)
{
    struct drawing drawing = drawing_of_sheet(form, (uint32_t)batch->n);
    uint64_t most;
    void *room;
    reply_add_header(reply, WIRE_REVISION, batch->entry->revision);
    int r = most_events(batch, form, &most, why);
    if (r < 0)
        return r;
    if (reply_skips(reply, false))
        return check(&drawing, reply, most * EVENT_BYTES, why);
    r = reply_alloc(reply, most * EVENT_BYTES, &room, why);
    if (r == 0)
        r = alloc_counts(&drawing, reply, why);
    for (size_t i = 0; r == 0 && i < batch->n; i++)
        r = count_sample(batch, form, i, room, &drawing.picture, why);
    return r < 0 ? r : finish(&drawing, reply, why);
}
