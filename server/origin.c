/* SPDX-License-Identifier: Apache-2.0
 * Where a client sees this server. */
#include "server/origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char host_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]";

/* Of proxies behind each other the first has seen the client. */
static size_t first_of_list(const char *value)
{
    size_t n = strcspn(value, ",");
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    return n;
}

static bool take_host(const char *value, char *ret)
{
    size_t n = value ? first_of_list(value) : 0;
    if (n == 0 || n > ORIGIN_HOST_MAX || strspn(value, host_characters) < n)
        return false;
    memcpy(ret, value, n);
    ret[n] = '\0';
    return true;
}

static bool take_base(const char *value, char *ret)
{
    size_t n = value ? first_of_list(value) : 0;
    while (n > 0 && value[n - 1] == '/')
        n--;
    if (!value || !base_path_is_valid(value, n))
        return false;
    memcpy(ret, value, n);
    ret[n] = '\0';
    return true;
}

static const char *scheme_of(const struct request *request, bool trusts)
{
    const char *said = trusts ? request->forwarded_proto : NULL;
    size_t n = said ? first_of_list(said) : 0;
    if (n == strlen("https") && strncasecmp(said, "https", n) == 0)
        return "https";
    if (n == strlen("http") && strncasecmp(said, "http", n) == 0)
        return "http";
    return request->is_tls ? "https" : "http";
}

void origin_of(const struct request *request, struct origin *ret)
{
    const struct settings *settings = service_settings(request->service);
    bool trusts = settings->trust_forwarded;
    char host[ORIGIN_HOST_MAX + 1];
    if (!trusts || !take_base(request->forwarded_prefix, ret->base))
        snprintf(ret->base, sizeof ret->base, "%s", settings->base_path);
    if ((trusts && take_host(request->forwarded_host, host)) || take_host(request->host, host))
        snprintf(ret->url, sizeof ret->url, "%s://%s%s", scheme_of(request, trusts), host,
                 ret->base);
    else
        snprintf(ret->url, sizeof ret->url, "%s", ret->base);
}
