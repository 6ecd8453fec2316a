/* SPDX-License-Identifier: Apache-2.0
 * The splits: the list, one described, its whole file, its labels. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_memory.h"
#include "common/npy.h"
#include "server/description.h"
#include "server/digest.h"
#include "server/document.h"
#include "server/handlers.h"
#include "server/partial.h"
#include "server/problem.h"
#include "server/samples/cost.h"

enum {
    SUMMARY_US = 15,      /* where it is not as last time */
    COUNTED_PER_US = 40,  /* samples, for the description, once */
    COMBINED_PER_US = 10, /* samples, for the CRC-32C of the file, once */
    LABELLED_PER_US = 4,  /* samples, for the text of the labels, once; most is packing it */
};

/* What of the list changes with time. It stands there alone: what is said of one split may be kept
 * for ever. */
struct condition {
    uint64_t is_damaged, is_verified, scrubbed_bytes, scrubbed_s;
};

struct list {
    const struct request *request;
    struct condition conditions[CATALOG_MAX_SPLITS];
};

static struct condition condition_of(const struct entry *entry)
{
    const struct holding *holding = entry->holding;
    return (struct condition){
        .is_damaged = entry_is_damaged(entry),
        .is_verified = atomic_load(&holding->verified),
        .scrubbed_bytes = atomic_load(&holding->scrubbed_bytes),
        .scrubbed_s = (uint64_t)atomic_load(&holding->scrubbed_s),
    };
}

static json_t *scrub_state(const struct entry *entry, const struct condition *condition)
{
    uint64_t data_size = split_size(entry->split) - split_data_start(entry->split);
    return json_pack("{s:b, s:o, s:o, s:o}", "verified", (int)condition->is_verified, "bytes",
                     description_integer(condition->scrubbed_bytes), "of",
                     description_integer(data_size), "finished",
                     condition->scrubbed_s ? description_integer(condition->scrubbed_s)
                                           : json_null());
}

static json_t *list_row(const struct entry *entry, const struct condition *condition)
{
    json_t *row = description_summary(entry);
    json_object_set_new(row, "source",
                        entry->source ? json_string(entry->source->name) : json_null());
    json_object_set_new(row, "damaged", json_boolean(condition->is_damaged));
    json_object_set_new(row, "scrub", scrub_state(entry, condition));
    return row;
}

static void add_limit(const char *name, uint64_t value, void *user)
{
    json_object_set_new(user, name, description_integer(value));
}

static int write_list(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    const struct list *list = user;
    const struct catalog *catalog = list->request->catalog;
    json_memory_begin();
    json_t *limits = json_object(), *rows = json_array();
    settings_limits(service_settings(list->request->service), add_limit, limits);
    for (size_t i = 0; i < catalog->n_entries; i++)
        json_array_append_new(rows, list_row(catalog->entries[i], &list->conditions[i]));
    return description_write(
        json_pack("{s:s, s:o, s:o}", "version", PACKAGE_VERSION, "limits", limits, "splits", rows),
        ret, ret_size, why);
}

bool check_splits(struct request *request, struct reply *reply)
{
    (void)reply;
    document_offer_gzip(request);
    request->cost_us = request->catalog->n_entries * SUMMARY_US;
    return true;
}

void handle_splits(struct request *request, struct reply *reply)
{
    struct catalog *catalog = request->catalog;
    struct list list = {.request = request};
    for (size_t i = 0; i < catalog->n_entries; i++)
        list.conditions[i] = condition_of(catalog->entries[i]);
    const struct document_state state = {list.conditions,
                                         catalog->n_entries * sizeof *list.conditions};
    document_answer_latest(request, reply, &catalog->documents[CATALOG_LIST], &state, write_list, &list);
}

