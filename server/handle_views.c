/* SPDX-License-Identifier: Apache-2.0
 * Views, or all of a split: where their samples are, and what can be counted of them. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/npy.h"
#include "common/view_words.h"
#include "server/description.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/text.h"

enum {
    LISTED_PER_US = 150, /* positions as numbers, and hashed */
    WRITTEN_PER_US = 40, /* positions as text */
    COUNTED_PER_US = 20, /* samples */
    STATISTICS_US = 40,  /* of the document itself */
    INDEX_TEXT_MAX = 11, /* "2147483647," */
    HEAD_TEXT_MAX = 512,
};

static void end(struct request *request, struct reply *reply, int r, const struct error *why)
{
    if (r < 0)
        problem_error(request, reply, r, why);
}

bool check_indices(struct request *request, struct reply *reply)
{
    (void)reply;
    bool is_text = format_rows[request->format].text;
    request->cost_us = request_n_samples(request) / (is_text ? WRITTEN_PER_US : LISTED_PER_US);
    return true;
}

/* The positions, little-endian, in memory of the reply. */
static int list_positions(const struct request *request, struct reply *reply, uint64_t **ret,
                          struct error *why)
{
    uint64_t n = request_n_samples(request), *list;
    void *at;
    int r = reply_alloc(reply, n * sizeof *list, &at, why);
    if (r < 0)
        return r;
    list = at;
    for (uint64_t i = 0; i < n; i++)
        list[i] = htole64(request_position(request, i));
    *ret = list;
    return 0;
}

static int add_npy(const struct request *request, struct reply *reply, const uint64_t *list,
                   struct error *why)
{
    const uint64_t n = request_n_samples(request);
    void *header;
    int r = reply_alloc(reply, NPY_HEADER_MAX, &header, why);
    if (r == 0)
        r = reply_borrow(reply, header, npy_header(header, "'<u8'", &n, 1), why);
    return r < 0 ? r : reply_borrow(reply, list, n * sizeof *list, why);
}

static int add_json(const struct request *request, struct reply *reply, const uint64_t *list,
                    const char *sha256, struct error *why)
{
    const uint64_t n = request_n_samples(request);
    char words[VIEW_TEXT_SIZE];
    struct text text;
    view_text(&request->rule, words);
    int r = text_open(&text, reply, HEAD_TEXT_MAX + strlen(words) + n * INDEX_TEXT_MAX, why);
    if (r < 0)
        return r;
    text_format(&text,
                "{\"split\":\"%s\",\"revision\":\"%s\",\"view\":\"%s\",\"samples\":%" PRIu64
                ",\"sha256\":\"%s\",\"indices\":[",
                request->entry->name, request->entry->revision, words, n, sha256);
    for (uint64_t i = 0; i < n; i++) {
        text_add(&text, i ? "," : "");
        text_u64(&text, le64toh(list[i]));
    }
    text_add(&text, "]}\n");
    return text_close(&text, reply, why);
}

void handle_indices(struct request *request, struct reply *reply)
{
    char sha256[SHA256_HEX + 1];
    struct error why;
    uint64_t *list;
    int r = list_positions(request, reply, &list, &why);
    if (r < 0) {
        problem_error(request, reply, r, &why);
        return;
    }
    if (request->view)
        memcpy(sha256, request->view->sha256, sizeof sha256);
    else
        sha256_hex_of(list, request_n_samples(request) * sizeof *list, sha256);
    reply_add_header(reply, WIRE_REVISION, request->entry->revision);
    reply_add_header(reply, WIRE_INDICES_SHA256, sha256);
    r = request->format == FORMAT_JSON ? add_json(request, reply, list, sha256, &why)
                                       : add_npy(request, reply, list, &why);
    end(request, reply, r, &why);
}

bool check_statistics(struct request *request, struct reply *reply)
{
    (void)reply;
    request->cost_us = STATISTICS_US + request_n_samples(request) / COUNTED_PER_US;
    return true;
}

/* Append a text from malloc(). */
static int add_text(struct reply *reply, char *text, size_t size, struct error *why)
{
    int r = reply_claim(reply, size, why);
    if (r < 0) {
        free(text);
        return r;
    }
    return reply_own(reply, text, size, why);
}

void handle_statistics(struct request *request, struct reply *reply)
{
    char words[VIEW_TEXT_SIZE], *text;
    struct error why;
    size_t size;
    view_text(&request->rule, words);
    int r = description_count(request->entry, request->view ? request->view->positions : NULL,
                              request_n_samples(request), words, &text, &size, &why);
    if (r == 0)
        r = add_text(reply, text, size, &why);
    end(request, reply, r, &why);
}
