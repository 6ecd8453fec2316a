/* SPDX-License-Identifier: Apache-2.0
 * Where a stream is, and going elsewhere: cursors, strides, epochs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/failure.h"
#include "client/stream.h"
#include "common/crc32c.h"

uint64_t tnm_stream_n_batches(const tnm_stream *stream)
{
    return stream->kind == CURSOR_PAIRS ? UINT64_MAX : stream->n_batches;
}

/* Frames are made of the same samples by whatever rule; filters make others of them. */
static uint64_t form_key(const struct form *form)
{
    char query[RULE_QUERY_MAX];
    size_t used = rule_query(&form->filters, query);
    return (uint64_t)form->order | (uint64_t)crc32c(0, query, used) << 8;
}

static struct cursor cursor_of(const tnm_stream *stream)
{
    bool pairs = stream->kind == CURSOR_PAIRS;
    struct cursor cursor = {
        .kind = stream->kind,
        .form = form_key(&stream->form),
        .timestep_us = stream->form.timestep_us,
        .seed = stream->seed,
        .epoch = stream->epoch,
        .size = pairs ? 0 : stream->share.size,
        .last = pairs ? 0 : (uint64_t)stream->share.last,
        .next = pairs ? stream->next * stream->share.size : stream->next,
        .part = stream->part_key,
    };
    memcpy(cursor.split, stream->split->name, sizeof cursor.split);
    memcpy(cursor.revision, stream->split->revision, CURSOR_REVISION_DIGITS);
    if (stream->view)
        snprintf(cursor.view, sizeof cursor.view, "%.*s", CURSOR_VIEW_MAX, stream->view->words);
    return cursor;
}

int tnm_stream_tell(const tnm_stream *stream, char *ret, size_t size)
{
    const struct cursor cursor = cursor_of(stream);
    int r = cursor_write(&cursor, ret, size);
    return r < 0 ? failure_set(r, "a cursor needs %d bytes", TNM_CURSOR_SIZE) : 0;
}

/* The kind of stream that a cursor is of. The samples of a view can be given as a list, too, and
 * come in the same order. */
static enum cursor_kind kind_of(const struct cursor *cursor)
{
    return cursor->kind == CURSOR_VIEW ? CURSOR_PART : cursor->kind;
}

/* "view kind=pair of train"; "no view of train". */
static const char *view_of(const struct cursor *cursor, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s of %s", cursor->kind == CURSOR_VIEW ? "view " : "no view",
             cursor->view, cursor->split);
    return ret;
}

static int check_view(const struct cursor *cursor, const struct cursor *own)
{
    char of_cursor[CURSOR_VIEW_MAX + 80], of_own[CURSOR_VIEW_MAX + 80];
    bool has_list = kind_of(cursor) == CURSOR_PART && kind_of(own) == CURSOR_PART &&
                    cursor->kind != own->kind && cursor->part == own->part;
    if (has_list || strcmp(cursor->view, own->view) == 0)
        return 0;
    return failure_set(-EINVAL, "the cursor is of %s, the stream of %s",
                       view_of(cursor, of_cursor, sizeof of_cursor),
                       view_of(own, of_own, sizeof of_own));
}

/* Whether the cursor is of a stream like this one. */
static int check_cursor(const tnm_stream *stream, const struct cursor *cursor)
{
    const struct cursor own = cursor_of(stream);
    if (strcmp(cursor->split, own.split) != 0 || strcmp(cursor->revision, own.revision) != 0)
        return failure_set(-ESTALE, "the cursor belongs to %s@%s, the stream to %s@%s",
                           cursor->split, cursor->revision, own.split, own.revision);
    int r = check_view(cursor, &own);
    if (r < 0)
        return r;
    if (kind_of(cursor) != kind_of(&own) || cursor->size != own.size || cursor->last != own.last ||
        cursor->form != own.form || cursor->timestep_us != own.timestep_us)
        return failure_set(-EINVAL, "the cursor is of another kind of stream: kind, global batch "
                                    "size, last batch and form of the samples (order, timestep, "
                                    "filters) have to agree");
    if (cursor->part != own.part)
        return failure_set(-EINVAL, "the cursor is of another part of %s", own.split);
    uint64_t size = stream->share.size;
    if (stream->kind == CURSOR_PAIRS ? cursor->next % size != 0 || cursor->epoch
                                     : cursor->next > stream->n_batches ||
                                           cursor->seed > UINT32_MAX || cursor->epoch > UINT32_MAX)
        return failure_set(-EINVAL, "the cursor's place %" PRIu64 " is none of this stream",
                           cursor->next);
    return 0;
}

int tnm_stream_seek(tnm_stream *stream, const char *cursor)
{
    struct cursor to;
    struct error why;
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    r = cursor_read(cursor ? cursor : "", &to, &why);
    if (r < 0)
        return failure_keep(r, &why);
    r = check_cursor(stream, &to);
    if (r < 0)
        return r;
    stream_restart(stream, stream->kind == CURSOR_PAIRS ? to.next / stream->share.size : to.next);
    stream->seed = to.seed;
    if (stream->kind != CURSOR_PAIRS)
        stream_set_order(stream, to.seed, (uint32_t)to.epoch);
    return 0;
}

int tnm_stream_stride(tnm_stream *stream, uint64_t skip, uint64_t step)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    if (step < 1)
        return failure_set(-EINVAL, "a step of 0 batches");
    uint64_t left = stream->n_batches - stream->next;
    stream_restart(stream, skip < left ? stream->next + skip : stream->n_batches);
    stream->step = step;
    return 0;
}

uint64_t tnm_stream_seed(const tnm_stream *stream)
{
    return stream->seed;
}

uint32_t tnm_stream_epoch(const tnm_stream *stream)
{
    return stream->epoch;
}

uint64_t tnm_stream_position(const tnm_stream *stream)
{
    return stream->next;
}

int tnm_stream_set_epoch(tnm_stream *stream, uint32_t epoch)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    if (stream->kind == CURSOR_PAIRS)
        return failure_set(-EINVAL, "pairs have no epochs");
    stream_restart(stream, 0);
    stream_set_order(stream, stream->seed, epoch);
    return 0;
}
