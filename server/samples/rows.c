/* SPDX-License-Identifier: Apache-2.0
 * Rows about samples. */
#include "server/samples/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "common/plan.h"

enum {
    ROW_TEXT_MAX = 384,
    FRAME_TEXT_MAX = 2048,
    HUB_PAGE = 100,
    FILE_NAME_SIZE = PLAN_NAME_SIZE + 8
};

/* All that is said of one sample. */
struct row {
    uint64_t index;
    struct sample sample;
    uint32_t duration_us;
    unsigned n_labels, n_sources, n_source_digits;
    uint8_t labels[N_DIGITS], source_digits[2];
    bool is_pair;
    char file[FILE_NAME_SIZE]; /* "": it has none */
};

int rows_duration_us(const struct entry *entry, uint64_t i, uint32_t *ret, struct error *why)
{
    int r = entry_vouch(entry, i, why);
    if (r < 0)
        return r;
    const struct event_span events = split_sample(entry->split, i).events;
    bool sorted = entry->order == MIX_TIME;
    uint32_t longest = 0;
    for (size_t at = sorted && events.n_events ? events.n_events - 1 : 0; at < events.n_events;
         at++) {
        uint32_t t_us = event_unpack(events.bytes + at * EVENT_BYTES).t_us;
        longest = t_us > longest ? t_us : longest;
    }
    *ret = longest;
    return 0;
}

bool rows_are_complete(const struct entry *entry)
{
    return entry->is_source || entry->source || split_sources(entry->split)[0] < 0;
}

/* Which digit each recording shows: of one digit that is no question, and of two only the
 * recordings know which came first. */
static void find_source_digits(const struct entry *entry, struct row *row)
{
    if (row->n_labels == 1) {
        row->source_digits[row->n_source_digits++] = row->labels[0];
        return;
    }
    if (!entry->source || row->n_sources != row->n_labels)
        return;
    const uint8_t *labels = split_labels(entry->source->split);
    for (unsigned i = 0; i < row->n_sources; i++) {
        int digit = digits_only(labels + (size_t)row->sample.sources[i] * N_DIGITS);
        if (digit < 0) {
            row->n_source_digits = 0;
            return;
        }
        row->source_digits[row->n_source_digits++] = (uint8_t)digit;
    }
}

static bool meta_is(const struct entry *entry, const char *key, const char *value)
{
    return strcmp(split_meta(entry->split, key), value) == 0;
}

/* Its name among the files as their authors publish them: a recording's number stands for itself
 * among its sources. */
static void find_file(const struct entry *entry, struct row *row)
{
    const char *part = meta_is(entry, "split", "test") ? "Test" : "Train";
    const struct plan_row plan = {.a = 0, .b = row->n_source_digits > 1 ? 1 : -1};
    char name[PLAN_NAME_SIZE];
    if (row->n_source_digits == 0)
        return;
    if (!entry->is_source && meta_is(entry, "plan", "published")) {
        plan_name(name, row->index, &plan, row->source_digits);
        snprintf(row->file, sizeof row->file, "%s/%s", part, name);
    } else if (entry->is_source && meta_is(entry, "origin", "recorded") && row->n_sources == 1) {
        snprintf(row->file, sizeof row->file, "%s/%u/%05" PRId32 ".bin", part,
                 row->source_digits[0], row->sample.sources[0]);
    }
}

static int read_row(const struct entry *entry, uint64_t i, struct row *ret, struct error *why)
{
    *ret = (struct row){.index = i, .sample = split_sample(entry->split, i)};
    int r = rows_duration_us(entry, i, &ret->duration_us, why);
    if (r < 0)
        return r;
    const int32_t *sources = ret->sample.sources;
    ret->n_labels = digits_of(ret->sample.labels, ret->labels);
    ret->is_pair = ret->n_labels > 1;
    ret->n_sources = sources[0] < 0 ? 0 : sources[1] < 0 ? 1 : 2;
    find_source_digits(entry, ret);
    find_file(entry, ret);
    return 0;
}

