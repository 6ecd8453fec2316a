/* SPDX-License-Identifier: Apache-2.0
 * When to try again, and when not to: pure rules. */
#include "client/retry.h"

#include <errno.h>
#include <string.h>

#include "common/number.h"
#include "common/wire.h"

enum { AFTER_MAX_S = 999999999 };

/* What a daemon says, and then what proxies and servers of other kinds may answer by status. */
static const struct {
    long status;
    const char *code; /* NULL: any */
    enum retry_verdict verdict;
    int error;
} rules[] = {
#define RULE(kind, status, code, title, verdict, error) {status, code, RETRY_##verdict, -error},
    WIRE_PROBLEMS(RULE)
#undef RULE
        {200, NULL, RETRY_GOOD, 0},
    {206, NULL, RETRY_GOOD, 0}, /* to who asked for a part */
    {401, NULL, RETRY_OTHER, -EACCES},
    {403, NULL, RETRY_OTHER, -EACCES},
    {404, NULL, RETRY_NEVER, -ENOENT},
    {408, NULL, RETRY_AGAIN, -ETIMEDOUT},
    {429, NULL, RETRY_AGAIN, -EHOSTUNREACH},
    {501, NULL, RETRY_OTHER, -EPROTO},
    {505, NULL, RETRY_OTHER, -EPROTO},
};

enum { N_RULES = sizeof rules / sizeof *rules };

enum retry_verdict retry_judge(long status, const char *code, int *ret_errno)
{
    for (int i = 0; i < N_RULES; i++)
        if (rules[i].status == status && (!rules[i].code || strcmp(rules[i].code, code) == 0)) {
            *ret_errno = rules[i].error;
            return rules[i].verdict;
        }
    if (status >= 500) {
        *ret_errno = -EHOSTUNREACH;
        return RETRY_AGAIN;
    }
    *ret_errno = status >= 400 ? -EINVAL : -EPROTO;
    return status >= 400 ? RETRY_NEVER : RETRY_OTHER;
}

uint64_t retry_backoff_ms(unsigned failures, uint64_t base_ms, uint64_t max_ms, uint32_t random)
{
    uint64_t rest = base_ms;
    for (unsigned i = 1; i < failures && rest < max_ms; i++)
        rest *= 2;
    if (rest > max_ms)
        rest = max_ms;
    return rest - (uint64_t)((double)(rest / 2) * random / UINT32_MAX);
}

static bool read_digits(const char *at, int n, int *ret)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + at[i] - '0';
    }
    *ret = value;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "Sun, 06 Nov 1994 08:49:37 GMT". Not by strptime(), to which names of months are the locale's. */
static bool read_date(const char *text, time_t *ret)
{
    static const char shape[] = "aaa, 00 aaa 0000 00:00:00 GMT";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm date = {0};
    size_t i = 0;
    for (; shape[i]; i++)
        if (shape[i] == 'a'   ? !is_letter(text[i])
            : shape[i] == '0' ? !text[i]
                              : text[i] != shape[i])
            return false;
    const char month[] = {text[8], text[9], text[10], '\0'};
    const char *at = strstr(months, month);
    if (text[i] || !at || (at - months) % 3 != 0 || !read_digits(text + 5, 2, &date.tm_mday) ||
        !read_digits(text + 12, 4, &date.tm_year) || !read_digits(text + 17, 2, &date.tm_hour) ||
        !read_digits(text + 20, 2, &date.tm_min) || !read_digits(text + 23, 2, &date.tm_sec))
        return false;
    date.tm_mon = (int)(at - months) / 3;
    date.tm_year -= 1900;
    *ret = timegm(&date);
    return true;
}

bool retry_after_ms(const char *header, time_t now, uint64_t *ret_ms)
{
    uint64_t seconds;
    time_t then;
    if (number_parse("", header, strlen(header), 0, AFTER_MAX_S, &seconds, NULL) == 0) {
        *ret_ms = seconds * 1000;
        return true;
    }
    if (!read_date(header, &then))
        return false;
    *ret_ms = then > now ? (uint64_t)(then - now) * 1000 : 0;
    return true;
}
