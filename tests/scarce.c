/* SPDX-License-Identifier: Apache-2.0
 * Memory that runs out: every allocation of a function fails once, one after the other. */
#include "tests/scarce.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 10000 };

/* Allocations until the one that fails; below 0 none does. */
static atomic_long left = -1;

static bool is_over(void)
{
    long before = atomic_load(&left);
    if (before < 0)
        return false;
    return atomic_fetch_sub(&left, 1) == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
    return is_over() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_over() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_over() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return is_over() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
    return is_over() ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    if (is_over())
        return -1;
    va_list args;
    va_start(args, format);
    int n = vasprintf(ret, format, args);
    va_end(args);
    return n;
}

unsigned scarce_try(int (*act)(void *user, struct error *why), void *user)
{
    for (unsigned n = 0; n < MOST; n++) {
        struct error why = {""};
        atomic_store(&left, n);
        int r = act(user, &why);
        bool failed = atomic_exchange(&left, -1) < 0;
        if (!failed) {
            assert_int_equal(r, 0);
            return n;
        }
        if (r != -ENOMEM)
            fail_msg("allocation %u failed, and the result is %d: %s", n, r, why.text);
    }
    fail_msg("more than %d allocations", MOST);
    return 0;
}
