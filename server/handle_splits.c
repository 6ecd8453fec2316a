/* SPDX-License-Identifier: Apache-2.0
 * The splits: the list, one described, its whole file, its labels. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/npy.h"
#include "server/digest.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/range.h"
#include "server/samples/cost.h"
#include "server/samples/text.h"
#include "server/validators.h"

enum {
    SUMMARY_US = 15,
    COUNTED_PER_US = 40,    /* samples, for the description */
    COMBINED_PER_US = 10,   /* samples, for the CRC-32C of the file, once */
    LABELS_TEXT_BYTES = 24, /* of a sample, at most */
    LABELS_TEXT_HEAD = 128,
    HISTOGRAM_BIN = 500,
    HISTOGRAM_BINS = 64,
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

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *summary(const struct entry *entry)
{
    const struct split *split = entry->split;
    uint64_t n = split_n_samples(split);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", entry->name,
                     "kind", split_meta(split, "kind"), "revision", entry->revision, "origin",
                     split_meta(split, "origin"), "order",
                     entry->order == MIX_TIME ? "time" : "published", "samples", integer(n),
                     "pairs", integer(entry->n_pairs), "singles", integer(n - entry->n_pairs),
                     "events", integer(split_n_events(split)), "bytes", integer(split_size(split)));
}

/* What changes with time stands in the list alone: what is said of one split may be kept for ever.
 */
static json_t *scrub_state(const struct entry *entry)
{
    const struct holding *holding = entry->holding;
    int64_t finished_s = atomic_load(&holding->scrubbed_s);
    return json_pack("{s:b, s:o, s:o, s:o}", "verified", (int)atomic_load(&holding->verified),
                     "bytes", integer(atomic_load(&holding->scrubbed_bytes)), "of",
                     integer(split_size(entry->split) - split_data_start(entry->split)), "finished",
                     finished_s ? integer((uint64_t)finished_s) : json_null());
}

static void add_limit(const char *name, uint64_t value, void *user)
{
    json_object_set_new(user, name, integer(value));
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
        json_t *row = summary(entry);
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

static json_t *count_labels(const struct split *split)
{
    uint64_t together[N_DIGITS][N_DIGITS] = {0};
    const uint8_t *labels = split_labels(split);
    for (uint64_t i = 0; i < split_n_samples(split); i++, labels += N_DIGITS)
        for (unsigned a = 0; a < N_DIGITS; a++)
            for (unsigned b = 0; labels[a] && b < N_DIGITS; b++)
                together[a][b] += labels[b];
    json_t *counts = json_array(), *rows = json_array();
    for (unsigned a = 0; a < N_DIGITS; a++) {
        json_t *row = json_array();
        for (unsigned b = 0; b < N_DIGITS; b++)
            json_array_append_new(row, integer(together[a][b]));
        json_array_append_new(rows, row);
        json_array_append_new(counts, integer(together[a][a]));
    }
    return json_pack("{s:o, s:o}", "labels", counts, "cooccurrence", rows);
}

static json_t *count_events(const struct split *split)
{
    uint64_t bins[HISTOGRAM_BINS] = {0}, least = UINT64_MAX, most = 0;
    const uint64_t *offsets = split_offsets(split);
    for (uint64_t i = 0; i < split_n_samples(split); i++) {
        uint64_t n = offsets[i + 1] - offsets[i], bin = n / HISTOGRAM_BIN;
        least = n < least ? n : least;
        most = n > most ? n : most;
        bins[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1]++;
    }
    json_t *counts = json_array();
    for (unsigned i = 0; i < HISTOGRAM_BINS && i <= most / HISTOGRAM_BIN; i++)
        json_array_append_new(counts, integer(bins[i]));
    double mean = (double)split_n_events(split) / (double)split_n_samples(split);
    return json_pack("{s:o, s:o, s:f, s:i, s:o}", "min", integer(least), "max", integer(most),
                     "mean", mean, "bin_width", HISTOGRAM_BIN, "bins", counts);
}

static void describe(struct request *request, struct reply *reply)
{
    static const char *const strings[] = {"version",   "split",      "plan", "source_sha256",
                                          "time_unit", "licence",    "doi",  "citation",
                                          "generator", "data_sha256"};
    const struct split *split = request->entry->split;
    if (reply_skips(reply, false))
        return;
    json_t *root = summary(request->entry);
    json_object_update_new(root, count_labels(split));
    json_object_set_new(root, "event_counts", count_events(split));
    const struct geometry *geometry = split_geometry(split);
    json_object_set_new(root, "sensor",
                        json_pack("{s:i, s:i, s:i}", "width", (int)geometry->width, "height",
                                  (int)geometry->height, "polarities", SENSOR_POLARITIES));
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        const char *value = split_meta(split, strings[i]);
        json_object_set_new(root, strings[i], *value ? json_string(value) : json_null());
    }
    answer_json(request, reply, root);
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

bool check_split(struct request *request, struct reply *reply)
{
    (void)reply;
    const struct entry *entry = request->entry;
    bool counted = request->format == FORMAT_JSON && request->method != METHOD_HEAD;
    uint64_t n = split_n_samples(entry->split);
    if (request->format == FORMAT_SAFETENSORS)
        request->cost_us = holding_has_crc32c(entry->holding) ? 0 : n / COMBINED_PER_US;
    else
        request->cost_us = counted ? SUMMARY_US + n / COUNTED_PER_US : 0;
    return true;
}

void handle_split(struct request *request, struct reply *reply)
{
    if (request->format == FORMAT_SAFETENSORS)
        answer_file(request, reply);
    else
        describe(request, reply);
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

static int add_labels_json(const struct entry *entry, struct reply *reply, struct error *why)
{
    const uint8_t *labels = split_labels(entry->split);
    uint64_t n = split_n_samples(entry->split);
    struct text text;
    uint64_t size = LABELS_TEXT_HEAD + n * LABELS_TEXT_BYTES;
    if (reply_skips(reply, false))
        return reply_check(reply, size, why);
    int r = text_open(&text, reply, size, why);
    if (r < 0)
        return r;
    text_format(&text, "{\"split\":\"%s\",\"labels\":[", entry->name);
    for (uint64_t i = 0; i < n * N_DIGITS; i++) {
        text_add(&text, i % N_DIGITS ? "," : i ? "],\n[" : "\n[");
        text_add(&text, labels[i] ? "1" : "0");
    }
    text_add(&text, "]]}\n");
    return text_close(&text, reply, why);
}

bool check_labels(struct request *request, struct reply *reply)
{
    (void)reply;
    uint64_t bytes = split_n_samples(request->entry->split) * LABELS_TEXT_BYTES;
    bool text = request->format == FORMAT_JSON && request->method != METHOD_HEAD;
    request->cost_us = text ? cost_text_us(bytes) : 0;
    return true;
}

void handle_labels(struct request *request, struct reply *reply)
{
    struct error why;
    int r = request->format == FORMAT_NPY ? add_labels_npy(request->entry->split, reply, &why)
                                          : add_labels_json(request->entry, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
