/* SPDX-License-Identifier: Apache-2.0
 * Which of several servers that are well is asked first: the fastest; and of those that are about
 * as fast the same one each time, for all clients whose servers are the same, so that what it read
 * for one request is in its memory for the next. Loop thread only. */
#pragma once

#include "client/servers.h"

/* For whom, and when. */
struct rank_of {
    uint64_t key;  /* of the request */
    uint32_t seed; /* of the client: not all begin with the same server */
    uint64_t now_ms;
    uint64_t sent; /* tries, to anybody so far */
};

/* What a server is chosen by. */
struct rank {
    double typical_ms;  /* until its answers are there; 0: nobody knows; INFINITY: they never are */
    unsigned under_way; /* tries */
    uint64_t place;     /* among those that are about as fast: the highest is asked */
};

/* Of a request: of its path, and of where the part begins that is asked for. */
uint64_t rank_key(const char *path, uint64_t part_begin);

struct rank rank_server(const struct servers *servers, size_t s, const struct rank_of *of);

/* An answer of `bytes` was there after so long. Where what was known of the server is so old that
 * it counts no more, this is all that is known. */
void rank_took(struct server *server, uint64_t bytes, uint64_t ms, const struct rank_of *of);

/* It has answered, but not with what was asked for. Where nothing better is known of it, others are
 * asked before it for some time. */
void rank_gave_nothing(struct server *server, const struct rank_of *of);

/* Which of n is asked, n > 0. */
size_t rank_first(const struct rank ranks[], size_t n);
