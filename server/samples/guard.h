/* SPDX-License-Identifier: Apache-2.0
 * Keeps the daemon alive when a mapped file is cut short underneath it: the SIGBUS puts a page of
 * zeros there and marks the map as damaged. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

/* Install the handler; once, before the first map is watched. Errors: those of sigaction(). */
int guard_install(void);

/* Watch `size` bytes of map from `start`; *damaged is set when a page of it is lost.
 * Any thread. Errors: -ENOSPC more maps than can be watched. */
int guard_watch(const void *start, size_t size, atomic_bool *damaged);

/* Before the map is unmapped. */
void guard_forget(const void *start);
