/* SPDX-License-Identifier: Apache-2.0
 * Which of several servers that are well is asked first. */
#include "client/rank.h"

#include <math.h>
#include <stdbool.h>

#include "client/hash.h"

/* A figure that is so old, in time and in tries since, says nothing of what the server is now. */
enum { OLD_MS = 30000, OLD_TRIES = 32 };

/* What is measured of servers that are the same differs by as much; a few milliseconds are nothing.
 */
static const double ABOUT = 2, ABOUT_MS = 2;

/* Of these one may have as much more to do than another. */
static const double MORE = 1.25;

/* ---- Places ---- */

uint64_t rank_key(const char *path, uint64_t part_begin)
{
    return hash_mix(hash_text(0xcbf29ce484222325, path) ^ hash_mix(part_begin));
}

/* ---- Times ---- */

static bool is_known(const struct server *server, const struct rank_of *of)
{
    return server->typical_whole_ms > 0 && (of->now_ms < server->measured_ms + OLD_MS ||
                                            of->sent < server->measured_at + OLD_TRIES);
}

static void note(struct server *server, const struct rank_of *of)
{
    server->measured_ms = of->now_ms;
    server->measured_at = of->sent;
}

void rank_took(struct server *server, uint64_t bytes, uint64_t ms, const struct rank_of *of)
{
    if (!is_known(server, of) || isinf(server->typical_whole_ms))
        server->typical_whole_ms = 0;
    server_sent(server, bytes, ms);
    note(server, of);
}

void rank_gave_nothing(struct server *server, const struct rank_of *of)
{
    if (is_known(server, of))
        return; /* it gives others what they ask for */
    server->typical_whole_ms = INFINITY;
    note(server, of);
}

struct rank rank_server(const struct servers *servers, size_t s, const struct rank_of *of)
{
    const struct server *server = &servers->list[s];
    struct rank rank = {.under_way = server->n_under_way,
                        .place = hash_mix(hash_text(of->key, server->label))};
    if (is_known(server, of))
        rank.typical_ms = server->typical_whole_ms;
    else
        rank.place = hash_mix(rank.place ^ of->seed);
    return rank;
}

static double fastest(const struct rank ranks[], size_t n)
{
    double ms = 0;
    for (size_t i = 0; i < n; i++)
        if (ranks[i].typical_ms > 0 && (ms == 0 || ranks[i].typical_ms < ms))
            ms = ranks[i].typical_ms;
    return ms > 0 ? ms : 1;
}

/* Who is slower is not asked. Times are measured with all that a server has to do: one that is
 * filled takes longer, until others are about as fast. Before that they would only hold up who
 * takes the answers in order. */
static bool is_about_as_fast(const struct rank *rank, double fastest_ms)
{
    return rank->typical_ms <= ABOUT * fastest_ms + ABOUT_MS;
}

/* Tries, this one with them. Whom nobody knows has none, if that can be found out at once. */
static double load(const struct rank *rank)
{
    return rank->typical_ms == 0 && rank->under_way == 0 ? 0 : rank->under_way + 1;
}

size_t rank_first(const struct rank ranks[], size_t n)
{
    double fastest_ms = fastest(ranks, n), least = INFINITY;
    for (size_t i = 0; i < n; i++)
        if (is_about_as_fast(&ranks[i], fastest_ms) && load(&ranks[i]) < least)
            least = load(&ranks[i]);
    size_t first = n;
    for (size_t i = 0; i < n; i++)
        if (is_about_as_fast(&ranks[i], fastest_ms) && load(&ranks[i]) <= MORE * least &&
            (first == n || ranks[i].place > ranks[first].place))
            first = i;
    return first;
}
