/* SPDX-License-Identifier: Apache-2.0
 * Looks up the addresses that servers' names have, and their SRV records, now and then: those of a
 * service are as many servers, and come and go. The system does it; requests go to the name itself
 * until it has, and wait for SRV records. Loop thread only. */
#pragma once

#include <stdbool.h>

#include "client/loop.h"
#include "client/servers.h"

struct names;

/* All is borrowed. With srv_alone the names of hosts are nobody's business here. last_number() is
 * that of the last try that was sent; changed() is told when servers have come or gone, or SRV
 * records for which requests wait were not found. Errors: -ENOMEM. */
int names_new(struct loop *loop, struct servers *servers, bool srv_alone,
              uint64_t (*last_number)(void *user), void (*changed)(void *user), void *user,
              struct names **ret);
void names_free(struct names *names); /* accepts NULL */

/* Whether the system has been asked for each name at least once, and has answered. */
bool names_are_known(const struct names *names);

/* A request begins, or goes on; or (soon) a server has failed: look up what is due. A server that
 * is unknown is looked up whenever it does not rest, and counts as probed meanwhile. */
void names_look(struct names *names, bool soon);
