/* SPDX-License-Identifier: Apache-2.0
 * Keeps the daemon alive when a mapped file is cut short underneath it: the SIGBUS puts zeros where
 * the rest of the file was, and marks the map as damaged. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

/* Install the handler; once, before the first map is watched. Errors: those of sigaction(). */
int guard_install(void);

/* Watch `size` bytes of map from `start`, from before the first of them is read; *damaged is set
 * when a page of it is lost. As many maps as there is memory for. Any thread. Errors: -ENOMEM. */
int guard_watch(const void *start, size_t size, atomic_bool *damaged);

/* Before the map is unmapped. */
void guard_forget(const void *start);
