/* SPDX-License-Identifier: Apache-2.0
 * Whether a request's head can be read in one way only. */
#include "server/framing.h"

#include <string.h>
#include <strings.h>

enum { CRLF = 2 };

/* A space, a zero byte or a bare line feed that libmicrohttpd has passed over, or a folded line
 * that it has moved, and the next part does not begin where the one before has ended. */
static void expect(struct framing *framing, const char *part)
{
    framing->broken |= part != framing->next;
}

void framing_begin(struct framing *ret, const char *method, const char *target, const char *version)
{
    *ret = (struct framing){
        .start = method,
        .version = version,
        .next = method + strlen(method) + 1 + strlen(target) + 1,
    };
    expect(ret, version);
    ret->broken |= strchr(target, ' ') != NULL;
    ret->next = version + strlen(version) + CRLF;
}

void framing_add(struct framing *framing, const char *name, size_t name_size, const char *value,
                 size_t value_size)
{
    expect(framing, name);
    framing->broken |= name_size == 0 || strpbrk(name, " \t\r") || strchr(value, '\r');
    framing->next = value + value_size + CRLF;
    if (strcasecmp(name, "Host") == 0) {
        framing->n_hosts++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        framing->n_lengths++;
        framing->length = value;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->n_codings++;
        framing->coding = value;
    }
}

bool framing_check(const struct framing *framing, size_t size, enum problem_kind *ret_kind,
                   const char **ret_words)
{
    bool is_1_0 = strcmp(framing->version, "HTTP/1.0") == 0;
    const struct {
        bool wrong;
        enum problem_kind kind;
        const char *words;
    } rules[] = {
        {framing->broken || framing->next + CRLF != framing->start + size, PROBLEM_BAD_REQUEST,
         "a line of the head is not of the form that RFC 9112 asks for"},
        {framing->n_hosts > 1 || (framing->n_hosts == 0 && !is_1_0), PROBLEM_BAD_REQUEST,
         "a request has one Host"},
        {framing->n_lengths > 1, PROBLEM_BAD_REQUEST, "a request has one Content-Length at most"},
        {framing->n_codings && (framing->n_lengths || framing->n_codings > 1 || is_1_0),
         PROBLEM_BAD_REQUEST,
         "Transfer-Encoding is given twice, beside Content-Length, or in HTTP/1.0"},
        {framing->n_codings && strcasecmp(framing->coding, "chunked") != 0, PROBLEM_NOT_IMPLEMENTED,
         "the only Transfer-Encoding that is read is chunked"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong) {
            *ret_kind = rules[i].kind;
            *ret_words = rules[i].words;
            return false;
        }
    return true;
}
