/* SPDX-License-Identifier: Apache-2.0
 * Reading ahead of a map. */
#include "server/samples/ahead.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel reads no more at one call than a disk takes at once, or than it reads ahead by itself.
 */
enum { PIECE_BYTES = 128 * 1024 };

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void ahead_fetch(const void *bytes, size_t size)
{
    uintptr_t at = (uintptr_t)bytes & ~(uintptr_t)(page_bytes() - 1), end = (uintptr_t)bytes + size;
    for (; size > 0 && at < end; at += PIECE_BYTES) /* or it is slower */
        madvise((void *)at, end - at < PIECE_BYTES ? end - at : PIECE_BYTES, MADV_WILLNEED);
}

void ahead_await(const void *bytes, size_t size)
{
    const volatile uint8_t *at = bytes;
    for (size_t i = 0, page = page_bytes(); i < size; i += page)
        (void)at[i];
    if (size > 0)
        (void)at[size - 1];
}
