/* SPDX-License-Identifier: Apache-2.0
 * What one batch is asked for by, and what its answer has to be. */
#include "client/wish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/digest.h"
#include "client/failure.h"
#include "common/order.h"
#include "common/wire.h"

enum { MAX_IN_URL = 64 };

int wish_check_share(const struct wish_share *share)
{
    if (share->size < 1 || share->size > INT32_MAX)
        return failure_set(-EINVAL, "a batch of %" PRIu64 " samples; 1 to %d are possible",
                           share->size, INT32_MAX);
    if (share->world < 1 || share->world > UINT16_MAX || share->rank >= share->world)
        return failure_set(-EINVAL, "rank %u of a world of %u", share->rank, share->world);
    if (share->last < TNM_LAST_SHORT || share->last > TNM_LAST_PAD)
        return failure_set(-EINVAL, "last is %d; it goes from %d to %d", share->last,
                           TNM_LAST_SHORT, TNM_LAST_PAD);
    return 0;
}

void wish_clear(struct wish *wish)
{
    free(wish->path);
    free(wish->post);
    free(wish->indices);
    tnm_batch_free(wish->batch);
    *wish = (struct wish){0};
}

static const char *const order_names[] = {
    [TNM_ORDER_STORED] = "", [TNM_ORDER_TIME] = "time", [TNM_ORDER_PUBLISHED] = "published"};
