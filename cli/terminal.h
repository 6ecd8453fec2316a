/* SPDX-License-Identifier: Apache-2.0
 * The terminal, lent to an animation: another screen without cursor, keys that do not echo, and
 * signals that wait until they are asked for. Whatever happens, it is given back. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "cli/fault.h"

struct terminal {
    int signals; /* a descriptor, as long as the terminal is taken */
    sigset_t blocked_before;
    bool has_keys;
    bool has_modes; /* standard input is a terminal, too; and they were: */
    struct termios before;
};

enum terminal_event {
    TERMINAL_TIME,    /* it is time for the next frame */
    TERMINAL_KEY,     /* *ret_key was pressed */
    TERMINAL_CHANGED, /* of another size, or taken anew after a stop: draw all of it */
    TERMINAL_ENDED,   /* a signal wants the process to end; terminal_give_back() raises it */
};

/* Take standard output's terminal, with standard input where it is one. Errors: -errno. */
int terminal_take(struct terminal *ret, struct fault *why);

/* Wait for an event, until `at_us` of terminal_now_us(). Ctrl-Z gives the terminal back, stops the
 * process, and takes it again when it goes on. */
enum terminal_event terminal_wait(struct terminal *terminal, int64_t at_us, char *ret_key);

/* Give it back as it was. A signal that came while it was taken acts now. */
void terminal_give_back(struct terminal *terminal);

int64_t terminal_now_us(void);
