/* SPDX-License-Identifier: Apache-2.0
 * systemd's journal, by its native protocol: a datagram of fields
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { JOURNAL_FIELDS_MAX = 16 };

struct journal_field {
    const char *name;
    const char *value; /* one line; NULL: the field is left out */
};

/* Open a way to the journal that listens at `path`; before there are threads. Where nobody does,
 * journal_send() says so. */
void journal_open(const char *path);
void journal_close(void);

/* Whether standard error goes to the journal, as the service manager says in JOURNAL_STREAM. */
bool journal_has_stderr(void);

/* Send an entry of at most JOURNAL_FIELDS_MAX fields, waiting for nothing. False: it was not taken.
 * Any thread. */
bool journal_send(const struct journal_field *fields, size_t n);
