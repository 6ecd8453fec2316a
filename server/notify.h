/* SPDX-License-Identifier: Apache-2.0
 * Tells the service manager how the daemon is (sd_notify(3)); does nothing where there is none. */
#pragma once

#include <stdint.h>

void notify(const char *state);

/* How often the manager wants a sign of life, in ms; 0: never. */
uint64_t notify_watchdog_ms(void);
