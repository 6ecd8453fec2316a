/* SPDX-License-Identifier: Apache-2.0
 * The head of a request: from libmicrohttpd into the request, with what framing.h wants to see. */
#pragma once

#include "server/framing.h"
#include "server/request.h"

enum { HEAD_N_LISTS = 4 };

struct MHD_Connection;

struct head {
    size_t size;
    struct framing framing;
    char *lists[HEAD_N_LISTS]; /* values of headers that came in several lines */
};

/* Fill in `request`, whose url is set, from the connection whose head was just received; values
 * live as long as both. */
void head_read(struct head *head, struct MHD_Connection *connection, const char *path,
               const char *method, const char *version, struct request *request);

void head_free(struct head *head);
