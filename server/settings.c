/* SPDX-License-Identifier: Apache-2.0
 * What an administrator can set. */
#include "server/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/lines.h"
#include "common/number.h"
#include "server/address.h"
#include "server/base_path.h"

enum kind { KIND_UINT, KIND_BOOL, KIND_TEXT, KIND_PATH, KIND_LIST };

static const char *const placeholders[] = {
    [KIND_UINT] = "N",    [KIND_BOOL] = "yes|no", [KIND_TEXT] = "TEXT",
    [KIND_PATH] = "PATH", [KIND_LIST] = "TEXT",
};

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *standard;
    uint64_t min, max;
    const char *unit, *help;
};

static const struct row rows[] = {
#define SETTINGS_ROW(kind_, name_, standard_, min_, max_, unit_, help_) \
    {.name = #name_,                                                    \
     .kind = KIND_##kind_,                                              \
     .offset = offsetof(struct settings, name_),                        \
     .standard = standard_,                                             \
     .min = min_,                                                       \
     .max = max_,                                                       \
     .unit = unit_,                                                     \
     .help = help_},
    SETTINGS(SETTINGS_ROW)
#undef SETTINGS_ROW
};

enum { N_ROWS = sizeof rows / sizeof *rows };

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *a = rows[i].name, *b = name;
        while (*a && (*a == *b || (*a == '_' && *b == '-')))
            a++, b++;
        if (!*a && !*b)
            return &rows[i];
    }
    return NULL;
}

static int set_uint(const struct row *row, const char *value, uint64_t *ret, struct error *why)
{
    return number_parse(row->name, value, strlen(value), row->min, row->max, ret, why);
}

static int set_bool(const struct row *row, const char *value, bool *ret, struct error *why)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return error_set(why, -EINVAL, "%s: \"%s\" is neither yes nor no", row->name, value);
    *ret = value[0] == 'y';
    return 0;
}

static int set_text(const struct row *row, const char *value, char **ret, struct error *why)
{
    if (!*value && *row->standard)
        return error_set(why, -EINVAL, "%s: the value is missing", row->name);
    char *copy = strdup(value);
    if (!copy)
        return error_set(why, -ENOMEM, "%s: no memory", row->name);
    free(*ret);
    *ret = copy;
    return 0;
}

static int set_path(const struct row *row, const char *value, char **ret, struct error *why)
{
    if (!base_path_is_valid(value, strlen(value)))
        return error_set(why, -EINVAL,
                         "%s: \"%.80s\" is no prefix of paths as /a/b, of %d characters at most",
                         row->name, value, BASE_PATH_MAX);
    return set_text(row, value, ret, why);
}

static void clear_list(struct setting_list *list)
{
    for (unsigned i = 0; i < list->n; i++)
        free(list->items[i]);
    memset(list, 0, sizeof *list);
}

/* The only lists are of addresses. */
static int add_to_list(const struct row *row, enum setting_source source, const char *value,
                       struct setting_list *ret, struct error *why)
{
    int r = address_check(value, why);
    if (r < 0)
        return error_prefix(why, r, "%s", row->name);
    if (ret->source != source)
        clear_list(ret);
    if (ret->n == SETTINGS_LIST_MAX)
        return error_set(why, -ERANGE, "%s: more than %d", row->name, SETTINGS_LIST_MAX);
    r = set_text(row, value, &ret->items[ret->n], why);
    if (r < 0)
        return r;
    ret->n++;
    ret->source = source;
    return 0;
}

int settings_set(struct settings *settings, enum setting_source source, const char *name,
                 const char *value, struct error *why)
{
    const struct row *row = find(name);
    if (!row)
        return error_set(why, -ENOENT, "there is no setting \"%s\"", name);
    void *field = (char *)settings + row->offset;
    switch (row->kind) {
    case KIND_UINT:
        return set_uint(row, value, field, why);
    case KIND_BOOL:
        return set_bool(row, value, field, why);
    case KIND_TEXT:
        return set_text(row, value, field, why);
    case KIND_PATH:
        return set_path(row, value, field, why);
    case KIND_LIST:
        return add_to_list(row, source, value, field, why);
    }
    return -ENOENT;
}

int settings_init(struct settings *ret)
{
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < N_ROWS; i++) {
        int r = settings_set(ret, SETTING_DEFAULT, rows[i].name, rows[i].standard, NULL);
        if (r < 0) {
            settings_free(ret);
            return r;
        }
    }
    return 0;
}

void settings_free(struct settings *settings)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        void *field = (char *)settings + rows[i].offset;
        if (rows[i].kind == KIND_TEXT || rows[i].kind == KIND_PATH)
            free(*(char **)field);
        else if (rows[i].kind == KIND_LIST)
            clear_list(field);
    }
    memset(settings, 0, sizeof *settings);
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        text[--n] = '\0';
    return text;
}

static int take_line(void *user, char *line, struct error *why)
{
    line[strcspn(line, "#")] = '\0';
    char *name = trim(line);
    if (!*name)
        return 0;
    char *equals = strchr(name, '=');
    if (!equals)
        return error_set(why, -EINVAL, "\"%s\" is not \"name = value\"", name);
    *equals = '\0';
    return settings_set(user, SETTING_FILE, trim(name), trim(equals + 1), why);
}

int settings_read(struct settings *settings, const char *path, struct error *why)
{
    return lines_read(path, take_line, settings, why);
}

static void print_range(FILE *out, const struct row *row)
{
    if (row->kind == KIND_UINT)
        fprintf(out, "%" PRIu64 " to %" PRIu64 "%s%s, ", row->min, row->max, *row->unit ? " " : "",
                row->unit);
}

static const char *standard_of(const struct row *row)
{
    return *row->standard ? row->standard : "none";
}

void settings_print_help(FILE *out)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        char option[64];
        size_t n = strlen(row->name);
        for (size_t c = 0; c <= n; c++)
            option[c] = row->name[c] == '_' ? '-' : row->name[c];
        snprintf(option + n, sizeof option - n, " %s", placeholders[row->kind]);
        fprintf(out, "  --%-34s%s\n%38s(", option, row->help, "");
        print_range(out, row);
        fprintf(out, "default %s)\n", standard_of(row));
    }
}

void settings_print_sample(FILE *out)
{
    fputs("# The settings of twonmnistd. Each line that is commented out shows a default.\n", out);
    for (size_t i = 0; i < N_ROWS; i++) {
        fprintf(out, "\n# %s\n# (", rows[i].help);
        print_range(out, &rows[i]);
        fprintf(out, "default %s)\n#%s = %s\n", standard_of(&rows[i]), rows[i].name,
                rows[i].standard);
    }
}

void settings_print_manual(FILE *out)
{
    fputs(".Sh SETTINGS\n.Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        fprintf(out, ".It Ic %s Pq %s", row->name, row->kind == KIND_BOOL ? "yes or no, " : "");
        print_range(out, row);
        fprintf(out, "default %s\n%s\n", standard_of(row), row->help);
    }
    fputs(".El\n", out);
}

void settings_limits(const struct settings *settings,
                     void (*each)(const char *name, uint64_t value, void *user), void *user)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].kind == KIND_UINT && *rows[i].unit)
            each(rows[i].name, *(const uint64_t *)((const char *)settings + rows[i].offset), user);
}
