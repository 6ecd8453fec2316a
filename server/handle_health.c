/* SPDX-License-Identifier: Apache-2.0
 * Whether the daemon lives, and whether it can serve. */
#include <string.h>

#include "server/handlers.h"
#include "server/problem.h"

static void answer(struct request *request, struct reply *reply, const char *text)
{
    struct error why;
    int r = reply_borrow(reply, text, strlen(text), &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}

void handle_healthz(struct request *request, struct reply *reply)
{
    answer(request, reply, "{\"status\": \"alive\"}\n");
}

void handle_readyz(struct request *request, struct reply *reply)
{
    for (size_t i = 0; i < request->catalog->n_entries; i++) {
        const struct entry *entry = request->catalog->entries[i];
        if (entry_is_damaged(entry)) {
            problem(request, reply, PROBLEM_SPLIT_DAMAGED, "split %s is damaged", entry->name);
            return;
        }
    }
    answer(request, reply, "{\"status\": \"ready\"}\n");
}
