/* SPDX-License-Identifier: Apache-2.0
 * What is said of a split. */
#include "server/description.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "common/json_memory.h"
#include "server/param.h"
#include "server/samples/rows.h"

enum { HISTOGRAM_BIN = 500, HISTOGRAM_BINS = 64 };

json_t *description_integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *description_summary(const struct entry *entry)
{
    const struct split *split = entry->split;
    uint64_t n = split_n_samples(split);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", entry->name,
                     "kind", split_meta(split, "kind"), "revision", entry->revision, "origin",
                     split_meta(split, "origin"), "order",
                     entry->order == MIX_TIME ? "time" : "published", "samples",
                     description_integer(n), "pairs", description_integer(entry->n_pairs),
                     "singles", description_integer(n - entry->n_pairs), "events",
                     description_integer(split_n_events(split)), "bytes",
                     description_integer(split_size(split)));
}

/* Some samples of a split, or (positions is NULL) its first n. */
struct some {
    const struct split *split;
    const uint32_t *positions;
    uint64_t n;
};

static uint64_t position(const struct some *some, uint64_t i)
{
    return some->positions ? some->positions[i] : i;
}

static json_t *count_labels(const struct some *some)
{
    uint64_t together[N_DIGITS][N_DIGITS] = {0};
    for (uint64_t i = 0; i < some->n; i++) {
        const uint8_t *labels = split_labels(some->split) + position(some, i) * N_DIGITS;
        for (unsigned a = 0; a < N_DIGITS; a++)
            for (unsigned b = 0; labels[a] && b < N_DIGITS; b++)
                together[a][b] += labels[b];
    }
    json_t *counts = json_array(), *rows = json_array();
    for (unsigned a = 0; a < N_DIGITS; a++) {
        json_t *row = json_array();
        for (unsigned b = 0; b < N_DIGITS; b++)
            json_array_append_new(row, description_integer(together[a][b]));
        json_array_append_new(rows, row);
        json_array_append_new(counts, description_integer(together[a][a]));
    }
    return json_pack("{s:o, s:o}", "labels", counts, "cooccurrence", rows);
}

static uint64_t n_events_of(const struct some *some, uint64_t i)
{
    const uint64_t *offsets = split_offsets(some->split) + position(some, i);
    return offsets[1] - offsets[0];
}

static json_t *count_events(const struct some *some)
{
    uint64_t bins[HISTOGRAM_BINS] = {0}, least = UINT64_MAX, most = 0, all = 0;
    for (uint64_t i = 0; i < some->n; i++) {
        uint64_t n = n_events_of(some, i), bin = n / HISTOGRAM_BIN;
        least = n < least ? n : least;
        most = n > most ? n : most;
        all += n;
        bins[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1]++;
    }
    json_t *counts = json_array();
    for (unsigned i = 0; i < HISTOGRAM_BINS && i <= most / HISTOGRAM_BIN; i++)
        json_array_append_new(counts, description_integer(bins[i]));
    double mean = (double)all / (double)some->n;
    return json_pack("{s:o, s:o, s:f, s:i, s:o}", "min", description_integer(least), "max",
                     description_integer(most), "mean", mean, "bin_width", HISTOGRAM_BIN, "bins",
                     counts);
}

static bool is_pair(const struct some *some, uint64_t i)
{
    uint8_t digits[N_DIGITS];
    return digits_of(split_labels(some->split) + position(some, i) * N_DIGITS, digits) > 1;
}

static json_t *describe(const struct entry *entry)
{
    static const char *const strings[] = {"version",   "split",      "plan", "source_sha256",
                                          "time_unit", "licence",    "doi",  "citation",
                                          "generator", "data_sha256"};
    const struct split *split = entry->split;
    const struct some all = {.split = split, .n = split_n_samples(split)};
    json_t *root = description_summary(entry);
    json_object_update_new(root, count_labels(&all));
    json_object_set_new(root, "event_counts", count_events(&all));
    const struct geometry *geometry = split_geometry(split);
    json_object_set_new(root, "sensor",
                        json_pack("{s:i, s:i, s:i}", "width", (int)geometry->width, "height",
                                  (int)geometry->height, "polarities", SENSOR_POLARITIES));
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        const char *value = split_meta(split, strings[i]);
        json_object_set_new(root, strings[i], *value ? json_string(value) : json_null());
    }
    return root;
}

