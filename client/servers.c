/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. */
#include "client/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void server_failed(struct server *server, const tnm_options *options, uint64_t now_ms,
                   uint64_t at_least_ms, uint32_t random)
{
    if (server->failures == 0 || server->is_probed || now_ms >= server->rest_until_ms)
        server->failures++; /* requests that fail together count once */
    server->is_probed = false;
    uint64_t rest =
        retry_backoff_ms(server->failures, options->backoff_ms, options->backoff_max_ms, random);
    if (at_least_ms > options->retry_after_max_ms)
        at_least_ms = options->retry_after_max_ms;
    server->rest_until_ms = now_ms + (rest > at_least_ms ? rest : at_least_ms);
}

void server_answered(struct server *server)
{
    server->failures = 0;
    server->is_probed = false;
    server->rest_until_ms = 0;
}

void server_probe(struct server *server, const tnm_options *options, uint64_t now_ms)
{
    if (server->failures == 0)
        return;
    server->is_probed = true;
    server->rest_until_ms = now_ms + options->timeout_ms;
}
