/* SPDX-License-Identifier: Apache-2.0
 * Reading ahead of a map. */
#include "server/samples/ahead.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void ahead_fetch(const void *bytes, size_t size)
{
    uintptr_t from = (uintptr_t)bytes & ~(uintptr_t)(page_bytes() - 1);
    if (size > 0)
        madvise((void *)from, (uintptr_t)bytes + size - from, MADV_WILLNEED); /* or it is slower */
}

void ahead_await(const void *bytes, size_t size)
{
    const volatile uint8_t *at = bytes;
    for (size_t i = 0, page = page_bytes(); i < size; i += page)
        (void)at[i];
    if (size > 0)
        (void)at[size - 1];
}
