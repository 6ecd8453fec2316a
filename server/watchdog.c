/* SPDX-License-Identifier: Apache-2.0
 * Whether all loops still turn, which is what the service manager's watchdog wants to know. */
#include "server/watchdog.h"

enum { LIMIT_LEAST_MS = 3000 }; /* loops note their turns once a second */

uint64_t watchdog_limit_ms(uint64_t watchdog_ms)
{
    uint64_t half = watchdog_ms / 2;
    return half > LIMIT_LEAST_MS ? half : LIMIT_LEAST_MS;
}

bool watchdog_all_fresh(const uint64_t *turned_ms, unsigned n, uint64_t now_ms, uint64_t limit_ms)
{
    for (unsigned i = 0; i < n; i++)
        if (turned_ms[i] + limit_ms < now_ms)
            return false;
    return true;
}
