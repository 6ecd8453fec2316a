/* SPDX-License-Identifier: Apache-2.0
 * Why a server refused, read from its answer (RFC 9457 problem+json). */
#pragma once

#include "client/transfer.h"

struct problem {
    char code[64];  /* "" where there is none */
    char text[256]; /* one line for people; "" for a 200 */
};

void problem_read(const struct answer *answer, struct problem *ret);
