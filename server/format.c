/* SPDX-License-Identifier: Apache-2.0
 * The formats of answers: by a path's extension, or by what the client accepts. */
#include "server/format.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct format_row format_rows[N_FORMATS] = {
    [FORMAT_JSON] = {"json", "application/json"},
    [FORMAT_BIN] = {"bin", "application/octet-stream"},
    [FORMAT_NPY] = {"npy", "application/x-npy"},
    [FORMAT_SAFETENSORS] = {"safetensors", "application/x-safetensors"},
};

enum { QUALITY_FULL = 1000 };

enum format format_by_extension(const char *extension, size_t n)
{
    enum format format = 0;
    while (format < N_FORMATS && (strlen(format_rows[format].extension) != n ||
                                  memcmp(format_rows[format].extension, extension, n) != 0))
        format++;
    return format;
}

/* "0.85" as 850. */
static int quality_of(const char *range, size_t n)
{
    const char *q = memmem(range, n, ";q=", 3);
    if (!q)
        q = memmem(range, n, "; q=", 4);
    if (!q)
        return QUALITY_FULL;
    q = strchr(q, '=') + 1;
    int quality = *q == '1' ? QUALITY_FULL : 0;
    if (*q == '0' && q[1] == '.')
        for (int digit = 2, scale = 100; scale > 0 && isdigit((unsigned char)q[digit]); digit++) {
            quality += (q[digit] - '0') * scale;
            scale /= 10;
        }
    return quality;
}

/* How exactly a media range names the type: 3 type, 2 type/, 1 anything, 0 not. */
static int precision_of(const char *range, size_t n, const char *type)
{
    size_t name = strcspn(range, " ;,");
    if (name > n)
        name = n;
    size_t slash = (size_t)(strchr(type, '/') - type) + 1;
    if (name == strlen(type) && strncasecmp(range, type, name) == 0)
        return 3;
    if (name == slash + 1 && range[slash] == '*' && strncasecmp(range, type, slash) == 0)
        return 2;
    return name == 3 && memcmp(range, "*/*", 3) == 0;
}

static int quality_for(const char *accept, const char *type)
{
    int best_precision = 0, quality = 0;
    while (*accept) {
        accept += strspn(accept, " ,\t");
        size_t n = strcspn(accept, ",");
        int precision = precision_of(accept, n, type);
        if (precision > best_precision) {
            best_precision = precision;
            quality = quality_of(accept, n);
        }
        accept += n;
    }
    return quality;
}

enum format format_negotiate(unsigned formats, const char *accept)
{
    enum format best = N_FORMATS;
    int best_quality = 0;
    for (enum format format = 0; format < N_FORMATS; format++) {
        if (!(formats & FORMAT_BIT(format)))
            continue;
        int quality = accept ? quality_for(accept, format_rows[format].media_type) : QUALITY_FULL;
        if (quality > best_quality) {
            best = format;
            best_quality = quality;
        }
    }
    return best;
}

void format_list(unsigned formats, char ret[FORMAT_LIST_SIZE])
{
    size_t used = 0;
    ret[0] = '\0';
    for (enum format format = 0; format < N_FORMATS; format++)
        if (formats & FORMAT_BIT(format))
            used += (size_t)snprintf(ret + used, FORMAT_LIST_SIZE - used, "%s%s", used ? ", " : "",
                                     format_rows[format].extension);
}
