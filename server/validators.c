/* SPDX-License-Identifier: Apache-2.0
 * What lets caches and clients ask whether an answer has changed. */
#include "server/validators.h"

#include <string.h>

enum { ETAG_SIZE = 48 + IMAGE_MAKERS_SIZE, ETAG_REVISION = 16 };

static void etag_of(const struct request *request, char ret[ETAG_SIZE])
{
    image_maker *makers = format_rows[request->format].makers;
    char *at = stpcpy(ret, "\"");
    at = stpncpy(at, request->entry->revision, ETAG_REVISION);
    at = stpcpy(stpcpy(at, "."), format_rows[request->format].extension);
    if (makers) {
        *at++ = '-';
        makers(at);
        at += strlen(at);
    }
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
