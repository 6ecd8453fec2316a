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
static atomic_bool stays; /* that all behind it fail as well */
static atomic_bool failed;

static bool is_over(void)
{
    long before = atomic_load(&left);
    if (before < 0)
        return false;
    bool over = before == 0 && atomic_load(&stays);
    if (!over)
        over = atomic_fetch_sub(&left, 1) == 0;
    if (over)
        atomic_store(&failed, true);
    return over;
}

void scarce_begin(unsigned n, bool lasting)
{
    atomic_store(&failed, false);
    atomic_store(&stays, lasting);
    atomic_store(&left, n);
}

bool scarce_end(void)
{
    atomic_store(&left, -1);
    return atomic_load(&failed);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_posix_memalign(void **ret, size_t align, size_t size);
int __real_vasprintf(char **ret, const char *format, va_list args);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_posix_memalign(void **ret, size_t align, size_t size);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
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

char *__wrap_strndup(const char *text, size_t size)
{
    return is_over() ? NULL : __real_strndup(text, size);
}

int __wrap_posix_memalign(void **ret, size_t align, size_t size)
{
    return is_over() ? ENOMEM : __real_posix_memalign(ret, align, size);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
    return is_over() ? -1 : __real_vasprintf(ret, format, args);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    if (is_over())
        return -1;
    va_list args;
    va_start(args, format);
    int n = __real_vasprintf(ret, format, args);
    va_end(args);
    return n;
}

unsigned scarce_try(int (*act)(void *user, struct error *why), void *user)
{
    for (unsigned n = 0; n < MOST; n++) {
        struct error why = {""};
        scarce_begin(n, false);
        int r = act(user, &why);
        if (!scarce_end()) {
            assert_int_equal(r, 0);
            return n;
        }
        if (r != -ENOMEM)
            fail_msg("allocation %u failed, and the result is %d: %s", n, r, why.text);
    }
    fail_msg("more than %d allocations", MOST);
    return 0;
}
