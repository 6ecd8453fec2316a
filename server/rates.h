/* SPDX-License-Identifier: Apache-2.0
 * How much one address may ask for in a while: requests and bytes, over all loops.
 *
 * Each address has a bucket of each kind that holds what it may have in RATES_WINDOW_S, and fills
 * up evenly. An answer takes its bytes when it is known how many they are; it may leave the bucket
 * in debt, and the next request waits until that is paid off. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum { RATES_WINDOW_S = 10 };

enum rate { RATE_REQUESTS, RATE_BYTES, N_RATES };

struct rates;

/* So many of each in a second, on the average; 0 is no limit. Errors: -ENOMEM. */
int rates_new(const uint64_t per_second[N_RATES], struct rates **ret, struct error *why);
void rates_free(struct rates *rates);

/* What an address that has to wait is told. */
struct rates_refusal {
    enum rate rate;  /* of which it has had too much */
    uint64_t quota;  /* of a window */
    unsigned wait_s; /* until there is some again */
};

/* Whether the address may ask now, which is counted. Any thread. */
bool rates_admit(struct rates *rates, uint64_t address, uint64_t now_ms,
                 struct rates_refusal *ret_refusal);

/* It is answered with so many bytes. Any thread. */
void rates_charge(struct rates *rates, uint64_t address, uint64_t n_bytes, uint64_t now_ms);

/* How many addresses have buckets that are not full. Any thread. */
unsigned rates_n_addresses(struct rates *rates);
