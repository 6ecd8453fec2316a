/* SPDX-License-Identifier: Apache-2.0
 * Zip archives made for tests. */
#pragma once

#include <stddef.h>

struct zip_member {
    const char *name; /* a folder's ends with a slash */
    const void *bytes;
    size_t size;
    const char *link; /* NULL, or where a symbolic link goes */
};

/* Write the archive, deflated or stored. */
void zip_write(const char *path, const struct zip_member *members, size_t n_members,
               const char *compression);
