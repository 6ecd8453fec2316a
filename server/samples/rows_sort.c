/* SPDX-License-Identifier: Apache-2.0
 * The order of rows about samples. */
#include <stdlib.h>

#include "common/digits.h"
#include "server/samples/rows.h"

/* The digits as those of a number, each one more than it is: [3] comes before [3, 8]. */
static uint64_t label_key(const uint8_t *labels)
{
    uint8_t digits[N_DIGITS];
    unsigned n = digits_of(labels, digits);
    uint64_t key = 0;
    for (unsigned i = 0; i < N_DIGITS; i++)
        key = key * (N_DIGITS + 1) + (i < n ? digits[i] + 1U : 0);
    return key;
}

static int find_key(const struct entry *entry, uint64_t i, enum rows_sort sort, uint64_t *ret,
                    struct error *why)
{
    uint32_t duration_us;
    int r = 0;
    switch (sort) {
    case ROWS_EVENTS:
    case ROWS_EVENTS_DOWN:
        *ret = split_offsets(entry->split)[i + 1] - split_offsets(entry->split)[i];
        break;
    case ROWS_LABEL:
    case ROWS_LABEL_DOWN:
        *ret = label_key(split_labels(entry->split) + i * N_DIGITS);
        break;
    case ROWS_DURATION:
    case ROWS_DURATION_DOWN:
        r = rows_duration_us(entry, i, &duration_us, why);
        if (r == 0)
            *ret = duration_us;
        break;
    }
    return r;
}

static int compare(const void *a, const void *b)
{
    const struct rows_place *one = a, *other = b;
    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    return one->position < other->position ? -1 : 1;
}

int rows_sort(const struct entry *entry, const uint32_t *positions, uint64_t n, enum rows_sort sort,
              struct rows_place *places, struct error *why)
{
    bool is_down = sort % 2;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t position = positions ? positions[i] : (uint32_t)i;
        uint64_t key = 0;
        int r = find_key(entry, position, sort, &key, why);
        if (r < 0)
            return r;
        places[i] = (struct rows_place){.key = is_down ? ~key : key, .position = position};
    }
    if (n > 0)
        qsort(places, n, sizeof *places, compare);
    return 0;
}
