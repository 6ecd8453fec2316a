/* SPDX-License-Identifier: Apache-2.0
 * The files of the web page, compiled in. The build writes the table (viewer/embed.sh). */
#pragma once

#include <stddef.h>

struct viewer_file {
    const char *name; /* with its extension */
    const char *tag;  /* of its content */
    const unsigned char *plain, *gzip;
    size_t plain_size, gzip_size;
};

extern const struct viewer_file viewer_files[];
extern const unsigned n_viewer_files;