/* ---- the columns ---- */

static void add_digits(struct text *text, const uint8_t *digits, unsigned n, const char *between)
{
    for (unsigned i = 0; i < n; i++) {
        text_add(text, i ? between : "");
        text_u64(text, digits[i]);
    }
}

static void put_index(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_u64(text, row->index);
}

static void put_labels(struct text *text, const struct row *row, const char *between)
{
    add_digits(text, row->labels, row->n_labels, between);
}

static void put_kind(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_add(text, row->is_pair ? "pair" : "single");
}

static void put_events(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_u64(text, row->sample.events.n_events);
}

static void put_duration(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_u64(text, row->duration_us);
}

static void put_sources(struct text *text, const struct row *row, const char *between)
{
    for (unsigned i = 0; i < row->n_sources; i++) {
        text_add(text, i ? between : "");
        text_u64(text, (uint64_t)row->sample.sources[i]);
    }
}

static void put_source_digits(struct text *text, const struct row *row, const char *between)
{
    add_digits(text, row->source_digits, row->n_source_digits, between);
}

static void put_file(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_add(text, row->file);
}

static void put_crc32c(struct text *text, const struct row *row, const char *between)
{
    (void)between;
    text_hex32(text, row->sample.checksum);
}

enum column_kind { COLUMN_NUMBER, COLUMN_NUMBERS, COLUMN_WORD };

/* No value needs quotes in CSV, nor an escape in JSON. Words that are empty are null there. */
static const struct column {
    const char *name;
    enum column_kind kind;
    void (*put)(struct text *text, const struct row *row, const char *between);
    const char *help;
} columns[] = {
    {"index", COLUMN_NUMBER, put_index, "where the sample is in its split, from 0"},
    {"labels", COLUMN_NUMBERS, put_labels, "the digits that it shows, ascending"},
    {"kind", COLUMN_WORD, put_kind, "single or pair"},
    {"events", COLUMN_NUMBER, put_events, "how many events it has"},
    {"duration_us", COLUMN_NUMBER, put_duration, "the time of its last event, in us"},
    {"sources", COLUMN_NUMBERS, put_sources,
     "the recordings that it was mixed from; of a recording its number"},
    {"source_digits", COLUMN_NUMBERS, put_source_digits, "the digit that each of them shows"},
    {"file", COLUMN_WORD, put_file, "its name among the published files"},
    {"crc32c", COLUMN_WORD, put_crc32c, "CRC-32C of its events, 5 bytes each, as stored"},
};

enum { N_COLUMNS = sizeof columns / sizeof *columns };

const char *rows_column(unsigned column)
{
    return column < N_COLUMNS ? columns[column].name : NULL;
}

const char *rows_column_help(unsigned column)
{
    return column < N_COLUMNS ? columns[column].help : NULL;
}

bool rows_column_is_number(unsigned column)
{
    return columns[column].kind != COLUMN_WORD;
}

bool rows_column_is_list(unsigned column)
{
    return columns[column].kind == COLUMN_NUMBERS;
}

/* ---- the styles ---- */

static void add_csv(struct text *text, const struct row *row)
{
    for (unsigned i = 0; i < N_COLUMNS; i++) {
        text_add(text, i ? "," : "");
        columns[i].put(text, row, " ");
    }
    text_add(text, "\r\n");
}

static void add_json(struct text *text, const struct row *row)
{
    static const struct {
        const char *open, *close;
    } around[] = {
        [COLUMN_NUMBER] = {"", ""}, [COLUMN_NUMBERS] = {"[", "]"}, [COLUMN_WORD] = {"\"", "\""}};
    for (unsigned i = 0; i < N_COLUMNS; i++) {
        const struct column *column = &columns[i];
        text_add(text, i ? ",\"" : "{\"");
        text_add(text, column->name);
        text_add(text, "\":");
        if (column->put == put_file && !*row->file) {
            text_add(text, "null");
            continue;
        }
        text_add(text, around[column->kind].open);
        column->put(text, row, ",");
        text_add(text, around[column->kind].close);
    }
    text_add(text, "}");
}

