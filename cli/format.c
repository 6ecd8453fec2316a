/* SPDX-License-Identifier: Apache-2.0
 * What an answer is written as; the ending of a file says it too. */
#include "cli/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct format_row format_rows[N_OUTPUT_FORMATS] = {
    [OUTPUT_TEXT] = {"txt", "lines for people", false},
    [OUTPUT_JSON] = {"json", "a JSON document", false},
    [OUTPUT_BIN] = {"bin", "packed events, 5 bytes each, as N-MNIST has them", true},
    [OUTPUT_NPY] = {"npy", "a NumPy array", true},
    [OUTPUT_SAFETENSORS] = {"safetensors", "tensors, as the daemon sent them", true},
    [OUTPUT_PNG] = {"png", "a picture", true},
};

const char *const format_names[N_OUTPUT_FORMATS + 1] = {
    [OUTPUT_TEXT] = "text",
    [OUTPUT_JSON] = "json",
    [OUTPUT_BIN] = "bin",
    [OUTPUT_NPY] = "npy",
    [OUTPUT_SAFETENSORS] = "safetensors",
    [OUTPUT_PNG] = "png",
};

static const char *name_of(int format)
{
    return format_names[format];
}

static const char *ending_of(int format)
{
    return format_rows[format].ending;
}

/* "text, npy"; each behind `before`. */
static const char *list(unsigned formats, const char *(*word)(int format), const char *before,
                        char ret[128])
{
    size_t used = 0;
    for (int format = 0; format < N_OUTPUT_FORMATS; format++)
        if (formats & FORMAT_BIT(format))
            used += (size_t)snprintf(ret + used, 128 - used, "%s%s%s", used ? ", " : "", before,
                                     word(format));
    return ret;
}

/* The ending of a file's name; NULL where it has none, as ".npy" or "-". */
static const char *ending_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? dot + 1 : NULL;
}

static int format_of_ending(unsigned formats, const char *ending)
{
    for (int format = 0; format < N_OUTPUT_FORMATS; format++)
        if ((formats & FORMAT_BIT(format)) && strcmp(ending, format_rows[format].ending) == 0)
            return format;
    return FORMAT_NOT_GIVEN;
}

static int lowest(unsigned formats)
{
    int format = 0;
    while (!(formats & FORMAT_BIT(format)))
        format++;
    return format;
}

int format_choose(const char *name, unsigned formats, const char *path, int given, int *ret,
                  struct fault *why)
{
    char possible[128];
    if (given >= 0 && !(formats & FORMAT_BIT(given)))
        return fault_set(why, -EINVAL, "%s has no format %s; it has %s", name, format_names[given],
                         list(formats, name_of, "", possible));
    const char *ending = path ? ending_of_path(path) : NULL;
    int said = ending ? format_of_ending(formats, ending) : FORMAT_NOT_GIVEN;
    if (ending && said < 0)
        return fault_set(why, -EINVAL,
                         "--output is \"%.256s\"; files of %s end in %s or in nothing "
                         "(- is standard output)",
                         path, name, list(formats, ending_of, ".", possible));
    if (ending && given >= 0 && said != given)
        return fault_set(why, -EINVAL, "--output is \"%.256s\"; files of --format %s end in .%s",
                         path, format_names[given], format_rows[given].ending);
    *ret = given >= 0 ? given : said >= 0 ? said : lowest(formats);
    return 0;
}
