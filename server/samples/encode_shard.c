/* SPDX-License-Identifier: Apache-2.0
 * A shard: a tar archive of samples in their form.
 *
 * What stands between the samples' bytes is written to memory of the reply; the bytes themselves
 * are borrowed from the map, or made there where the form is another than they are stored in. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/npy.h"
#include "server/samples/blob.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"

struct tarring {
    struct blob blob; /* the columns, and the room in which samples are made */
    const struct shard_rule *rule;
    enum shard_member member;
    const struct tensor_row *row; /* NULL: events */
    uint32_t n_frames;            /* of each sample, where that is fixed */
    bool all_frames_known;

    uint8_t *between; /* headers and all else that is no sample */
    size_t n_between, n_added;
    uint8_t *made; /* where the next sample's bytes go, of those that are made */
};

/* ---- What stands between samples ---- */

static uint64_t between_size(size_t n)
{
    return (uint64_t)n * (SHARD_BEFORE + SHARD_AFTER_MAX) + USTAR_END;
}

static int add_between(struct tarring *tarring, struct error *why)
{
    const uint8_t *from = tarring->between + tarring->n_added;
    size_t n = tarring->n_between - tarring->n_added;
    if (tarring->blob.reply->head_only)
        tarring->n_between = 0;
    tarring->n_added = tarring->n_between;
    return reply_borrow(tarring->blob.reply, from, n, why);
}

static int begin_sample(struct tarring *tarring, size_t i, uint64_t size, struct error *why)
{
    int n = shard_before(tarring->rule, tarring->blob.indices[i], size,
                         tarring->between + tarring->n_between);
    if (n < 0)
        return error_set(why, -E2BIG,
                         "a sample of %" PRIu64 " bytes is more than a tar archive takes", size);
    tarring->n_between += (size_t)n;
    return add_between(tarring, why);
}

static void end_sample(struct tarring *tarring, size_t i, uint64_t size)
{
    const struct blob *blob = &tarring->blob;
    tarring->n_between +=
        shard_after(tarring->rule, blob->indices[i], size, blob->labels + N_DIGITS * i,
                    blob->sources + 2 * i, tarring->between + tarring->n_between);
}

/* ---- Samples ---- */

enum { ALIGN = 8 /* of values in a tensor */ };

/* How many frames sample i has; 0 of events. Where only cutting it tells, it is made for that. */
static int count_frames(struct tarring *tarring, size_t i, uint32_t *ret, struct error *why)
{
    struct cut cut = {.n_frames = tarring->n_frames};
    bool known = !tarring->row || tarring->all_frames_known;
    int r = known ? 0 : blob_cut(&tarring->blob, i, &cut, why);
    if (r == 0)
        *ret = cut.n_frames;
    return r;
}

/* The most bytes that sample i can take in memory. */
static uint64_t most_bytes(const struct tarring *tarring, size_t i, uint32_t n_frames)
{
    const struct blob *blob = &tarring->blob;
    bool npy = tarring->member == SHARD_NPY;
    uint64_t more = ALIGN + (npy ? NPY_HEADER_MAX : 0);
    if (tarring->row)
        return more + tensor_size(tarring->row, blob->form, n_frames);
    return more + (blob->offsets[i + 1] - blob->offsets[i]) * (npy ? NPY_EVENT_BYTES : EVENT_BYTES);
}

static bool is_borrowed(const struct tarring *tarring)
{
    return !tarring->row && tarring->member == SHARD_BIN && tarring->blob.all_stored;
}

static int make_events(struct tarring *tarring, size_t i, uint8_t *out, size_t *ret,
                       struct error *why)
{
    struct blob *blob = &tarring->blob;
    bool npy = tarring->member == SHARD_NPY;
    struct event_span events;
    int r = blob_make(blob, i, npy ? blob->room : out, &events, why);
    if (r < 0)
        return r;
    uint64_t n_events = events.n_events;
    if (npy) {
        size_t header = npy_header((char *)out, npy_event_descr, &n_events, 1);
        npy_events(events.bytes, n_events, out + header);
        *ret = header + n_events * NPY_EVENT_BYTES;
        return 0;
    }
    if (events.bytes != out)
        memcpy(out, events.bytes, n_events * EVENT_BYTES);
    *ret = n_events * EVENT_BYTES;
    return 0;
}

static int make_tensor(struct tarring *tarring, size_t i, uint8_t *out, size_t *ret,
                       struct error *why)
{
    struct blob *blob = &tarring->blob;
    const struct tensor_row *row = tarring->row;
    uint64_t dims[TENSOR_DIMS];
    size_t header = 0;
    struct cut cut;
    int r = blob_cut(blob, i, &cut, why);
    if (r < 0)
        return r;
    tensor_dims(row, blob->form, cut.n_frames, dims);
    if (tarring->member == SHARD_NPY)
        header = npy_header((char *)out, row->descr, dims, TENSOR_DIMS);
    r = row->fill(blob->form, &cut, cut.n_frames, NULL, out + header, why);
    if (r < 0)
        return blob_failed(blob, i, r, why);
    tally_add(TALLY_FRAMES, 1);
    *ret = header + tensor_size(row, blob->form, cut.n_frames);
    return 0;
}

