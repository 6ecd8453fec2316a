/* SPDX-License-Identifier: Apache-2.0
 * An address to listen on, as text (ADDR:PORT or unix:PATH) and as the kernel takes it. */
#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/number.h"

static const char unix_prefix[] = "unix:";
enum { UNIX_PREFIX = sizeof unix_prefix - 1, PORT_MAX = 65535, PORT_DIGITS = 5 };

struct parts {
    char host[ADDRESS_TEXT_SIZE];
    const char *port;
};

static int check_unix(const char *path, struct error *why)
{
    enum { PATH_MOST = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
    size_t n = strlen(path);
    if (n == 0 || n > PATH_MOST)
        return error_set(why, -EINVAL, "unix:%s: the path has %zu bytes, not 1 to %d", path, n,
                         PATH_MOST);
    return 0;
}

static int check_port(const char *text, const char *port, struct error *why)
{
    uint64_t number;
    if (number_parse("port", port, strlen(port), 0, PORT_MAX, &number, NULL) < 0)
        return error_set(why, -EINVAL, "\"%s\": the port \"%s\" is not a number from 0 to %d", text,
                         port, PORT_MAX);
    return 0;
}

/* Only in brackets can an address that has colons itself be told from its port. */
static int split_host(const char *text, struct parts *ret, struct error *why)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0)
        return error_set(why, -EINVAL, "\"%s\" is neither ADDR:PORT nor unix:PATH", text);
    bool brackets = text[0] == '[' && text[n - 1] == ']';
    const char *host = brackets ? text + 1 : text;
    size_t n_host = brackets ? n - 2 : n;
    if (!brackets && memchr(host, ':', n_host))
        return error_set(why, -EINVAL, "\"%s\": an IPv6 address stands in brackets, as [::1]:8642",
                         text);
    if (n_host == 0 || n_host >= sizeof ret->host)
        return error_set(why, -EINVAL, "\"%s\": the host has %zu bytes, not 1 to %zu", text, n_host,
                         sizeof ret->host - 1);
    memcpy(ret->host, host, n_host);
    ret->host[n_host] = '\0';
    ret->port = colon + 1;
    return 0;
}

static int check_parts(const char *text, struct parts *ret, struct error *why)
{
    int r = split_host(text, ret, why);
    return r < 0 ? r : check_port(text, ret->port, why);
}

static bool is_unix(const char *text)
{
    return strncmp(text, unix_prefix, UNIX_PREFIX) == 0;
}

int address_check(const char *text, struct error *why)
{
    struct parts parts;
    return is_unix(text) ? check_unix(text + UNIX_PREFIX, why) : check_parts(text, &parts, why);
}

static int parse_unix(const char *path, struct address *ret, struct error *why)
{
    int r = check_unix(path, why);
    if (r < 0)
        return r;
    struct sockaddr_un *un = (struct sockaddr_un *)&ret->storage;
    memset(ret, 0, sizeof *ret);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path));
    ret->size = sizeof *un;
    return 0;
}

static int parse_ip(const char *text, struct address *ret, struct error *why)
{
    struct parts parts;
    int r = check_parts(text, &parts, why);
    if (r < 0)
        return r;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    r = getaddrinfo(parts.host, parts.port, &hints, &found);
    if (r != 0)
        return error_set(why, -EINVAL, "\"%s\": %s", text, gai_strerror(r));
    memset(ret, 0, sizeof *ret);
    memcpy(&ret->storage, found->ai_addr, found->ai_addrlen);
    ret->size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int address_parse(const char *text, struct address *ret, struct error *why)
{
    return is_unix(text) ? parse_unix(text + UNIX_PREFIX, ret, why) : parse_ip(text, ret, why);
}

const char *address_unix_path(const struct address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
    return address->storage.ss_family == AF_UNIX ? un->sun_path : NULL;
}

static bool is_loopback(struct in_addr address)
{
    return ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

bool address_is_local(const struct address *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)&address->storage)->sin6_addr;
    struct in_addr mapped;
    switch (address->storage.ss_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return is_loopback(in->sin_addr);
    case AF_INET6:
        memcpy(&mapped, &v6->s6_addr[12], sizeof mapped);
        return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && is_loopback(mapped));
    }
    return false;
}

void address_print(const struct address *address, char *ret_text, size_t size)
{
    const char *path = address_unix_path(address);
    char host[ADDRESS_TEXT_SIZE], port[PORT_DIGITS + 1];
    if (path)
        snprintf(ret_text, size, "%s%s", unix_prefix, path);
    else if (getnameinfo((const struct sockaddr *)&address->storage, address->size, host,
                         sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(ret_text, size, address->storage.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                 port);
    else
        snprintf(ret_text, size, "an address of family %d", address->storage.ss_family);
}
