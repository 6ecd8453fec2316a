/* SPDX-License-Identifier: Apache-2.0
 * When to try again, and when not to: pure rules. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What a failed try means for its request. */
enum retry_verdict {
    RETRY_GOOD,  /* it did not fail */
    RETRY_AGAIN, /* may go better, here or elsewhere */
    RETRY_OTHER, /* this server will never give it, others may */
    RETRY_NEVER, /* the request itself is wrong */
};

/* The verdict on an HTTP status with the problem's `code` ("" where there is none), and the
 * negative errno to report should it stay the last word. */
enum retry_verdict retry_judge(long status, const char *code, int *ret_errno);

/* Rest after `failures` ≥ 1 in a row: doubles from base_ms up to max_ms; `random` (any 32 bits)
 * picks a point in its upper half, so that clients do not come back in step. */
uint64_t retry_backoff_ms(unsigned failures, uint64_t base_ms, uint64_t max_ms, uint32_t random);

/* Read a Retry-After header, seconds or an HTTP date; false where it is neither.
 * Source: RFC 9110, 10.2.3. */
bool retry_after_ms(const char *header, time_t now, uint64_t *ret_ms);
