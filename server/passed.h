/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets that the service manager passes (sd_listen_fds(3)). */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "server/address.h"

enum { PASSED_FIRST = 3, PASSED_MAX = 16 };

/* What was passed to this process. */
struct passed {
    unsigned n;                /* descriptors from PASSED_FIRST on */
    bool is_admin[PASSED_MAX]; /* it is named PASSED_ADMIN (FileDescriptorName= of its unit) */
};
#define PASSED_ADMIN "admin"

/* Which descriptors are ours; none where nothing was passed to this process.
 * Takes what says so out of the environment, before there are threads: it is said once.
 * Errors: -EINVAL LISTEN_FDS is not a number up to PASSED_MAX. */
int passed_find(struct passed *ret, struct error *why);

/* Check that a passed descriptor is a stream socket that listens, make it close at exec and not
 * block. Errors: -EBADF, -ENOTSOCK, -EINVAL it is not; why says what it is. */
int passed_take(int fd, struct address *ret, struct error *why);
