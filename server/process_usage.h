/* SPDX-License-Identifier: Apache-2.0
 * What the process takes of the machine. */
#pragma once

#include <stdint.h>

struct process_usage {
    uint64_t cpu_us;
    uint64_t resident_bytes, virtual_bytes; /* 0 where /proc does not tell */
    uint64_t n_fds, most_fds;
    uint64_t started_s; /* since 1970, when process_usage_begin() was called */
};

/* At the start of the process. */
void process_usage_begin(void);

void process_usage_read(struct process_usage *ret);
