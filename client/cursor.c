/* SPDX-License-Identifier: Apache-2.0
 * A place in a stream, as a short text. */
#include "client/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/number.h"

/* tnm1:<kind>:<split>@<revision>:<numbers>:<words of a view>:<CRC-32C of all before> */
static const char version[] = "tnm1";
static const struct {
    const char *name;
    bool has_part, has_view;
} kinds[] = {
    [CURSOR_EPOCH] = {"epoch", false, false}, [CURSOR_PAIRS] = {"pairs", false, false},
    [CURSOR_PART] = {"part", true, false},    [CURSOR_LIST] = {"list", true, false},
    [CURSOR_VIEW] = {"view", true, true},
};

static const size_t numbers[] = {
    offsetof(struct cursor, form), offsetof(struct cursor, timestep_us),
    offsetof(struct cursor, seed), offsetof(struct cursor, epoch),
    offsetof(struct cursor, size), offsetof(struct cursor, last),
    offsetof(struct cursor, next), offsetof(struct cursor, part), /* last */
};

enum { N_NUMBERS = sizeof numbers / sizeof *numbers, TEXT_MAX = 512 };

static int n_numbers(const struct cursor *cursor)
{
    return N_NUMBERS - !kinds[cursor->kind].has_part;
}

int cursor_write(const struct cursor *cursor, char *ret, size_t size)
{
    char text[TEXT_MAX];
    size_t used = (size_t)snprintf(text, sizeof text, "%s:%s:%s@%s", version,
                                   kinds[cursor->kind].name, cursor->split, cursor->revision);
    for (int i = 0; i < n_numbers(cursor); i++) {
        uint64_t number;
        memcpy(&number, (const char *)cursor + numbers[i], sizeof number);
        used += (size_t)snprintf(text + used, sizeof text - used, ":%" PRIu64, number);
    }
    if (kinds[cursor->kind].has_view)
        used += (size_t)snprintf(text + used, sizeof text - used, ":%s", cursor->view);
    used += (size_t)snprintf(text + used, sizeof text - used, ":%08x", crc32c(0, text, used));
    if (used + 1 > size)
        return -ENOBUFS;
    memcpy(ret, text, used + 1);
    return 0;
}

/* Cut the next part off `*at`; NULL past the last. */
static char *next_part(char **at)
{
    return strsep(at, ":");
}

static int read_names(char **at, struct cursor *ret)
{
    const char *tag = next_part(at), *kind = next_part(at);
    char *name = next_part(at);
    char *revision = name ? strchr(name, '@') : NULL;
    if (!revision || strcmp(tag, version) != 0)
        return -EINVAL;
    *revision++ = 0;
    if (strlen(name) > WIRE_NAME_MAX || strlen(revision) != CURSOR_REVISION_DIGITS)
        return -EINVAL;
    strcpy(ret->split, name);
    strcpy(ret->revision, revision);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i].name) == 0) {
            ret->kind = (enum cursor_kind)i;
            return 0;
        }
    return -EINVAL;
}

static int read_numbers(char **at, struct cursor *ret)
{
    for (int i = 0; i < n_numbers(ret); i++) {
        const char *part = next_part(at);
        uint64_t number;
        if (!part || number_parse("", part, strlen(part), 0, UINT64_MAX, &number, NULL) < 0)
            return -EINVAL;
        memcpy((char *)ret + numbers[i], &number, sizeof number);
    }
    return 0;
}

/* The last part, where there is one. */
static int read_view(char **at, struct cursor *ret)
{
    const char *view = kinds[ret->kind].has_view ? next_part(at) : "";
    if (*at || !view || strlen(view) > CURSOR_VIEW_MAX)
        return -EINVAL;
    strcpy(ret->view, view);
    return 0;
}

int cursor_read(const char *text, struct cursor *ret, struct error *why)
{
    struct cursor cursor = {0};
    char copy[TEXT_MAX], again[TEXT_MAX];
    char *crc = text && strlen(text) < sizeof copy ? strrchr(strcpy(copy, text), ':') : NULL;
    char *at = copy;
    if (crc)
        *crc = 0;
    if (!crc || read_names(&at, &cursor) < 0 || read_numbers(&at, &cursor) < 0 ||
        read_view(&at, &cursor) < 0 || cursor_write(&cursor, again, sizeof again) < 0 ||
        strcmp(again, text) != 0)
        return error_set(why, -EINVAL, "\"%.80s\" is no cursor of a stream", text ? text : "");
    *ret = cursor;
    return 0;
}
