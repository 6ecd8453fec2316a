/* SPDX-License-Identifier: Apache-2.0
 * A split, or a view of it, as WebDataset shards: the list of them, and one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fraction.h"
#include "common/shard.h"
#include "common/view_words.h"
#include "server/arguments.h"
#include "server/digest.h"
#include "server/handlers.h"
#include "server/partial.h"
#include "server/problem.h"
#include "server/samples/cost.h"
#include "server/samples/text.h"

enum {
    WRAPPED_PER_US = 1, /* samples, of which nothing but what stands around them is made */
    HEAD_TEXT_MAX = 4096,
    ROW_TEXT_MAX = 192,
};

/* What follows the key of a sample's bytes, by its form. */
static const char *const endings[][2] = {
    [FORM_EVENTS] = {[SHARD_BIN] = "bin", [SHARD_NPY] = "npy"},
    [FORM_FRAMES] = {[SHARD_BIN] = "frames.bin", [SHARD_NPY] = "frames.npy"},
    [FORM_SPARSE] = {NULL, NULL},
    [FORM_BITS] = {[SHARD_BIN] = "bits.bin", [SHARD_NPY] = "bits.npy"},
};

static enum shard_member member_of(const struct request *request)
{
    if (request_gave(request, PARAM_MEMBER))
        return (enum shard_member)request->params[PARAM_MEMBER];
    return request->form.as == FORM_EVENTS ? SHARD_BIN : SHARD_NPY;
}

static struct shard_rule rule_of(const struct request *request)
{
    return (struct shard_rule){
        .split = request->entry->name,
        .revision = request->entry->revision,
        .ending = endings[request->form.as][member_of(request)],
        .has_class = request->entry->is_source,
    };
}

static uint64_t n_shards(const struct request *request)
{
    return shard_count(request_n_samples(request), request->params[PARAM_PER_SHARD]);
}

static bool check_rule(struct request *request, struct reply *reply)
{
    uint64_t per_shard = request->params[PARAM_PER_SHARD];
    uint64_t most = service_settings(request->service)->max_batch_size;
    bool has_ending = endings[request->form.as][SHARD_BIN];
    if (!has_ending)
        problem(request, reply, PROBLEM_BAD_PARAMETER,
                "as=sparse has no file of one sample that shards could hold; as goes with events, "
                "frames and bits here");
    else if (per_shard > most)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "per_shard is %" PRIu64 "; max_batch_size is %" PRIu64, per_shard, most);
    return has_ending && per_shard <= most;
}

/* The shard of that number, at most `most` samples of which are put into `indices`. */
static int encode(struct request *request, uint64_t shard, uint64_t *indices, struct reply *reply,
                  struct error *why)
{
    struct shard_range range =
        shard_range(shard, request_n_samples(request), request->params[PARAM_PER_SHARD]);
    for (uint64_t i = 0; i < range.n; i++)
        indices[i] = request_position(request, range.first + i);
    const struct batch batch = {
        .entry = request->entry,
        .kind = BATCH_STORED,
        .indices = indices,
        .n = range.n,
    };
    const struct shard_rule rule = rule_of(request);
    return encode_shard(&batch, &request->form, &rule, member_of(request), reply, why);
}

static int alloc_indices(struct request *request, struct reply *reply, uint64_t **ret,
                         struct error *why)
{
    void *memory;
    int r = reply_alloc(reply, request->params[PARAM_PER_SHARD] * sizeof **ret, &memory, why);
    if (r == 0)
        *ret = memory;
    return r;
}

/* ---- The list ---- */

bool check_shards(struct request *request, struct reply *reply)
{
    request->cost_us = request_n_samples(request) / WRAPPED_PER_US;
    return check_rule(request, reply);
}

/* As a client may write it into a shell or a loader. */
static void add_names(const struct request *request, struct text *text)
{
    char first[SHARD_NAME_SIZE], last[SHARD_NAME_SIZE];
    uint64_t n = n_shards(request);
    if (n == 0)
        return;
    shard_name(request->entry->name, 0, first);
    shard_name(request->entry->name, n - 1, last);
    size_t stem = (size_t)(strrchr(first, '-') + 1 - first);
    text_format(text, "%.*s{%s..%s}." WIRE_TAR, (int)stem, first, first + stem, last + stem);
}

static void add_value(const struct param_row *row, uint64_t value, struct text *text)
{
    char fraction[FRACTION_TEXT_SIZE];
    text_format(text, "&%s=", row->name);
    if (row->kind == PARAM_CHOICE) {
        text_add(text, row->choices[value]);
    } else if (row->kind == PARAM_REAL) {
        fraction_text(param_real(value), fraction);
        text_add(text, fraction);
    } else {
        text_u64(text, value);
    }
}

/* All that shapes a shard, in one way however it was said. */
static void add_query(const struct request *request, const char *view, struct text *text)
{
    text_format(text, "?per_shard=%" PRIu64, request->params[PARAM_PER_SHARD]);
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        uint64_t value = request->params[param];
        bool is_view = ARGUMENTS_VIEW & PARAM_BIT(param);
        if (param != PARAM_PER_SHARD && !is_view && request_gave(request, param) &&
            (row->without || value != row->standard))
            add_value(row, value, text);
    }
    if (*view)
        text_format(text, "&%s", view);
}

