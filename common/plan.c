/* SPDX-License-Identifier: Apache-2.0
 * The plan: which recordings go into which sample of a 2NMNIST split. */
#include "common/plan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mt19937.h"

static size_t walk(struct mt19937 *mt, const uint8_t *digits, const uint32_t *list, size_t n,
                   struct plan_row *rows)
{
    size_t n_rows = 0;
    for (size_t at = 0; at < n;) {
        uint64_t wanted = 1 + mt19937_bounded(mt, 1); /* randint(1, 3) */
        bool pair = wanted == 2 && at + 1 < n && digits[list[at]] != digits[list[at + 1]];
        rows[n_rows++] = (struct plan_row){
            .a = (int32_t)list[at],
            .b = pair ? (int32_t)list[at + 1] : -1,
        };
        at += pair ? 2 : 1;
    }
    return n_rows;
}

int plan_make(const uint8_t *digits, size_t n, uint32_t seed, struct plan_row **ret,
              size_t *ret_n_rows, struct error *why)
{
    if (n == 0 || n > INT32_MAX)
        return error_set(why, -ERANGE, "a plan over %zu recordings: 1 to %d are possible", n,
                         INT32_MAX);
    uint32_t *list = calloc(n, sizeof *list);
    struct plan_row *rows = calloc(n, sizeof *rows);
    if (!list || !rows) {
        free(list);
        free(rows);
        return error_set(why, -ENOMEM, "no memory for a plan over %zu recordings", n);
    }
    struct mt19937 mt;
    mt19937_init_genrand(&mt, seed);
    mt19937_permutation(&mt, (uint32_t)n, list);
    *ret_n_rows = walk(&mt, digits, list, n, rows);
    *ret = rows;
    free(list);
    return 0;
}

void plan_name(char ret[PLAN_NAME_SIZE], size_t i, const struct plan_row *row,
               const uint8_t *digits)
{
    if (row->b < 0)
        snprintf(ret, PLAN_NAME_SIZE, "%zu_%u.bin", i, digits[row->a]);
    else
        snprintf(ret, PLAN_NAME_SIZE, "%zu_%u-%u.bin", i, digits[row->a], digits[row->b]);
}
