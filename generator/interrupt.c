/* SPDX-License-Identifier: Apache-2.0
 * Ctrl-C and SIGTERM: asked for between samples, so that nothing half written stays behind. */
#include "generator/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof stopping / sizeof *stopping; i++)
        sigaction(stopping[i], &action, NULL);

    /* A file that grows past the limit (ulimit -f) is an error of write() like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
}

int interrupt_check(struct error *why)
{
    return caught ? error_set(why, -EINTR, "stopped by signal %d; nothing was written", caught) : 0;
}
