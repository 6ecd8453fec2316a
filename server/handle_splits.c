/* SPDX-License-Identifier: Apache-2.0
 * The splits: the list, one described, its whole file, its labels. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/npy.h"
#include "server/description.h"
#include "server/digest.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/range.h"
#include "server/samples/cost.h"
#include "server/validators.h"

enum {
    SUMMARY_US = 15,
    COUNTED_PER_US = 40,  /* samples, for the description, once */
    COMBINED_PER_US = 10, /* samples, for the CRC-32C of the file, once */
    LABELLED_PER_US = 4,  /* samples, for the text of the labels, once; most is packing it */
};

static void answer_json(struct request *request, struct reply *reply, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    struct error why;
    int r = text ? reply_claim(reply, strlen(text), &why)
                 : error_set(&why, -ENOMEM, "no memory for the answer");
    if (r == 0)
        r = reply_own(reply, text, strlen(text), &why);
    else
        free(text);
    if (r == 0)
        r = reply_borrow(reply, "\n", 1, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}

/* What changes with time stands in the list alone: what is said of one split may be kept for ever.
 */
static json_t *scrub_state(const struct entry *entry)
{
    const struct holding *holding = entry->holding;
    int64_t finished_s = atomic_load(&holding->scrubbed_s);
    return json_pack("{s:b, s:o, s:o, s:o}", "verified", (int)atomic_load(&holding->verified),
                     "bytes", description_integer(atomic_load(&holding->scrubbed_bytes)), "of",
                     description_integer(split_size(entry->split) - split_data_start(entry->split)),
                     "finished",
                     finished_s ? description_integer((uint64_t)finished_s) : json_null());
}

static void add_limit(const char *name, uint64_t value, void *user)
{
    json_object_set_new(user, name, description_integer(value));
}

bool check_splits(struct request *request, struct reply *reply)
{
    (void)reply;
    request->cost_us = request->catalog->n_entries * SUMMARY_US;
    return true;
}

void handle_splits(struct request *request, struct reply *reply)
{
    json_t *limits = json_object(), *list = json_array();
    settings_limits(service_settings(request->service), add_limit, limits);
    for (size_t i = 0; i < request->catalog->n_entries; i++) {
        const struct entry *entry = request->catalog->entries[i];
        json_t *row = description_summary(entry);
        json_object_set_new(row, "source",
                            entry->source ? json_string(entry->source->name) : json_null());
        json_object_set_new(row, "damaged", json_boolean(entry_is_damaged(entry)));
        json_object_set_new(row, "scrub", scrub_state(entry));
        json_array_append_new(list, row);
    }
    answer_json(
        request, reply,
        json_pack("{s:s, s:o, s:o}", "version", PACKAGE_VERSION, "limits", limits, "splits", list));
}

static void answer_file(struct request *request, struct reply *reply)
{
    const struct split *split = request->entry->split;
    uint64_t size = split_size(split), first = 0, last = size - 1;
    bool in_part = request->method == METHOD_GET && validators_allow_range(request);
    enum range_result range = range_parse(in_part ? request->range : NULL, size, &first, &last);
    if (range == RANGE_OUTSIDE) {
        problem(request, reply, PROBLEM_RANGE, "the file has %" PRIu64 " bytes", size);
        reply_set_header(reply, "Content-Range", "bytes */%" PRIu64, size);
        return;
    }
    if (range == RANGE_PART) {
        reply->status = 206;
        reply_set_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
                         last, size);
    }
    reply_set_header(reply, "Accept-Ranges", "bytes");
    struct error why;
    uint32_t crc = holding_crc32c(request->entry->holding);
    int r;
    if (range == RANGE_PART) {
        digest_set_whole(reply, crc);
        r = reply_borrow_unread(reply, split_bytes(split) + first, last - first + 1, &why);
    } else {
        r = reply_borrow_known(reply, split_bytes(split), size, crc, &why);
    }
    if (r < 0)
        problem_error(request, reply, r, &why);
}

static void choose_coding(struct request *request)
{
    request->codable = true;
    request->coded = format_takes_gzip(request->accept_encoding);
}

static void answer_kept(struct request *request, struct reply *reply, const struct kept *kept,
                        int made, struct error *why)
{
    int r = made;
    if (r == 0)
        r = kept_add(kept, request->coded ? KEPT_GZIP : KEPT_PLAIN, reply, why);
    if (r < 0)
        problem_error(request, reply, r, why);
}

bool check_split(struct request *request, struct reply *reply)
{
    (void)reply;
    const struct entry *entry = request->entry;
    uint64_t n = split_n_samples(entry->split);
    if (request->format == FORMAT_SAFETENSORS) {
        request->cost_us = holding_has_crc32c(entry->holding) ? 0 : n / COMBINED_PER_US;
        return true;
    }
    choose_coding(request);
    request->cost_us = kept_is_made(&entry->description) ? 0 : SUMMARY_US + n / COUNTED_PER_US;
    return true;
}

void handle_split(struct request *request, struct reply *reply)
{
    struct error why;
    struct entry *entry = request->entry;
    if (request->format == FORMAT_SAFETENSORS)
        answer_file(request, reply);
    else
        answer_kept(request, reply, &entry->description, description_keep(entry, &why), &why);
}

static int add_labels_npy(const struct split *split, struct reply *reply, struct error *why)
{
    const uint64_t dims[] = {split_n_samples(split), N_DIGITS};
    void *header;
    int r = reply_alloc(reply, NPY_HEADER_MAX, &header, why);
    if (r == 0)
        r = reply_borrow(reply, header, npy_header(header, "'|u1'", dims, 2), why);
    return r < 0 ? r : reply_borrow(reply, split_labels(split), dims[0] * dims[1], why);
}

bool check_labels(struct request *request, struct reply *reply)
{
    (void)reply;
    if (request->format != FORMAT_JSON)
        return true;
    const struct entry *entry = request->entry;
    choose_coding(request);
    request->cost_us =
        kept_is_made(&entry->labels_text) ? 0 : split_n_samples(entry->split) / LABELLED_PER_US;
    return true;
}

void handle_labels(struct request *request, struct reply *reply)
{
    struct error why;
    struct entry *entry = request->entry;
    if (request->format == FORMAT_JSON) {
        answer_kept(request, reply, &entry->labels_text, description_keep_labels(entry, &why),
                    &why);
        return;
    }
    int r = add_labels_npy(entry->split, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
