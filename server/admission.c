/* SPDX-License-Identifier: Apache-2.0
 * Who may come in. */
#include "server/admission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/metrics.h"

enum { BUCKET_BITS = 10 };

/* What the key of an address begins with, so that families do not meet. */
enum { KEY_UNIX = 1, KEY_IPV4 = 2 };

struct visitor {
    struct visitor *next;
    uint64_t address;
    unsigned n;
};

struct admission {
    unsigned most, most_per_address;
    atomic_uint n;
    pthread_mutex_t lock; /* of what follows, which is used only where addresses are limited */
    struct visitor *buckets[1 << BUCKET_BITS];
};

int admission_new(unsigned most, unsigned most_per_address, struct admission **ret,
                  struct error *why)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (!admission)
        return error_set(why, -ENOMEM, "no memory to count connections in");
    admission->most = most;
    admission->most_per_address = most_per_address;
    pthread_mutex_init(&admission->lock, NULL);
    *ret = admission;
    return 0;
}

unsigned admission_count(struct admission *admission)
{
    return atomic_load(&admission->n);
}

void admission_free(struct admission *admission)
{
    if (!admission)
        return;
    pthread_mutex_destroy(&admission->lock);
    free(admission);
}

static uint64_t ipv4_key(const void *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return (uint64_t)KEY_IPV4 << 32 | number;
}

/* Who has one IPv6 address usually has 2^64 of them. */
static uint64_t ipv6_key(const struct in6_addr *address)
{
    uint64_t network;
    memcpy(&network, address, sizeof network);
    return IN6_IS_ADDR_V4MAPPED(address) ? ipv4_key(&address->s6_addr[12]) : network;
}

static uint64_t key_of(const struct guest *guest)
{
    struct ucred user = {0};
    socklen_t size = sizeof user;
    switch (guest->from.ss_family) {
    case AF_INET:
        return ipv4_key(&((const struct sockaddr_in *)&guest->from)->sin_addr);
    case AF_INET6:
        return ipv6_key(&((const struct sockaddr_in6 *)&guest->from)->sin6_addr);
    }
    getsockopt(guest->fd, SOL_SOCKET, SO_PEERCRED, &user, &size);
    return (uint64_t)KEY_UNIX << 32 | user.uid;
}

static struct visitor **find(struct admission *admission, uint64_t address)
{
    size_t bucket = address * UINT64_C(0x9E3779B97F4A7C15) >> (64 - BUCKET_BITS);
    struct visitor **link = &admission->buckets[bucket];
    while (*link && (*link)->address != address)
        link = &(*link)->next;
    return link;
}

static bool enter(struct admission *admission, uint64_t address)
{
    if (!admission->most_per_address)
        return true;
    pthread_mutex_lock(&admission->lock);
    struct visitor **link = find(admission, address);
    if (!*link && (*link = calloc(1, sizeof **link)))
        (*link)->address = address;
    bool may = *link && (*link)->n < admission->most_per_address;
    if (may)
        (*link)->n++;
    pthread_mutex_unlock(&admission->lock);
    return may;
}

static void leave(struct admission *admission, uint64_t address)
{
    if (!admission->most_per_address)
        return;
    pthread_mutex_lock(&admission->lock);
    struct visitor **link = find(admission, address), *visitor = *link;
    if (visitor && --visitor->n == 0) {
        *link = visitor->next;
        free(visitor);
    }
    pthread_mutex_unlock(&admission->lock);
}

static int accept_guest(struct admission *admission, int listen_fd, struct guest *guest)
{
    guest->from_size = sizeof guest->from;
    guest->fd = accept4(listen_fd, (struct sockaddr *)&guest->from, &guest->from_size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (guest->fd < 0)
        return -errno;
    guest->address = key_of(guest);
    if (enter(admission, guest->address))
        return 0;
    close(guest->fd);
    tally_add(METRICS_REJECTED_ADDRESS, 1);
    return -ECONNREFUSED;
}

int admission_accept(struct admission *admission, int listen_fd, struct guest *ret)
{
    struct guest guest = {0};
    if (atomic_fetch_add(&admission->n, 1) >= admission->most) {
        atomic_fetch_sub(&admission->n, 1);
        return -EUSERS;
    }
    int r = accept_guest(admission, listen_fd, &guest);
    if (r < 0) {
        atomic_fetch_sub(&admission->n, 1);
        return r;
    }
    guest.admission = admission;
    tally_add(METRICS_ACCEPTED, 1);
    *ret = guest;
    return 0;
}

void guest_name(const struct guest *guest, char ret[GUEST_NAME_SIZE])
{
    const struct sockaddr_in *ipv4 = (const void *)&guest->from;
    const struct sockaddr_in6 *ipv6 = (const void *)&guest->from;
    switch (guest->from.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &ipv4->sin_addr, ret, GUEST_NAME_SIZE);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &ipv6->sin6_addr, ret, GUEST_NAME_SIZE);
        break;
    default:
        snprintf(ret, GUEST_NAME_SIZE, "unix:%u", (unsigned)guest->address);
    }
}

void admission_leave(struct admission *admission, uint64_t address)
{
    leave(admission, address);
    tally_add(METRICS_CLOSED, 1);
    atomic_fetch_sub(&admission->n, 1);
}
