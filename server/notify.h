/* SPDX-License-Identifier: Apache-2.0
 * Tells the service manager how the daemon is (sd_notify(3)); does nothing where there is none. */
#pragma once

#include <stdint.h>

/* Open the manager's socket, once, before there are threads: nothing that is said later needs a
 * descriptor. */
void notify_open(void);
void notify_close(void);

/* Lines of NAME=VALUE. Any thread. */
void notify(const char *state);

/* The same, with a last line STATUS= of the words, whatever stands in them. */
void notify_status(const char *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A sign of life for the watchdog. Says the last status anew, and how many connections there are.
 */
void notify_alive(unsigned n_connections);

/* A reload begins; READY=1 ends it. */
void notify_reloading(void);

/* After how long without a sign of life the manager ends the daemon, in ms; 0: never. */
uint64_t notify_watchdog_ms(void);
