/* SPDX-License-Identifier: Apache-2.0
 * The hidden folders in which runs make their files: each run holds a lock in its own, which ends
 * with it however it ends, so that the next one can remove those that nobody will come back to. */
#pragma once

#include "common/error.h"

/* Make a hidden folder in `folder`, and lock it. The caller frees *ret_hidden, and ends with
 * leftovers_remove() and close(*ret_lock). Errors: those of mkdir(); -ENOMEM. */
int leftovers_make(const char *folder, char **ret_hidden, int *ret_lock, struct error *why);

/* Remove the hidden folder with all that is in it. */
void leftovers_remove(const char *hidden);

/* Remove the hidden folders in `folder` whose runs have ended. What cannot be removed stays. */
void leftovers_sweep(const char *folder);
