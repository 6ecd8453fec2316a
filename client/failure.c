/* SPDX-License-Identifier: Apache-2.0
 * The text behind tnm_last_error(), one for each thread. Parts of it come from servers: here is the
 * one place where it is made fit for a terminal, and UTF-8 again where it was cut. */
#include "client/failure.h"

#include <stdio.h>

#include "client/twonmnist.h"
#include "common/clean.h"

static _Thread_local struct error last;

int failure_keep(int code, const struct error *why)
{
    last = *why;
    clean_line(last.text);
    return code;
}

int failure_set(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last.text, sizeof last.text, format, args);
    va_end(args);
    clean_line(last.text);
    return code;
}

const char *tnm_last_error(void)
{
    return last.text;
}
