/* SPDX-License-Identifier: Apache-2.0
 * The formats of answers: by a path's extension, or by what the client accepts. */
#include "server/format.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct format_row format_rows[N_FORMATS] = {
#define FORMAT_ROW(name, extension_, media_type_, text_, sample_, batch_, makers_) \
    [FORMAT_##name] = {.extension = extension_,                                    \
                       .media_type = media_type_,                                  \
                       .text = text_,                                              \
                       .sample = sample_,                                          \
                       .batch = batch_,                                            \
                       .makers = makers_},
    FORMATS(FORMAT_ROW)
#undef FORMAT_ROW
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

/* "0.85" as 850, of the `n` characters at `text`. */
static int quality_value(const char *text, size_t n)
{
    if (n == 0 || text[0] != '0')
        return QUALITY_FULL;
    int quality = 0, scale = QUALITY_FULL / 10;
    for (size_t i = 2; i < n && scale > 0 && text[1] == '.' && isdigit((unsigned char)text[i]);
         i++) {
        quality += (text[i] - '0') * scale;
        scale /= 10;
    }
    return quality;
}

/* The weight among a media range's parameters: blanks and upper case are allowed. */
static int quality_of(const char *range, size_t n)
{
    const char *end = range + n, *at = range;
    while ((at = memchr(at, ';', (size_t)(end - at)))) {
        do
            at++;
        while (at < end && (*at == ' ' || *at == '\t'));
        if (end - at >= 2 && (*at == 'q' || *at == 'Q') && at[1] == '=')
            return quality_value(at + 2, (size_t)(end - at - 2));
    }
    return QUALITY_FULL;
}

/* How exactly a media range names the type: 3 type, 2 type/, 1 anything, 0 not. */
static int precision_of(const char *range, size_t n, const char *type)
{
    size_t name = strcspn(range, " \t;,");
    if (name > n)
        name = n;
    size_t slash = (size_t)(strchr(type, '/') - type) + 1;
    if (name == strcspn(type, ";") && strncasecmp(range, type, name) == 0)
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

bool format_takes_gzip(const char *accept_encoding)
{
    const char *at = accept_encoding ? accept_encoding : "";
    while (*at) {
        at += strspn(at, " ,\t");
        size_t n = strcspn(at, ","), name = strcspn(at, " \t;,");
        if (name == strlen("gzip") && strncasecmp(at, "gzip", name) == 0)
            return quality_of(at, n) > 0;
        at += n;
    }
    return false;
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

unsigned format_of_samples(void)
{
    unsigned bits = 0;
    for (enum format format = 0; format < N_FORMATS; format++)
        if (format_rows[format].sample || format_rows[format].batch)
            bits |= FORMAT_BIT(format);
    return bits;
}

unsigned format_of_batches(void)
{
    unsigned bits = 0;
    for (enum format format = 0; format < N_FORMATS; format++)
        if (format_rows[format].batch)
            bits |= FORMAT_BIT(format);
    return bits;
}

unsigned format_of_form(const struct form *form)
{
    static const unsigned all = FORMAT_BIT(N_FORMATS) - 1;
    static const unsigned data = (FORMAT_BIT(N_FORMATS) - 1) & ~FORMAT_BIT(FORMAT_PNG);
    static const unsigned tensors =
        FORMAT_BIT(FORMAT_BIN) | FORMAT_BIT(FORMAT_NPY) | FORMAT_BIT(FORMAT_SAFETENSORS);
    static const unsigned formats[] = {
        [FORM_EVENTS] = all,
        [FORM_FRAMES] = data,
        [FORM_SPARSE] = FORMAT_BIT(FORMAT_JSON) | FORMAT_BIT(FORMAT_SAFETENSORS),
        [FORM_BITS] = tensors,
    };
    return form->is_voxel ? tensors : formats[form->as];
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
