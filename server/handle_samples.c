/* SPDX-License-Identifier: Apache-2.0
 * Single samples: stored, mixed now, fresh; and pages of rows about them. */
#include <inttypes.h>

#include "server/about.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/cost.h"
#include "server/samples/text.h"

enum { ROW_TEXT_MAX = 256, ROWS_PER_US = 2, EVENTS_SCANNED_PER_US = 500 };

static bool weigh(struct request *request, bool mixed)
{
    const struct cost cost = {
        .n = 1,
        .mixed = mixed,
        .text = format_rows[request->format].text,
        .head = request->method == METHOD_HEAD,
        .pixels = request->format == FORMAT_PNG ? encode_png_pixels(&request->form) : 0,
    };
    request->cost_us = cost_us(request->entry, &request->form, &cost);
    return true;
}

static int encode(struct request *request, struct reply *reply, const struct recipe *recipe,
                  struct error *why)
{
    const struct format_row *format = &format_rows[request->format];
    if (format->sample)
        return format->sample(request->entry, &request->form, recipe, reply, why);
    struct about about;
    about_request(request, &about);
    const struct batch batch = {
        .entry = request->entry,
        .kind = BATCH_SINGLE,
        .single = recipe,
        .n = 1,
        .about = about.rows,
        .n_about = about.n,
    };
    return format->batch(&batch, &request->form, reply, why);
}

static void answer(struct request *request, struct reply *reply, int r, const struct recipe *recipe,
                   struct error *why)
{
    if (r == 0)
        r = encode(request, reply, recipe, why);
    if (r < 0)
        problem_error(request, reply, r, why);
}

bool check_sample(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_sample(request->entry, &request->form, request->variables[VARIABLE_I], &recipe,
                          &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    return r == 0 && weigh(request, recipe.kind == RECIPE_MIX && recipe.k > 1);
}

void handle_sample(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_sample(request->entry, &request->form, request->variables[VARIABLE_I], &recipe,
                          &why);
    answer(request, reply, r, &recipe, &why);
}

bool check_mix(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_mix(request->entry, &request->form, request->numbers.items, request->numbers.n,
                       &recipe, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    return r == 0 && weigh(request, true);
}

void handle_mix(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_mix(request->entry, &request->form, request->numbers.items, request->numbers.n,
                       &recipe, &why);
    answer(request, reply, r, &recipe, &why);
}

bool check_pair(struct request *request, struct reply *reply)
{
    if (!request->entry->has_pairs)
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s has no fresh pairs: %s",
                request->entry->name, request->entry->no_pairs.text);
    return request->entry->has_pairs && weigh(request, true);
}

void handle_pair(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    recipe_pair(request->entry, &request->form, request->variables[VARIABLE_SEED],
                request->variables[VARIABLE_INDEX], &recipe);
    answer(request, reply, 0, &recipe, &why);
}

/* The largest time; in published order it need not be the last event's. */
static uint32_t duration_us(struct event_span events, bool sorted)
{
    uint32_t longest = 0;
    for (size_t i = sorted && events.n_events ? events.n_events - 1 : 0; i < events.n_events; i++) {
        uint32_t t_us = event_unpack(events.bytes + i * EVENT_BYTES).t_us;
        longest = t_us > longest ? t_us : longest;
    }
    return longest;
}

static int add_row(struct text *text, const struct entry *entry, uint64_t i, struct error *why)
{
    int r = entry_vouch(entry, i, why);
    if (r < 0)
        return r;
    struct sample sample = split_sample(entry->split, i);
    text_add(text, "{\"index\":");
    text_u64(text, i);
    text_add(text, ",\"labels\":");
    text_digits(text, sample.labels);
    text_add(text, ",\"events\":");
    text_u64(text, sample.events.n_events);
    text_add(text, ",\"duration_us\":");
    text_u64(text, duration_us(sample.events, entry->order == MIX_TIME));
    text_add(text, ",\"sources\":");
    text_numbers(text, sample.sources, sample.sources[1] < 0 ? 1 : 2);
    text_add(text, ",\"crc32c\":\"");
    text_hex32(text, sample.checksum);
    text_add(text, "\"}");
    return 0;
}

bool check_rows(struct request *request, struct reply *reply)
{
    uint64_t length = request->params[PARAM_LENGTH];
    uint64_t most = service_settings(request->service)->max_batch_size;
    if (request->format == FORMAT_PNG)
        return check_sheet(request, reply);
    if (request_gave(request, PARAM_LENGTH) && length > most) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "length is %" PRIu64 "; max_batch_size is %" PRIu64, length, most);
        return false;
    }
    const struct entry *entry = request->entry;
    uint64_t rows = request_page_length(request), scanned = 0;
    if (entry->order == MIX_PUBLISHED || !entry->holding->verified)
        scanned = rows * split_n_events(entry->split) / split_n_samples(entry->split);
    request->cost_us = rows / ROWS_PER_US + scanned / EVENTS_SCANNED_PER_US;
    if (request->method == METHOD_HEAD)
        request->cost_us = 0;
    return true;
}

static int add_rows(struct request *request, struct reply *reply, struct error *why)
{
    const struct entry *entry = request->entry;
    uint64_t offset = request->params[PARAM_OFFSET], length = request_page_length(request);
    struct text text;
    uint64_t size = (length + 1) * ROW_TEXT_MAX;
    if (reply_skips(reply, false))
        return reply_check(reply, size, why);
    int r = text_open(&text, reply, size, why);
    if (r < 0)
        return r;
    text_format(&text,
                "{\"split\":\"%s\",\"total\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"samples\":[",
                entry->name, request_n_samples(request), offset);
    for (uint64_t i = 0; i < length; i++) {
        text_add(&text, i ? ",\n" : "\n");
        r = add_row(&text, entry, request_position(request, offset + i), why);
        if (r < 0)
            return r;
    }
    text_add(&text, "]}\n");
    return text_close(&text, reply, why);
}

void handle_rows(struct request *request, struct reply *reply)
{
    struct error why;
    if (request->format == FORMAT_PNG) {
        handle_sheet(request, reply);
        return;
    }
    int r = add_rows(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
