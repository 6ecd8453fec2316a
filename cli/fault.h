/* SPDX-License-Identifier: Apache-2.0
 * Why something failed, in words; and the exit status that goes with it. */
#pragma once

enum fault_exit {
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_USAGE,
    EXIT_NOT_FOUND,
    EXIT_UNREACHABLE,
    EXIT_DAMAGED,
    N_EXITS,
};

extern const char *const exit_meanings[N_EXITS];

struct fault {
    char text[1024]; /* one line; parts of it may be anybody's words */
};

/* Write the reason; returns `code`, a negative errno. */
int fault_set(struct fault *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The library's reason for `code`, which is returned. */
int fault_of_library(struct fault *why, int code);

/* The exit status for a negative errno. */
enum fault_exit fault_exit(int code);
