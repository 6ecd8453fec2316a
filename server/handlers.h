/* SPDX-License-Identifier: Apache-2.0
 * What the rows of the route table do. Each is a pure function of its request and can run on any
 * thread; each leaves an answer, or a problem, in `reply`. */
#pragma once

#include <stdint.h>

#include "server/request.h"
#include "server/samples/recipe.h"
#include "server/samples/reply.h"

/* handle_health.c */
void handle_healthz(struct request *request, struct reply *reply);
void handle_readyz(struct request *request, struct reply *reply);

/* handle_splits.c */
void handle_splits(struct request *request, struct reply *reply);
void handle_split(struct request *request, struct reply *reply);
void handle_labels(struct request *request, struct reply *reply);
uint64_t weigh_split(const struct request *request);

/* handle_samples.c */
void handle_rows(struct request *request, struct reply *reply);
void handle_sample(struct request *request, struct reply *reply);
void handle_mix(struct request *request, struct reply *reply);
void handle_pair(struct request *request, struct reply *reply);
uint64_t weigh_rows(const struct request *request);
uint64_t weigh_sample(const struct request *request);

/* The recipe of sample i of the request's split; false after a problem. */
bool take_sample(const struct request *request, struct reply *reply, uint64_t i,
                 struct recipe *ret);

/* handle_batches.c */
void handle_batch(struct request *request, struct reply *reply);
void handle_epoch_batch(struct request *request, struct reply *reply);
void handle_pair_batch(struct request *request, struct reply *reply);
uint64_t weigh_batch(const struct request *request);
uint64_t weigh_epoch_batch(const struct request *request);
uint64_t weigh_pair_batch(const struct request *request);
