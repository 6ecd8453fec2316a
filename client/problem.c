/* SPDX-License-Identifier: Apache-2.0
 * Why a server refused, read from its answer (RFC 9457 problem+json). */
#include "client/problem.h"

#include <stdio.h>
#include <string.h>

#include "client/document.h"
#include "common/wire.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

void problem_read(const struct answer *answer, struct problem *ret)
{
    struct document *document = NULL;
    *ret = (struct problem){.code = ""};
    if (answer->status == 200 || answer->status == 206)
        return;
    const char *type = answer->headers[HEADER_CONTENT_TYPE];
    bool is_problem = strncmp(type, WIRE_PROBLEM_TYPE, strlen(WIRE_PROBLEM_TYPE)) == 0 &&
                      document_parse(answer->body.bytes, answer->body.size, &document, NULL) == 0;
    const char *detail = is_problem ? document_text(document, "detail") : NULL;
    if (!detail && is_problem)
        detail = document_text(document, "title");
    if (is_problem)
        snprintf(ret->code, sizeof ret->code, "%s", or_empty(document_text(document, "code")));

    if (strcmp(ret->code, "no-such-revision") == 0)
        snprintf(ret->text, sizeof ret->text, "has other data: %s", or_empty(detail));
    else if (detail && (answer->status == 401 || answer->status == 403))
        snprintf(ret->text, sizeof ret->text, "HTTP status %ld: %s", answer->status, detail);
    else if (detail)
        snprintf(ret->text, sizeof ret->text, "%s", detail);
    else if (answer->headers[HEADER_LOCATION][0])
        snprintf(ret->text, sizeof ret->text,
                 "HTTP status %ld, which sends us to %.160s; redirects are not followed",
                 answer->status, answer->headers[HEADER_LOCATION]);
    else
        snprintf(ret->text, sizeof ret->text, "HTTP status %ld", answer->status);
    document_free(document);
}