static void add_row(struct text *text, const struct row *row, enum rows_style style, bool is_first)
{
    switch (style) {
    case ROWS_PAGE:
        text_add(text, is_first ? "\n" : ",\n");
        add_json(text, row);
        break;
    case ROWS_CSV:
        add_csv(text, row);
        break;
    case ROWS_LINES:
        add_json(text, row);
        text_add(text, "\n");
        break;
    case ROWS_HUB:
        text_format(text, "%s\n{\"row_idx\":%" PRIu64 ",\"row\":", is_first ? "" : ",", row->index);
        add_json(text, row);
        text_add(text, ",\"truncated_cells\":[]}");
        break;
    }
}

/* The columns' types, as the library `datasets` writes them. */
static void add_features(struct text *text)
{
    static const char *const types[] = {
        [COLUMN_NUMBER] = "{\"dtype\":\"int64\",\"_type\":\"Value\"}",
        [COLUMN_NUMBERS] =
            "{\"feature\":{\"dtype\":\"int64\",\"_type\":\"Value\"},\"_type\":\"Sequence\"}",
        [COLUMN_WORD] = "{\"dtype\":\"string\",\"_type\":\"Value\"}",
    };
    text_add(text, "{\"features\":[");
    for (unsigned i = 0; i < N_COLUMNS; i++)
        text_format(text, "%s\n{\"feature_idx\":%u,\"name\":\"%s\",\"type\":%s}", i ? "," : "", i,
                    columns[i].name, types[columns[i].kind]);
    text_add(text, "],\"rows\":[");
}

static void add_head(const struct rows *rows, enum rows_style style, struct text *text)
{
    if (style == ROWS_HUB)
        add_features(text);
    if (style == ROWS_PAGE)
        text_format(text,
                    "{\"split\":\"%s\",\"total\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"samples\":[",
                    rows->entry->name, rows->total, rows->offset);
    for (unsigned i = 0; style == ROWS_CSV && i < N_COLUMNS; i++) {
        text_add(text, i ? "," : "");
        text_add(text, columns[i].name);
    }
    text_add(text, style == ROWS_CSV ? "\r\n" : "");
}

uint64_t rows_size(const struct rows *rows, enum rows_style style)
{
    (void)style;
    return FRAME_TEXT_MAX + rows->n * ROW_TEXT_MAX;
}

int rows_write(const struct rows *rows, enum rows_style style, struct text *text, struct error *why)
{
    add_head(rows, style, text);
    for (uint64_t i = 0; i < rows->n; i++) {
        struct row row;
        int r = read_row(rows->entry, rows_position(rows, i), &row, why);
        if (r < 0)
            return r;
        add_row(text, &row, style, i == 0);
    }
    if (style == ROWS_PAGE)
        text_add(text, "]}\n");
    if (style == ROWS_HUB)
        text_format(
            text, "],\"num_rows_total\":%" PRIu64 ",\"num_rows_per_page\":%d,\"partial\":false}\n",
            rows->total, HUB_PAGE);
    return 0;
}

int rows_make(const struct rows *rows, enum rows_style style, char **ret, size_t *ret_size,
              struct error *why)
{
    size_t size = rows_size(rows, style);
    char *memory = malloc(size);
    if (!memory)
        return error_set(why, -ENOMEM, "no memory for the rows of %" PRIu64 " samples", rows->n);
    struct text text;
    text_in(&text, memory, size);
    int r = rows_write(rows, style, &text, why);
    if (r == 0)
        r = text_end(&text, why);
    char *shrunk = r == 0 ? realloc(memory, text.used + 1) : NULL;
    if (r == 0 && !shrunk)
        r = error_set(why, -ENOMEM, "no memory for the rows of %" PRIu64 " samples", rows->n);
    if (r < 0) {
        free(memory);
        return r;
    }
    *ret = shrunk;
    *ret_size = text.used;
    return 0;
}