/* Its bytes, in memory that `made` moves on over. */
static int add_made(struct tarring *tarring, size_t i, size_t *ret, struct error *why)
{
    uint8_t *out = tarring->made + -(uintptr_t)tarring->made % ALIGN;
    int r = (tarring->row ? make_tensor : make_events)(tarring, i, out, ret, why);
    if (r == 0)
        r = begin_sample(tarring, i, *ret, why);
    if (r < 0)
        return r;
    tarring->made = out + *ret;
    return reply_borrow(tarring->blob.reply, out, *ret, why);
}

static int add_borrowed(struct tarring *tarring, size_t i, size_t *ret, struct error *why)
{
    struct blob *blob = &tarring->blob;
    struct event_span events = {.n_events = blob->offsets[i + 1] - blob->offsets[i]};
    int r = blob->reply->head_only ? 0 : blob_make(blob, i, NULL, &events, why);
    *ret = events.n_events * EVENT_BYTES;
    if (r == 0)
        r = begin_sample(tarring, i, *ret, why);
    return r < 0 ? r
                 : reply_borrow_known(blob->reply, events.bytes, *ret, (uint32_t)blob->checksums[i],
                                      why);
}

/* Where the length alone is wanted and certain. */
static int add_length(struct tarring *tarring, size_t i, size_t *ret, struct error *why)
{
    const struct form *form = tarring->blob.form;
    uint64_t dims[TENSOR_DIMS], size = tensor_size(tarring->row, form, tarring->n_frames);
    char header[NPY_HEADER_MAX];
    tensor_dims(tarring->row, form, tarring->n_frames, dims);
    if (tarring->member == SHARD_NPY)
        size += npy_header(header, tarring->row->descr, dims, TENSOR_DIMS);
    *ret = size;
    int r = begin_sample(tarring, i, size, why);
    return r < 0 ? r : reply_borrow_unread(tarring->blob.reply, NULL, size, why);
}

/* ---- All of it ---- */

/* Memory for samples that are made. Where only making one tells how long it is, that is done twice,
 * so that no more is held than is sent. */
static int take_made(struct tarring *tarring, struct error *why)
{
    uint64_t all = 0;
    void *made;
    int r = blob_take_room(&tarring->blob, why);
    for (size_t i = 0; r == 0 && i < tarring->blob.batch->n; i++) {
        uint32_t n_frames = 0;
        r = count_frames(tarring, i, &n_frames, why);
        all += r == 0 ? most_bytes(tarring, i, n_frames) : 0;
        if (r == 0)
            r = reply_check(tarring->blob.reply, all, why);
    }
    if (r == 0)
        r = reply_alloc(tarring->blob.reply, all, &made, why);
    if (r == 0)
        tarring->made = made;
    return r;
}

/* What making it would claim, as far as that can be told. Errors: reply_check(). */
static int check_head(const struct tarring *tarring, struct error *why)
{
    const struct blob *blob = &tarring->blob;
    uint64_t all = between_size(blob->batch->n);
    if (!is_borrowed(tarring)) {
        all += blob_room_size(blob);
        for (size_t i = 0; i < blob->batch->n; i++)
            all += most_bytes(tarring, i, tarring->n_frames);
    }
    return reply_check(blob->reply, all, why);
}

static int add_all(struct tarring *tarring, struct error *why)
{
    struct reply *reply = tarring->blob.reply;
    bool borrowed = is_borrowed(tarring);
    int (*add)(struct tarring * tarring, size_t i, size_t * ret, struct error * why) =
        borrowed           ? add_borrowed
        : reply->head_only ? add_length
                           : add_made;
    int r = borrowed || reply->head_only ? 0 : take_made(tarring, why);
    for (size_t i = 0; r == 0 && i < tarring->blob.batch->n; i++) {
        size_t size = 0;
        r = add(tarring, i, &size, why);
        if (r == 0)
            end_sample(tarring, i, size);
    }
    if (r < 0)
        return r;
    memset(tarring->between + tarring->n_between, 0, USTAR_END);
    tarring->n_between += USTAR_END;
    return add_between(tarring, why);
}

int encode_shard(const struct batch *batch, const struct form *form, const struct shard_rule *rule,
                 enum shard_member member, struct reply *reply, struct error *why)
{
    struct tarring tarring = {
        .blob = {.batch = batch, .form = form, .reply = reply},
        .rule = rule,
        .member = member,
        .row = form->as == FORM_EVENTS ? NULL : tensor_row_of(form, false),
    };
    void *between;
    int r = blob_open(&tarring.blob, why);
    if (r < 0)
        return r;
    tarring.all_frames_known = tarring.row && cut_is_fixed(form, &tarring.n_frames);
    bool certain =
        is_borrowed(&tarring) || (tarring.row && cut_is_certain(form, &tarring.n_frames));
    bool skipped = reply_skips(reply, certain);
    if (reply->head_only)
        r = check_head(&tarring, why);
    /* where the length alone is wanted, what stands around one sample is kept at a time */
    if (r == 0 && !skipped)
        r = reply_alloc(reply, between_size(reply->head_only ? 1 : batch->n), &between, why);
    if (r < 0 || skipped)
        return r;
    tarring.between = between;
    return add_all(&tarring, why);
}