static void answer_file(struct request *request, struct reply *reply)
{
    const struct split *split = request->entry->split;
    uint64_t size = split_size(split);
    struct partial partial = partial_of(request, reply, size);
    if (partial.range == RANGE_OUTSIDE)
        return;
    struct error why;
    uint32_t crc = holding_crc32c(request->entry->holding);
    int r;
    if (partial.range == RANGE_PART) {
        digest_set_whole(reply, crc);
        r = reply_borrow_unread(reply, split_bytes(split) + partial.first,
                                partial.last - partial.first + 1, &why);
    } else {
        r = reply_borrow_known(reply, split_bytes(split), size, crc, &why);
    }
    if (r < 0)
        problem_error(request, reply, r, &why);
}

bool check_split(struct request *request, struct reply *reply)
{
    (void)reply;
    const struct entry *entry = request->entry;
    uint64_t n = split_n_samples(entry->split);
    if (request->format == FORMAT_SAFETENSORS) {
        request->cost_us = holding_has_crc32c(entry->holding) ? 0 : n / COMBINED_PER_US;
        if (entry_is_cold(entry)) /* a part of it may be small enough to be awaited */
            request->cost_us += cost_cold_us(1);
        return true;
    }
    document_offer_gzip(request);
    request->cost_us =
        document_is_made(request, ENTRY_DESCRIPTION) ? 0 : SUMMARY_US + n / COUNTED_PER_US;
    return true;
}

void handle_split(struct request *request, struct reply *reply)
{
    if (request->format == FORMAT_SAFETENSORS)
        answer_file(request, reply);
    else
        document_answer(request, reply, ENTRY_DESCRIPTION);
}

/* The labels of the view in memory of the reply; or all, as they are. */
static int find_labels(const struct request *request, struct reply *reply, const uint8_t **ret,
                       struct error *why)
{
    const uint8_t *all = split_labels(request->entry->split);
    uint64_t n = request_n_samples(request);
    if (!request->view) {
        *ret = all;
        return 0;
    }
    void *at;
    int r = reply_alloc(reply, n * N_DIGITS, &at, why);
    if (r < 0)
        return r;
    for (uint64_t i = 0; i < n; i++)
        memcpy((uint8_t *)at + i * N_DIGITS, all + request_position(request, i) * N_DIGITS,
               N_DIGITS);
    *ret = at;
    return 0;
}

static int add_labels_npy(const struct request *request, struct reply *reply, struct error *why)
{
    const uint64_t dims[] = {request_n_samples(request), N_DIGITS};
    const uint8_t *labels;
    void *header;
    int r = find_labels(request, reply, &labels, why);
    if (r == 0)
        r = reply_alloc(reply, NPY_HEADER_MAX, &header, why);
    if (r == 0)
        r = reply_borrow(reply, header, npy_header(header, "'|u1'", dims, 2), why);
    return r < 0 ? r : reply_borrow(reply, labels, dims[0] * dims[1], why);
}

static int add_labels_of_view(const struct request *request, struct reply *reply, struct error *why)
{
    char *labels;
    size_t size;
    int r = description_labels(request->entry, request->view->positions, request->view->n, &labels,
                               &size, why);
    if (r < 0)
        return r;
    r = reply_claim(reply, size, why);
    if (r < 0) {
        free(labels);
        return r;
    }
    return reply_own(reply, labels, size, why);
}

bool check_labels(struct request *request, struct reply *reply)
{
    (void)reply;
    if (request->rule.given)
        request->cost_us = request_n_samples(request) / LABELLED_PER_US;
    if (request->format != FORMAT_JSON || request->rule.given)
        return true;
    const struct entry *entry = request->entry;
    document_offer_gzip(request);
    request->cost_us = document_is_made(request, ENTRY_LABELS)
                           ? 0
                           : split_n_samples(entry->split) / LABELLED_PER_US;
    return true;
}

void handle_labels(struct request *request, struct reply *reply)
{
    struct error why;
    if (request->format == FORMAT_JSON && !request->view) {
        document_answer(request, reply, ENTRY_LABELS);
        return;
    }
    int r = request->format == FORMAT_JSON ? add_labels_of_view(request, reply, &why)
                                           : add_labels_npy(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
