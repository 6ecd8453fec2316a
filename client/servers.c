/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. */
#include "client/servers.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/hash.h"
#include "client/retry.h"
#include "client/transfer.h"

static const char unix_prefix[] = "unix:";
static const char *const srv_prefixes[] = {"http+srv://", "https+srv://"};

static void set_label(struct server *server)
{
    if (server->own_base)
        snprintf(server->label, sizeof server->label, "%.211s", server->own_base);
    else if (server->address[0])
        snprintf(server->label, sizeof server->label, "%.160s (%s)", server->name, server->address);
    else
        snprintf(server->label, sizeof server->label, "%.160s", server->name);
}

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

/* "http://host:port/path": the host, unless it is an address or this machine. */
static int read_host(struct server *server, struct error *why)
{
    struct in_addr address;
    const char *begin = strstr(server->base, "://");
    begin = begin ? begin + 3 : server->base;
    char *host = strndup(begin, strcspn(begin, ":/"));
    if (!host)
        return error_set(why, -ENOMEM, "no memory for a server");
    if (*host == '[' || !*host || strcasecmp(host, "localhost") == 0 ||
        inet_pton(AF_INET, host, &address) == 1)
        free(host);
    else
        server->host = host;
    return 0;
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
    return read_host(server, why);
}

/* ---- SRV records ---- */

/* Length of the scheme that stands for SRV records, up to the host; 0: it is another. */
static size_t srv_prefix(const char *url)
{
    for (size_t i = 0; i < sizeof srv_prefixes / sizeof *srv_prefixes; i++)
        if (strncasecmp(url, srv_prefixes[i], strlen(srv_prefixes[i])) == 0)
            return strlen(srv_prefixes[i]);
    return 0;
}

/* "http", of "http+srv://". */
static int scheme_length(const char *url)
{
    return (int)strcspn(url, "+");
}

/* But for what it stands for it has to be a URL like any other. */
static int check_srv(const char *url, size_t prefix, struct error *why)
{
    char *plain;
    const char *name = url + prefix;
    int length = (int)strcspn(name, "/");
    if (asprintf(&plain, "%.*s://%s", scheme_length(url), url, name) < 0)
        return error_set(why, -ENOMEM, "no memory for a URL");
    int r = transfer_check_url(plain, why);
    free(plain);
    if (r == 0 && memchr(name, ':', (size_t)length))
        r = error_set(why, -EINVAL, "\"%.256s\": SRV records name the ports, so this URL has none",
                      url);
    if (r == 0 && length > 240) /* of 253 that a name can have, with "_https._tcp." */
        r = error_set(why, -EINVAL, "\"%.256s\": a name has 240 bytes at most", url);
    return r;
}

static int read_srv(struct server *server, const char *url, struct error *why)
{
    size_t prefix = srv_prefix(url);
    const char *name = url + prefix;
    int length = (int)strcspn(name, "/");
    int r = check_srv(url, prefix, why);
    if (r < 0)
        return r;
    r = name[0] == '_'
            ? asprintf(&server->srv, "%.*s", length, name)
            : asprintf(&server->srv, "_%.*s._tcp.%.*s", scheme_length(url), url, length, name);
    if (r < 0) {
        server->srv = NULL;
        return error_set(why, -ENOMEM, "no memory for a server");
    }
    server->is_unknown = true;
    server->error = -EHOSTUNREACH;
    snprintf(server->reason, sizeof server->reason, "%.253s: it is being looked up", server->srv);
    return 0;
}

/* "http://target:port/path" */
static char *base_of(const struct server *own, const struct srv_record *record)
{
    char *base;
    const char *path = strchr(own->name + srv_prefix(own->name), '/');
    int length = path ? (int)strlen(path) : 0;
    while (length > 0 && path[length - 1] == '/')
        length--;
    return asprintf(&base, "%.*s://%s:%u%.*s", scheme_length(own->name), own->name, record->target,
                    (unsigned)record->port, length, path ? path : "") < 0
               ? NULL
               : base;
}

