/* SPDX-License-Identifier: Apache-2.0
 * Whether there was memory for all of a piece of JSON. */
#include "common/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool is_short;

static void *allocate(size_t size)
{
    void *bytes = malloc(size);
    is_short |= !bytes;
    return bytes;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate, free);
}

void json_memory_begin(void)
{
    is_short = false;
}

bool json_memory_is_short(void)
{
    return is_short;
}
