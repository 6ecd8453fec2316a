/* SPDX-License-Identifier: Apache-2.0
 * Looks up the addresses that servers' names have, and their SRV records, now and then. */
#include "client/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Addresses come and go as slowly as services are rolled out, or at once where a server is gone. */
enum { EVERY_MS = 30000, SOON_MS = 1000 };

struct names {
    struct loop *loop;
    struct servers *servers;
    uint64_t (*last_number)(void *user);
    void (*changed)(void *user);
    void *user;
    bool srv_alone;
    struct loop_lookup *lookup; /* one at a time of these two, */
    struct srv_lookup *srv;
    size_t url; /* of this one */
    bool was_asked[SERVERS_MAX], is_known[SERVERS_MAX];
    uint64_t asked_at_ms[SERVERS_MAX];
};

/* ---- What the system says ---- */

struct found {
    char addresses[SERVERS_LISTED][SERVER_ADDRESS_MAX];
    size_t n;
};

static void add(struct found *found, const struct addrinfo *one)
{
    const struct sockaddr_in *v4 = (const void *)one->ai_addr;
    const struct sockaddr_in6 *v6 = (const void *)one->ai_addr;
    const void *bytes = one->ai_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr;
    char *address = found->addresses[found->n];
    if (found->n == SERVERS_LISTED ||
        !inet_ntop(one->ai_family, bytes, address, SERVER_ADDRESS_MAX))
        return;
    for (size_t i = 0; i < found->n; i++)
        if (strcmp(found->addresses[i], address) == 0)
            return;
    found->n++;
}

/* A text has no room for the link of an address of its own, and not every family has a way out: to
 * connect without a word is to ask the system for the way. */
static bool leads_somewhere(const struct addrinfo *one)
{
    const struct sockaddr_in6 *v6 = (const void *)one->ai_addr;
    if (one->ai_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
        return false;
    int fd = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* for all we know */
    bool has_way = connect(fd, one->ai_addr, one->ai_addrlen) == 0;
    close(fd);
    return has_way;
}

static void add_family(const struct addrinfo *list, int family, struct found *ret)
{
    ret->n = 0;
    for (; list; list = list->ai_next)
        if (list->ai_family == family && leads_somewhere(list))
            add(ret, list);
}

/* A host with an address of IPv4 and one of IPv6 is one server, and libcurl knows which of the two
 * to take: servers are told apart by the family of which there are more, and else by the one that
 * the system has put first. */
static void find_addresses(const struct addrinfo *list, struct found *ret)
{
    struct found other;
    bool is_v4 = list->ai_family == AF_INET;
    add_family(list, is_v4 ? AF_INET : AF_INET6, ret);
    add_family(list, is_v4 ? AF_INET6 : AF_INET, &other);
    if (other.n > ret->n)
        *ret = other;
}

static void look_next(struct names *names);

static void on_found(void *user, const struct addrinfo *list)
{
    struct names *names = user;
    struct found found;
    names->lookup = NULL;
    names->is_known[names->url] = true;
    if (list) { /* else what was known holds on */
        find_addresses(list, &found);
        if (found.n > 0 && servers_set_addresses(names->servers, names->url, found.addresses,
                                                 found.n, names->last_number(names->user)))
            names->changed(names->user);
    }
    look_next(names);
}

/* Where servers are known, that holds on; else this is the failure of the one that is not. */
static void not_found(struct names *names, const char *why)
{
    struct server *server = &names->servers->list[names->url];
    if (!server->is_unknown)
        return;
    server->is_probed = false;
    server->failures++;
    server->error = -EHOSTUNREACH;
    snprintf(server->reason, sizeof server->reason, "%.319s", why);
    server->rest_until_ms = loop_now_ms(names->loop) + SOON_MS;
    names->changed(names->user);
}

static void on_srv(void *user, const struct srv_records *found, const struct error *why)
{
    struct names *names = user;
    struct server *server = &names->servers->list[names->url];
    names->srv = NULL;
    names->is_known[names->url] = true;
    if (!found) {
        not_found(names, why->text);
    } else {
        if (server->is_unknown)
            server->is_probed = false;
        if (servers_set_records(names->servers, names->url, found, names->last_number(names->user)))
            names->changed(names->user);
        else
            not_found(names, "no memory for a server");
    }
    look_next(names);
}

/* ---- When it is asked ---- */

static bool is_ours(const struct names *names, size_t url)
{
    const struct server *server = &names->servers->list[url];
    return server->srv || (server->host && !names->srv_alone);
}

bool names_are_known(const struct names *names)
{
    for (size_t url = 0; url < names->servers->n_urls; url++)
        if (is_ours(names, url) && !names->is_known[url])
            return false;
    return true;
}

static bool is_due(const struct names *names, size_t url, uint64_t after_ms)
{
    const struct server *server = &names->servers->list[url];
    if (server->is_unknown)
        return server->is_probed;
    return is_ours(names, url) && (!names->was_asked[url] ||
                                   loop_now_ms(names->loop) >= names->asked_at_ms[url] + after_ms);
}

static void look(struct names *names, size_t url)
{
    const struct server *server = &names->servers->list[url];
    names->url = url;
    names->was_asked[url] = true;
    names->asked_at_ms[url] = loop_now_ms(names->loop);
    if (!server->srv)
        loop_lookup(names->loop, server->host, on_found, names, &names->lookup);
    else if (srv_lookup(names->loop, server->srv, on_srv, names, &names->srv) < 0)
        not_found(names, "no memory for a lookup");
}

static void look_for_due(struct names *names, uint64_t after_ms)
{
    for (size_t url = 0; url < names->servers->n_urls && !names->lookup && !names->srv; url++)
        if (is_due(names, url, after_ms))
            look(names, url);
}

/* Requests wait for what becomes of it. */
static void mark_unknown(struct names *names)
{
    for (size_t url = 0; url < names->servers->n_urls; url++) {
        struct server *server = &names->servers->list[url];
        if (server->is_unknown && server->rest_until_ms <= loop_now_ms(names->loop))
            server->is_probed = true;
    }
}

static void look_next(struct names *names)
{
    look_for_due(names, EVERY_MS);
}

void names_look(struct names *names, bool soon)
{
    mark_unknown(names);
    look_for_due(names, soon ? SOON_MS : EVERY_MS);
}

int names_new(struct loop *loop, struct servers *servers, bool srv_alone,
              uint64_t (*last_number)(void *user), void (*changed)(void *user), void *user,
              struct names **ret)
{
    struct names *names = calloc(1, sizeof *names);
    if (!names)
        return -ENOMEM;
    names->loop = loop;
    names->servers = servers;
    names->srv_alone = srv_alone;
    names->last_number = last_number;
    names->changed = changed;
    names->user = user;
    *ret = names;
    return 0;
}

void names_free(struct names *names)
{
    if (names) {
        loop_lookup_abandon(names->lookup);
        srv_lookup_abandon(names->srv);
    }
    free(names);
}
