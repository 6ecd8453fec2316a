/* SPDX-License-Identifier: Apache-2.0
 * What is wrong, as application/problem+json (RFC 9457). */
#include "server/problem.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_memory.h"

enum { DETAIL_SIZE = 1200, RETRY_AFTER_S = 1 };

static const struct {
    unsigned status;
    const char *code, *title;
} rows[] = {
#define PROBLEM_ROW(kind, status_, code_, title_, ...) {status_, code_, title_},
    WIRE_PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

/* What an error of server/samples/ is to a client; all others are our own mistakes. */
static const struct {
    int error;
    enum problem_kind kind;
} kinds[] = {
    {-ENOENT, PROBLEM_NO_SUCH_SAMPLE}, {-ENODATA, PROBLEM_NO_SOURCE},
    {-EINVAL, PROBLEM_BAD_PARAMETER},  {-E2BIG, PROBLEM_TOO_LARGE},
    {-EBADMSG, PROBLEM_SPLIT_DAMAGED}, {-EAGAIN, PROBLEM_BUSY},
    {-ENOMEM, PROBLEM_NO_MEMORY},      {-EFBIG, PROBLEM_TOO_LARGE},
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
    json_memory_begin();
    json_t *root = json_pack("{s:s+, s:s, s:i, s:s, s:s, s:s}", "type",
                             "urn:twonmnist:problem:", rows[kind].code, "title", rows[kind].title,
                             "status", (int)rows[kind].status, "detail", detail, "instance",
                             instance, "code", rows[kind].code);
    if (root && name)
        json_object_set_new(root, name, json_integer((json_int_t)number));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (json_memory_is_short()) {
        free(text);
        return NULL;
    }
    return text;
}

static void answer(const struct request *request, struct reply *reply, enum problem_kind kind,
                   const char *name, uint64_t number, char *detail)
{
    reply_reset(reply);
    reply->status = rows[kind].status;
    reply_set_header(reply, "Content-Type", WIRE_PROBLEM_TYPE);
    reply_set_header(reply, "Cache-Control", "no-store");
    if (reply->status == 503)
        reply_set_header(reply, "Retry-After", "%d", RETRY_AFTER_S);
    char *text = document(request, kind, name, number, detail);
    if (text && reply_own(reply, text, strlen(text), NULL) < 0)
        reply->n_bytes = 0; /* the status has to say it alone */
}

void problem(const struct request *request, struct reply *reply, enum problem_kind kind,
             const char *format, ...)
{
    char detail[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    answer(request, reply, kind, NULL, 0, detail);
}

void problem_number(const struct request *request, struct reply *reply, enum problem_kind kind,
                    const char *name, uint64_t number, const char *format, ...)
{
    char detail[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    answer(request, reply, kind, name, number, detail);
}

void problem_error(const struct request *request, struct reply *reply, int error,
                   const struct error *why)
{
    enum problem_kind kind = PROBLEM_INTERNAL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].error == error)
            kind = kinds[i].kind;
    if (kind == PROBLEM_TOO_LARGE)
        problem_number(request, reply, kind, "limit",
                       error == -EFBIG ? FRAMES_BINS_MAX : reply->max_bytes, "%s", why->text);
    else
        problem(request, reply, kind, "%s", why->text);
}
