/* SPDX-License-Identifier: Apache-2.0
 * What lets caches and clients ask whether an answer has changed. */
#include "server/validators.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/view_words.h"

enum { ETAG_SIZE = 48, ETAG_REVISION = 16 };

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
    char *at = stpcpy(ret, "\"");
    at = stpncpy(at, request->entry->revision, ETAG_REVISION);
    if (request->given)
        at += sprintf(at, "-%08" PRIx32, crc_of_params(request));
    at = stpcpy(stpcpy(at, "."), format_rows[request->format].extension);
    stpcpy(at, request->coded ? "+gzip\"" : "\"");
}

static const char *varies_by(const struct request *request)
{
    if (request->codable)
        return request->negotiated ? "Accept, Accept-Encoding" : "Accept-Encoding";
    return request->negotiated ? "Accept" : NULL;
}

void validators_set(const struct request *request, struct reply *reply)
{
    char etag[ETAG_SIZE];
    if (request->method == METHOD_POST) { /* the answer depends on the body, too */
        reply_add_header(reply, "Cache-Control", "no-store");
        return;
    }
    if (request->entry) {
        etag_of(request, etag);
        reply_add_header(reply, "ETag", etag);
    }
    reply_add_header(reply, "Cache-Control",
                     request->pinned ? "public, max-age=31536000, immutable" : "no-cache");
    if (request->coded)
        reply_add_header(reply, "Content-Encoding", "gzip");
    const char *varies = varies_by(request);
    if (varies)
        reply_add_header(reply, "Vary", varies);
}

bool validators_match(const struct request *request)
{
    if (!request->entry || !request->if_none_match || request->method == METHOD_POST)
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