static const char *const last_names[] = {
    [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad"};

/* What is asked of each sample: the filters of all, and the frames. */
static struct rule asked_rule(const struct form *form)
{
    struct rule rule = form->frames ? *form->frames : form->filters;
    if (form->frames && rule_has_filters(&form->filters))
        rule_set_filters(&rule, &form->filters);
    return rule;
}

enum { QUERY_MAX = RULE_QUERY_MAX + 64 };

/* "&order=…&timestep=…", as the form asks. */
static void form_query(const struct form *form, char ret[QUERY_MAX])
{
    const struct rule rule = asked_rule(form);
    const char *name = order_names[form->order];
    int used = snprintf(ret, QUERY_MAX, "%s%s", name[0] ? "&order=" : "", name);
    if (form->timestep_us)
        used +=
            snprintf(ret + used, QUERY_MAX - (size_t)used, "&timestep=%" PRIu32, form->timestep_us);
    if (form->frames)
        used += snprintf(ret + used, QUERY_MAX - (size_t)used, "&as=sparse");
    rule_query(&rule, ret + used);
}

__attribute__((format(printf, 3, 4))) static int set_path(struct wish *wish, struct form form,
                                                          const char *format, ...)
{
    char *path, query[QUERY_MAX];
    va_list args;
    va_start(args, format);
    int n = vasprintf(&path, format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    form_query(&form, query);
    if (!query[0] && path[n - 1] == '?')
        path[n - 1] = '\0'; /* of an empty query libcurl sends the mark once and not again */
    n = asprintf(&wish->path, "%s%s", path, query);
    free(path);
    if (n < 0)
        wish->path = NULL;
    return n < 0 ? -ENOMEM : 0;
}

/* The numbers between commas; NULL: no memory. */
static char *join(const uint64_t *numbers, size_t n)
{
    enum { NUMBER_MAX = 21 };
    char *text = malloc(n * NUMBER_MAX + 1);
    size_t used = 0;
    if (text)
        text[0] = '\0';
    for (size_t i = 0; text && i < n; i++)
        used += (size_t)sprintf(text + used, "%s%" PRIu64, i ? "," : "", numbers[i]);
    return text;
}

static int keep_indices(struct wish *wish, const uint64_t *indices, size_t n)
{
    wish->n = n;
    wish->indices = calloc(n ? n : 1, sizeof *wish->indices);
    if (!wish->indices)
        return -ENOMEM;
    memcpy(wish->indices, indices, n * sizeof *indices);
    return 0;
}

static int ended(struct wish *wish, int r, struct wish *ret)
{
    if (r < 0)
        wish_clear(wish);
    else
        *ret = *wish;
    return r;
}

int wish_samples(const tnm_split *split, struct form form, const uint64_t *indices, size_t n,
                 struct wish *ret)
{
    struct wish wish = {.kind = WISH_SAMPLES, .split = split, .form = form};
    snprintf(wish.what, sizeof wish.what, "%zu samples of %s", n, split->name);
    char *list = join(indices, n);
    int r = list ? keep_indices(&wish, indices, n) : -ENOMEM;
    bool in_url = n > 0 && n <= MAX_IN_URL;
    if (r == 0)
        r = set_path(&wish, form, "/v1/splits/%s@%s/batch." WIRE_SAFETENSORS "?%s%s", split->name,
                     split->revision, in_url ? "indices=" : "", in_url ? list : "");
    if (r == 0 && !in_url && asprintf(&wish.post, "{\"indices\": [%s]}", list) < 0) {
        wish.post = NULL;
        r = -ENOMEM;
    }
    free(list);
    return ended(&wish, r, ret);
}

static int alloc_share(struct wish *wish, struct order_share share)
{
    wish->n = share.count;
    wish->indices = calloc(share.count ? share.count : 1, sizeof *wish->indices);
    return wish->indices ? 0 : -ENOMEM;
}

static struct order_share share_of(uint64_t n, const struct wish_share *share, uint64_t k)
{
    static const enum order_last lasts[] = {
        [TNM_LAST_SHORT] = ORDER_SHORT, [TNM_LAST_DROP] = ORDER_DROP, [TNM_LAST_PAD] = ORDER_PAD};
    return order_share(n, share->size, lasts[share->last], k, share->rank, share->world);
}

int wish_epoch(const tnm_split *split, const tnm_view *view, struct form form, uint32_t seed,
               uint32_t epoch, const uint32_t *order, const struct wish_share *share, uint64_t k,
               struct wish *ret)
{
    const uint64_t n = view ? view->n : split->n_samples;
    const char *words = view ? view->words : "";
    struct wish wish = {.kind = WISH_EPOCH,
                        .split = split,
                        .view = view,
                        .form = form,
                        .seed = seed,
                        .epoch = epoch,
                        .share = *share,
                        .number = k};
    snprintf(wish.what, sizeof wish.what, "batch %" PRIu64 " of epoch %" PRIu32 " of %s", k, epoch,
             split->name);
    struct order_share part = share_of(n, share, k);
    int r = alloc_share(&wish, part);
    for (uint64_t i = 0; r == 0 && i < part.count; i++)
        wish.indices[i] = order[(part.first + i * part.step) % n];
    if (r == 0)
        r = set_path(&wish, form,
                     "/v1/splits/%s@%s/epochs/%" PRIu32 "/%" PRIu32 "/batches/%" PRIu64
                     "." WIRE_SAFETENSORS "?size=%" PRIu64 "&rank=%" PRIu32 "&world=%" PRIu32
                     "&last=%s%s%s",
                     split->name, split->revision, seed, epoch, k, share->size, share->rank,
                     share->world, last_names[share->last], *words ? "&" : "", words);
    return ended(&wish, r, ret);
}

int wish_list(const tnm_split *split, struct form form, const uint32_t *list, uint64_t n_list,
              const struct wish_share *share, uint64_t k, struct wish *ret)
{
    struct order_share part = share_of(n_list, share, k);
    uint64_t *indices = calloc(part.count ? part.count : 1, sizeof *indices);
    if (!indices)
        return -ENOMEM;
    for (uint64_t i = 0; i < part.count; i++)
        indices[i] = list[(part.first + i * part.step) % n_list];
    int r = wish_samples(split, form, indices, part.count, ret);
    free(indices);
    if (r < 0)
        return r;
    ret->number = k;
    snprintf(ret->what, sizeof ret->what, "batch %" PRIu64 " of a part of %s", k, split->name);
    return 0;
}

int wish_pairs(const tnm_split *split, struct form form, uint64_t seed,
               const struct wish_share *share, uint64_t k, struct wish *ret)
{
    struct wish wish = {.kind = WISH_PAIRS,
                        .split = split,
                        .form = form,
                        .seed = seed,
                        .share = *share,
                        .number = k};
    snprintf(wish.what, sizeof wish.what, "batch %" PRIu64 " of the pairs of %s", k, split->name);
    struct order_share part =
        order_share(UINT64_MAX, share->size, ORDER_PAD, k, share->rank, share->world);
    int r = alloc_share(&wish, part);
    for (uint64_t i = 0; r == 0 && i < part.count; i++)
        wish.indices[i] = part.first + i * part.step;
    if (r == 0)
        r = set_path(&wish, form,
                     "/v1/pairs/%s@%s/%" PRIu64 "/batches/%" PRIu64 "." WIRE_SAFETENSORS
                     "?size=%" PRIu64 "&rank=%" PRIu32 "&world=%" PRIu32,
                     split->name, split->revision, seed, k, share->size, share->rank, share->world);
    return ended(&wish, r, ret);
}

int wish_mix(const tnm_split *split, struct form form, const uint64_t *parts, size_t n,
             struct wish *ret)
{
    static const uint64_t only[] = {0};
    struct wish wish = {.split = split, .kind = WISH_MIX, .form = form, .n_parts = n};
    snprintf(wish.what, sizeof wish.what, "a mix of %zu recordings of %s", n, split->name);
    memcpy(wish.parts, parts, n * sizeof *parts);
    char *list = join(parts, n);
    int r = list ? keep_indices(&wish, only, 1) : -ENOMEM;
    if (r == 0)
        r = set_path(&wish, form, "/v1/mix/%s@%s/%s." WIRE_SAFETENSORS "?", split->name,
                     split->revision, list);
    free(list);
    return ended(&wish, r, ret);
}

/* ---- What the batch has to say of itself ---- */

enum { SAID_ROWS = 12 + RULE_N_PARAMS + N_VIEW_WORDS, SAID_TEXT = 24 };

struct said {
    struct rule rule;
    struct meta rows[SAID_ROWS];
    size_t n, n_texts;
    char path[256];
    char texts[SAID_ROWS][SAID_TEXT]; /* of numbers */
    char view[VIEW_TEXT_SIZE];        /* values of its words, one behind the other */
};

static void add(struct said *said, const char *key, const char *value)
{
    said->rows[said->n++] = (struct meta){key, value};
}

static const char *write_number(struct said *said, uint64_t value)
{
    char *text = said->texts[said->n_texts++];
    snprintf(text, SAID_TEXT, "%" PRIu64, value);
    return text;
}

static void add_number(struct said *said, const char *key, uint64_t value)
{
    add(said, key, write_number(said, value));
}

static void add_share(struct said *said, const struct wish *wish)
{
    add_number(said, "k", wish->number);
    add_number(said, "size", wish->share.size);
    add_number(said, "rank", wish->share.rank);
    add_number(said, "world", wish->share.world);
}

static void add_form(struct said *said, const struct wish *wish)
{
    const char *order = order_names[wish->form.order];
    if (!order[0])
        order = document_text(wish->split->document, "order");
    if (order)
        add(said, "order", order);
    said->rule = asked_rule(&wish->form);
    struct meta *rows = said->rows + said->n;
    rule_meta(&said->rule, rows);
    said->n += RULE_N_PARAMS;
    if (!wish->form.frames) /* then the name means something else */
        rows[RULE_TIMESTEP].value = NULL;
    if (wish->form.timestep_us)
        rows[RULE_TIMESTEP].value = write_number(said, wish->form.timestep_us);
    if (wish->form.frames)
        add(said, "as", "sparse");
}

static void add_view(struct said *said, const struct view_rule *rule)
{
    char *value = said->view;
    for (enum view_word word = 0; word < N_VIEW_WORDS; word++) {
        if (!(rule->given & VIEW_BIT(word)))
            continue;
        view_word_text(rule, word, value);
        add(said, view_word_name(word), value);
        value += strlen(value) + 1;
    }
}

static void add_parts(struct said *said, const struct wish *wish)
{
    int used = snprintf(said->path, sizeof said->path, "/v1/mix/%s/", wish->split->name);
    add(said, "recordings", said->path + used);
    for (size_t i = 0; i < wish->n_parts; i++)
        used += snprintf(said->path + used, sizeof said->path - (size_t)used, "%s%" PRIu64,
                         i ? "," : "", wish->parts[i]);
}

static void expect(const struct wish *wish, struct said *ret)
{
    const char *name = wish->split->name;
    ret->n = ret->n_texts = 0;
    add(ret, "request", ret->path);
    add_form(ret, wish);
    if (wish->kind == WISH_MIX) {
        add_parts(ret, wish);
        return;
    }
    if (wish->kind == WISH_SAMPLES) {
        snprintf(ret->path, sizeof ret->path, "/v1/splits/%s/batch", name);
        return;
    }
    add_share(ret, wish);
    if (wish->kind == WISH_EPOCH) {
        snprintf(ret->path, sizeof ret->path,
                 "/v1/splits/%s/epochs/%" PRIu64 "/%" PRIu32 "/batches/%" PRIu64, name, wish->seed,
                 wish->epoch, wish->number);
        add_number(ret, "order_seed", wish->seed);
        add_number(ret, "epoch", wish->epoch);
        add(ret, "last", last_names[wish->share.last]);
        if (wish->view)
            add_view(ret, &wish->view->rule);
    } else {
        snprintf(ret->path, sizeof ret->path, "/v1/pairs/%s/%" PRIu64 "/batches/%" PRIu64, name,
                 wish->seed, wish->number);
        add_number(ret, "seed", wish->seed);
    }
}

/* ---- What can be in it ---- */

static unsigned count_labels(const struct blob *blob, uint64_t i)
{
    const uint8_t *labels = blob->labels + i * blob->geometry.n_labels;
    unsigned n = 0;
    for (uint32_t l = 0; l < blob->geometry.n_labels; l++)
        n += labels[l];
    return n;
}

/* A mix shows as many digits as it has recordings; the tensor has room for two of them. */
static int check_mix(const struct wish *wish, const struct blob *blob, struct error *why)
{
    unsigned n = count_labels(blob, 0);
    for (size_t i = 0; i < 2; i++) {
        int64_t part = i < wish->n_parts ? (int64_t)wish->parts[i] : -1;
        if (n != wish->n_parts || blob->sources[i] != part)
            return error_set(why, -EBADMSG,
                             "the mix shows %u digits, its recording %zu is %" PRId32
                             " instead of %" PRId64,
                             n, i, blob->sources[i], part);
    }
    return 0;
}

/* A recording shows one digit; a sample of 2NMNIST is one or two of them; a fresh pair two. */
static int check_parts(const struct wish *wish, const struct blob *blob, struct error *why)
{
    bool is_pair = wish->kind == WISH_PAIRS, is_source = wish->split->is_source && !is_pair;
    int32_t most = is_pair ? (int32_t)wish->split->n_samples - 1 : INT32_MAX;
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        const int32_t *sources = blob->sources + 2 * i;
        unsigned n = count_labels(blob, i), n_sources = 1 + (sources[1] >= 0);
        if (n != n_sources || (is_pair && n != 2) || (is_source && n != 1))
            return error_set(why, -EBADMSG, "sample %" PRIu64 " shows %u digits from %u recordings",
                             blob->indices[i], n, n_sources);
        if (sources[0] < 0 || sources[0] > most || sources[1] < -1 || sources[1] > most)
            return error_set(why, -EBADMSG,
                             "sample %" PRIu64 " is of recordings %" PRId32 " and %" PRId32
                             ", which there are not",
                             blob->indices[i], sources[0], sources[1]);
    }
    return 0;
}

static struct blob_frames frames_of(const struct rule *rule)
{
    struct blob_frames frames = {.n_channels = rule->filter.merge_polarity ? 1 : SENSOR_POLARITIES,
                                 .counts = rule->overlap == FRAMES_SUM};
    slices_are_fixed(&rule->slice, &frames.fixed);
    return frames;
}

static int read_blob(const struct wish *wish, struct answer *answer, tnm_batch *batch,
                     struct error *why)
{
    struct said said;
    expect(wish, &said);
    const struct blob_frames frames = frames_of(&said.rule);
    const struct blob_expected expected = {.meta = said.rows,
                                           .n_meta = said.n,
                                           .revision = wish->split->revision,
                                           .indices = wish->indices,
                                           .n_samples = wish->n,
                                           .geometry = wish->split->geometry,
                                           .frames = wish->form.frames ? &frames : NULL};
    int r = blob_read(answer->body.bytes, answer->body.size, &expected, &batch->blob, why);
    if (r == 0)
        r = digest_compare(answer, batch->blob.crc, why);
    if (r < 0)
        return r;
    return (wish->kind == WISH_MIX ? check_mix : check_parts)(wish, &batch->blob, why);
}

static int check(void *user, struct answer *answer, struct error *why)
{
    struct wish *wish = user;
    tnm_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return error_set(why, -ENOMEM, "no memory for a batch");
    batch->number = wish->number;
    if (wish->form.frames)
        batch->rule = *wish->form.frames;
    int r = read_blob(wish, answer, batch, why);
    if (r < 0) {
        tnm_batch_free(batch);
        return r;
    }
    body_take(&answer->body, &batch->body);
    tnm_batch_free(wish->batch);
    wish->batch = batch;
    return 0;
}

struct request_ask wish_ask(struct wish *wish)
{
    return (struct request_ask){.what = wish->what,
                                .revision = wish->split->revision,
                                .path = wish->path,
                                .post = wish->post,
                                .type = WIRE_SAFETENSORS_TYPE,
                                .check = check,
                                .user = wish};
}
