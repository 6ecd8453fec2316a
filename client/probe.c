/* SPDX-License-Identifier: Apache-2.0
 * Asks servers that were silent whether they are back, by GET /readyz. */
#include "client/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct probe {
    struct probes *all;
    struct transfer *transfer; /* NULL while there is none */
    uint64_t number;
    unsigned life; /* of the server, when it was sent */
};

struct probes {
    struct transfers *transfers;
    const tnm_options *options;
    const struct servers *servers;
    probe_done *done;
    void *user;
    struct probe list[SERVERS_MAX];
};

enum { ANSWER_MAX = 65536 };

static void on_transferred(void *user, int r, struct answer *answer, const struct error *why)
{
    struct probe *probe = user;
    struct probes *all = probe->all;
    probe->transfer = NULL;
    if (probe->life != all->servers->list[probe - all->list].life)
        return;
    all->done(all->user, (size_t)(probe - all->list), probe->number, r, answer, why);
}

int probe_start(struct probes *all, size_t server, uint64_t number)
{
    struct probe *probe = &all->list[server];
    const struct server *to = &all->servers->list[server];
    char *url;
    if (asprintf(&url, "%s/readyz", to->base) < 0)
        return -ENOMEM;
    const struct transfer_ask ask = {.url = url,
                                     .unix_socket = to->socket,
                                     .address = to->address,
                                     .max_bytes = ANSWER_MAX,
                                     .timeout_ms = all->options->connect_timeout_ms,
                                     .is_urgent = true};
    transfer_cancel(probe->transfer); /* of the server that was here before */
    probe->transfer = NULL;
    probe->all = all;
    probe->number = number;
    probe->life = to->life;
    int r = transfer_start(all->transfers, &ask, on_transferred, probe, &probe->transfer);
    free(url);
    return r;
}

int probes_new(struct transfers *transfers, const tnm_options *options,
               const struct servers *servers, probe_done *done, void *user, struct probes **ret)
{
    struct probes *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->transfers = transfers;
    all->options = options;
    all->servers = servers;
    all->done = done;
    all->user = user;
    *ret = all;
    return 0;
}

void probes_free(struct probes *all)
{
    for (size_t s = 0; all && s < all->servers->n; s++)
        transfer_cancel(all->list[s].transfer);
    free(all);
}
