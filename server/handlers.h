/* SPDX-License-Identifier: Apache-2.0
 * What the rows of the route table do.
 *
 * A check runs on the loop before anything is made: whether what is asked for exists, and what
 * making it costs (request->cost_us, 0 before); false after a problem. A handler is a pure function
 * of its request and can run on any thread; it leaves an answer, or a problem, in `reply`. */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/samples/reply.h"

typedef bool handler_check(struct request *request, struct reply *reply);
typedef void handler(struct request *request, struct reply *reply);

/* handle_health.c */
handler handle_healthz, handle_readyz;

/* handle_metrics.c */
handler handle_metrics;

/* handle_splits.c */
handler_check check_splits, check_split, check_labels;
handler handle_splits, handle_split, handle_labels;

/* handle_samples.c */
handler_check check_sample, check_mix, check_pair;
handler handle_sample, handle_mix, handle_pair;

/* handle_rows.c */
handler_check check_rows;
handler handle_rows, handle_names;

/* handle_pictures.c: a sample's has the checks and the handlers above */
handler_check check_sheet;
handler handle_sheet;

/* handle_shards.c */
handler_check check_shards, check_shard;
handler handle_shards, handle_shard;

/* handle_views.c */
handler_check check_indices, check_statistics;
handler handle_indices, handle_statistics;

/* handle_viewer.c */
handler_check check_root, check_viewer;
handler handle_root, handle_viewer;

/* handle_descriptions.c */
handler_check check_openapi, check_croissant, check_llms;
handler handle_openapi, handle_croissant, handle_llms;

/* handle_batches.c */
handler_check check_batch, check_epoch_batch, check_pair_batch;
handler handle_batch, handle_epoch_batch, handle_pair_batch;
