/* SPDX-License-Identifier: Apache-2.0
 * A secret that somebody types, or pipes in. */
#pragma once

#include <stddef.h>

#include "common/error.h"

/* Read the first line of a descriptor, without its end; from a terminal it is asked for, and not
 * shown. Errors: -EINVAL there is none, or it is not shorter than `size`; -EINTR it was
 * interrupted; those of read(). */
int secret_read(int fd, const char *prompt, char *ret, size_t size, struct error *why);
