/* SPDX-License-Identifier: Apache-2.0
 * What is wrong, as application/problem+json (RFC 9457). */
#include "server/problem.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_SIZE = 1200, RETRY_AFTER_S = 1 };

static const struct {
    unsigned status;
    const char *code, *title;
} rows[] = {
#define PROBLEM_ROW(kind, status_, code_, title_) {status_, code_, title_},
    PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

/* What came in a URL may be no UTF-8, which JSON cannot hold. */
static void keep_printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static char *document(const struct request *request, enum problem_kind kind, const char *name,
                      uint64_t number, char *detail)
{
    char instance[DETAIL_SIZE];
    snprintf(instance, sizeof instance, "%s", request->url);
    keep_printable(instance);
    keep_printable(detail);
    json_t *root = json_pack("{s:s+, s:s, s:i, s:s, s:s, s:s}", "type",
                             "urn:twonmnist:problem:", rows[kind].code, "title", rows[kind].title,
                             "status", (int)rows[kind].status, "detail", detail, "instance",
                             instance, "code", rows[kind].code);
    if (root && name)
        json_object_set_new(root, name, json_integer((json_int_t)number));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return text;
}

static void answer(struct reply *reply, const struct request *request, enum problem_kind kind,
                   const char *name, uint64_t number, char *detail)
{
    reply_reset(reply);
    reply->status = rows[kind].status;
    reply_set_header(reply, "Content-Type", "application/problem+json");
    reply_set_header(reply, "Cache-Control", "no-store");
    if (reply->status == 503)
        reply_set_header(reply, "Retry-After", "%d", RETRY_AFTER_S);
    char *text = document(request, kind, name, number, detail);
    if (text)
        reply_own(reply, text, strlen(text));
}

void problem(struct reply *reply, const struct request *request, enum problem_kind kind,
             const char *format, ...)
{
    char detail[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    answer(reply, request, kind, NULL, 0, detail);
}

void problem_number(struct reply *reply, const struct request *request, enum problem_kind kind,
                    const char *name, uint64_t number, const char *format, ...)
{
    char detail[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    answer(reply, request, kind, name, number, detail);
}
