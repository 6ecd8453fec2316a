/* SPDX-License-Identifier: Apache-2.0
 * Why something failed, in words; and the exit status that goes with it. */
#include "cli/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <twonmnist.h>

const char *const exit_meanings[N_EXITS] = {
    [EXIT_DONE] = "done",
    [EXIT_FAILED] = "failed",
    [EXIT_USAGE] = "wrong usage, or the server finds the request wrong",
    [EXIT_NOT_FOUND] = "no such split or sample",
    [EXIT_UNREACHABLE] = "no server answered",
    [EXIT_DAMAGED] = "the data are damaged, or others than expected",
};

static const struct {
    int code;
    enum fault_exit status;
} exits[] = {
    {-EINVAL, EXIT_USAGE},          {-ENOENT, EXIT_NOT_FOUND}, {-EHOSTUNREACH, EXIT_UNREACHABLE},
    {-ETIMEDOUT, EXIT_UNREACHABLE}, {-EBADMSG, EXIT_DAMAGED},  {-EPROTO, EXIT_DAMAGED},
    {-ESTALE, EXIT_DAMAGED},
};

int fault_set(struct fault *why, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return code;
}

int fault_of_library(struct fault *why, int code)
{
    return fault_set(why, code, "%s", tnm_last_error());
}

enum fault_exit fault_exit(int code)
{
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        if (exits[i].code == code)
            return exits[i].status;
    return EXIT_FAILED;
}
