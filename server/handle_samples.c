/* SPDX-License-Identifier: Apache-2.0
 * Single samples: stored, mixed now, fresh; and pages of rows about them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/encode.h"
#include "server/samples/text.h"

enum { JSON_US = 2000, ROW_TEXT_MAX = 256 };

bool take_sample(const struct request *request, struct reply *reply, uint64_t i, struct recipe *ret)
{
    int r = recipe_sample(request, i, ret);
    const char *name = request->entry->name;
    if (r == -ERANGE)
        problem(reply, request, PROBLEM_NO_SUCH_SAMPLE,
                "there is no sample %" PRIu64 "; split %s has 0 to %" PRIu64, i, name,
                split_n_samples(request->entry->split) - 1);
    else if (r < 0)
        problem(reply, request, PROBLEM_NO_SOURCE,
                "the source split of %s is not loaded, and this order needs it", name);
    return r == 0;
}

void handle_sample(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    if (take_sample(request, reply, request->places[PLACE_I], &recipe))
        encode_sample(request, reply, &recipe);
}

void handle_mix(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_mix(request, request->numbers.items, request->numbers.n, &recipe, &why);
    if (r < 0)
        problem(reply, request, r == -ERANGE ? PROBLEM_NO_SUCH_SAMPLE : PROBLEM_BAD_PARAMETER, "%s",
                why.text);
    else
        encode_sample(request, reply, &recipe);
}

void handle_pair(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    if (!request->entry->has_pairs) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "%s has no fresh pairs: %s",
                request->entry->name, request->entry->no_pairs.text);
        return;
    }
    recipe_pair(request, request->places[PLACE_SEED], request->places[PLACE_INDEX], &recipe);
    encode_sample(request, reply, &recipe);
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

static void add_row(struct text *text, const struct entry *entry, uint64_t i)
{
    struct sample sample = split_sample(entry->split, i);
    text_format(text, "{\"index\":%" PRIu64 ",\"labels\":[", i);
    bool any = false;
    for (unsigned d = 0; d < N_DIGITS; d++)
        if (sample.labels[d]) {
            text_format(text, "%s%u", any ? "," : "", d);
            any = true;
        }
    text_format(text, "],\"events\":%zu,\"duration_us\":%" PRIu32 ",\"sources\":[%" PRId32,
                sample.events.n_events, duration_us(sample.events, entry->order == MIX_TIME),
                sample.sources[0]);
    if (sample.sources[1] >= 0)
        text_format(text, ",%" PRId32, sample.sources[1]);
    text_format(text, "],\"crc32c\":\"%08" PRIx32 "\"}", sample.checksum);
}

void handle_rows(struct request *request, struct reply *reply)
{
    uint64_t n = split_n_samples(request->entry->split);
    uint64_t offset = request->params[PARAM_OFFSET], length = request->params[PARAM_LENGTH];
    uint64_t most = service_settings(request->service)->max_batch_size;
    if (request_gave(request, PARAM_LENGTH) && length > most) {
        problem_number(reply, request, PROBLEM_TOO_LARGE, "limit", most,
                       "length is %" PRIu64 "; max_batch_size is %" PRIu64, length, most);
        return;
    }
    length = length < most ? length : most;
    length = offset >= n ? 0 : n - offset < length ? n - offset : length;
    if (!encode_claim(request, reply, (length + 1) * ROW_TEXT_MAX))
        return;
    struct text text = {0};
    text_format(&text,
                "{\"split\":\"%s\",\"total\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"samples\":[",
                request->entry->name, n, offset);
    for (uint64_t i = 0; i < length; i++) {
        text_add(&text, i ? ",\n" : "\n");
        add_row(&text, request->entry, offset + i);
    }
    text_add(&text, "]}\n");
    text_finish(&text, request, reply);
}

uint64_t weigh_rows(const struct request *request)
{
    return request->params[PARAM_LENGTH];
}

uint64_t weigh_sample(const struct request *request)
{
    return request->format == FORMAT_JSON ? JSON_US : 0;
}
