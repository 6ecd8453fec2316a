/* SPDX-License-Identifier: Apache-2.0
 * Whatever servers have at a path, as it comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/digest.h"
#include "client/failure.h"

struct bytes {
    char *bytes; /* a NUL stands behind them */
    size_t size;
};

/* From its "/" on, of what may stand in a request's first line. */
static int check_path(const char *path)
{
    const char *at = path ? path : "";
    if (*at != '/')
        return failure_set(-EINVAL, "a path begins with /, not as \"%.80s\"", at);
    while (*at > ' ' && *at <= '~' && *at != '#')
        at++;
    if (*at)
        return failure_set(-EINVAL, "\"%.256s\" is no path: byte %zu has to be written as %%%02X",
                           path, (size_t)(at - path), (unsigned)(unsigned char)*at);
    return 0;
}

static int take(void *user, struct answer *answer, struct error *why)
{
    struct bytes *ret = user;
    int r = digest_check(answer, why);
    if (r < 0)
        return r;
    char *bytes = malloc(answer->body.size + 1);
    if (!bytes)
        return error_set(why, -ENOMEM, "no memory for an answer of %zu bytes", answer->body.size);
    if (answer->body.size)
        memcpy(bytes, answer->body.bytes, answer->body.size);
    bytes[answer->body.size] = '\0';
    free(ret->bytes);
    *ret = (struct bytes){bytes, answer->body.size};
    return 0;
}

int tnm_get(tnm_client *client, const char *path, const char *type, char **ret, size_t *ret_size)
{
    struct bytes bytes = {NULL, 0};
    int r = client_check(client);
    if (r == 0)
        r = check_path(path);
    if (r == 0 && !type)
        r = failure_set(-EINVAL, "there is no media type");
    if (r < 0)
        return r;
    const struct request_ask ask = {
        .what = path, .path = path, .type = type, .check = take, .user = &bytes};
    r = client_request(client, &ask, NULL);
    if (r == 0) {
        *ret = bytes.bytes;
        *ret_size = bytes.size;
    } else {
        free(bytes.bytes);
    }
    return r;
}
