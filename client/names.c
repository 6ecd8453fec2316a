/* SPDX-License-Identifier: Apache-2.0
 * Looks up the addresses that servers' names have, now and then. */
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
enum { EVERY_MS = 30000, SOON_MS = 1000, ADDRESSES_MAX = SERVERS_MORE + 1 };

struct names {
    struct loop *loop;
    struct servers *servers;
    uint64_t (*last_number)(void *user);
    void (*changed)(void *user);
    void *user;
    struct loop_lookup *lookup; /* one at a time, */
    size_t url;                 /* of this one */
    bool was_asked[SERVERS_MAX];
    uint64_t asked_at_ms[SERVERS_MAX];
};

/* ---- What the system says ---- */

struct found {
    char addresses[ADDRESSES_MAX][SERVER_ADDRESS_MAX];
    size_t n;
};

static void add(struct found *found, const struct addrinfo *one)
{
    const struct sockaddr_in *v4 = (const void *)one->ai_addr;
    const struct sockaddr_in6 *v6 = (const void *)one->ai_addr;
    const void *bytes = one->ai_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr;
    char *address = found->addresses[found->n];
    if (found->n == ADDRESSES_MAX || !inet_ntop(one->ai_family, bytes, address, SERVER_ADDRESS_MAX))
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
    if (list) { /* else what was known holds on */
        find_addresses(list, &found);
        if (found.n > 0 && servers_set_addresses(names->servers, names->url, found.addresses,
                                                 found.n, names->last_number(names->user)))
            names->changed(names->user);
    }
    look_next(names);
}

/* ---- When it is asked ---- */

static bool is_due(const struct names *names, size_t url, uint64_t after_ms)
{
    return names->servers->list[url].host &&
           (!names->was_asked[url] ||
            loop_now_ms(names->loop) >= names->asked_at_ms[url] + after_ms);
}

static void look(struct names *names, size_t url)
{
    names->url = url;
    names->was_asked[url] = true;
    names->asked_at_ms[url] = loop_now_ms(names->loop);
    loop_lookup(names->loop, names->servers->list[url].host, on_found, names, &names->lookup);
}

static void look_for_due(struct names *names, uint64_t after_ms)
{
    for (size_t url = 0; url < names->servers->n_urls && !names->lookup; url++)
        if (is_due(names, url, after_ms))
            look(names, url);
}

static void look_next(struct names *names)
{
    look_for_due(names, EVERY_MS);
}

void names_look(struct names *names, bool soon)
{
    if (names)
        look_for_due(names, soon ? SOON_MS : EVERY_MS);
}

int names_new(struct loop *loop, struct servers *servers, uint64_t (*last_number)(void *user),
              void (*changed)(void *user), void *user, struct names **ret)
{
    struct names *names = calloc(1, sizeof *names);
    if (!names)
        return -ENOMEM;
    names->loop = loop;
    names->servers = servers;
    names->last_number = last_number;
    names->changed = changed;
    names->user = user;
    *ret = names;
    return 0;
}

void names_free(struct names *names)
{
    if (names)
        loop_lookup_abandon(names->lookup);
    free(names);
}
