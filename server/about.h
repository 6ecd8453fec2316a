/* SPDX-License-Identifier: Apache-2.0
 * What a batch says of itself: the request that made it, and every value that shaped its bytes,
 * those that the client left out, too. So a client that was given another answer can tell. */
#pragma once

#include "common/safetensors.h"
#include "common/view_words.h"
#include "server/request.h"

enum { ABOUT_ROWS = 48, ABOUT_TEXT = 24, ABOUT_PATH = 256, ABOUT_LIST = 128 };

struct about {
    struct meta rows[ABOUT_ROWS];
    size_t n;
    char path[ABOUT_PATH];
    char texts[ABOUT_ROWS][ABOUT_TEXT]; /* of the values that are numbers */
    char list[ABOUT_LIST];              /* the recordings of a mix */
    char view[VIEW_TEXT_SIZE];          /* the words of a view, one behind the other */
};

/* Fill in for a batch's request whose check has passed. It points into itself and the request. */
void about_request(const struct request *request, struct about *ret);
