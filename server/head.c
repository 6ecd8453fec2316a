/* SPDX-License-Identifier: Apache-2.0
 * The head of a request. */
#include "server/head.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base_path.h"

struct reading {
    struct head *head;
    struct request *request;
};

static const struct {
    const char *name;
    size_t offset; /* of its value in the request */
    int list;      /* several lines are one list; -1: the first line counts */
} fields[] = {
    {MHD_HTTP_HEADER_AUTHORIZATION, offsetof(struct request, authorization), 2},
    {MHD_HTTP_HEADER_ACCEPT, offsetof(struct request, accept), 0},
    {MHD_HTTP_HEADER_ACCEPT_ENCODING, offsetof(struct request, accept_encoding), 3},
    {MHD_HTTP_HEADER_IF_NONE_MATCH, offsetof(struct request, if_none_match), 1},
    {MHD_HTTP_HEADER_RANGE, offsetof(struct request, range), -1},
    {MHD_HTTP_HEADER_IF_RANGE, offsetof(struct request, if_range), -1},
    {MHD_HTTP_HEADER_HOST, offsetof(struct request, host), -1},
    {"X-Forwarded-Host", offsetof(struct request, forwarded_host), -1},
    {"X-Forwarded-Proto", offsetof(struct request, forwarded_proto), -1},
    {"X-Forwarded-Prefix", offsetof(struct request, forwarded_prefix), -1},
    {MHD_HTTP_HEADER_ORIGIN, offsetof(struct request, origin), -1},
    {"Access-Control-Request-Method", offsetof(struct request, asked_method), -1},
};

static enum MHD_Result add_query(void *user, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    struct request *request = user;
    unsigned i = request->n_query++;
    if (i < REQUEST_MAX_QUERY) {
        request->query[i].name = name;
        request->query[i].value = value ? value : "";
    }
    return MHD_YES;
}

/* Several lines of a list read as one (RFC 9110, 5.3). */
static void append(char **list, const char **field, const char *value)
{
    char *joined;
    if (asprintf(&joined, "%s, %s", *field, value) < 0)
        return;
    free(*list);
    *field = *list = joined;
}

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct reading *reading = user;
    framing_add(&reading->head->framing, name, name_size, value, value_size);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcasecmp(name, fields[i].name) != 0)
            continue;
        const char **field = (void *)((char *)reading->request + fields[i].offset);
        if (!*field)
            *field = value;
        else if (fields[i].list >= 0)
            append(&reading->head->lists[fields[i].list], field, value);
    }
    return MHD_YES;
}

static enum request_method method_of(const char *name)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET",
        [METHOD_HEAD] = "HEAD",
        [METHOD_POST] = "POST",
        [METHOD_OPTIONS] = "OPTIONS",
    };
    enum request_method method = 0;
    while (method < METHOD_OTHER && strcmp(name, names[method]) != 0)
        method++;
    return method;
}

/* The path of a target that may be a whole URL, as proxies are asked (RFC 9112, 3.2.2). */
static const char *path_of(const char *target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i]);
        if (strncasecmp(target, schemes[i], n) == 0) {
            const char *path = strchr(target + n, '/');
            return path ? path : "/";
        }
    }
    return target;
}

void head_read(struct head *head, struct MHD_Connection *connection, const char *path,
               const char *method, const char *version, struct request *request)
{
    struct reading reading = {.head = head, .request = request};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    head->size = info ? info->header_size : 0;
    request->method = method_of(method);
    request->path = base_path_strip(service_settings(request->service)->base_path, path_of(path));
    framing_begin(&head->framing, method, request->url, version);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, &reading);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, request);
}

void head_free(struct head *head)
{
    for (unsigned i = 0; i < HEAD_N_LISTS; i++)
        free(head->lists[i]);
}