int description_write(json_t *root, char **ret, size_t *ret_size, struct error *why)
{
    size_t size = json_dumpb(root, NULL, 0, JSON_INDENT(2));
    char *text = size ? malloc(size + 1) : NULL;
    if (text) {
        json_dumpb(root, text, size, JSON_INDENT(2));
        text[size] = '\n';
    }
    json_decref(root);
    if (!text || json_memory_is_short()) {
        free(text);
        return error_set(why, -ENOMEM, "no memory for a description");
    }
    *ret = text;
    *ret_size = size + 1;
    return 0;
}

static int write_description(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    json_memory_begin();
    return description_write(describe(user), ret, ret_size, why);
}

int description_count(const struct entry *entry, const uint32_t *positions, uint64_t n,
                      const char *words, char **ret, size_t *ret_size, struct error *why)
{
    const struct some some = {.split = entry->split, .positions = positions, .n = n};
    json_memory_begin();
    uint64_t n_events = 0, n_pairs = 0;
    for (uint64_t i = 0; i < n; i++) {
        n_events += n_events_of(&some, i);
        n_pairs += is_pair(&some, i);
    }
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "split", entry->name, "revision", entry->revision,
        "view", words, "samples", description_integer(n), "pairs", description_integer(n_pairs),
        "singles", description_integer(n - n_pairs), "events", description_integer(n_events));
    json_object_update_new(root, count_labels(&some));
    json_object_set_new(root, "event_counts", count_events(&some));
    return description_write(root, ret, ret_size, why);
}

int description_labels(const struct entry *entry, const uint32_t *positions, uint64_t n, char **ret,
                       size_t *ret_size, struct error *why)
{
    static const char row[] = ",\n[0,0,0,0,0,0,0,0,0,0]";
    enum { FIRST = sizeof ",\n[" - 1, ROW = sizeof row - 1 };
    const struct some some = {.split = entry->split, .positions = positions, .n = n};
    char *text = malloc(sizeof entry->name + ROW * n + 64), *at = text;
    if (!text)
        return error_set(why, -ENOMEM, "no memory for the labels of %ju samples", (uintmax_t)n);
    at = stpcpy(stpcpy(stpcpy(at, "{\"split\":\""), entry->name), "\",\"labels\":[");
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *labels = split_labels(entry->split) + position(&some, i) * N_DIGITS;
        size_t skip = i == 0; /* the comma behind the row before */
        memcpy(at, row + skip, ROW - skip);
        for (unsigned digit = 0; digit < N_DIGITS; digit++)
            at[FIRST - skip + 2 * digit] = (char)('0' + labels[digit]);
        at += ROW - skip;
    }
    at = stpcpy(at, "]}\n");
    *ret = text;
    *ret_size = (size_t)(at - text);
    return 0;
}

static int write_labels(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    const struct entry *entry = user;
    return description_labels(entry, NULL, split_n_samples(entry->split), ret, ret_size, why);
}

static int write_rows(const struct entry *entry, uint64_t most, enum rows_style style, char **ret,
                      size_t *ret_size, struct error *why)
{
    uint64_t n = split_n_samples(entry->split);
    const struct rows rows = {.entry = entry, .n = n < most ? n : most, .total = n};
    return rows_make(&rows, style, ret, ret_size, why);
}

static int write_first_page(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    return write_rows(user, param_rows[PARAM_LENGTH].standard, ROWS_PAGE, ret, ret_size, why);
}

static int write_csv(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    return write_rows(user, UINT64_MAX, ROWS_CSV, ret, ret_size, why);
}

static int write_lines(const void *user, char **ret, size_t *ret_size, struct error *why)
{
    return write_rows(user, UINT64_MAX, ROWS_LINES, ret, ret_size, why);
}

int description_keep(struct entry *entry, enum entry_text text, struct error *why)
{
    static kept_maker *const makers[ENTRY_N_TEXTS] = {
        [ENTRY_DESCRIPTION] = write_description,
        [ENTRY_LABELS] = write_labels,
        [ENTRY_FIRST_PAGE] = write_first_page,
        [ENTRY_CSV] = write_csv,
        [ENTRY_LINES] = write_lines,
    };
    return kept_make(&entry->texts[text], makers[text], entry, why);
}

void description_keep_all(struct catalog *catalog)
{
    struct error why;
    for (size_t i = 0; i < catalog->n_entries; i++)
        description_keep(catalog->entries[i], ENTRY_DESCRIPTION, &why);
}