static int read_server(struct server *server, const char *url, struct error *why)
{
    if (!url || !url[0])
        return error_set(why, -EINVAL, "an empty server URL");
    server->name = strdup(url);
    if (!server->name)
        return error_set(why, -ENOMEM, "no memory for a server");
    if (srv_prefix(url))
        return read_srv(server, url, why);
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
    bool has_names = false;
    for (size_t i = 0; i < n; i++) {
        struct server *server = &servers->list[i];
        servers->n_urls = ++servers->n;
        server->url = i;
        int r = read_server(server, urls[i], why);
        if (r < 0) {
            servers_free(servers);
            return r;
        }
        set_label(server);
        has_names |= server->host || server->srv;
    }
    servers->n_most = has_names ? n + SERVERS_MORE : n;
    if (servers->n_most > SERVERS_MAX)
        servers->n_most = SERVERS_MAX;
    *ret = servers;
    return 0;
}

/* ---- Where a URL's servers are ---- */

/* At an address of its host, or where a record says: then the base is of this server alone. */
struct where {
    const char *address;
    char *base;    /* or NULL */
    bool is_taken; /* by the server */
    unsigned priority;
    uint64_t lot; /* drawn by this client for it */
};

static bool is_at(const struct server *server, const struct where *where)
{
    return !server->is_unknown && strcmp(server->address, where->address) == 0 &&
           (!where->base || (server->own_base && strcmp(server->own_base, where->base) == 0));
}

static bool is_listed(const struct server *server, const struct where *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_at(server, &list[i]))
            return true;
    return false;
}

/* It is another one from now on: what became of the one before is forgotten, and what is still to
 * come of that. */
static void begin_anew(struct server *server, const struct where *where, uint64_t last_number)
{
    server->life++;
    server->is_absent = server->is_unknown = false;
    server->failures = 0;
    server->failed_at = last_number;
    server->is_silent = server->is_probed = false;
    server->rest_until_ms = 0;
    server->n_under_way = 0;
    server->error = 0;
    server->reason[0] = '\0';
    server->typical_ms = server->typical_rate = server->typical_whole_ms = 0;
    server->priority = where->priority;
    snprintf(server->address, sizeof server->address, "%s", where->address);
    set_label(server);
}

/* A server for one more place of the URL, if there is room: its own, if that has none that is
 * listed; one that is absent, or a new one. */
static struct server *place_for(struct servers *servers, size_t url, const struct where *list,
                                size_t n)
{
    struct server *own = &servers->list[url];
    if (own->is_absent || !is_listed(own, list, n))
        return own;
    for (size_t s = servers->n_urls; s < servers->n; s++)
        if (servers->list[s].is_absent)
            return &servers->list[s];
    return servers->n < servers->n_most ? &servers->list[servers->n++] : NULL;
}

static struct server *server_at(struct servers *servers, size_t url, const struct where *where)
{
    for (size_t s = 0; s < servers->n; s++)
        if (servers->list[s].url == url && !servers->list[s].is_absent &&
            is_at(&servers->list[s], where))
            return &servers->list[s];
    return NULL;
}

/* Whether any has left. */
static bool drop(struct servers *servers, size_t url, const struct where *list, size_t n)
{
    bool has_changed = false;
    for (size_t s = 0; s < servers->n; s++) {
        struct server *server = &servers->list[s];
        if (server->url != url || server->is_absent || is_listed(server, list, n))
            continue;
        server->is_absent = has_changed = true;
        server->typical_ms = server->typical_rate = server->typical_whole_ms = 0;
    }
    return has_changed;
}

/* Its own, those that it has, and what is free. */
static size_t count_places(const struct servers *servers, size_t url)
{
    size_t n = 1 + servers->n_most - servers->n;
    for (size_t s = servers->n_urls; s < servers->n; s++)
        n += servers->list[s].url == url || servers->list[s].is_absent;
    return n;
}

static int compare_wheres(const void *a, const void *b)
{
    const struct where *one = a, *other = b;
    if (one->priority != other->priority)
        return one->priority < other->priority ? -1 : 1;
    return (one->lot > other->lot) - (one->lot < other->lot);
}

/* Lots are of the places themselves, so that the same ones are kept in whatever order they are
 * listed, and others come in only for those that are gone. */
