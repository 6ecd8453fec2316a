/* SPDX-License-Identifier: Apache-2.0
 * The library's options: one row feeds the struct, the parser and the help. */
#include "client/options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/failure.h"
#include "common/number.h"

enum { TOKEN_MAX = 4096 };

static int set_number(tnm_options *options, size_t i, const char *value);
static int set_text(tnm_options *options, size_t i, const char *value);
static int set_token_file(tnm_options *options, size_t i, const char *path);
static int set_wire(tnm_options *options, size_t i, const char *value);

#define TO_TEXT(x) #x

/* clang-format off */
static const struct option_row {
    const char *name, *help;
    int (*set)(tnm_options *options, size_t i, const char *value);
    size_t at; /* in the struct */
    uint64_t standard, min, max;
} rows[] = {
#define X(name, standard, min, max, help) \
    {#name, help " (" TO_TEXT(min) " to " TO_TEXT(max) ", default " TO_TEXT(standard) ")", \
     set_number, offsetof(tnm_options, name), standard, min, max},
    OPTIONS_NUMBERS(X)
#undef X
#define X(name, help) \
    {#name, help, set_text, offsetof(tnm_options, name), 0, 0, 0},
    OPTIONS_TEXTS(X)
#undef X
    {"token_file", "file whose first line is the bearer token", set_token_file, 0, 0, 0, 0},
    {"wire", "how what becomes frames by a rule is sent: events, sparse (places that are set), or auto, what is less (events from this machine)",
     set_wire, offsetof(tnm_options, wire), OPTION_WIRE_AUTO, 0, 0},
};
/* clang-format on */

enum { N_ROWS = sizeof rows / sizeof *rows };

static uint64_t *number_at(tnm_options *options, size_t i)
{
    return (uint64_t *)(void *)((char *)options + rows[i].at);
}

static char **text_at(tnm_options *options, size_t i)
{
    return (char **)(void *)((char *)options + rows[i].at);
}

static int set_number(tnm_options *options, size_t i, const char *value)
{
    char name[64];
    struct error why;
    snprintf(name, sizeof name, "option %s", rows[i].name);
    if (number_parse(name, value, strlen(value), rows[i].min, rows[i].max, number_at(options, i),
                     &why) < 0)
        return failure_keep(-EINVAL, &why);
    return 0;
}

static int replace(char **at, const char *value)
{
    char *copy = strdup(value);
    if (!copy)
        return failure_set(-ENOMEM, "no memory for an option");
    free(*at);
    *at = copy;
    return 0;
}

static int set_text(tnm_options *options, size_t i, const char *value)
{
    for (const char *at = value; *at; at++)
        if (iscntrl((unsigned char)*at)) /* a line end in a header would be another header */
            return failure_set(-EINVAL, "option %s: byte %zu is a control character", rows[i].name,
                               (size_t)(at - value));
    return replace(text_at(options, i), value);
}

static int set_token_file(tnm_options *options, size_t i, const char *path)
{
    char text[TOKEN_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, TOKEN_MAX);
    int r = size < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    if (r < 0)
        return failure_set(r, "option %s: %s: %s", rows[i].name, path, strerror(-r));
    text[size] = 0;
    text[strcspn(text, "\r\n")] = 0;
    if (!text[0])
        return failure_set(-EINVAL, "option %s: %s: the first line is empty", rows[i].name, path);
    return tnm_options_set(options, "token", text);
}

static int set_wire(tnm_options *options, size_t i, const char *value)
{
    static const char *const names[] = {[OPTION_WIRE_AUTO] = "auto",
                                        [OPTION_WIRE_EVENTS] = "events",
                                        [OPTION_WIRE_SPARSE] = "sparse"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(value, names[k]) == 0) {
            *number_at(options, i) = k;
            return 0;
        }
    return failure_set(-EINVAL, "option %s is \"%.40s\"; it is auto, events or sparse",
                       rows[i].name, value);
}

int tnm_options_new(tnm_options **ret)
{
    tnm_options *options = calloc(1, sizeof *options);
    if (!options)
        return failure_set(-ENOMEM, "no memory for options");
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].set == set_number)
            *number_at(options, i) = rows[i].standard;
    *ret = options;
    return 0;
}

void tnm_options_free(tnm_options *options)
{
    if (!options)
        return;
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].set == set_text)
            free(*text_at(options, i));
    free(options);
}

int tnm_options_set(tnm_options *options, const char *name, const char *value)
{
    if (!options || !name || !value)
        return failure_set(-EINVAL, "an option needs a name and a value");
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].set(options, i, value);
    return failure_set(-EINVAL, "there is no option \"%.64s\"", name);
}

const char *tnm_options_name(size_t i)
{
    return i < N_ROWS ? rows[i].name : NULL;
}

const char *tnm_options_help(size_t i)
{
    return i < N_ROWS ? rows[i].help : NULL;
}

int options_copy(const tnm_options *options, tnm_options **ret)
{
    tnm_options *copy;
    int r = tnm_options_new(&copy);
    for (size_t i = 0; r == 0 && options && i < N_ROWS; i++) {
        tnm_options *from = (tnm_options *)options;
        if (rows[i].set == set_number || rows[i].set == set_wire)
            *number_at(copy, i) = *number_at(from, i);
        else if (rows[i].set == set_text && *text_at(from, i))
            r = replace(text_at(copy, i), *text_at(from, i));
        if (r < 0)
            tnm_options_free(copy);
    }
    if (r == 0)
        *ret = copy;
    return r;
}
