/* SPDX-License-Identifier: Apache-2.0
 * Chunks of one file that servers have: several are under way at once, from several servers, and
 * come to the caller in the order in which they arrive. One caller at a time. */
#pragma once

#include "client/body.h"
#include "client/chunks.h"
#include "client/client.h"

struct parts;

/* Of the file that servers have at `path`; `what` are words for it; both are copied, the client and
 * the revision that it has to have are borrowed; `n_cancels` is client_cancels() as the call began.
 * Errors, kept as the last error: -ENOMEM. */
int parts_new(tnm_client *client, const char *what, const char *path, const char *revision,
              uint64_t n_cancels, struct parts **ret);
void parts_free(struct parts *parts); /* accepts NULL; ends what is under way */

/* Is there room for one more? */
bool parts_have_room(const struct parts *parts);

/* Ask for a chunk, where there is room; it is borrowed until it is handed over. What is wrong is
 * told to who waits. */
void parts_ask(struct parts *parts, const struct chunk *chunk);

/* Wait for any chunk that was asked for, and take its bytes, which have passed their check. Errors,
 * kept as the last error: those of requests. */
int parts_wait(struct parts *parts, const struct chunk **ret, struct body *ret_body);

/* What a server sent that was not right, once for each server that does so after another did; false
 * where there is nothing new to say. */
bool parts_complaint(struct parts *parts, struct error *ret);
