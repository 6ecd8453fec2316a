/* SPDX-License-Identifier: Apache-2.0
 * An address to listen on, as text (ADDR:PORT or unix:PATH) and as the kernel takes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/error.h"

enum { ADDRESS_TEXT_SIZE = 128 };

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* Whether the text has the form of an address; asks nobody for a host's name.
 * Errors: -EINVAL, why says what is wrong. */
int address_check(const char *text, struct error *why);

/* The address of the text; of a host's name its first one. Errors: address_check(); -EINVAL a host
 * that is not known. */
int address_parse(const char *text, struct address *ret, struct error *why);

/* The path of a Unix socket, NULL for any other address. */
const char *address_unix_path(const struct address *address);

/* Whether this machine alone can reach it. */
bool address_is_local(const struct address *address);

/* As address_parse() reads it; longer ones are cut. */
void address_print(const struct address *address, char *ret_text, size_t size);
