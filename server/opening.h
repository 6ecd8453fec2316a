/* SPDX-License-Identifier: Apache-2.0
 * Opens the service in a way that a signal can end: it reads every split, which can take long. */
#pragma once

#include <signal.h>

#include "common/error.h"
#include "server/service.h"

/* service_open(), given up when one of `signals` comes, which are blocked: -ECANCELED, and which in
 * *ret_signal. The thread that opens then goes on until the process ends, and nothing that it uses
 * may be freed. Other errors: service_open(); those of signalfd() and pthread_create(). */
int opening_run(const struct settings *settings, const sigset_t *signals, struct service **ret,
                int *ret_signal, struct error *why);
