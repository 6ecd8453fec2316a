/* SPDX-License-Identifier: Apache-2.0
 * Reading ahead of a map: what will be looked at soon is read from the disk all at once, and no
 * more than that; who looks at it then does not wait for a page at a time. */
#pragma once

#include <stddef.h>

/* Have the bytes of a map read, without waiting for it. Any thread. */
void ahead_fetch(const void *bytes, size_t size);

/* Wait until they are there. Any thread. */
void ahead_await(const void *bytes, size_t size);
