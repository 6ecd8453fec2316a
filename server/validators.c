/* SPDX-License-Identifier: Apache-2.0
 * What lets caches and clients ask whether an answer has changed. */
#include "server/validators.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/view_words.h"

enum { ETAG_SIZE = 64 + IMAGE_MAKERS_SIZE, ETAG_REVISION = 16, VARY_SIZE = 64 };

static uint32_t add_text(uint32_t crc, const char *text)
{
    return crc32c(crc, text, strlen(text) + 1);
}

/* Of all that the parameters say. */
static uint32_t crc_of_params(const struct request *request)
{
    char words[VIEW_TEXT_SIZE];
    uint32_t crc = 0;
    for (enum param param = 0; param < N_PARAMS; param++)
        if (request_gave(request, param)) {
            crc = add_text(crc, param_rows[param].name);
            crc = crc32c(crc, &request->params[param], sizeof request->params[param]);
        }
    view_text(&request->rule, words);
    return crc32c(add_text(crc, words), request->numbers.items,
                  request->numbers.n * sizeof *request->numbers.items);
}

/* Different for every form and view of the data: where a cache or a client leaves out what
 * follows the path, they are told apart still. */
static void etag_of(const struct request *request, char ret[ETAG_SIZE])
{
    image_maker *makers = format_rows[request->format].makers;
    char *at = stpcpy(ret, "\"");
    at = stpncpy(at, request->entry ? request->entry->revision : request->tag, ETAG_REVISION);
    if (request->given)
        at += sprintf(at, "-%08" PRIx32, crc_of_params(request));
    at = stpcpy(stpcpy(at, "."), format_rows[request->format].extension);
    at = stpcpy(at, request->variant ? request->variant : "");
    if (makers) {
        *at++ = '-';
        makers(at);
        at += strlen(at);
    }
    stpcpy(at, request->coded ? "+gzip\"" : "\"");
}

/* What of the request's head the answer depends on. */
static void add_vary(const struct request *request, struct reply *reply)
{
    const struct {
        bool matters;
        const char *name;
    } parts[] = {
        {request->by_token, "Authorization"},
        {request->negotiated, "Accept"},
        {request->codable, "Accept-Encoding"},
        {request->all_origins, "Origin"},
    };
    char names[VARY_SIZE] = "", *at = names;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].matters)
            at = stpcpy(stpcpy(at, at == names ? "" : ", "), parts[i].name);
    if (at > names)
        reply_add_header(reply, "Vary", names);
}

static bool has_etag(const struct request *request)
{
    return (request->entry || request->tag) && request->method != METHOD_POST;
}

/* What came for a token is not for whoever else asks a cache: that is what "public" would allow. */
static const char *freshness(const struct request *request)
{
    if (!request->pinned || request->variant)
        return "no-cache";
    return request->by_token ? "max-age=31536000, immutable"
                             : "public, max-age=31536000, immutable";
}

void validators_set(const struct request *request, struct reply *reply)
{
    char etag[ETAG_SIZE];
    if (request->method == METHOD_POST) { /* the answer depends on the body, too */
        reply_add_header(reply, "Cache-Control", "no-store");
        return;
    }
    if (has_etag(request)) {
        etag_of(request, etag);
        reply_add_header(reply, "ETag", etag);
    }
    reply_add_header(reply, "Cache-Control", freshness(request));
    if (request->coded)
        reply_add_header(reply, "Content-Encoding", "gzip");
    add_vary(request, reply);
}

bool validators_match(const struct request *request)
{
    if (!has_etag(request) || !request->if_none_match)
        return false;
    char etag[ETAG_SIZE];
    etag_of(request, etag);
    /* The tag holds no quote inside, so it stands in the list wherever it is found. */
    return strcmp(request->if_none_match, "*") == 0 || strstr(request->if_none_match, etag) != NULL;
}

bool validators_allow_range(const struct request *request)
{
    char etag[ETAG_SIZE];
    etag_of(request, etag);
    return !request->if_range || strcmp(request->if_range, etag) == 0;
}