static void draw_lots(const struct servers *servers, struct where *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        list[i].lot = hash_mix(
            hash_text(hash_mix(servers->seed), list[i].base ? list[i].base : list[i].address));
    qsort(list, n, sizeof *list, compare_wheres);
}

static bool set_places(struct servers *servers, size_t url, struct where *list, size_t n,
                       uint64_t last_number)
{
    struct server *own = &servers->list[url];
    size_t n_places = count_places(servers, url);
    if (n > n_places) {
        draw_lots(servers, list, n);
        n = n_places;
    }
    bool has_changed = drop(servers, url, list, n);
    for (size_t i = 0; i < n; i++) {
        struct server *server = server_at(servers, url, &list[i]);
        if (server) {
            server->priority = list[i].priority;
            continue;
        }
        server = place_for(servers, url, list, n);
        assert(server); /* they were counted */
        free(server->own_base);
        server->own_base = list[i].base;
        list[i].is_taken = true;
        if (list[i].base || server != own) /* else other threads may read it */
            server->base = list[i].base ? list[i].base : own->base;
        if (server != own) {
            server->name = own->name;
            server->url = url;
        }
        begin_anew(server, &list[i], last_number);
        has_changed = true;
    }
    return has_changed;
}

bool servers_set_addresses(struct servers *servers, size_t url,
                           const char (*addresses)[SERVER_ADDRESS_MAX], size_t n,
                           uint64_t last_number)
{
    struct where list[SERVERS_LISTED] = {{.address = ""}}; /* where libcurl finds it */
    if (n > SERVERS_LISTED)
        n = SERVERS_LISTED;
    for (size_t i = 0; n > 1 && i < n; i++)
        list[i].address = addresses[i];
    return set_places(servers, url, list, n > 1 ? n : 1, last_number);
}

bool servers_set_records(struct servers *servers, size_t url, const struct srv_records *records,
                         uint64_t last_number)
{
    struct where list[SERVERS_LISTED];
    size_t n = 0;
    bool has_memory = true;
    while (n < records->n && has_memory) {
        const struct srv_record *record = &records->list[n];
        char *base = base_of(&servers->list[url], record);
        has_memory = base != NULL;
        if (base)
            list[n++] = (struct where){.address = "", .base = base, .priority = record->priority};
    }
    bool has_changed = n > 0 && has_memory && set_places(servers, url, list, n, last_number);
    while (n-- > 0)
        if (!list[n].is_taken)
            free(list[n].base);
    return has_changed;
}

size_t servers_count(const struct servers *servers)
{
    size_t n = 0;
    for (size_t s = 0; s < servers->n; s++)
        n += !servers->list[s].is_absent;
    return n;
}

void servers_free(struct servers *servers)
{
    for (size_t i = 0; servers && i < servers->n; i++) {
        struct server *server = &servers->list[i];
        free(server->own_base);
        if (i >= servers->n_urls)
            continue; /* the rest is of its URL's own */
        free(server->host);
        free(server->srv);
        free(server->name);
        if (!server->srv)
            free(server->base);
        free(server->socket);
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
    for (size_t i = 0; i < servers->n_urls; i++)
        if (servers->list[i].srv || !is_local(servers->list[i].base))
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

/* The mean, in which what is older weighs less. */
static void add_typical(double *typical, double value)
{
    enum { WEIGHT = 8 };
    *typical += *typical > 0 ? (value - *typical) / WEIGHT : value;
}

void server_took(struct server *server, uint64_t ms)
{
    add_typical(&server->typical_ms, ms ? (double)ms : 0.5);
}

void server_sent(struct server *server, uint64_t bytes, uint64_t ms)
{
    enum { LONG_BYTES = 65536 };
    add_typical(&server->typical_whole_ms, ms ? (double)ms : 0.5);
    if (bytes >= LONG_BYTES)
        add_typical(&server->typical_rate, (double)bytes / (ms ? (double)ms : 0.5));
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

double servers_typical_rate(const struct servers *servers, size_t but)
{
    double sum = 0;
    unsigned n = 0;
    for (size_t s = 0; s < servers->n; s++)
        if (s != but && servers->list[s].typical_rate > 0) {
            sum += servers->list[s].typical_rate;
            n++;
        }
    return n ? sum / n : 0;
}
