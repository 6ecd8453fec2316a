/* SPDX-License-Identifier: Apache-2.0
 * Transfers that a script answers, in place of client/transfer.c; the rest of the library is the
 * real one. A program links this and tests/libclient.la. */
#pragma once

#include <stdbool.h>

#include "client/transfer.h"

/* What becomes of one transfer. */
struct script_step {
    int r; /* below 0: no answer arrives */
    long status;
    const char *type, *body, *retry_after;
    unsigned after_ms;            /* it comes */
    bool is_silent, is_connected; /* nothing ever comes; but that it could be asked */
};

enum { SCRIPT_STEPS = 4, SCRIPT_SERVERS = 5, SCRIPT_LOG = 64, SCRIPT_BYTES = 77 };

/* Set while nothing is under way; read in the loop's thread. The servers are http://a to http://e,
 * and are asked for /path; to /readyz they say yes, or nothing. */
extern struct script {
    struct script_step steps[SCRIPT_SERVERS][SCRIPT_STEPS]; /* the last one that is set, for ever */
    unsigned at[SCRIPT_SERVERS];
    char log[SCRIPT_LOG + 1]; /* which servers were asked: "abab" */
    unsigned cancelled;       /* transfers, but for probes of /readyz */
    unsigned probes;
    bool probes_are_silent;
} script;
