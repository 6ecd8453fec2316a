/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: what is in an answer. */
#include "tests/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/budget.h"

struct reply answer_new(void)
{
    budget_set(UINT64_MAX, UINT64_MAX);
    return (struct reply){.max_bytes = UINT64_MAX};
}

const char *answer_header(const struct reply *reply, const char *name)
{
    const char *value = NULL;
    for (unsigned i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->headers[i].name, name) == 0) {
            assert_null(value);
            value = reply->headers[i].value;
        }
    return value;
}

char *answer_body(const struct reply *reply)
{
    char *body = malloc(reply->n_bytes + 1);
    size_t at = 0;
    assert_non_null(body);
    for (size_t i = 0; i < reply->n_parts; at += reply->parts[i++].iov_len)
        memcpy(body + at, reply->parts[i].iov_base, reply->parts[i].iov_len);
    assert_int_equal(at, reply->n_bytes);
    body[at] = '\0';
    return body;
}

void answer_is(const struct reply *reply, const void *bytes, size_t size)
{
    char *body = answer_body(reply);
    assert_int_equal(reply->n_bytes, size);
    assert_memory_equal(body, bytes, size);
    free(body);
}

void answer_end(struct reply *reply)
{
    reply_reset(reply);
    assert_int_equal(budget_used(), 0);
    assert_int_equal(reply->n_claimed, 0);
}
