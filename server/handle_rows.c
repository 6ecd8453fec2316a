/* SPDX-License-Identifier: Apache-2.0
 * Rows about samples, without events: a page of a split or of a view, in the order that is asked
 * for; or all of them as a table. Names and rows of splits as clients of Hugging Face's server of
 * datasets want them. */
#include <inttypes.h>

#include "server/document.h"
#include "server/handlers.h"
#include "server/paging.h"
#include "server/problem.h"
#include "server/samples/cost.h"
#include "server/samples/rows.h"
#include "server/samples/text.h"

enum { ROWS_PER_US = 2, NAME_BYTES = WIRE_NAME_MAX + 128 };

static bool is_table(const struct request *request)
{
    return request->format != FORMAT_JSON;
}

/* Rows that are asked for, as far as there are any. */
static uint64_t n_rows(const struct request *request)
{
    uint64_t n = request_n_samples(request), offset = request->params[PARAM_OFFSET];
    if (is_table(request) && !request_gave(request, PARAM_LENGTH))
        return offset < n ? n - offset : 0;
    return request_page_length(request);
}

static enum rows_style style_of(const struct request *request)
{
    return request->format == FORMAT_CSV        ? ROWS_CSV
           : request->format == FORMAT_JSONL    ? ROWS_LINES
           : request_gave(request, PARAM_SPLIT) ? ROWS_HUB
                                                : ROWS_PAGE;
}

/* What is asked for without any parameter is made once. */
static bool is_kept(const struct request *request)
{
    return request->given == 0;
}

static enum entry_text kept_text(const struct request *request)
{
    static const enum entry_text texts[] = {
        [ROWS_PAGE] = ENTRY_FIRST_PAGE, [ROWS_CSV] = ENTRY_CSV, [ROWS_LINES] = ENTRY_LINES};
    return texts[style_of(request)];
}

bool check_rows(struct request *request, struct reply *reply)
{
    if (request->format == FORMAT_PNG)
        return check_sheet(request, reply);
    uint64_t length = request->params[PARAM_LENGTH];
    uint64_t most = service_settings(request->service)->max_batch_size;
    if (request_gave(request, PARAM_LENGTH) && !is_table(request) && length > most) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "length is %" PRIu64 "; max_batch_size is %" PRIu64, length, most);
        return false;
    }
    const struct entry *entry = request->entry;
    request->variant = rows_are_complete(entry) ? NULL : "+alone";
    if (is_kept(request))
        document_offer_gzip(request);
    uint64_t rows = n_rows(request);
    request->cost_us = rows / ROWS_PER_US + paging_scan_us(entry, rows) + paging_order_us(request);
    if (entry_is_cold(entry)) /* each row is told of by the last of its events */
        request->cost_us += cost_cold_us(rows);
    if (is_kept(request) ? document_is_made(request, kept_text(request))
                         : request->method == METHOD_HEAD)
        request->cost_us = 0;
    return true;
}

static int add_rows(struct request *request, struct reply *reply, struct error *why)
{
    struct rows rows = paging_rows(request, n_rows(request));
    struct text text;
    uint64_t size = rows_size(&rows, style_of(request));
    if (reply_skips(reply, false))
        return reply_check(reply, size, why);
    int r = paging_find(request, reply, &rows, why);
    if (r == 0)
        r = text_open(&text, reply, size, why);
    if (r == 0)
        r = rows_write(&rows, style_of(request), &text, why);
    return r < 0 ? r : text_close(&text, reply, why);
}

void handle_rows(struct request *request, struct reply *reply)
{
    struct error why;
    if (request->format == FORMAT_PNG) {
        handle_sheet(request, reply);
        return;
    }
    if (is_kept(request)) {
        document_answer(request, reply, kept_text(request));
        return;
    }
    int r = add_rows(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}

static void add_names(const struct catalog *catalog, struct text *text)
{
    text_add(text, "{\"splits\":[");
    for (size_t i = 0; i < catalog->n_entries; i++)
        text_format(text, "%s\n{\"dataset\":\"%s\",\"config\":\"%s\",\"split\":\"%s\"}",
                    i ? "," : "", param_rows[PARAM_DATASET].choices[0],
                    param_rows[PARAM_CONFIG].choices[0], catalog->entries[i]->name);
    text_add(text, "],\"pending\":[],\"failed\":[]}\n");
}

void handle_names(struct request *request, struct reply *reply)
{
    const struct catalog *catalog = request->catalog;
    struct error why;
    struct text text;
    int r = text_open(&text, reply, (catalog->n_entries + 1) * NAME_BYTES, &why);
    if (r == 0) {
        add_names(catalog, &text);
        r = text_close(&text, reply, &why);
    }
    if (r < 0)
        problem_error(request, reply, r, &why);
}
