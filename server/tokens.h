/* SPDX-License-Identifier: Apache-2.0
 * Who may ask: bearer tokens, of which the file holds only SHA-256 hashes.
 *
 * Its lines are `name sha256-hex [expires]`; '#' starts a comment. A name may stand on several
 * lines, so that a token can be replaced while the one before it still counts; a hash may not.
 * `expires` is 2027-01-31, counted to the end of that day in UTC, or 2027-01-31T12:00:00Z. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "common/error.h"

enum {
    TOKENS_MAX = 1024,     /* lines with a token */
    TOKENS_NAME_SIZE = 64, /* of a name, with its NUL */
    TOKENS_LENGTH_MIN = 16,
    TOKENS_LENGTH_MAX = 4096,
};

struct tokens;

/* Read the file. It is read anew by tokens_reload(), and its path outlives *ret.
 * Errors: those of open() and read(); -EINVAL, -ERANGE a line, which `why` names. */
int tokens_open(const char *path, struct tokens **ret, struct error *why);
void tokens_close(struct tokens *tokens);

/* Read the file again. Where that fails, what was read before stays. Any thread. Errors:
 * tokens_open(). */
int tokens_reload(struct tokens *tokens, struct error *why);

/* How many there are. Any thread. */
unsigned tokens_count(struct tokens *tokens);

enum token_verdict {
    TOKEN_GOOD,
    TOKEN_MISSING,   /* there is no header, or one of another scheme */
    TOKEN_MALFORMED, /* what follows "Bearer" is no token */
    TOKEN_UNKNOWN,
    TOKEN_EXPIRED,
};

/* Judge the value of an Authorization header, NULL where there is none. The presented token is
 * compared with every line, in a time that does not depend on which one it is, or how much of one.
 * On TOKEN_GOOD and TOKEN_EXPIRED its name is in `ret_name`, which otherwise stays. Any thread. */
enum token_verdict tokens_judge(struct tokens *tokens, const char *authorization, time_t now,
                                char ret_name[TOKENS_NAME_SIZE]);

/* Print the line of the file that lets `token` in, as `name`; NULL: a name made from the hash.
 * Errors: -EINVAL it is no token that is hard to guess and fits in a header, or that is no name. */
int tokens_print_line(const char *token, const char *name, FILE *out, struct error *why);
