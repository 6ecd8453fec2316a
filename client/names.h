/* SPDX-License-Identifier: Apache-2.0
 * Looks up the addresses that servers' names have, now and then: those of a service are as many
 * servers, and come and go. The system does it; requests go to the name itself until it has. Loop
 * thread only. */
#pragma once

#include "client/loop.h"
#include "client/servers.h"

struct names;

/* All is borrowed. last_number() is that of the last try that was sent; changed() is told when
 * servers have come or gone. Errors: -ENOMEM. */
int names_new(struct loop *loop, struct servers *servers, uint64_t (*last_number)(void *user),
              void (*changed)(void *user), void *user, struct names **ret);
void names_free(struct names *names); /* accepts NULL */

/* A request begins; or (soon) a server has failed: look up what is due. */
void names_look(struct names *names, bool soon); /* accepts NULL */
