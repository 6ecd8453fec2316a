/* SPDX-License-Identifier: Apache-2.0
 * Asks servers that were silent whether they are back, by GET /readyz. Loop thread only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "client/options.h"
#include "client/servers.h"
#include "client/transfer.h"
#include "common/error.h"

struct probes;

/* What became of a probe; `number` as it was started with. */
typedef void probe_done(void *user, size_t server, uint64_t number, int r,
                        const struct answer *answer, const struct error *why);

/* All arguments are borrowed. Errors: -ENOMEM. */
int probes_new(struct transfers *transfers, const tnm_options *options,
               const struct servers *servers, probe_done *done, void *user, struct probes **ret);
void probes_free(struct probes *probes); /* accepts NULL; ends those that are under way */

/* Ask a server that is not being asked; done() is called later, unless it has become another one by
 * then. Errors: -ENOMEM. */
int probe_start(struct probes *probes, size_t server, uint64_t number);
