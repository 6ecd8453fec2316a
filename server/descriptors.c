/* SPDX-License-Identifier: Apache-2.0
 * How many connections the limit of open descriptors leaves room for. */
#include "server/descriptors.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

enum {
    FOR_PROCESS = 16, /* standard ones, the service manager's, files that are open for a moment */
    FOR_LOOP =
        12, /* libuv's epoll, its wake-up, its signals; libmicrohttpd's epolls and wake-ups */
    FOR_SPLIT = 2, /* the one that is served, and its successor */
    STANDARD_LIMIT = 1024,
};

uint64_t descriptors_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return STANDARD_LIMIT;
    struct rlimit most = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &most) == 0 ? most.rlim_cur : limit.rlim_cur;
}

int descriptors_fit(const struct descriptors *needed, uint64_t limit, uint64_t *ret_connections,
                    struct error *why)
{
    uint64_t n_sockets = (uint64_t)needed->n_loops * needed->n_listeners;
    uint64_t other = FOR_PROCESS + FOR_LOOP * (uint64_t)needed->n_loops + n_sockets +
                     FOR_SPLIT * (uint64_t)needed->n_splits + needed->n_admins;
    uint64_t least = other + needed->n_loops;
    if (limit < least)
        return error_set(why, -EMFILE,
                         "the limit of open descriptors (RLIMIT_NOFILE) is %" PRIu64
                         "; at least %" PRIu64 " are needed",
                         limit, least);
    uint64_t fit = limit - other;
    *ret_connections = fit < needed->max_connections ? fit : needed->max_connections;
    return 0;
}
