/* SPDX-License-Identifier: Apache-2.0
 * A Unix socket and its file: made where nothing but a dead daemon's socket is in the way, removed
 * while it is still ours. */
#pragma once

#include <sys/stat.h>

#include "common/error.h"

/* Listen on `path`. A socket there that nobody answers on is replaced; of several daemons that find
 * the same one, one wins.
 * Returns a descriptor, and what the file is in *ret_made.
 * Errors: -EADDRINUSE somebody answers there, or the file is no socket: it is left alone; -EBUSY
 * the folder stays locked; those of open(), bind() and listen(). */
int unix_socket_listen(const char *path, int backlog, struct stat *ret_made, struct error *why);

/* Remove the file, unless somebody has put another in its place. */
void unix_socket_unlink(const char *path, const struct stat *made);
