/* SPDX-License-Identifier: Apache-2.0
 * The formats of answers: by a path's extension, or by what the client accepts. */
#pragma once

#include <stddef.h>

enum format { FORMAT_JSON, FORMAT_BIN, FORMAT_NPY, FORMAT_SAFETENSORS, N_FORMATS };

#define FORMAT_BIT(format) (1u << (format))

struct format_row {
    const char *extension;
    const char *media_type;
};

extern const struct format_row format_rows[N_FORMATS];

/* The format of the `n` characters at `extension`, or N_FORMATS. */
enum format format_by_extension(const char *extension, size_t n);

/* The one of `formats` (bits) that an Accept header likes best, the first of equals; N_FORMATS
 * where it takes none. No header takes anything. Source: RFC 9110, 12.5.1. */
enum format format_negotiate(unsigned formats, const char *accept);

/* Their extensions, as text for a person: "json, bin". */
enum { FORMAT_LIST_SIZE = 64 };
void format_list(unsigned formats, char ret[FORMAT_LIST_SIZE]);
