/* SPDX-License-Identifier: Apache-2.0
 * Reads all of a split, and holds it against its checksums. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/samples/holding.h"

/* Asked before each piece of the file, after `done` bytes of its data; false ends the scrub. */
typedef bool scrub_go_on(void *user, uint64_t done);

/* Read the file behind the holding from its data to its end: the events of each sample against
 * their CRC-32C, and all of it against data_sha256. Where it is sound the holding is verified, else
 * it is damaged. Any thread; one for a holding at a time. It is read with pread(), so a file that
 * is cut short meanwhile is an error like others.
 * Errors: -EBADMSG, and those of pread(), the holding is damaged (why says in what; a sample by its
 * number); -ECANCELED go_on() said no; -ENOMEM. */
int scrub_run(struct holding *holding, scrub_go_on *go_on, void *user, struct error *why);