static void add_head(const struct request *request, struct text *text)
{
    char words[VIEW_TEXT_SIZE];
    const struct entry *entry = request->entry;
    const struct shard_rule rule = rule_of(request);
    view_text(&request->rule, words);
    text_format(text,
                "{\"split\":\"%s\",\"revision\":\"%s\",\"view\":\"%s\",\"samples\":%" PRIu64
                ",\"per_shard\":%" PRIu64 ",\"members\":[\"%s\"%s,\"json\"],\"names\":\"",
                entry->name, entry->revision, words, request_n_samples(request),
                request->params[PARAM_PER_SHARD], rule.ending, rule.has_class ? ",\"cls\"" : "");
    add_names(request, text);
    /* under the split's revision, seen from the path of this list */
    text_format(text, "\",\"urls\":\"");
    if (n_shards(request) > 0) {
        text_format(text, "../%s@%.*s/shards/", entry->name, WIRE_REVISION_MIN, entry->revision);
        add_names(request, text);
        add_query(request, words, text);
    }
    text_add(text, "\",\"shards\":[");
}

/* Its length and digest, where they can be told without making the samples. */
static int add_row(struct request *request, uint64_t shard, uint64_t *indices,
                   const struct reply *reply, struct text *text, struct error *why)
{
    char name[SHARD_NAME_SIZE];
    struct reply one = {
        .max_bytes = reply->max_bytes, .address = reply->address, .head_only = true};
    int r = encode(request, shard, indices, &one, why);
    shard_name(request->entry->name, shard, name);
    struct shard_range range =
        shard_range(shard, request_n_samples(request), request->params[PARAM_PER_SHARD]);
    text_format(text, "%s\n{\"name\":\"%s." WIRE_TAR "\",\"samples\":%" PRIu64 ",\"bytes\":",
                shard ? "," : "", name, range.n);
    if (one.unknown_length)
        text_add(text, "null");
    else
        text_u64(text, one.n_bytes);
    text_add(text, ",\"crc32c\":");
    if (one.unknown_length || one.unknown_crc) {
        text_add(text, "null}");
    } else {
        text_add(text, "\"");
        text_hex32(text, one.crc);
        text_add(text, "\"}");
    }
    reply_end(&one);
    return r;
}

static int add_list(struct request *request, struct reply *reply, struct error *why)
{
    uint64_t n = n_shards(request), *indices = NULL;
    struct text text;
    int r = alloc_indices(request, reply, &indices, why);
    if (r == 0)
        r = text_open(&text, reply, HEAD_TEXT_MAX + 2 * VIEW_TEXT_SIZE + n * ROW_TEXT_MAX, why);
    if (r < 0)
        return r;
    add_head(request, &text);
    for (uint64_t shard = 0; r == 0 && shard < n; shard++)
        r = add_row(request, shard, indices, reply, &text, why);
    if (r < 0)
        return r;
    text_add(&text, "]}\n");
    return text_close(&text, reply, why);
}

void handle_shards(struct request *request, struct reply *reply)
{
    struct error why;
    int r = add_list(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    else
        reply_add_header(reply, WIRE_REVISION, request->entry->revision);
}

/* ---- One ---- */

/* Its number; false where it is not called as shards of this split are. */
static bool find_shard(const struct request *request, uint64_t *ret)
{
    char name[SHARD_NAME_SIZE];
    const char *stem = strrchr(request->path, '/') + 1, *dot = strrchr(stem, '.');
    size_t n = dot ? (size_t)(dot - stem) : strlen(stem), digits = n;
    while (digits > 0 && stem[digits - 1] != '-')
        digits--;
    uint64_t shard;
    if (number_parse("shard", stem + digits, n - digits, 0, INT32_MAX, &shard, NULL) < 0)
        return false;
    shard_name(request->entry->name, shard, name);
    *ret = shard;
    return strlen(name) == n && memcmp(name, stem, n) == 0;
}

bool check_shard(struct request *request, struct reply *reply)
{
    uint64_t shard;
    if (!check_rule(request, reply))
        return false;
    if (!find_shard(request, &shard) || shard >= n_shards(request)) {
        char first[SHARD_NAME_SIZE];
        shard_name(request->entry->name, 0, first);
        problem_number(request, reply, PROBLEM_NO_SUCH_SHARD, "shards", n_shards(request),
                       "there are %" PRIu64 " shards of %" PRIu64 " samples, from %s." WIRE_TAR
                       " on",
                       n_shards(request), request->params[PARAM_PER_SHARD], first);
        return false;
    }
    struct shard_range range =
        shard_range(shard, request_n_samples(request), request->params[PARAM_PER_SHARD]);
    const struct cost cost = {
        .n = range.n,
        .mixed = false,
        .text = false,
        .head = request->method == METHOD_HEAD,
        .pixels = 0,
    };
    request->cost_us = cost_us(request->entry, &request->form, &cost) + range.n / WRAPPED_PER_US;
    if (entry_is_cold(request->entry))
        request->cost_us += cost_cold_us(range.n);
    return true;
}

/* All of it is made, whatever part is asked for: the digest is of the whole. */
static void answer_part(struct request *request, struct reply *reply)
{
    struct partial partial = partial_of(request, reply, reply->n_bytes);
    if (partial.range != RANGE_PART)
        return;
    digest_set_whole(reply, reply->crc);
    reply_cut(reply, partial.first, partial.last);
}

void handle_shard(struct request *request, struct reply *reply)
{
    struct error why;
    uint64_t shard = 0, *indices = NULL;
    find_shard(request, &shard);
    int r = alloc_indices(request, reply, &indices, &why);
    if (r == 0)
        r = encode(request, shard, indices, reply, &why);
    if (r < 0) {
        problem_error(request, reply, r, &why);
        return;
    }
    reply_add_header(reply, WIRE_REVISION, request->entry->revision);
    if (reply->unknown_length)
        reply_add_header(reply, "Accept-Ranges", "bytes");
    else
        answer_part(request, reply);
}
