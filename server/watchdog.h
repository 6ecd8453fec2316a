/* SPDX-License-Identifier: Apache-2.0
 * Whether all loops still turn, which is what the service manager's watchdog wants to know. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest that a loop may be quiet, where the manager waits `watchdog_ms` for a sign. */
uint64_t watchdog_limit_ms(uint64_t watchdog_ms);

/* Whether every one of the `n` loops has turned within the last `limit_ms`. */
bool watchdog_all_fresh(const uint64_t *turned_ms, unsigned n, uint64_t now_ms, uint64_t limit_ms);
