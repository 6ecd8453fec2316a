/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. */
#include "client/servers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/retry.h"
#include "client/transfer.h"

static const char unix_prefix[] = "unix:";

static int read_socket(struct server *server, const char *url, struct error *why)
{
    const char *path = url + strlen(unix_prefix);
    if (path[0] != '/')
        return error_set(why, -EINVAL, "\"%.256s\": the socket's path has to begin with /", url);
    if (strlen(path) > 107) /* of sockaddr_un, with its end */
        return error_set(why, -EINVAL, "\"%.256s\": the path of a socket has 107 bytes at most",
                         url);
    server->socket = strdup(path);
    server->base = strdup("http://localhost");
    return server->socket && server->base ? 0 : error_set(why, -ENOMEM, "no memory for a server");
}

static int read_http(struct server *server, const char *url, struct error *why)
{
    int r = transfer_check_url(url, why);
    if (r < 0)
        return r;
    server->base = strdup(url);
    if (!server->base)
        return error_set(why, -ENOMEM, "no memory for a server");
    for (size_t n = strlen(server->base); n > 0 && server->base[n - 1] == '/'; n--)
        server->base[n - 1] = 0;
    return 0;
}

static int read_server(struct server *server, const char *url, struct error *why)
{
    if (!url || !url[0])
        return error_set(why, -EINVAL, "an empty server URL");
    server->name = strdup(url);
    if (!server->name)
        return error_set(why, -ENOMEM, "no memory for a server");
    bool is_socket = strncmp(url, unix_prefix, strlen(unix_prefix)) == 0;
    return is_socket ? read_socket(server, url, why) : read_http(server, url, why);
}

int servers_new(const char *const *urls, size_t n, struct servers **ret, struct error *why)
{
    if (!urls || n == 0 || n > SERVERS_MAX)
        return error_set(why, -EINVAL, "%zu servers; there have to be 1 to %d", n, SERVERS_MAX);
    struct servers *servers = calloc(1, sizeof *servers);
    if (!servers)
        return error_set(why, -ENOMEM, "no memory for servers");
    for (size_t i = 0; i < n; i++) {
        servers->n++;
        int r = read_server(&servers->list[i], urls[i], why);
        if (r < 0) {
            servers_free(servers);
            return r;
        }
    }
    *ret = servers;
    return 0;
}

void servers_free(struct servers *servers)
{
    for (size_t i = 0; servers && i < servers->n; i++) {
        free(servers->list[i].name);
        free(servers->list[i].base);
        free(servers->list[i].socket);
    }
    free(servers);
}

/* "http://localhost:8642" and the like; of a socket, too. */
static bool is_local(const char *base)
{
    const char *host = strstr(base, "://");
    host = host ? host + 3 : base;
    if (strncmp(host, "[::1]", 5) == 0)
        return true;
    size_t n = strcspn(host, ":/");
    bool is_address = strspn(host, "0123456789.") == n;
    return (n == 9 && strncasecmp(host, "localhost", n) == 0) ||
           (is_address && strncmp(host, "127.", 4) == 0);
}

bool servers_are_local(const struct servers *servers)
{
    for (size_t i = 0; i < servers->n; i++)
        if (!is_local(servers->list[i].base))
            return false;
    return true;
}

bool server_failed(struct server *server, const tnm_options *options,
                   const struct server_failure *failure)
{
    bool counts = failure->number > server->failed_at;
    uint64_t rest = 0, floor = failure->at_least_ms;
    if (floor > options->retry_after_max_ms)
        floor = options->retry_after_max_ms;
    if (counts) {
        server->failures++;
        server->failed_at = failure->last_number;
        server->is_silent = failure->is_silent;
        server->error = failure->error;
        snprintf(server->reason, sizeof server->reason, "%.319s", failure->reason);
        rest = retry_backoff_ms(server->failures, options->backoff_ms, options->backoff_max_ms,
                                failure->random);
    } else if (server->failures == 0) {
        return false; /* it has answered since */
    }
    uint64_t until = failure->now_ms + (rest > floor ? rest : floor);
    if (until > server->rest_until_ms)
        server->rest_until_ms = until;
    return counts;
}

bool server_answered(struct server *server, uint64_t number)
{
    if (server->failures == 0 || number <= server->failed_at)
        return false;
    server->failures = 0;
    server->is_silent = false;
    server->rest_until_ms = 0;
    return true;
}

void server_took(struct server *server, uint64_t ms)
{
    enum { WEIGHT = 8 };
    double took = ms ? (double)ms : 0.5;
    server->typical_ms += server->typical_ms > 0 ? (took - server->typical_ms) / WEIGHT : took;
}

uint64_t server_free_at(const struct server *server)
{
    return server->is_probed ? UINT64_MAX : server->rest_until_ms;
}

double servers_typical_ms(const struct servers *servers, size_t but)
{
    double sum = 0;
    unsigned n = 0;
    for (size_t s = 0; s < servers->n; s++)
        if (s != but && servers->list[s].typical_ms > 0) {
            sum += servers->list[s].typical_ms;
            n++;
        }
    return n ? sum / n : 0;
}
