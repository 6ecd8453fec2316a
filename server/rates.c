/* SPDX-License-Identifier: Apache-2.0
 * How much one address may ask for in a while: requests and bytes, over all loops. */
#include "server/rates.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    BUCKET_BITS = 10,
    ADDRESSES_MAX = 65536, /* whoever has more is not limited by any rate of one address */
    MS_IN_S = 1000,
    WINDOW_MS = RATES_WINDOW_S * MS_IN_S,
};

struct visitor {
    struct visitor *next;
    uint64_t address, at_ms;
    /* What it may have, in thousandths, at at_ms. */
    int64_t left[N_RATES];
};

struct rates {
    uint64_t per_second[N_RATES];
    bool limited; /* any of them is */
    pthread_mutex_t lock;
    unsigned n;
    struct visitor *chains[1 << BUCKET_BITS];
};

int rates_new(const uint64_t per_second[N_RATES], struct rates **ret, struct error *why)
{
    struct rates *rates = calloc(1, sizeof *rates);
    if (!rates)
        return error_set(why, -ENOMEM, "no memory to count requests in");
    for (int r = 0; r < N_RATES; r++) {
        rates->per_second[r] = per_second[r];
        rates->limited |= per_second[r] > 0;
    }
    pthread_mutex_init(&rates->lock, NULL);
    *ret = rates;
    return 0;
}

void rates_free(struct rates *rates)
{
    if (!rates)
        return;
    for (unsigned i = 0; i < 1 << BUCKET_BITS; i++)
        for (struct visitor *next, *visitor = rates->chains[i]; visitor; visitor = next) {
            next = visitor->next;
            free(visitor);
        }
    pthread_mutex_destroy(&rates->lock);
    free(rates);
}

static int64_t full(const struct rates *rates, int rate)
{
    return (int64_t)(rates->per_second[rate] * WINDOW_MS);
}

/* Fill up for the time since it was looked at. True: nothing is known of it that a new one has
 * not. */
static bool refill(const struct rates *rates, struct visitor *visitor, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms > visitor->at_ms ? now_ms - visitor->at_ms : 0;
    bool is_full = true;
    visitor->at_ms += passed_ms;
    for (int r = 0; r < N_RATES; r++) {
        int64_t gained, most = full(rates, r);
        if (__builtin_mul_overflow(rates->per_second[r], passed_ms, &gained) ||
            __builtin_add_overflow(visitor->left[r], gained, &visitor->left[r]) ||
            visitor->left[r] > most)
            visitor->left[r] = most;
        is_full &= visitor->left[r] == most;
    }
    return is_full;
}

static struct visitor *add(struct rates *rates, struct visitor **link, uint64_t address,
                           uint64_t now_ms)
{
    struct visitor *visitor = rates->n < ADDRESSES_MAX ? calloc(1, sizeof *visitor) : NULL;
    if (!visitor)
        return NULL;
    visitor->address = address;
    visitor->at_ms = now_ms;
    for (int r = 0; r < N_RATES; r++)
        visitor->left[r] = full(rates, r);
    *link = visitor;
    rates->n++;
    return visitor;
}

/* The address's visitor, filled up; those on the way that are full are forgotten. NULL: there is no
 * room for one more. */
static struct visitor *find(struct rates *rates, uint64_t address, uint64_t now_ms)
{
    size_t chain = address * UINT64_C(0x9E3779B97F4A7C15) >> (64 - BUCKET_BITS);
    struct visitor **link = &rates->chains[chain], *found = NULL;
    while (*link) {
        struct visitor *visitor = *link;
        bool is_full = refill(rates, visitor, now_ms);
        if (visitor->address == address) {
            found = visitor;
        } else if (is_full) {
            *link = visitor->next;
            free(visitor);
            rates->n--;
            continue;
        }
        link = &visitor->next;
    }
    return found ? found : add(rates, link, address, now_ms);
}

/* Until there is enough for one: a request, or the first byte of an answer. */
static bool has_some(const struct rates *rates, const struct visitor *visitor, int rate,
                     struct rates_refusal *ret)
{
    int64_t lacking = MS_IN_S - visitor->left[rate];
    int64_t per_second = (int64_t)rates->per_second[rate];
    if (per_second == 0 || lacking <= 0)
        return true;
    int64_t wait_ms = (lacking + per_second - 1) / per_second;
    *ret = (struct rates_refusal){.rate = (enum rate)rate,
                                  .quota = rates->per_second[rate] * RATES_WINDOW_S,
                                  .wait_s = (unsigned)((wait_ms + MS_IN_S - 1) / MS_IN_S)};
    return false;
}

bool rates_admit(struct rates *rates, uint64_t address, uint64_t now_ms,
                 struct rates_refusal *ret_refusal)
{
    if (!rates->limited)
        return true;
    pthread_mutex_lock(&rates->lock);
    struct visitor *visitor = find(rates, address, now_ms);
    bool may = !visitor || (has_some(rates, visitor, RATE_BYTES, ret_refusal) &&
                            has_some(rates, visitor, RATE_REQUESTS, ret_refusal));
    if (may && visitor)
        visitor->left[RATE_REQUESTS] -= rates->per_second[RATE_REQUESTS] ? MS_IN_S : 0;
    pthread_mutex_unlock(&rates->lock);
    return may;
}

void rates_charge(struct rates *rates, uint64_t address, uint64_t n_bytes, uint64_t now_ms)
{
    if (rates->per_second[RATE_BYTES] == 0 || n_bytes == 0)
        return;
    pthread_mutex_lock(&rates->lock);
    struct visitor *visitor = find(rates, address, now_ms);
    if (visitor)
        visitor->left[RATE_BYTES] -= (int64_t)(n_bytes * MS_IN_S);
    pthread_mutex_unlock(&rates->lock);
}

unsigned rates_n_addresses(struct rates *rates)
{
    pthread_mutex_lock(&rates->lock);
    unsigned n = rates->n;
    pthread_mutex_unlock(&rates->lock);
    return n;
}
