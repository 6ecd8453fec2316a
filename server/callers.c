/* SPDX-License-Identifier: Apache-2.0
 * A number for each name of a token: its place in a table of hashes that only grows. */
#include "server/callers.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 16 };

static char *_Atomic names[CALLERS_MAX];

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261;
    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 16777619;
    return value;
}

/* Put the name into an empty place; false: another took it. */
static bool take(unsigned place, const char *name)
{
    char *empty = NULL, *copy = strdup(name);
    if (!copy)
        return false;
    if (atomic_compare_exchange_strong(&names[place], &empty, copy))
        return true;
    free(copy);
    return strcmp(empty, name) == 0;
}

unsigned callers_number(const char *name)
{
    uint32_t value = hash(name);
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned place = (value + i) % CALLERS_MAX;
        const char *there = atomic_load(&names[place]);
        if (there ? strcmp(there, name) == 0 : take(place, name))
            return place;
    }
    return CALLERS_OTHER;
}

const char *callers_name(unsigned number)
{
    return number < CALLERS_MAX ? atomic_load(&names[number]) : NULL;
}
