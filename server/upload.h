/* SPDX-License-Identifier: Apache-2.0
 * The body of a request on its way in: bounded, and claimed from the budget as it grows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a body is not kept. It is read on all the same, so that the client sees the answer. */
enum upload_fault {
    UPLOAD_SOUND,
    UPLOAD_UNWANTED,
    UPLOAD_TOO_LONG,
    UPLOAD_NO_BUDGET,
    UPLOAD_NO_MEMORY
};

struct upload {
    uint64_t address;   /* whose share of the budget it is */
    uint64_t most;      /* bytes that are kept */
    uint64_t most_read; /* and read at all */
    uint64_t length;    /* that was announced; 0: none was */
    uint64_t received;
    enum upload_fault fault;
    char *bytes;
    size_t size, room;
};

/* Keep a piece. False: there is more than is read. */
bool upload_add(struct upload *upload, const char *bytes, size_t size);

void upload_free(struct upload *upload);
